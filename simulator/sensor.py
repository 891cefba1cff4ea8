"""What the sensors of a town measure: geometry, noise, weather, battery, and the faults of some."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.chance import stream
from simulator.city import City
from simulator.deposits import HOUR_S
from simulator.faults import Fault
from simulator.terrain import Points

DAY_S = 86_400
YEAR_S = 365.25 * DAY_S
MISSING = -1
"""Stands for no distance and no spread in an array of integers."""
SPIKE_CHANCE = 0.04
"""How often a sensor with spikes measures something else."""
LOST_CHANCE = 0.002
"""How often any sensor gets no echo."""
ECHOES = 7
"""Echoes asked for in one measurement."""
WEAK_CHANCE = 0.1
"""How often one of them is missing."""

Row = tuple[int | None, ...]
"""One reading, its places as in docs/contract.md."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Readings of all bins at the same turn.

    Attributes:
        name: of the stream of noise; readings of another name are independent.
        numbers: of the turns, shape (n,); the same number gives the same noise.
        every_s: seconds from one turn to the next.
    """

    name: str
    numbers: NDArray[np.int64]
    every_s: int

    def measured_at(self, count: int) -> NDArray[np.int64]:
        """Give Unix seconds, shape (turns, count): no two neighbours measure at the same second."""
        offset = np.arange(count) * 1223 % self.every_s
        return np.asarray(self.numbers[:, None] * self.every_s + offset)


class Sensors:
    """The sensors of a town.

    Args:
        city: the town.
        faults: by device.
        faulty_from_s: Unix seconds from which sensors without echo have none.
    """

    def __init__(self, city: City, faults: dict[str, Fault], faulty_from_s: int) -> None:
        count = len(city.bins)
        rng = stream(city.seed, "sensors")
        self._seed = city.seed
        self._empty_mm = np.array([place.empty_mm for place in city.bins])
        self._depth_mm = self._empty_mm - np.array([place.full_mm for place in city.bins])
        self._tilt_deg = rng.integers(0, 5, count)
        self._battery_mv = rng.integers(3700, 4100, count)
        kinds = [faults.get(place.device or "") for place in city.bins]
        self._spikes = np.array([kind == "spikes" for kind in kinds])
        self._no_echo = np.array([kind == "no_echo" for kind in kinds])
        self._faulty_from_s = faulty_from_s

    def measure(self, slots: Slots, levels: Points) -> NDArray[np.int64]:
        """Measure all bins at each turn.

        Args:
            slots: the turns.
            levels: of the bins at `slots.measured_at`, shape (turns, bins).

        Returns:
            Shape (turns, bins, 9): the places of a row; `MISSING` stands for null.
        """
        at = slots.measured_at(levels.shape[1])
        noise, chance = self._noise(slots, levels.shape[1])
        # Waste is no level floor: its surface lies a few centimetres higher or lower than the mean.
        distance = self._empty_mm - levels * self._depth_mm + 4 * noise[0] - 8 * np.abs(noise[1]) * (levels > 0)
        spike = self._spikes & (chance[0] < SPIKE_CHANCE)
        distance = np.where(spike, 60 + chance[1] * (self._empty_mm - 60), distance)
        lost = (chance[0] > 1 - LOST_CHANCE) | (self._no_echo & (at >= self._faulty_from_s))
        columns = (
            np.broadcast_to(slots.numbers[:, None], at.shape),
            at,
            np.where(lost, MISSING, np.clip(distance, 40, self._empty_mm + 25)),
            np.where(lost, MISSING, 8 + 6 * np.abs(noise[2])),
            np.where(lost, 0, ECHOES - (chance[1] < WEAK_CHANCE)),
            self._temperature(at) * 10 + 4 * noise[3],
            self._battery_mv - (at % YEAR_S) / DAY_S * 0.6 + 3 * noise[2],
            np.broadcast_to(self._tilt_deg, at.shape),
            np.zeros(at.shape),
        )
        return np.asarray(np.stack([np.round(column).astype(np.int64) for column in columns], axis=-1))

    def _noise(self, slots: Slots, count: int) -> tuple[Points, Points]:
        normal, chance = np.empty((4, len(slots.numbers), count)), np.empty((2, len(slots.numbers), count))
        for row, number in enumerate(slots.numbers.tolist()):
            rng = stream(self._seed, slots.name, number)
            normal[:, row], chance[:, row] = rng.standard_normal((4, count)), rng.random((2, count))
        return normal, chance

    def _temperature(self, at_s: NDArray[np.int64]) -> Points:
        season = 10 - 6 * np.cos(2 * np.pi * (at_s / YEAR_S - 0.06))
        hour = at_s % DAY_S / HOUR_S
        front = 2 * np.sin(at_s / (4.3 * DAY_S))
        return np.asarray(season + front + 3.5 * np.sin(2 * np.pi * (hour - 9) / 24))


def to_rows(measured: NDArray[np.int64]) -> list[Row]:
    """Turn readings of shape (n, 9) into rows for the codec."""
    return [
        (seq, at, None if distance == MISSING else distance, None if spread == MISSING else spread, *rest)
        for seq, at, distance, spread, *rest in measured.tolist()
    ]
