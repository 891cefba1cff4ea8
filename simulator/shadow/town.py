"""The bins that a replay is about, as they were."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.levels.readings import Floats, Geometry
from simulator.evaluate.detection import Assessed
from simulator.evaluate.readings_file import Readings
from simulator.shadow.flow import Flow
from simulator.shadow.places import Place


@dataclass(frozen=True, slots=True)
class Town:
    """What is replayed.

    Attributes:
        readings: of all bins.
        assessed: what was made of them.
        flow: what fell into the bins.
        geometry: one number for all bins, or one a bin.
        places: of each bin, in the order of the readings' bins.
        zone: of the council.
    """

    readings: Readings
    assessed: Assessed
    flow: Flow
    geometry: Geometry
    places: Sequence[Place]
    zone: ZoneInfo

    @property
    def hours(self) -> Floats:
        """When each reading was measured, hours since 1970, UTC."""
        hours: Floats = self.readings.measured_at.astype(np.int64) / 3.6e9
        return hours

    def span(self, begin: float, end: float) -> "Span":
        """Say for which part of a time each bin can be replayed: from its first believed reading to its last one."""
        first, last = self.flow.starts[:-1], self.flow.starts[1:] - 1
        known = last >= first
        hours = np.append(self.flow.hours, 0.0)
        begins = np.where(known, np.maximum(hours[np.where(known, first, -1)], begin), end)
        ends = np.where(known, np.minimum(hours[np.where(known, last, -1)], end), end)
        begins = np.minimum(begins, ends)
        return Span(begins, ends, self._levels(begins))

    def _levels(self, moments: Floats) -> Floats:
        """Give the newest believed level of each bin at its moment; 0 where none is known."""
        places = np.flatnonzero(~np.isnan(self.assessed.levels))
        found = np.zeros(len(moments))
        for number, moment in enumerate(moments.tolist()):
            here = slice(int(self.flow.starts[number]), int(self.flow.starts[number + 1]))
            newest = int(np.searchsorted(self.flow.hours[here], moment, side="right")) - 1
            if newest >= 0:
                found[number] = self.assessed.levels[places[here][newest]]
        return found


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is compared; all arrays have one value a bin.

    Attributes:
        begins: hours since 1970, UTC.
        ends: hours since 1970, UTC; not later than `begins` for a bin that cannot be compared.
        level: at the beginning, 0..1.
    """

    begins: Floats
    ends: Floats
    level: Floats

    def inside(self, number: int, moments: Floats) -> Floats:
        """Give those moments at which a bin is compared."""
        kept: Floats = moments[(moments >= self.begins[number]) & (moments <= self.ends[number])]
        return kept
