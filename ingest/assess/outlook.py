"""What is to be feared of a bin before the horizon: the chance that it overflows, and whether that is too much."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from ingest.assess.forecast import Forecast, Forecasts, Passages
from ingest.assess.readings import Times

# An overflow (the litter around it, the complaint, somebody sent for it alone) is counted as three visits.
# Leaving a bin out is then too dear where three times the chance is more than what the visit costs: one that could
# have waited for the next round is a third of a visit too many for a bin of a three-day cycle, the usual one of a bin
# with a sensor. So it may go from a chance of a ninth, and must go from a third, where it is worth a visit of its own.
MAY_GO_CHANCE = 1 / 9
MUST_GO_CHANCE = 1 / 3
# What once was too much is so until the chance has fallen well below that, and for so long at least.
RELEASE = 0.6
HOLD = timedelta(hours=2)
# How much the chance of overflowing in the first half of the time counts beside the chance for all of it: of two bins
# that overflow almost surely, the one that does so sooner is worse.
SOONER = 0.1


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a bin's forecast says of the time until a horizon; instants are aware and UTC.

    Attributes:
        horizon: until when the bin has to wait when it is left out now.
        overflows: chance 0..1 that it is full before the horizon.
        overflows_soon: chance that it is full before half of that time has gone.
        is_full: chance that it is full by now: more than nothing when its sensor has said nothing for long.
        is_over: chance that it has reached its threshold by now.
        over_at: when it reaches its threshold as likely as not (p50); None when that is too far away to be said.
        full_from: when it is full at the earliest (p10); None when that is too far away to be said.
    """

    horizon: datetime
    overflows: float
    overflows_soon: float
    is_full: float
    is_over: float
    over_at: datetime | None
    full_from: datetime | None


def prospect(forecast: Forecast, horizon: datetime, now: datetime) -> Prospect:
    """Say what one bin's forecast says of the time until a horizon, both aware; `prospects` does it for many."""
    full, threshold = forecast.full, forecast.threshold
    return Prospect(
        horizon=horizon,
        overflows=full.chance_before(horizon),
        overflows_soon=full.chance_before(now + (horizon - now) / 2),
        is_full=full.chance_before(now),
        is_over=threshold.chance_before(now),
        over_at=threshold.p50,
        full_from=full.p10,
    )


def prospects(forecasts: Forecasts, horizons: Sequence[datetime | None], now: datetime) -> list[Prospect | None]:
    """Say what the forecasts of many bins say, twenty times as fast as one by one.

    Args:
        forecasts: of all of them.
        horizons: of each of them; aware, None where there are no rounds.
        now: aware.

    Returns:
        Of each; None where there is no horizon, or nothing can be forecast.
    """
    moment = _instant(now)
    until = np.array([moment if at is None else _instant(at) for at in horizons], dtype="datetime64[us]")
    nows = np.full(len(until), moment)
    columns = zip(
        horizons,
        forecasts.known.tolist(),
        _chances(forecasts.full, until),
        _chances(forecasts.full, moment + (until - moment) // 2),
        _chances(forecasts.full, nows),
        _chances(forecasts.threshold, nows),
        _aware(forecasts.threshold.quantiles[:, 1]),
        _aware(forecasts.full.quantiles[:, 0]),
        strict=True,
    )
    return [
        Prospect(horizon, *chances_and_instants) if known and horizon is not None else None
        for horizon, known, *chances_and_instants in columns
    ]


@dataclass(frozen=True, slots=True)
class Held:
    """What was decided before, and still counts.

    Attributes:
        since: since when the bin was due.
        forecast: by FORECAST.
        must: and had to go.
    """

    since: datetime
    forecast: bool
    must: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be feared of a bin.

    Attributes:
        prospect: what its forecast says.
        harm: 0..1, what bins are ordered by: the chance that it overflows, and a little of how soon.
        may: whether it may go for it.
        must: whether it must.
        since: since when.
        by: until when the chance is small.
    """

    prospect: Prospect
    harm: float
    may: bool
    must: bool
    since: datetime
    by: datetime


def look_ahead(prospect: Prospect, held: Held | None, now: datetime) -> Outlook:
    """Say what is to be feared of a bin.

    Args:
        prospect: of that bin.
        held: what was decided before; None for nothing that still counts.
        now: aware.
    """
    chance = prospect.overflows
    was_due = held is not None and held.forecast
    since = held.since if held is not None and was_due else now
    may = chance >= MAY_GO_CHANCE * (RELEASE if was_due else 1.0) or (was_due and now - since < HOLD)
    must = may and chance >= MUST_GO_CHANCE * (RELEASE if held is not None and held.must else 1.0)
    return Outlook(
        prospect=prospect,
        harm=(1 - SOONER) * chance + SOONER * prospect.overflows_soon,
        may=may,
        must=must,
        since=since,
        by=max(now, prospect.full_from or prospect.horizon),
    )


def _chances(passages: Passages, moments: Times) -> list[float]:
    """Give the chances that a mark is reached before each moment; most are none at all, and not looked at."""
    chances = np.zeros(len(moments))
    rows = np.flatnonzero(passages.instants[:, 0] <= moments)
    chances[rows] = Passages(passages.quantiles[rows], passages.instants[rows]).chance_before(moments[rows])
    return chances.tolist()


def _instant(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def _aware(instants: Times) -> list[datetime | None]:
    return [None if at is None else at.replace(tzinfo=UTC) for at in instants.astype("datetime64[us]").tolist()]
