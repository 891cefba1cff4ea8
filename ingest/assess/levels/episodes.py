"""Episodes: the level jumps, stays there for a while, and jumps the other way."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from ingest.assess.levels.believed import Believed, Hits
from ingest.assess.levels.readings import Floats, Integers

# While a sensor sees something else for more readings than this, waste may pile up unseen.
LONG_READINGS = 3
# Where a level of not more than this comes back, the bin may have been emptied.
NEAR_BOTTOM = 0.12


@dataclass(frozen=True, slots=True)
class Episodes:
    """Pairs of jumps that follow each other in opposite directions; all of shape (n,).

    Attributes:
        entry: last reading before.
        exit: last reading of the episode.
        up: whether the level jumped up.
        height: from its lowest to its highest level.
        still: whether it ended where it began: waste that is thrown in piles up.
        back: whether it came back to where it was, or higher if that can be: while the sensor saw something else for
            long, or after a fall.
        brief: whether a jump up ended soon, and not lower than where it began: waste does that only
            when it was emptied soon after something large was thrown in, and the bin was filled again.
        stays: whether the reading after the one that came back says so too.
        from_bottom: whether the bin was as good as empty before: then coming back may be an emptying.
        lasted_h: from before to the second reading after; NaN where there is none yet.
    """

    entry: Integers
    exit: Integers
    up: Hits
    height: Floats
    still: Hits
    back: Hits
    brief: Hits
    stays: Hits
    from_bottom: Hits
    lasted_h: Floats

    @classmethod
    def of(cls, believed: Believed) -> Self:
        """Find them."""
        level, track, step = believed.level, believed.track, believed.step
        jumps = believed.jumps
        pair = (track[jumps[1:]] == track[jumps[:-1]]) & (np.sign(step[jumps[1:]]) == -np.sign(step[jumps[:-1]]))
        entry, end = jumps[:-1][pair], jumps[1:][pair]
        before, first, after, same = level[entry], level[entry + 1], level[end + 1], believed.same[entry]
        later = np.minimum(end + 2, len(level) - 1)
        there = (later == end + 2) & (track[later] == track[end + 1])
        second, second_h = (np.where(there, column[later], np.nan) for column in (level, believed.hours))
        up = step[entry] > 0
        highest, lowest = _extremes(level, entry + 1, end)
        long = (highest - lowest <= same) & (end - entry > LONG_READINGS)
        piled = np.where(up, np.where(long, np.maximum(same, (first - before) / 2), same), np.inf)
        return cls(
            entry=entry,
            exit=end,
            up=up,
            height=highest - lowest,
            still=np.abs(level[end] - first) <= same,
            back=(after - before >= -same) & (after - before <= piled),
            brief=up & (end - entry <= LONG_READINGS) & (after - before >= -same),
            stays=second - before >= -same,
            from_bottom=before <= np.maximum(NEAR_BOTTOM, same),
            lasted_h=second_h - believed.hours[entry],
        )


def _extremes(level: Floats, begin: Integers, end: Integers) -> tuple[Floats, Floats]:
    """Give the highest and the lowest of `level[begin..end]`, both ends included."""
    if not len(begin):
        return np.zeros(0), np.zeros(0)
    length = end - begin + 1
    starts = np.cumsum(length) - length
    within = level[np.repeat(begin - starts, length) + np.arange(int(length.sum()))]
    return np.maximum.reduceat(within, starts), np.minimum.reduceat(within, starts)
