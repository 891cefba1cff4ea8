"""How long bins took from one level to another: what a forecast of a data set is scored on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.forecasts.cycles import Cycles
from ingest.assess.levels.readings import Floats, Integers, Times
from simulator.evaluate.detection import Assessed
from simulator.evaluate.readings_file import Readings

Flags = npt.NDArray[np.bool_]

_HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True, slots=True)
class Passages:
    """Passages of all bins, by their beginning; all arrays have the shape (n,).

    A passage begins with the first of two readings in a row at the first level. It ends when the second is reached, as
    if the level rose evenly to the first of two readings at it; or it is cut off when the bin is emptied, falls silent,
    or was not measured further.

    Attributes:
        bin: whose it is.
        began_at: datetime64[us], UTC.
        level: at the beginning; at the first level or above.
        emptied_at: the emptying before it; NaT where none is known.
        hours: until the second level was reached, or until it was cut off.
        came: whether it was reached.
    """

    bin: Integers
    began_at: Times
    level: Floats
    emptied_at: Times
    hours: Floats
    came: Flags

    def __len__(self) -> int:
        return len(self.bin)

    @property
    def known_at(self) -> Times:
        """When each was over, reached or not."""
        known: Times = self.began_at + (self.hours * 3.6e9).astype("timedelta64[us]")
        return known


def passages(readings: Readings, assessed: Assessed, cycles: Cycles, level_from: float, level_to: float) -> Passages:
    """Find all passages from one level to another.

    A cycle that began at the first level or above has none: nobody saw when that was reached. One that jumps over both
    levels between two readings has none either: there was nothing to forecast.
    """
    places = np.flatnonzero(~np.isnan(assessed.levels))
    bin_ = np.repeat(np.arange(len(readings.bins)), np.diff(readings.starts))[places]
    cycle = _cycle_of(bin_, readings.measured_at[places], cycles)
    places, cycle = places[cycle >= 0], cycle[cycle >= 0]
    sure = _sure(assessed.levels[places], cycle)
    count = len(cycles)
    begin, end = (_first(sure >= level - 1e-9, cycle, count) for level in (level_from, level_to))
    first = np.searchsorted(cycle, np.arange(count))
    seen = np.flatnonzero((begin < len(places)) & (begin > first) & (end > begin))
    begin, end = begin[seen], end[seen]
    came = end < len(places)
    began_at = readings.measured_at[places[begin]]
    ended_at = np.where(came, _reached_at(readings, assessed, places, end, level_to), cycles.ended_at[seen])
    found = Passages(
        bin=cycles.bin[seen],
        began_at=began_at,
        level=assessed.levels[places[begin]],
        emptied_at=np.where(cycles.after_emptying[seen], cycles.began_at[seen], np.datetime64("NaT", "us")),
        hours=(ended_at - began_at) / _HOUR,
        came=came,
    )
    order = np.argsort(began_at, kind="stable")
    return Passages(*(getattr(found, name)[order] for name in found.__slots__))


def _reached_at(readings: Readings, assessed: Assessed, places: Integers, end: Integers, level: float) -> Times:
    """Say when a level was reached between the readings at `end` and those before them."""
    after = places[np.minimum(end, len(places) - 1)]
    before = places[np.minimum(end, len(places) - 1) - 1]
    rise = assessed.levels[after] - assessed.levels[before]
    share = np.clip((level - assessed.levels[before]) / np.maximum(rise, 1e-9), 0.0, 1.0)
    step = (readings.measured_at[after] - readings.measured_at[before]) / _HOUR
    moments: Times = readings.measured_at[before] + (share * step * 3.6e9).astype("timedelta64[us]")
    return moments


def _cycle_of(bin_: Integers, times: Times, cycles: Cycles) -> Integers:
    """Give the cycle in which each reading was taken; -1 for none."""
    span = np.int64(2**43)  # milliseconds until the year 2248
    begins = cycles.bin * span + cycles.began_at.astype(np.int64) // 1000
    ends = cycles.bin * span + cycles.ended_at.astype(np.int64) // 1000
    keys = bin_ * span + times.astype(np.int64) // 1000
    found = np.searchsorted(begins, keys, side="right") - 1
    inside = (found >= 0) & (keys <= ends[np.maximum(found, 0)])
    return np.where(inside, found, -1).astype(np.int64)


def _sure(levels: Floats, cycle: Integers) -> Floats:
    """Give what each reading and the next one of its cycle agree on: a single high one proves nothing."""
    last = np.append(cycle[1:] != cycle[:-1], True)[: len(levels)]
    return np.where(last, levels, np.minimum(levels, np.append(levels[1:], 0.0)[: len(levels)]))


def _first(hits: Flags, cycle: Integers, count: int) -> Integers:
    """Give the place of each cycle's first hit; the number of readings where it has none."""
    found = np.full(count, len(hits), dtype=np.int64)
    places = np.flatnonzero(hits)[::-1]
    found[cycle[places]] = places
    return found
