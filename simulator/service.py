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
STARTS_AFTER_S = HOUR_S
"""From the list to the first bin."""
STOP_S = 180
"""From one bin to the next."""
STOPS = 80
"""Bins on one vehicle's round, at most."""
LATE_S = 4 * HOUR_S

Chosen = NDArray[np.bool_]


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
    """What came of a service.

    Attributes:
        visits: bins that a crew stopped at.
        under_half: of those, bins that were less than half full.
        reports: emptyings that crews reported: bin, when, Unix seconds, and when the report arrived.
    """

    visits: int = 0
    under_half: int = 0
    reports: list[tuple[int, float, float]] = field(default_factory=list)


class Service(Protocol):
    """Whoever empties the bins of a town."""

    @property
    def log(self) -> Log:
        """What came of it so far."""

    def plan(self, now_s: int) -> None:
        """Make the list of the day; `now_s` is in Unix seconds."""

    def in_hour(self, hour: int, levels: Points) -> Visits:
        """Say what crews do in an hour since 1970, UTC; `levels` are those at its start, shape (bins,)."""

    def hear(self, telemetry: Telemetry) -> None:
        """Take what the sensors measured in a day, some of which arrives only later."""


class Rounds:
    """A list every morning, worked off by crews.

    Args:
        city: the town.
        choose: says which bins are on the list of a morning, shape (bins,), from Unix seconds.
        manners: of the crews.
        hear: told of what the sensors measure; None for whoever does not listen.
    """

    def __init__(
        self,
        city: City,
        choose: Callable[[int], Chosen],
        manners: Manners = Manners(),
        hear: Callable[[Telemetry], None] | None = None,
    ) -> None:
        self._seed, self._manners = city.seed, manners
        self._choose, self._hear = choose, hear
        self._along = np.array([place.east_m for place in city.bins])
        self._depot = np.array([place.depot for place in city.bins])
        self._comes_s = np.full(len(city.bins), np.inf)
        self._chances = np.zeros((4, len(city.bins)))
        self.log = Log()

    def plan(self, now_s: int) -> None:
        """Make the list of the day and send the crews out."""
        rng = stream(self._seed, "crews", now_s // DAY_S)
        self._chances = rng.random((4, len(self._comes_s)))
        late = dict(zip(np.unique(self._depot).tolist(), rng.random((len(np.unique(self._depot)), 2)), strict=True))
        wanted = self._choose(now_s) & (self._chances[0] >= self._manners.skips)
        self._comes_s[:] = np.inf
        for depot, (chance, share) in late.items():
            starts_s = now_s + STARTS_AFTER_S + (share * LATE_S if chance < self._manners.late else 0)
            places = np.flatnonzero(wanted & (self._depot == depot))
            # Vehicles go side by side, each along its own stretch.
            turn = np.argsort(np.argsort(self._along[places])) % max(1, min(STOPS, len(places)))
            self._comes_s[places] = starts_s + STOP_S * turn

    def in_hour(self, hour: int, levels: Points) -> Visits:
        """Let the crews work for an hour."""
        part = self._comes_s / HOUR_S - hour
        came = (part >= 0) & (part < 1)
        _, leaves, pretends, forgets = self._chances
        emptied = came & (pretends >= self._manners.pretends)
        left = np.where(leaves < self._manners.partial, 0.2 + 0.4 * leaves / max(self._manners.partial, 1e-9), 0.0)
        self.log.visits += int(came.sum())
        self.log.under_half += int((came & (levels < 0.5)).sum())  # noqa: PLR2004 - half
        for place in np.flatnonzero(came & (forgets >= self._manners.forgets)).tolist():
            at_s = float(self._comes_s[place])
            self.log.reports.append((place, at_s, at_s + HOUR_S))
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
    return lambda now_s: np.asarray((now_s // DAY_S) % days == turn)
