"""What is to be feared of a bin before the horizon: the chance that it overflows, and whether that is too much."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

# An overflow (the litter around it, the complaint, somebody sent for it alone) is counted as three visits.
# Leaving a bin out is then too dear where three times the chance is more than what the visit costs: one that could
# have waited for the next round is a third of a visit too many for a bin of a three-day cycle, the usual one of a bin
# with a sensor. So it may go from a chance of a ninth, and must go from a third, where it is worth a visit of its own.
MAY_GO_CHANCE = 1 / 9
MUST_GO_CHANCE = 1 / 3
# What once was too much is so until the chance has fallen well below that, and for so long at least.
RELEASE = 0.6
HOLD = timedelta(hours=2)


class Passage(Protocol):
    """When a level will reach a mark, as `forecast.Passage`, or with answers that were worked out for many at once."""

    @property
    def p10(self) -> datetime | None:
        """Reached by then in one of ten cases; None when that is too far away to be said."""

    @property
    def p50(self) -> datetime | None:
        """Reached by then in half of the cases; None when that is too far away to be said."""

    @property
    def p90(self) -> datetime | None:
        """Reached by then in nine of ten cases; None when that is too far away to be said."""

    def chance_before(self, moment: datetime, /) -> float:
        """Give the chance, 0..1, that it is reached before a moment, if nobody empties the bin."""


class Forecast(Protocol):
    """When a bin reaches its threshold, and 100%, as `forecast.Forecast`."""

    @property
    def threshold(self) -> Passage:
        """Of the bin's threshold."""

    @property
    def full(self) -> Passage:
        """Of 100%."""


@dataclass(frozen=True, slots=True)
class Held:
    """What was decided before, and still counts.

    Attributes:
        reason: for which the bin was due.
        since: since when.
        must: whether it had to go.
    """

    reason: str
    since: datetime
    must: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be feared of a bin.

    Attributes:
        forecast: that says so.
        horizon: until when the bin has to wait when it is left out now; aware.
        chance: 0..1, that it overflows before then.
        harm: 0..1, what bins are ordered by: for how much of the time until the horizon it will overflow, as expected.
        may: whether it may go for it.
        must: whether it must.
        since: since when.
        by: until when the chance is small.
    """

    forecast: Forecast
    horizon: datetime
    chance: float
    harm: float
    may: bool
    must: bool
    since: datetime
    by: datetime


def look_ahead(forecast: Forecast, horizon: datetime, held: Held | None, now: datetime) -> Outlook:
    """Say what is to be feared of a bin.

    Asks for the chances of two moments only, the horizon and the middle of the time until then.

    Args:
        forecast: of that bin, from its newest level or the emptying after it.
        horizon: aware.
        held: what was decided before; None for nothing that still counts.
        now: aware.
    """
    chance = forecast.full.chance_before(horizon)
    was_due = held is not None and held.reason == "FORECAST"
    since = held.since if held is not None and was_due else now
    may = chance >= MAY_GO_CHANCE * (RELEASE if was_due else 1.0) or (was_due and now - since < HOLD)
    must = may and chance >= MUST_GO_CHANCE * (RELEASE if held is not None and held.must else 1.0)
    # In the invented towns 101 and 102, which nothing is scored on, lists that were cut by this harm had 1 to 9 % fewer
    # overflow-hours, at the same number of visits, than lists that were cut by the chance alone.
    soon = forecast.full.chance_before(now + (horizon - now) / 2) if may else 0.0
    return Outlook(
        forecast=forecast,
        horizon=horizon,
        chance=chance,
        harm=(chance + soon) / 2,
        may=may,
        must=must,
        since=since,
        by=max(now, forecast.full.p10 or horizon),
    )
