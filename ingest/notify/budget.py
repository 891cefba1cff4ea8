"""Which alerts get a letter of their own, and which come together in one. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ingest.notify.letter import Notice

# Between two letters that hold many.
DIGEST_EVERY = timedelta(hours=2)


def share_out(
    notices: Sequence[Notice], *, left: int, last_digest_at: datetime | None, now: datetime
) -> tuple[list[Notice], list[Notice]]:
    """Part alerts into those that go out singly and those that go out together; the rest waits.

    Args:
        notices: that nobody was told of yet, of one depot.
        left: letters about single alerts that the depot still gets today.
        last_digest_at: when it last got one with many; aware, None for never.
        now: aware.

    Returns:
        Singly, the most severe first: every fire, and others as long as something is left; and together: all others, or
        none while the last such letter is not old enough.
    """
    ordered = sorted(notices, key=lambda notice: (notice.severity, notice.id))
    fires = sum(notice.type == "fire" for notice in ordered)
    single = max(fires, left)
    due = last_digest_at is None or now - last_digest_at >= DIGEST_EVERY
    return ordered[:single], ordered[single:] if due else []
