"""Whether a bin's sensor can be relied on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.assess.levels.findings import Findings

# A sensor is silent when its newest reading is older than so many of the intervals that it promised ...
MISSED_REPORTS = 3
# ... but not before this; ...
SILENT_AFTER_LEAST = timedelta(hours=6)
# ... and after this when it promised nothing.
SILENT_AFTER_UNPROMISED = timedelta(hours=24)
# So many rejected readings in a row say that the sensor cannot see.
REJECTED_READINGS = 3
# One that could not see can be relied on again when all it says over so long a time is believed: nothing flaps.
RECOVERS_IN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Sensor:
    """The sensor that sits in a bin now.

    Attributes:
        fitted_at: since when; aware.
        next_report_s: seconds until its next report, as it promised with its last one; None if it does not say.
        last_received_at: when it was last heard of; None for never.
    """

    fitted_at: datetime
    next_report_s: int | None = None
    last_received_at: datetime | None = None


def sensor_health(findings: Findings, sensor: Sensor | None, now: datetime) -> str:
    """Say whether a bin's sensor can be relied on: `none`, `ok`, `silent` or `rejected`.

    One that never reported is silent from the start: nothing is known of its bin.
    """
    if sensor is None:
        return "none"
    limit = silent_after(sensor)
    if findings.newest_at is None or now - findings.newest_at > limit:
        return "silent"
    blind = findings.measured_at is None or now - findings.measured_at > limit
    return "rejected" if blind or findings.rejected_count >= REJECTED_READINGS else "ok"


def recovery(findings: Findings, believed_since: datetime | None) -> tuple[str, datetime | None]:
    """Say whether a sensor that was rejected can be relied on again.

    Args:
        findings: what its bin's readings say; they alone would call it `ok`.
        believed_since: the first reading that was believed again, as given the last time; None for none.

    Returns:
        `ok` or `rejected`, and the first reading that was believed again, None when there is none or no more need.
    """
    if findings.rejected_count or findings.measured_at is None:
        return "rejected", None
    since = believed_since or findings.measured_at
    return ("ok", None) if findings.measured_at - since >= RECOVERS_IN else ("rejected", since)


def silent_after(sensor: Sensor) -> timedelta:
    """Give the age of the newest reading from which a sensor counts as silent."""
    if sensor.next_report_s is None:
        return SILENT_AFTER_UNPROMISED
    return max(timedelta(seconds=MISSED_REPORTS * sensor.next_report_s), SILENT_AFTER_LEAST)
