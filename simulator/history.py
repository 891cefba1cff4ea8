"""How full every bin of a town was, at any moment: deposits less emptyings."""

import numpy as np
from numpy.typing import NDArray

from simulator.city import City
from simulator.crew import Crew
from simulator.deposits import HOUR_S, Deposits, Habits
from simulator.levels import Levels, pass_hour
from simulator.terrain import Points

WARM_UP_HOURS = 24 * 22
"""The crew empties every bin at least once in three weeks: what was before no longer matters."""
AHEAD_HOURS = 24
HABITS = Habits(busyness=0.55)
"""Of a town whose crews come once a day: so busy that 5 to 23 % of 500 bins are due, at any hour and in any season."""


class History:
    """The levels of all bins, made again in pieces as they are asked for.

    Two histories of the same town agree wherever they overlap, whenever they began.

    Args:
        city: the town.
        first_hour: hours since 1970, UTC.
        hours: how many from there.
    """

    def __init__(self, city: City, first_hour: int, hours: int) -> None:
        self._bins = len(city.bins)
        self._deposits = Deposits(city, HABITS)
        self._crew = Crew(city, self._deposits.per_day)
        self._levels = self._make(first_hour, hours)

    def levels(self, bins: NDArray[np.int64], at_s: NDArray[np.int64]) -> Points:
        """Say how full bins were.

        Args:
            bins: places in `city.bins`, shape (n,).
            at_s: Unix seconds, shape (n,).

        Returns:
            0 (empty) to 1 (full) and more (piled up), shape (n,).
        """
        first, last = int(at_s.min()) // HOUR_S, int(at_s.max()) // HOUR_S
        if first < self._levels.first_hour or last >= self._levels.first_hour + len(self._levels):
            self._levels = self._make(first, max(last - first + 1, AHEAD_HOURS))
        return self._levels.at(bins, at_s)

    def _make(self, first_hour: int, hours: int) -> Levels:
        levels = Levels(first_hour, hours, self._bins)
        level = np.zeros(self._bins)
        for hour in range(first_hour - WARM_UP_HOURS, first_hour + hours):
            added, visits = self._deposits.in_hour(hour), self._crew.in_hour(hour, level)
            kept = hour >= first_hour
            level = levels.record(hour, level, added, visits) if kept else pass_hour(level, added, visits)
        return levels
