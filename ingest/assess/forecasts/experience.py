"""Whether enough is known of bins that a forecast of them may send anybody. Pure.

What is learnt first is learnt from the bins that are emptied most: a cycle counts once it ended. In the first days of
an installation a forecast would fear for every bin, and in a pool of a few bins for those that are not like them.
"""

import numpy as np

from ingest.assess.forecasts.cycles import EMPTIED, Cycles, Truths
from ingest.assess.levels.readings import Integers, Times

# A chance of a ninth, from which a bin may go (`outlook`), cannot be told from none in fewer than about twenty cycles,
# and half of the bins must have had one, so that the slow ones are among them.
POOL_CYCLES = 20
POOL_SHARE = 0.5
# With so many of its own a bin has a rate of its own, whatever its pool is like.
OWN_CYCLES = 3


def known_pools(cycles: Cycles, cycle_pool: Integers, pools: int, now: Times | np.datetime64) -> Truths:
    """Say of which pools enough is known that they speak for a bin of which nothing is, shape (pools,).

    Args:
        cycles: of all bins.
        cycle_pool: the pool of each, shape (cycles,).
        pools: how many there are.
        now: what ended later does not count.
    """
    ended = _is_whole(cycles) & (cycles.ended_at <= now)
    first = np.diff(cycles.bin, prepend=-1) != 0
    counts, watched = (np.bincount(cycle_pool[which], minlength=pools) for which in (ended, first))
    known: Truths = counts >= np.maximum(POOL_CYCLES, POOL_SHARE * watched)
    return known


def known_bins(bins: Integers, cycles: Cycles) -> Truths:
    """Say of which bins enough is known that they speak for themselves, shape (bins,); `cycles` are of these bins."""
    own = cycles.bin[_is_whole(cycles)]
    known: Truths = np.bincount(own, minlength=int(bins.max(initial=-1)) + 1)[bins] >= OWN_CYCLES
    return known


def _is_whole(cycles: Cycles) -> Truths:
    whole: Truths = cycles.after_emptying & (cycles.ended_by == EMPTIED) & ~np.isnan(cycles.level_last)
    return whole
