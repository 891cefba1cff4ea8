"""The crews that empty the demo's bins: one round a morning, to bins that would fill before the next, and old ones."""

import numpy as np

from simulator.chance import stream
from simulator.city import City
from simulator.deposits import local_time
from simulator.levels import Visits
from simulator.terrain import Points

ROUND_HOURS = tuple(range(6, 14))
"""When they are out, local time: the round of a depot that has entered no other (`decisions/calendar`)."""
AHEAD_DAYS = 1.3
"""Crews who know their bins think so far ahead: until the end of the next round."""
WANTED = 0.85
"""They take a bin along that would be so full by then."""
MISSED = 0.15
"""How often they do not reach one that they would take."""
AGE_MISSED = 0.08
"""How often a bin is not emptied that is as old as the council lets any get; never twice in a row."""


class Crew:
    """Decides which bins are emptied in an hour.

    Args:
        city: the town.
        per_day: how much of each bin a usual day fills, shape (bins,).
    """

    def __init__(self, city: City, per_day: Points) -> None:
        count = len(city.bins)
        self._seed = city.seed
        self._grows = AHEAD_DAYS * per_day
        # Rounds go from the sea inland, so neighbours are emptied one after the other.
        along = np.argsort(np.argsort([place.east_m for place in city.bins])) / max(1, count)
        self._hour = np.array(ROUND_HOURS)[(along * len(ROUND_HOURS)).astype(int)]
        self._every_days = np.array([place.max_age_days for place in city.bins])
        self._first_day = stream(city.seed, "round days").integers(0, 28, count)

    def in_hour(self, hour: int, levels: Points) -> Visits:
        """Say who is emptied.

        Args:
            hour: hours since 1970, UTC.
            levels: at its start, shape (bins,).
        """
        local = local_time(hour)
        chance, after = stream(self._seed, "crew", hour).random((2, len(levels)))
        wanted = (levels + self._grows >= WANTED) & (chance >= MISSED)
        turn, day = np.divmod(local.toordinal() + self._first_day, self._every_days)
        # What an odd turn misses the even one after it makes up for: no bin keeps what is older than two turns.
        old = (day == 0) & ((chance >= AGE_MISSED) | (turn % 2 == 0))
        return Visits((self._hour == local.hour) & (wanted | old), after, np.zeros(len(levels)))
