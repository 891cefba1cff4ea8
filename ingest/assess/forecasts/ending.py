"""How full bins are so long after their last emptying, as far as emptyings alone can tell. Pure.

For bins whose level nobody measures: without a sensor, or with a silent one.
"""

from dataclasses import dataclass

import numpy as np

from ingest.assess.forecasts.cycles import EMPTIED, Cycles
from ingest.assess.forecasts.events import quantiles
from ingest.assess.forecasts.past import Past
from ingest.assess.forecasts.table import EXPECTED, QUANTILES, Pool
from ingest.assess.levels.readings import Floats, Integers, Times

# Chosen on past data (`simulator.evaluate.edinburgh`): the quantiles whose events hold 80 % of what comes.
LEVELS = (0.12, 0.5, 0.88)
CYCLES = 32
# The weight of a past cycle halves with each so many, and is less for one of another length (standard deviation of the
# logarithm of time of use).
HALF_LIFE = 8.0
LENGTH_WIDTH = 0.5
# A cycle of another length is taken to have ended so much fuller per unit of the logarithm.
RISE = 0.25
# A full bin says nothing of how far it overflowed: it would have been full somewhat earlier too.
FULL = 0.995
CLEARLY_SHORTER = 0.5
POOL_EVENTS = 5.0


@dataclass(frozen=True, slots=True)
class Levels:
    """How full bins are.

    Attributes:
        quantiles: p10, p50 and p90, 0..1, shape (rows, 3).
        values: the events that they were taken from, 0..1, shape (rows, events).
        weights: of the events, shape (rows, events).
    """

    quantiles: Floats
    values: Floats
    weights: Floats

    def chance_above(self, level: Floats) -> Floats:
        """Say how likely each bin is at its `level` or above, shape (rows,)."""
        reached = np.where(self.values >= level[:, None], self.weights, 0.0).sum(axis=1)
        chance: Floats = reached / self.weights.sum(axis=1)
        return chance


def levels_at(cycles: Cycles, pool: Pool, *, bins: Integers, pools: Integers, emptied_at: Times, at: Times) -> Levels:
    """Say how full bins are at given moments.

    Args:
        cycles: of all bins; only what had ended at `emptied_at` is looked at.
        pool: prepared at `emptied_at` or before.
        bins: of each row, shape (rows,).
        pools: of each row, shape (rows,).
        emptied_at: the bin's last emptying, shape (rows,).
        at: when the level is wanted, after `emptied_at`, shape (rows,).
    """
    past = Past(cycles, pool.clock, bins=bins, pool=pools, now=emptied_at, count=CYCLES)
    nothing = np.full(len(bins), np.nan)
    rates = pool.rates(past, pools, nothing, nothing)
    length_s = np.maximum(pool.clock.use_s(at, pools) - pool.clock.use_s(emptied_at, pools), 60.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        longer = np.log(length_s)[:, None] - np.log(past.length_use_s)
    usable = past.exists & np.isfinite(longer) & ~np.isnan(past.level_last) & (past.ended_by == EMPTIED)
    own = np.where(usable, 0.5 ** (past.lag / HALF_LIFE) * np.exp(-0.5 * (longer / LENGTH_WIDTH) ** 2), 0.0)
    stays_full = (past.level_last >= FULL) & (longer > -CLEARLY_SHORTER)
    carried = np.where(stays_full, 1.0, np.clip(past.level_last + RISE * longer, 0.0, 1.0))
    expected = np.log(np.maximum(length_s * rates.per_s, 1e-9))
    place = np.clip(np.round((expected - EXPECTED[0]) / (EXPECTED[1] - EXPECTED[0])), 0, len(EXPECTED) - 1)
    alike = pool.level[pools, rates.maturity, place.astype(np.int64)]
    share = np.full(alike.shape, POOL_EVENTS / len(QUANTILES))
    values = np.concatenate([np.where(usable, carried, 0.0), alike], axis=1)
    weights = np.concatenate([own, share], axis=1)
    return Levels(quantiles(values, weights, LEVELS), values, weights)
