"""The crew that empties the bins: rounds in the morning and the afternoon, regular visits, and some that are missed."""

import numpy as np

from simulator.chance import stream
from simulator.city import City
from simulator.deposits import local_time
from simulator.levels import Visits
from simulator.terrain import Points

MORNING_HOURS = (6, 7, 8, 9)
AFTERNOON_HOURS = (15, 16)
WANTED = {"morning": 0.62, "afternoon": 0.78}
"""Who comes by takes a bin along from this level."""
MISSED = 0.4
"""How often a crew that would take a bin does not reach it."""
REGULAR_DAYS = {
    "shopping": 2, "takeaway": 2, "seafront": 4, "school": 4, "bus_stop": 4, "park": 4, "residential": 7,
}  # fmt: skip
"""A bin is emptied every so many days, however full it is."""
REGULAR_MISSED = 0.08
"""How often a regular visit falls out; never two in a row."""


class Crew:
    """Decides which bins are emptied in an hour.

    Args:
        city: the town.
    """

    def __init__(self, city: City) -> None:
        count = len(city.bins)
        self._seed = city.seed
        # Rounds go from the sea inland, so neighbours are emptied one after the other.
        along = np.argsort(np.argsort([place.east_m for place in city.bins])) / max(1, count)
        self._morning = np.array(MORNING_HOURS)[(along * len(MORNING_HOURS)).astype(int)]
        busy = np.array([place.use in ("shopping", "takeaway", "seafront", "bus_stop") for place in city.bins])
        afternoon = np.array(AFTERNOON_HOURS)[(along * len(AFTERNOON_HOURS)).astype(int)]
        self._afternoon = np.where(busy, afternoon, -1)
        self._every_days = np.array([REGULAR_DAYS[place.use] for place in city.bins])
        self._first_day = stream(city.seed, "round days").integers(0, 28, count)

    def in_hour(self, hour: int, levels: Points) -> Visits:
        """Say who is emptied.

        Args:
            hour: hours since 1970, UTC.
            levels: at its start, shape (bins,).
        """
        local = local_time(hour)
        rng = stream(self._seed, "crew", hour)
        chance, after = rng.random((2, len(levels)))
        morning, afternoon = self._morning == local.hour, self._afternoon == local.hour
        wanted = (morning & (levels >= WANTED["morning"])) | (afternoon & (levels >= WANTED["afternoon"]))
        turn, day = np.divmod(local.toordinal() + self._first_day, self._every_days)
        # What an odd turn misses the even one after it makes up for: no bin keeps what is older than two turns.
        regular = morning & (day == 0) & ((chance >= REGULAR_MISSED) | (turn % 2 == 0))
        return Visits((wanted & (chance >= MISSED)) | regular, after, np.zeros(len(levels)))
