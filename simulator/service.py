"""How a town's bins are served: a list in the morning, crews that work it off, and what they report."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.chance import stream
from simulator.city import City
from simulator.deposits import HOUR_S
from simulator.levels import Visits
from simulator.telemetry import Telemetry
from simulator.terrain import Points

DAY_S = 86_400
MORNING, NOON = 4, 12
"""Hours of the day, UTC, at which lists are made."""
STARTS_AFTER_S = HOUR_S
"""From the list to the first bin."""
STOP_S = 240
"""From one bin to the next."""
STOPS = 100
"""Bins that one vehicle empties in a shift: a depot has as many vehicles as its bins need when all are emptied."""
LATE_S = 4 * HOUR_S
URGENT = 60
"""Bins of at least this priority are emptied first."""

Chosen = NDArray[np.int64]
"""The priority of each bin on the list, 1 to 100; 0 for one that is not on it."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How crews fall short: each a chance, 0..1.

    Attributes:
        late: that a depot's crews of a day are late, by up to four hours.
        skips: that a bin on the list is not reached.
        partial: that some of the waste is left behind.
        pretends: that an emptying is reported that did not happen.
        forgets: that one that happened is not reported.
    """

    late: float = 0.1
    skips: float = 0.03
    partial: float = 0.02
    pretends: float = 0.005
    forgets: float = 0.1


PERFECT = Manners(0, 0, 0, 0, 0)


@dataclass(slots=True)
class Log:
    """What crews did.

    Attributes:
        stops: bins that a crew stopped at: bin, Unix seconds, and the level then.
        reports: emptyings that crews reported: bin, and when, Unix seconds.
    """

    stops: list[tuple[int, float, float]] = field(default_factory=list)
    reports: list[tuple[int, float]] = field(default_factory=list)


class Service(Protocol):
    """Whoever empties the bins of a town."""

    @property
    def log(self) -> Log:
        """What came of it so far."""

    @property
    def list_hours(self) -> tuple[int, ...]:
        """At which hours of the day, UTC, lists are made, ascending; the first is MORNING."""

    def plan(self, now_s: int) -> None:
        """Make a list; `now_s` is in Unix seconds."""

    def in_hour(self, hour: int, levels: Points) -> Visits:
        """Say what crews do in an hour since 1970, UTC; `levels` are those at its start, shape (bins,)."""

    def hear(self, telemetry: Telemetry) -> None:
        """Take what the sensors measured since the list before; some of it arrives only later."""


class Rounds:
    """A list every morning, and perhaps at noon, worked off by crews.

    Args:
        city: the town.
        choose: says which bins are on a list, shape (bins,), from its time, Unix seconds.
        manners: of the crews.
        hear: told of what the sensors measure; None for whoever does not listen.
        list_hours: when lists are made, hours of the day, UTC.
    """

    def __init__(
        self,
        city: City,
        choose: Callable[[int], Chosen],
        manners: Manners = Manners(),
        hear: Callable[[Telemetry], None] | None = None,
        list_hours: tuple[int, ...] = (MORNING,),
    ) -> None:
        self.list_hours = list_hours
        self._seed, self._manners = city.seed, manners
        self._choose, self._hear = choose, hear
        self._along = np.array([place.east_m for place in city.bins])
        self._depot = np.array([place.depot for place in city.bins])
        self._comes_s = np.full(len(city.bins), np.inf)
        self._chances = np.zeros((4, len(city.bins)))
        self.log = Log()

    def plan(self, now_s: int) -> None:
        """Make a list and send crews out with it; those under way go on."""
        rng = stream(self._seed, "crews", now_s // HOUR_S)
        waits = (self._comes_s < now_s) | np.isinf(self._comes_s)
        self._chances[:, waits] = rng.random((4, len(waits)))[:, waits]
        depots = np.unique(self._depot)
        late = dict(zip(depots.tolist(), rng.random((len(depots), 2)), strict=True))
        priority = np.where(waits & (self._chances[0] >= self._manners.skips), self._choose(now_s), 0)
        for depot, (chance, share) in late.items():
            mine = self._depot == depot
            starts_s = now_s + STARTS_AFTER_S + (share * LATE_S if chance < self._manners.late else 0)
            self._send_out(np.flatnonzero(mine & (priority > 0)), priority, starts_s, -(-int(mine.sum()) // STOPS))

    def _send_out(self, places: NDArray[np.int64], priority: Chosen, starts_s: float, vehicles: int) -> None:
        """Part a depot's list among its vehicles, each with a stretch of its own; what is urgent comes first."""
        along = places[np.argsort(self._along[places])]
        for stretch in np.array_split(along, vehicles):
            turns = np.argsort(np.argsort(priority[stretch] < URGENT, kind="stable"))
            self._comes_s[stretch] = starts_s + STOP_S * turns

    def in_hour(self, hour: int, levels: Points) -> Visits:
        """Let the crews work for an hour."""
        part = self._comes_s / HOUR_S - hour
        came = (part >= 0) & (part < 1)
        _, leaves, pretends, forgets = self._chances
        emptied = came & (pretends >= self._manners.pretends)
        left = np.where(leaves < self._manners.partial, 0.2 + 0.4 * leaves / max(self._manners.partial, 1e-9), 0.0)
        for place in np.flatnonzero(came).tolist():
            at_s = float(self._comes_s[place])
            self.log.stops.append((place, at_s, float(levels[place])))
            if forgets[place] >= self._manners.forgets:
                self.log.reports.append((place, at_s))
        return Visits(emptied, np.where(came, part, 0.0), left)

    def hear(self, telemetry: Telemetry) -> None:
        """Pass on what the sensors measured."""
        if self._hear is not None:
            self._hear(telemetry)


def every(days: int, city: City) -> Callable[[int], Chosen]:
    """Choose each bin every so many days, a part of the town a day: fixed rounds.

    Args:
        days: 1 for daily.
        city: the town.
    """
    turn = np.arange(len(city.bins)) * days // max(1, len(city.bins))
    return lambda now_s: np.asarray((now_s // DAY_S) % days == turn, dtype=np.int64)
