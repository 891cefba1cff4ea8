"""What people throw into the bins, hour by hour: a point process of single items, each of a random volume.

How many depends on what a bin serves, the hour and the weekday, the season, the weather and on what goes on in town;
beyond that every bin has better and worse days, and so has every district.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulator.chance import stream
from simulator.city import City
from simulator.occasions import Occasions
from simulator.terrain import Points

TOWN_ZONE = ZoneInfo("Europe/London")
HOUR_S = 3600

# One digit an hour from midnight, local time: how busy it is. Monday to Friday, Saturday, Sunday.
BUSY = {
    "shopping": ("000000012346788766543210", "000000012357899887654321", "000000001235677765321000"),
    "bus_stop": ("100001378865556678864321", "100001134566777666544322", "100000012344555554432110"),
    "park": ("000000123344665456764100", "000000123567888888764200", "000000123567899998764200"),
    "takeaway": ("200000001223675444689964", "510000001223675445689998", "410000001123564445688743"),
    "school": ("000000059521397199421000", "000000000000011110000000", "000000000000000000000000"),
    "seafront": ("000001223345666667654210", "000001234567899998875321", "000001234578999998764210"),
    "residential": ("000001353222322245543210", "000000134555444444443210", "000000123555544444443210"),
}
PER_DAY = {
    "shopping": 0.36, "bus_stop": 0.21, "park": 0.18, "takeaway": 0.4, "school": 0.2, "seafront": 0.22,
    "residential": 0.13,
}  # fmt: skip
"""How much of a bin a usual day fills, 0..1, averaged over the week."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a town uses its bins.

    Attributes:
        busyness: times `PER_DAY`.
        uses_alike: 0..1: 0 leaves the uses as different as `PER_DAY` says, 1 makes them all alike.
        bins_differ: how far bins of one use differ: the standard deviation of the logarithm.
        days_differ: how far the days of one bin differ: standard deviation over mean.
        weeks_differ: the same for the weeks of one bin: a building site, holidays, a shop that opens.
        districts_differ: the same for the days of a district, which all its bins share.
        item: mean volume of one item, as a part of a bin; volumes are spread exponentially.
    """

    busyness: float = 1.1
    uses_alike: float = 0.0
    bins_differ: float = 0.35
    days_differ: float = 0.2
    weeks_differ: float = 0.0
    districts_differ: float = 0.1
    item: float = 0.012


USUAL = Habits()


class Deposits:
    """The deposits of all bins of a town; the same seed, bin and hour always give the same.

    Args:
        city: the town.
        habits: of its people.
        luck: the seed of days, weather and single items: another one lets the same people live through other weeks.
            None for the town's own.
    """

    def __init__(self, city: City, habits: Habits = USUAL, luck: int | None = None) -> None:
        self._seed = city.seed if luck is None else luck
        self._habits = habits
        self._occasions = Occasions(city, self._seed)
        liking = np.exp(stream(city.seed, "liking").normal(0, habits.bins_differ, len(city.bins)))
        week = np.array([_week(place.use, habits) for place in city.bins]).reshape(len(city.bins), 7 * 24)
        self._items = week * liking[:, None] / habits.item
        self._day = -1
        self._mood: Points = np.ones(len(city.bins))

    @property
    def per_day(self) -> Points:
        """How much of each bin a usual day fills, averaged over the week, shape (bins,)."""
        return np.asarray(self._items.sum(axis=1) / 7 * self._habits.item)

    def in_hour(self, hour: int) -> Points:
        """Say what fell into each bin.

        Args:
            hour: hours since 1970, UTC.

        Returns:
            Parts of the bin, shape (bins,).
        """
        local = local_time(hour)
        expected = self._items[:, local.weekday() * 24 + local.hour] * self._mood_of(local.toordinal())
        rng = stream(self._seed, "deposits", hour)
        count = rng.poisson(expected * self._occasions.in_hour(local))
        # A sum of `count` items, each of exponential volume.
        return np.asarray(rng.gamma(count, self._habits.item))

    def _mood_of(self, day: int) -> Points:
        """Give how good a day is for each bin, around 1; `day` is an ordinal."""
        if day != self._day:
            own = _around_one(stream(self._seed, "days of bins", day), self._habits.days_differ, len(self._mood))
            rng = stream(self._seed, "days of districts", day)
            week = stream(self._seed, "weeks of bins", day // 7)
            own = own * _around_one(week, self._habits.weeks_differ, len(self._mood))
            shared = _around_one(rng, self._habits.districts_differ, self._occasions.district_count)
            self._day, self._mood = day, own * shared[self._occasions.district]
        return self._mood


def local_time(hour: int) -> datetime:
    """Say what the clocks of the town show at an hour since 1970, UTC."""
    return datetime.fromtimestamp(hour * HOUR_S, UTC).astimezone(TOWN_ZONE)


def _around_one(rng: np.random.Generator, differ: float, count: int) -> NDArray[np.float64]:
    shape = 1 / max(differ, 1e-3) ** 2
    return rng.gamma(shape, 1 / shape, count)


def _week(use: str, habits: Habits) -> Points:
    """Give the expected deposit of each hour of the week, shape (168,)."""
    weekday, saturday, sunday = ([int(digit) for digit in day] for day in BUSY[use])
    week = np.array([*weekday * 5, *saturday, *sunday], dtype=np.float64)
    mean = float(np.mean(list(PER_DAY.values())))
    per_day = habits.busyness * PER_DAY[use] ** (1 - habits.uses_alike) * mean**habits.uses_alike
    return np.asarray(week / week.sum() * 7 * per_day)
