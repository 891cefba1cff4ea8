"""What people throw into the bins, hour by hour: how much depends on what a bin serves, on the hour and the weekday."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from simulator.chance import stream
from simulator.city import City
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
SPREAD = 0.35
"""How far bins of one use differ, as the standard deviation of the logarithm."""
ONE_THROW = 0.012
"""What one visitor throws in, as a part of a bin."""


class Deposits:
    """The deposits of all bins of a town; the same seed, bin and hour always give the same.

    Args:
        city: the town.
    """

    def __init__(self, city: City) -> None:
        self._seed = city.seed
        liking = np.exp(stream(city.seed, "liking").normal(0, SPREAD, len(city.bins)))
        week = np.array([_week(place.use) for place in city.bins]).reshape(len(city.bins), 7 * 24)
        self._throws = week * liking[:, None] / ONE_THROW

    def in_hour(self, hour: int) -> Points:
        """Say what fell into each bin.

        Args:
            hour: hours since 1970, UTC.

        Returns:
            Parts of the bin, shape (bins,).
        """
        rng = stream(self._seed, "deposits", hour)
        count = rng.poisson(self._throws[:, hour_of_week(hour)])
        # A sum of `count` throws, each of exponential size.
        return np.asarray(rng.gamma(count, ONE_THROW))


def hour_of_week(hour: int) -> int:
    """Count the hours since Monday 00:00 on the clocks of the town; `hour` is in hours since 1970, UTC."""
    local = local_time(hour)
    return local.weekday() * 24 + local.hour


def local_time(hour: int) -> datetime:
    """Say what the clocks of the town show at an hour since 1970, UTC."""
    return datetime.fromtimestamp(hour * HOUR_S, UTC).astimezone(TOWN_ZONE)


def _week(use: str) -> Points:
    """Give the expected deposit of each hour of the week, shape (168,)."""
    weekday, saturday, sunday = ([int(digit) for digit in day] for day in BUSY[use])
    week = np.array([*weekday * 5, *saturday, *sunday], dtype=np.float64)
    return np.asarray(week / week.sum() * 7 * PER_DAY[use])
