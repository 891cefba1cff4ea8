"""What is forecast of a bin, in words; never without how sure that is."""

from datetime import datetime

from dashboard.rows import Bin
from dashboard.words import clock, percent


def forecast_lines(row: Bin, now: datetime) -> list[str]:
    """Say when a bin will be full, and how likely it overflows before the round that it may have to wait for.

    Args:
        row: the bin.
        now: in the council's zone.

    Returns:
        Sentences; none without a forecast.
    """
    lines = []
    if row.fill_level is None or row.fill_level < row.threshold:
        lines += _reaches(percent(row.threshold), row.threshold_at_p10, row.threshold_at_p50, row.threshold_at_p90, now)
    lines += _reaches("100%", row.full_at_p10, row.full_at_p50, row.full_at_p90, now)
    if row.horizon_at is not None and row.overflow_chance is not None:
        lines.append(f"Chance to overflow by {clock(row.horizon_at, now)}: {percent(row.overflow_chance)}.")
    return lines


def _reaches(
    level: str, early: datetime | None, likely: datetime | None, late: datetime | None, now: datetime
) -> list[str]:
    if early is None:
        return []
    if likely is None:
        return [f"May reach {level} from {clock(early, now)} on."]
    if likely <= now:
        return [f"Likely to have reached {level} by now."]
    until = f"between {clock(early, now)} and {clock(late, now)}" if late else f"not before {clock(early, now)}"
    return [f"Likely to reach {level} {clock(likely, now)} ({until})."]
