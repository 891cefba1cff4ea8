"""What fell into each bin, as its levels tell: the part of a replay that does not depend on when bins are emptied.

Within a cycle the level rises by what falls in. Where it cannot tell (while an emptying happened between two readings,
while the bin was full, in a silence) the bin is taken to have filled at its usual rate for the hour of the week; beyond
full, by half a bin at most.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingest.assess.forecasts.cycles import LONGEST_SILENCE
from ingest.assess.forecasts.profile import Clock, tally
from ingest.assess.levels.neighbours import beside, median_of_three
from ingest.assess.levels.readings import Floats, Integers, Times
from simulator.evaluate.detection import Assessed
from simulator.evaluate.readings_file import Readings

# From this level on the sensor does not see what comes on top; that is half a bin at most: then people turn away.
FULL = 0.98
BEYOND_FULL = 0.5

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Flow:
    """How much had fallen into each bin since its first reading, in bins.

    Attributes:
        starts: those of bin i are at `starts[i]:starts[i + 1]`, shape (bins + 1,).
        hours: hours since 1970, UTC, ascending in each bin, shape (n,).
        risen: what had fallen in until then, ascending in each bin, shape (n,).
        steady: level of each reading without its noise, 0..1, shape (n,).
        seen: share of the time in which the levels tell it, 0..1, shape (bins,).
    """

    starts: Integers
    hours: Floats
    risen: Floats
    steady: Floats
    seen: Floats

    def risen_at(self, number: int, hours: Floats) -> Floats:
        """Say how much had fallen into a bin until some moments; nothing more falls in after its last reading."""
        here = slice(int(self.starts[number]), int(self.starts[number + 1]))
        if here.start == here.stop:
            return np.zeros(len(hours))
        return np.asarray(np.interp(hours, self.hours[here], self.risen[here]))

    def reached_at(self, number: int, risen: Floats) -> Floats:
        """Say when so much had fallen into a bin; infinity where that was never so."""
        here = slice(int(self.starts[number]), int(self.starts[number + 1]))
        known, hours = self.risen[here], self.hours[here]
        after = np.searchsorted(known, risen, side="left")
        found = np.full(len(risen), np.inf)
        inside = (after > 0) & (after < len(known))
        place = after[inside]
        share = (risen[inside] - known[place - 1]) / (known[place] - known[place - 1])
        found[inside] = hours[place - 1] + share * (hours[place] - hours[place - 1])
        found[after == 0] = hours[0] if len(hours) else np.inf
        return found


def flow_of(readings: Readings, assessed: Assessed, zone: ZoneInfo) -> Flow:
    """Find out what fell into each bin.

    Args:
        readings: of all bins.
        assessed: what was made of them.
        zone: whose clocks people live by.
    """
    places = np.flatnonzero(~np.isnan(assessed.levels))
    bins = len(readings.bins)
    bin_ = np.repeat(np.arange(bins), np.diff(readings.starts))[places]
    times = readings.measured_at[places]
    border = np.diff(bin_, prepend=-1) != 0
    emptied = _after_emptying(bin_, times, assessed) & ~border
    silent = (np.diff(times, prepend=times[:1]) > LONGEST_SILENCE) & ~border
    stretch = np.cumsum(border | emptied | silent)
    highest = _highest(assessed.levels[places], stretch)
    full = np.append(False, highest[:-1] >= FULL)[: len(places)] & ~(border | emptied | silent)
    told = ~(border | emptied | silent | full)
    rise = np.where(told, np.diff(highest, prepend=0.0), 0.0)
    use_s = np.where(border, 0.0, np.diff(_use_s(readings, assessed, zone)[places], prepend=0.0))
    unseen = _share(_per_bin(bin_, rise, bins), _per_bin(bin_, np.where(told, use_s, 0.0), bins))[bin_] * use_s
    rise = np.where(emptied, np.minimum(unseen, BEYOND_FULL), rise)
    rise = np.where(silent, unseen, rise)
    rise = np.where(full, _bounded(np.where(full, unseen, 0.0), stretch), rise)
    total, first = np.cumsum(rise), np.flatnonzero(border)
    elapsed = np.where(border, 0.0, np.diff(_hours(times), prepend=0.0))
    return Flow(
        starts=np.searchsorted(bin_, np.arange(bins + 1)).astype(np.int64),
        hours=_hours(times),
        risen=total - np.repeat(total[first], np.diff(np.append(first, len(total)))),
        steady=highest,
        seen=_share(_per_bin(bin_, np.where(told, elapsed, 0.0), bins), _per_bin(bin_, elapsed, bins)),
    )


def _after_emptying(bin_: Integers, times: Times, assessed: Assessed) -> Flags:
    """Mark the first believed reading after each emptying."""
    span = np.int64(2**43)  # milliseconds until the year 2248
    keys = bin_ * span + times.astype(np.int64) // 1000
    wanted = assessed.bin * span + assessed.found.emptied_at.astype(np.int64) // 1000
    marks = np.zeros(len(times) + 1, dtype=np.bool_)
    marks[np.searchsorted(keys, wanted)] = True
    return marks[:-1]


def _highest(levels: Floats, stretch: Integers) -> Floats:
    """Give the highest level so far in each stretch; a single reading that its neighbours deny does not count."""
    before, after = beside(levels, stretch, -1), beside(levels, stretch, 1)
    steady = np.where(np.isnan(before) | np.isnan(after), levels, median_of_three(before, levels, after))
    apart = 4.0 * stretch
    highest: Floats = np.maximum.accumulate(steady + apart) - apart
    return highest


def _use_s(readings: Readings, assessed: Assessed, zone: ZoneInfo) -> Floats:
    """Read, for each reading, the clock that runs as fast as the town's bins fill."""
    pool = np.zeros(len(readings.bins), dtype=np.int64)
    weights = tally(readings.measured_at, assessed.levels, pool, readings.starts, zone=zone).weights()
    clock = Clock(weights, zone, readings.measured_at.min(), readings.measured_at.max())
    return clock.use_s(readings.measured_at, np.zeros(len(readings), dtype=np.int64))


def _bounded(gains: Floats, stretch: Integers) -> Floats:
    """Let gains end where those of their stretch reach BEYOND_FULL."""
    total = np.cumsum(gains)
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    before = np.repeat(total[first] - gains[first], np.diff(np.append(first, len(gains))))
    kept = np.minimum(total - before, BEYOND_FULL)
    return np.where(np.diff(stretch, prepend=-1) != 0, kept, np.diff(kept, prepend=0.0))


def _per_bin(bin_: Integers, values: Floats, bins: int) -> Floats:
    return np.bincount(bin_, values, bins).astype(np.float64)


def _hours(times: Times) -> Floats:
    hours: Floats = times.astype("datetime64[us]").astype(np.int64) / 3.6e9
    return hours


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0))
