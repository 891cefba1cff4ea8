"""Dates and times as people write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def read_moment(text: str, time_zone: str) -> datetime:
    """Read an ISO 8601 date or time; without an offset it is of the given time zone.

    Raises:
        ValueError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))
        # The database keeps UTC, and gives back no time of a year that Python does not have.
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a date or time such as 2026-03-01 or 2026-03-01T07:00") from None
    return moment
