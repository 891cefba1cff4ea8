"""Readings of all bins at the same turns, as the sensors take and send them, with what hit each of them."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simulator.chance import stream
from simulator.terrain import Points

FAULT_DRAWS = 3


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

    def noise(self, seed: int, count: int) -> tuple[Points, Points]:
        """Give normal noise, shape (4, turns, count), and evenly spread chances, shape (2, turns, count)."""
        normal, chance = np.empty((4, len(self.numbers), count)), np.empty((2, len(self.numbers), count))
        for row, number in enumerate(self.numbers.tolist()):
            rng = stream(seed, self.name, number)
            normal[:, row], chance[:, row] = rng.standard_normal((4, count)), rng.random((2, count))
        return normal, chance

    def fault_draws(self, seed: int, count: int) -> Points:
        """Give what faults draw from, evenly spread, shape (3, turns, count)."""
        draws = np.empty((FAULT_DRAWS, len(self.numbers), count))
        for row, number in enumerate(self.numbers.tolist()):
            draws[:, row] = stream(seed, f"{self.name}: faults", number).random((FAULT_DRAWS, count))
        return draws


@dataclass(frozen=True, slots=True)
class Measured:
    """What sensors measure and send. All arrays have one shape: (turns, bins), or (n,) where a part was cut out.

    Faults change the arrays in place.

    Attributes:
        at_s: when it was measured, Unix seconds, by the device's clock.
        distance_mm: to the waste; NaN without an echo.
        spread_mm: largest less smallest valid echo; NaN without one.
        valid_count: echoes that count.
        temperature_c: degrees Celsius.
        battery_mv: millivolts.
        tilt_deg: degrees from upright.
        flags: bits as in docs/contract.md.
        level: the true level, 0 to 1 and more.
        empty_mm: what the registry says this sensor measures in the empty bin.
        full_mm: the same for the full bin.
        arrived_s: when the ingester had it, Unix seconds.
        lost: whether it never arrives.
        copies: how many more times it is there.
        hits: the faults that hit it, as `faults.bit` numbers them.
    """

    at_s: NDArray[np.int64]
    distance_mm: Points
    spread_mm: Points
    valid_count: Points
    temperature_c: Points
    battery_mv: Points
    tilt_deg: Points
    flags: NDArray[np.int64]
    level: Points
    empty_mm: Points
    full_mm: Points
    arrived_s: NDArray[np.int64]
    lost: NDArray[np.bool_]
    copies: NDArray[np.int64]
    hits: NDArray[np.int64]

    def part(self, rows: slice, place: int) -> Self:
        """Cut out some turns of one bin; what is written to it is written here."""
        return type(self)(*(getattr(self, field.name)[rows, place] for field in fields(self)))
