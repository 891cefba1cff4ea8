"""What arrives at the ingester from all sensors of a town, one row a reading, and which fault hit which."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ingest.assess.levels.readings import Geometry, Series
from simulator.faults import Fault, bit
from simulator.measured import Measured
from simulator.terrain import Points

REPEATED_AFTER_S = 20
"""A device that reboots measures again so soon."""
COLUMNS = (
    "distance_mm", "spread_mm", "valid_count", "temperature_c", "battery_mv", "tilt_deg", "flags", "level", "empty_mm",
    "full_mm", "arrived_s", "hits",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Readings that arrive, ordered by bin and time; all arrays have the shape (n,).

    Attributes:
        bin: place of the bin that the registry says the sensor is in.
        measured_s: Unix seconds, by the device's clock.
        level: the true level that the sensor looked at, 0 to 1 and more.
        hits: the faults that hit the reading, as `faults.bit` numbers them.
        others: as in `Measured`, rounded as the device rounds.
    """

    bin: NDArray[np.int64]
    measured_s: NDArray[np.int64]
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
    hits: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.bin)

    @classmethod
    def of(cls, seen: Measured) -> Self:
        """Take what is not lost of some turns; repeats are there as often as they arrive."""
        turns, bins = np.nonzero(~seen.lost)
        times = 1 + seen.copies[turns, bins]
        again = np.arange(int(times.sum())) - np.repeat(np.cumsum(times) - times, times)
        turns, bins = np.repeat(turns, times), np.repeat(bins, times)
        rebooted = (seen.hits[turns, bins] & bit("reboots")) != 0
        later_s = np.where(rebooted, REPEATED_AFTER_S * again, 0)
        columns = {name: getattr(seen, name)[turns, bins] for name in COLUMNS}
        columns["arrived_s"] = columns["arrived_s"] + REPEATED_AFTER_S * again
        for name in ("distance_mm", "spread_mm", "valid_count", "battery_mv", "tilt_deg"):
            columns[name] = np.round(columns[name])
        columns["temperature_c"] = np.round(columns["temperature_c"], 1)
        return cls(bin=bins, measured_s=seen.at_s[turns, bins] + later_s, **columns).ordered()

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put several together; at least one."""
        columns = (np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls))
        return cls(*columns).ordered()

    def ordered(self) -> Self:
        """Order by bin and time; of the same time, what arrived first comes first."""
        return self.where(np.lexsort((self.arrived_s, self.measured_s, self.bin)))

    def where(self, wanted: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Take some readings, by a mask or by their places."""
        return type(self)(*(getattr(self, field.name)[wanted] for field in fields(self)))

    def hit_by(self, *faults: Fault) -> NDArray[np.bool_]:
        """Say which readings one of some faults hit, shape (n,)."""
        return np.asarray((self.hits & bit(*faults)) != 0)

    def series(self, bins: int) -> Series:
        """Lay the readings out for `ingest.assess`, one track a bin.

        Args:
            bins: how many bins there are; one without readings is an empty track.
        """
        return Series(
            measured_at=self.measured_s.astype("datetime64[s]").astype("datetime64[us]"),
            distance_mm=self.distance_mm,
            spread_mm=self.spread_mm,
            valid_count=self.valid_count,
            temperature_c=self.temperature_c,
            tilt_deg=self.tilt_deg,
            flags=self.flags,
            starts=np.searchsorted(self.bin, np.arange(bins + 1)),
        )

    def geometry(self) -> Geometry:
        """Give what the registry says of the sensor of each reading."""
        return Geometry(self.empty_mm, self.full_mm)
