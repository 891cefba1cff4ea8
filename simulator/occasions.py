"""What makes a day in town unlike others: the season, the weather, the market, a match."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from simulator.chance import stream
from simulator.city import City
from simulator.terrain import Points

DISTRICT_M = 300.0
SUMMER_DAY = 212
"""Day of the year on which most people are out."""
SEASON = {"seafront": 0.4, "park": 0.35, "takeaway": 0.1, "shopping": 0.05, "bus_stop": 0.03}
"""How far the year swings, by use; others do not."""
OUTDOORS = {"seafront": 1.0, "park": 1.0, "takeaway": 0.3, "shopping": 0.3, "bus_stop": 0.2, "residential": 0.2}
WET_CHANCE = 0.4
WET, DRY = -0.36, 0.24
"""What a wet and a dry day do to the outdoors; on average nothing."""
MARKET_WEEKDAY, MARKET_HOURS, MARKET_FACTOR = 5, range(8, 16), 1.6
MATCH_CHANCE = 0.5
MATCH_WEEKDAYS, MATCH_HOURS, MATCH_FACTOR = (2, 5, 6), range(13, 20), 2.2
"""In a week with a match it is on one of these weekdays."""


class Occasions:
    """How many times the usual each bin gets at a moment, because of the day.

    Args:
        city: the town.
        luck: the seed of the weather and the matches.

    Attributes:
        district: of each bin, 0 and up, shape (bins,): neighbours share one.
        district_count: how many there are.
    """

    def __init__(self, city: City, luck: int) -> None:
        self._seed = luck
        blocks = [(int(place.east_m // DISTRICT_M), int(place.north_m // DISTRICT_M)) for place in city.bins]
        names = sorted(set(blocks), key=lambda block: (block[0] + 0.5) ** 2 + (block[1] + 0.5) ** 2)
        self.district: NDArray[np.int64] = np.array([names.index(block) for block in blocks], dtype=np.int64)
        self.district_count = max(1, len(names))
        self._season = np.array([SEASON.get(place.use, 0.0) for place in city.bins])
        self._outdoors = np.array([OUTDOORS.get(place.use, 0.0) for place in city.bins])
        # The market is in the middle of the town, the ground anywhere.
        self._market = self.district == 0
        self._ground = self.district == int(stream(city.seed, "ground").integers(self.district_count))

    def in_hour(self, local: datetime) -> Points:
        """Give the factor of each bin, shape (bins,).

        Args:
            local: on the clocks of the town.
        """
        turn = 2 * np.pi * (local.timetuple().tm_yday - SUMMER_DAY) / 365.25
        factor = (1 + self._season * np.cos(turn)) * (1 + self._outdoors * self._weather(local))
        if local.weekday() == MARKET_WEEKDAY and local.hour in MARKET_HOURS:
            factor = np.where(self._market, MARKET_FACTOR * factor, factor)
        if self._match(local):
            factor = np.where(self._ground, MATCH_FACTOR * factor, factor)
        return np.asarray(factor)

    def _weather(self, local: datetime) -> float:
        return WET if stream(self._seed, "weather", local.toordinal()).random() < WET_CHANCE else DRY

    def _match(self, local: datetime) -> bool:
        if local.hour not in MATCH_HOURS:
            return False
        chance, which = stream(self._seed, "matches", local.toordinal() // 7).random(2)
        weekday = MATCH_WEEKDAYS[int(which * len(MATCH_WEEKDAYS))]
        return bool(chance < MATCH_CHANCE and local.weekday() == weekday)
