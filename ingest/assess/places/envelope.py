"""How high the waste of a cycle stood at most: what rises of a level are believed to be waste that was thrown in. Pure.

Waste settles, a sound's way depends on the air's warmth, and every echo is off by some millimetres. So only the highest
level so far counts, a single reading that stands out does not, and the last of a rise is taken only once it is larger
than noise can be.
"""

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.readings import Floats, Integers

# A level has to rise by so much of the bin, 20 mm in a metre, until it is certain that it rose.
CERTAIN_RISE = 0.02
# More than any level, so that no cycle is ever as high as the one after it.
_APART = 2.0


def envelope(levels: Floats, first: npt.NDArray[np.bool_]) -> Floats:
    """Give how high the waste certainly stood, reading by reading.

    Args:
        levels: 0..1, of readings that are believed, cycle after cycle, shape (n,).
        first: which of them begin a cycle, shape (n,); the first one does.

    Returns:
        Shape (n,); in each cycle it begins with its first level and never falls.
    """
    if not len(levels):
        return levels
    cycle = np.cumsum(first) - 1
    stairs = np.maximum.accumulate(smooth(levels, first) + _APART * cycle)
    certain = stairs[_last_certain(stairs, np.flatnonzero(first))]
    highest: Floats = np.minimum(stairs, certain[cycle]) - _APART * cycle
    return highest


def smooth(levels: Floats, first: npt.NDArray[np.bool_]) -> Floats:
    """Give the median of each level and its neighbours in its cycle, shape (n,): a rise stays, a lone peak goes."""
    last = np.append(first[1:], True)
    before = np.where(first, levels, np.roll(levels, 1))
    after = np.where(last, levels, np.roll(levels, -1))
    median: Floats = np.maximum(np.minimum(before, after), np.minimum(np.maximum(before, after), levels))
    return median


def _last_certain(stairs: Floats, begins: Integers) -> Integers:
    """Find up to which reading each cycle's rise is certain: from the beginning on, one certain rise after another."""
    at = begins.copy()
    ends = np.append(begins[1:], len(stairs))
    open_cycles = np.arange(len(begins))
    while len(open_cycles):
        # Stairs of all cycles ascend as one, so one search serves them all.
        risen = np.searchsorted(stairs, stairs[at[open_cycles]] + CERTAIN_RISE)
        goes_on = risen < ends[open_cycles]
        open_cycles = open_cycles[goes_on]
        at[open_cycles] = risen[goes_on]
    return at
