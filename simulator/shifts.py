"""Crews that come by several times a day and take along what looks full enough, as Edinburgh's did in 2016."""

from dataclasses import dataclass

import numpy as np

from simulator.chance import stream
from simulator.city import City
from simulator.deposits import HOUR_S, Habits, local_time
from simulator.levels import Visits
from simulator.service import MORNING, Log
from simulator.telemetry import Telemetry
from simulator.terrain import Points

BEATS = {1: 0.35, 22: 0.15, 8: 0.25, 10: 0.1, 13: 0.15}
"""At which hours, local time, crews come by, and for which part of the bins it is their main shift."""


@dataclass(frozen=True, slots=True)
class Looks:
    """When a crew that comes by takes a bin along.

    Attributes:
        wanted: the level at which half of them would, 0..1.
        differ: how far that level differs from bin to bin, standard deviation.
        soft: how much more or less waste makes it certain, about a third of the way.
        main: how often the main shift looks at a bin, 0..1.
        other: how often each other shift does, 0..1.
    """

    wanted: float
    differ: float
    soft: float
    main: float
    other: float


# Chosen by random search on tuning towns, so that quantiles of the intervals between emptyings, of the fill at emptying
# and of the rate of filling come close to those of the council's published emptyings.
EDINBURGH_HABITS = Habits(
    busyness=1.75,
    uses_alike=0.39,
    bins_differ=0.558,
    days_differ=0.382,
    weeks_differ=0.287,
    districts_differ=0.1,
    item=0.02,
)
EDINBURGH_LOOKS = Looks(wanted=0.543, differ=0.085, soft=0.092, main=0.576, other=0.157)


class Shifts:
    """The service of a town by shifts that look into the bins.

    Args:
        city: the town.
        looks: of the crews.
    """

    list_hours = (MORNING,)

    def __init__(self, city: City, looks: Looks) -> None:
        self._seed, self._looks = city.seed, looks
        self._main = stream(city.seed, "beats").choice(list(BEATS), len(city.bins), p=list(BEATS.values()))
        self._wanted = looks.wanted + looks.differ * stream(city.seed, "wanted").standard_normal(len(city.bins))
        self.log = Log()

    def plan(self, now_s: int) -> None:
        """Make no list."""

    def hear(self, telemetry: Telemetry) -> None:
        """Look into the bins instead."""

    def in_hour(self, hour: int, levels: Points) -> Visits:
        """Let a shift work, if one does."""
        at = local_time(hour).hour
        if at not in BEATS:
            return Visits(np.zeros(len(levels), dtype=np.bool_), np.zeros(len(levels)), np.zeros(len(levels)))
        chance, after = stream(self._seed, "shifts", hour).random((2, len(levels)))
        reach = np.where(self._main == at, self._looks.main, self._looks.other)
        taken = chance < reach / (1 + np.exp((self._wanted - levels) / self._looks.soft))
        self.log.stops += [
            (place, (hour + after[place]) * HOUR_S, levels[place]) for place in np.flatnonzero(taken).tolist()
        ]
        return Visits(taken, after, np.zeros(len(levels)))
