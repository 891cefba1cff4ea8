"""The state of one bin now, from its readings and its rules: what the table `bin_state` holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ingest.assess.due import Due, Rules, decide
from ingest.assess.findings import Findings, examine, moment
from ingest.assess.readings import Geometry, Series
from ingest.assess.sensor import Sensor


@dataclass(frozen=True, slots=True)
class BinState:
    """The state of one bin.

    Attributes:
        fill_level: newest level that can be believed, 0..1; None when none is known.
        quality: of that level, LwM2M 6042.
        measured_at: when it was measured.
        last_received_at: when the bin's sensor was last heard of.
        last_emptied_at: newest known emptying.
        due: the decision.
    """

    fill_level: float | None
    quality: int | None
    measured_at: datetime | None
    last_received_at: datetime | None
    last_emptied_at: datetime | None
    due: Due


def assess_bin(
    series: Series,
    geometry: Geometry,
    *,
    reported_emptyings: Iterable[datetime] = (),
    sensor: Sensor | None,
    rules: Rules,
    now: datetime,
) -> BinState:
    """Work out the state of one bin from its readings.

    Args:
        series: its readings, one track, since its last emptying at least; empty when it was never measured.
        geometry: of that bin.
        reported_emptyings: when others than the sensor say that it was emptied; aware.
        sensor: that sits in it; None for none.
        rules: of that bin.
        now: aware.
    """
    [findings] = examine(series, geometry, rules.threshold)
    return state_at(findings, max(reported_emptyings, default=None), sensor, rules, now)


def state_at(
    findings: Findings, known_emptied_at: datetime | None, sensor: Sensor | None, rules: Rules, now: datetime
) -> BinState:
    """Work out the state of one bin from what its readings say.

    Args:
        findings: from `examine`.
        known_emptied_at: newest emptying known from elsewhere; None for none.
        sensor: that sits in it; None for none.
        rules: of that bin.
        now: aware.
    """
    if sensor is None:
        # What a sensor said before it was taken away is history.
        findings = Findings(emptyings=findings.emptyings)
    seen = moment(findings.emptyings[-1].emptied_at) if findings.emptyings else None
    emptied_at = max((time for time in (seen, known_emptied_at) if time is not None), default=None)
    return BinState(
        fill_level=findings.level,
        quality=findings.quality,
        measured_at=findings.measured_at,
        last_received_at=None if sensor is None else sensor.last_received_at,
        last_emptied_at=emptied_at,
        due=decide(findings, sensor, emptied_at, rules, now),
    )
