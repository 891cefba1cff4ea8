"""What bins of a kind have in common, as a small table that serves all forecasts. Pure.

Bins of a pool differ mostly in how fast they fill. So the table keeps what a passage took as "fill": its time of use
times the bin's own rate, as that was known before. What is learnt of one bin then serves a faster one, and how far
off the rate of a new bin may be is learnt as well: the table is kept apart for bins with no, few and many past cycles.
"""

from dataclasses import dataclass

import numpy as np

from ingest.assess.forecasts.past import Past
from ingest.assess.forecasts.profile import Clock
from ingest.assess.levels.readings import Floats, Integers

DAY_S = 86_400.0
QUANTILES = (np.arange(9) + 0.5) / 9
"""Each cell of the table is this many events of equal weight."""
MATURE = (1, 4)
"""From so many past cycles on a bin counts as known a little, and as known well."""
EXPECTED = np.log(np.geomspace(0.02, 8.0, 32))
"""The expected fills, as logarithms, for which the table holds the level at the end."""
# A bin's rate: the weight of its past cycles halves with each so many, and the pool's rate counts like so long a time.
RATE_HALF_LIFE = 8.0
RATE_PRIOR_S = DAY_S


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast bins fill; arrays of the shape (rows,).

    Attributes:
        per_s: bins a second of use.
        cycles: past cycles that it was taken from.
    """

    per_s: Floats
    cycles: Integers

    @property
    def maturity(self) -> Integers:
        """How well the bin is known: 0 not at all, 1 a little, 2 well."""
        return np.searchsorted(MATURE, self.cycles, side="right").astype(np.int64)


@dataclass(frozen=True, slots=True)
class Pool:
    """The table of all pools.

    Attributes:
        clock: of use, of each pool.
        rate_per_s: bins a second of use, shape (pools,).
        passage: logarithm of the fill from one mark to another, of passages that came to their end before the bin was
            emptied; quantiles, shape (pools, maturities, MARKS, MARKS, events).
        chance: the same of all passages, infinite where most were cut off.
        standing: logarithm of the fill from a moment on the way to a mark, over the level between them, of passages
            that came to their end; by that level in tenths, quantiles, shape (pools, maturities, MARKS - 1, events).
        standing_chance: the same of all passages, infinite where most were cut off.
        level: level at the end, by expected fill, quantiles, shape (pools, maturities, expected, events).
        levels: the quantiles of the weighted events that were right as p10, p50 and p90 so far, shape (3,).
        standing_levels: the same for bins that stand between two marks.
    """

    clock: Clock
    rate_per_s: Floats
    passage: Floats
    chance: Floats
    standing: Floats
    standing_chance: Floats
    level: Floats
    levels: Floats
    standing_levels: Floats

    def rates(self, past: Past, pool: Integers, present_gain: Floats, present_use_s: Floats) -> Rates:
        """Say how fast bins fill: their past cycles, the present one, and a little of the pool's rate.

        Args:
            past: shape (rows, cycles).
            pool: of each row, shape (rows,).
            present_gain: level gained in the present cycle, shape (rows,); NaN unknown.
            present_use_s: seconds of use that it took, shape (rows,); NaN unknown.
        """
        return rates(past, self.rate_per_s[pool], present_gain, present_use_s)


def rates(past: Past, pool_rate: Floats, present_gain: Floats, present_use_s: Floats) -> Rates:
    """Say how fast bins fill, as `Pool.rates`, with the rate of each row's pool, shape (rows,)."""
    known = past.exists & ~np.isnan(past.gained) & (past.length_use_s > 0)
    weight = np.where(known, 0.5 ** (past.lag / RATE_HALF_LIFE), 0.0)
    gain = (weight * np.nan_to_num(past.gained)).sum(axis=1) + pool_rate * RATE_PRIOR_S
    use_s = (weight * np.nan_to_num(past.length_use_s)).sum(axis=1) + RATE_PRIOR_S
    now = ~np.isnan(present_gain) & (present_use_s > 0)
    gain += np.where(now, np.nan_to_num(present_gain), 0.0)
    use_s += np.where(now, np.nan_to_num(present_use_s), 0.0)
    return Rates(gain / use_s, np.count_nonzero(known, axis=1).astype(np.int64))
