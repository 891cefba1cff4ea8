"""Sends one letter through apprise: e-mail, text message, Teams, webhook and whatever else it knows."""

import logging
import re
from urllib.parse import unquote

from apprise import Apprise, AppriseAsset, LogCapture, NotifyBase, NotifyFormat

from ingest.notify.letter import Letter
from ingest.notify.targets import Target

# Where a target takes headers (webhooks, e-mail), a repetition can be told by this one.
KEY_HEADER = "Idempotency-Key"
SHORTEST_SECRET = 3
LONGEST_ERROR = 300


def send(target: Target, letter: Letter, key: str) -> str | None:
    """Send a letter.

    Args:
        target: to whom.
        letter: what.
        key: the same however often this letter is sent.

    Returns:
        Why it did not work, in one sentence without the target's address; None when it did.
    """
    url = target.url.get_secret_value()
    # No hints of its own in what people get, nothing outside of what is named there.
    asset = AppriseAsset(app_id="Brimwatch", app_desc="Brimwatch", app_url="", secure_logging=True)
    plugin = Apprise.instantiate(url, asset=asset)
    if not isinstance(plugin, NotifyBase):
        return "It is no address that apprise knows."
    headers = getattr(plugin, "headers", None)
    if isinstance(headers, dict):
        headers[KEY_HEADER] = key
    outlet = Apprise(asset=asset)
    outlet.add(plugin)
    with LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call]
        worked = outlet.notify(title=letter.subject, body=letter.body, body_format=NotifyFormat.TEXT)
        words = said.getvalue()
    return None if worked else _sentence(words, url)


def _sentence(words: str, url: str) -> str:
    text = " ".join(words.split())
    # Whatever of the address might be repeated in the answer, the longest part first.
    parts = {part for part in re.split(r"[^\w.\-]+", f"{url} {unquote(url)}") if len(part) >= SHORTEST_SECRET}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "***")
    return text[:LONGEST_ERROR] or "It was not taken."
