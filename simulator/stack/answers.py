"""Asks a running demo what its users would ask, to say whether all of it answers."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

TIMEOUT_S = 10.0
RECENT = timedelta(hours=2)
MEASURED_SHARE = 0.9
"""So many of the bins have a level measured recently: the rest have no sensor, or a faulty one."""
ALWAYS_DUE_FROM = 100
"""In a town of so many bins some are due at any time."""


class Api:
    """The route engine's API.

    Args:
        base: its address, ending in /api/v1.
        key: for it.
    """

    def __init__(self, base: str, key: str) -> None:
        self._base, self._key = base, key

    def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 - JSON
        """Ask for one page.

        Raises:
            OSError: no answer, or none with status 200.
        """
        url = f"{self._base}{path}?{urlencode(query)}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._key}"})  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return json.load(answer)

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """Give all items of a list, page by page."""
        page = self.get(path, limit=1000)
        yield from page["items"]
        while page["next"]:
            page = self.get(path, limit=1000, cursor=page["next"])
            yield from page["items"]


def is_healthy(base: str, path: str = "/healthz") -> bool:
    """Say whether a process answers at this path with 200."""
    try:
        with urllib.request.urlopen(f"{base}{path}", timeout=2) as answer:  # noqa: S310 - ours
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except OSError:
        return False


def town_answers(api: Api, bins: int) -> bool:
    """Say whether the API knows all bins, most of them with a fresh level, some of them due and most not."""
    try:
        known = list(api.items("/bins"))
        due = sum(1 for _ in api.items("/due"))
    except OSError:
        return False
    since = datetime.now(UTC) - RECENT
    measured = sum(1 for item in known if item["measured_at"] and datetime.fromisoformat(item["measured_at"]) > since)
    some_due = due > 0 or bins < ALWAYS_DUE_FROM
    return len(known) == bins and measured >= MEASURED_SHARE * bins and some_due and due <= bins / 2


def firmware_missing(api: Api, devices: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Say which devices' own readings the API does not show yet.

    Args:
        api: to ask.
        devices: device and bin of each.
    """
    return {(device, place) for device, place in devices if not _has_own_reading(api, device, place)}


def _has_own_reading(api: Api, device: str, place: str) -> bool:
    try:
        newest = api.get(f"/bins/{quote(place)}/readings", limit=5)["items"]
    except OSError:
        return False
    # Its made-up past has the epoch 0, the firmware counts from 1.
    return any(item["device"] == device and item["epoch"] > 0 for item in newest)
