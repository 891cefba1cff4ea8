"""The state of one bin now, from its readings and its rules: what the table `bin_state` holds."""

from dataclasses import dataclass
from datetime import datetime

from ingest.assess.decisions.due import Due, Rules, decide
from ingest.assess.decisions.outlook import Forecast
from ingest.assess.levels.findings import Findings
from ingest.assess.levels.readings import moment
from ingest.assess.levels.sensor import Sensor

Moments = tuple[datetime | None, datetime | None, datetime | None]
"""By when something comes with a chance of 10, 50 and 90 of 100; None beyond what can be said."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is forecast of one bin.

    Attributes:
        threshold_at: when it reaches its threshold; may be past.
        full_at: when it is full.
        horizon_at: end of the round until which it has to wait when the coming one leaves it out; None for no rounds.
        overflow_chance: that it overflows before then if nobody empties it, 0..1; None without a horizon.
    """

    threshold_at: Moments
    full_at: Moments
    horizon_at: datetime | None
    overflow_chance: float | None


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
        prospect: the forecast; None without one.
    """

    fill_level: float | None
    quality: int | None
    measured_at: datetime | None
    last_received_at: datetime | None
    last_emptied_at: datetime | None
    due: Due
    prospect: Prospect | None = None


def state_at(
    findings: Findings,
    known_emptied_at: datetime | None,
    sensor: Sensor | None,
    rules: Rules,
    now: datetime,
    *,
    forecast: Forecast | None = None,
    horizon: datetime | None = None,
    before: Due | None = None,
    denied_at: datetime | None = None,
) -> BinState:
    """Work out the state of one bin from what its readings say.

    Args:
        findings: from `examine`.
        known_emptied_at: newest emptying known from elsewhere; None for none.
        sensor: that sits in it; None for none.
        rules: of that bin.
        now: aware.
        forecast: from its newest believed level; None for none.
        horizon: until when it has to wait when it is left out now; None leaves forecasts out.
        before: the decision before this one; None when it is not known.
        denied_at: newest emptying that was reported and that the sensor contradicts; None for none.
    """
    if sensor is None:
        # What a sensor said before it was taken away is history.
        findings = Findings(emptyings=findings.emptyings)
    emptied_at = moment(findings.emptyings[-1].emptied_at) if findings.emptyings else known_emptied_at
    if emptied_at is not None and known_emptied_at is not None:
        emptied_at = max(emptied_at, known_emptied_at)
    due = decide(
        findings,
        sensor,
        emptied_at,
        rules,
        now,
        forecast=forecast,
        horizon=horizon,
        before=before,
        denied_at=denied_at,
    )
    return BinState(
        fill_level=findings.level,
        quality=findings.quality,
        measured_at=findings.measured_at,
        last_received_at=None if sensor is None else sensor.last_received_at,
        last_emptied_at=emptied_at,
        due=due,
        prospect=None if forecast is None else _prospect(forecast, horizon),
    )


def _prospect(forecast: Forecast, horizon: datetime | None) -> Prospect:
    threshold, full = forecast.threshold, forecast.full
    return Prospect(
        threshold_at=(threshold.p10, threshold.p50, threshold.p90),
        full_at=(full.p10, full.p50, full.p90),
        horizon_at=horizon,
        overflow_chance=None if horizon is None else full.chance_before(horizon),
    )
