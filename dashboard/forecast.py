"""What is forecast of a bin, in words; never without how sure that is."""

from datetime import datetime
from zoneinfo import ZoneInfo

from dashboard.rows import Bin
from dashboard.words import percent
from ingest.assess.decisions import wording

# A smaller chance is not worth a line.
LEAST_CHANCE = 0.05


def forecast_lines(row: Bin, now: datetime, zone: ZoneInfo) -> list[str]:
    """Say when a bin will be full, and how likely it overflows before the round that it may have to wait for.

    Args:
        row: the bin.
        now: aware.
        zone: of the council.

    Returns:
        Sentences, as coarse as what they say is sure; none without a forecast.
    """
    lines = []
    if row.fill_level is None or row.fill_level < row.threshold:
        lines += _reaches(
            percent(row.threshold), (row.threshold_at_p10, row.threshold_at_p50, row.threshold_at_p90), now, zone
        )
    lines += _reaches("100%", (row.full_at_p10, row.full_at_p50, row.full_at_p90), now, zone)
    # A bin that is due for its forecast has this chance in its explanation.
    if row.reason != "FORECAST" and row.horizon_at is not None and (row.overflow_chance or 0) >= LEAST_CHANCE:
        before = wording.round_that_ends(row.horizon_at, now, zone)
        lines.append(f"{wording.chance(row.overflow_chance or 0)} to overflow before {before} ends.")
    return lines


def _reaches(
    level: str, quantiles: tuple[datetime | None, datetime | None, datetime | None], now: datetime, zone: ZoneInfo
) -> list[str]:
    early, likely, late = quantiles
    if early is None:
        return []
    if likely is None:
        return [f"May reach {level} from {_about(early, now, zone)} on."]
    if likely <= now:
        return [f"Likely to have reached {level} by now."]
    first = _about(early, now, zone)
    until = f"between {first} and {_about(late, now, zone)}" if late else f"not before {first}"
    return [f"Likely to reach {level} about {_about(likely, now, zone)} ({until})."]


def _about(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    return "now" if moment <= now else wording.about(moment, now, zone)
