"""How full every bin of a town was, at any moment: deposits less emptyings."""

import numpy as np
from numpy.typing import NDArray

from simulator.city import City
from simulator.crew import Crew
from simulator.deposits import HOUR_S, Deposits
from simulator.terrain import Points

WARM_UP_HOURS = 24 * 22
"""The crew empties every bin at least once in three weeks: what was before no longer matters."""
HIGHEST = 1.08
"""Nothing more can be piled on a bin."""
AHEAD_HOURS = 24


class History:
    """The levels of all bins, made again in pieces as they are asked for.

    Two histories of the same town agree wherever they overlap, whenever they began.

    Args:
        city: the town.
        first_hour: hours since 1970, UTC.
        hours: how many from there.
    """

    def __init__(self, city: City, first_hour: int, hours: int) -> None:
        self._city = city
        self._deposits = Deposits(city)
        self._crew = Crew(city)
        self._make(first_hour, hours)

    def levels(self, bins: NDArray[np.int64], at_s: NDArray[np.int64]) -> Points:
        """Say how full bins were.

        Args:
            bins: places in `city.bins`, shape (n,).
            at_s: Unix seconds, shape (n,).

        Returns:
            0 (empty) to 1 (full) and a little more (piled up), shape (n,).
        """
        hours, seconds = np.divmod(at_s, HOUR_S)
        first, last = int(hours.min()), int(hours.max())
        if first < self._first or last >= self._first + len(self._start):
            self._make(first, max(last - first + 1, AHEAD_HOURS))
        rows, part = hours - self._first, seconds / HOUR_S
        added, emptied_after = self._added[rows, bins], self._emptied_after[rows, bins]
        full = np.minimum(self._start[rows, bins] + added * part, HIGHEST)
        return np.asarray(np.where(part < emptied_after, full, added * np.maximum(part - emptied_after, 0)))

    def _make(self, first_hour: int, hours: int) -> None:
        count = len(self._city.bins)
        self._first = first_hour
        self._start, self._added = np.zeros((2, hours, count))
        self._emptied_after = np.full((hours, count), np.inf)
        level = np.zeros(count)
        for hour in range(first_hour - WARM_UP_HOURS, first_hour + hours):
            added, visits = self._deposits.in_hour(hour), self._crew.in_hour(hour, level)
            if hour >= first_hour:
                row = hour - first_hour
                self._start[row], self._added[row] = level, added
                self._emptied_after[row] = np.where(visits.emptied, visits.after, np.inf)
            level = np.where(visits.emptied, added * (1 - visits.after), np.minimum(level + added, HIGHEST))
