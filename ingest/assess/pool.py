"""What bins of a kind have in common, as a small table that is prepared once for all forecasts. Pure.

Bins of a pool differ mostly in how fast they fill. So the table keeps what a passage took as "fill": its time of use
times the bin's own rate, as that was known before. What is learnt of one bin then serves a faster one, and how far
off the rate of a new bin may be is learnt as well: the table is kept apart for bins with no, few and many past cycles.
"""

from dataclasses import dataclass

import numpy as np

from ingest.assess.cycles import EMPTIED, MARKS, OPEN, Cycles, Truths
from ingest.assess.events import first_at, quantiles, uncensored
from ingest.assess.past import Past
from ingest.assess.profile import Clock, microseconds
from ingest.assess.readings import Floats, Integers

DAY_S = 86_400.0
QUANTILES = (np.arange(9) + 0.5) / 9
"""Each cell of the table is this many events of equal weight."""
MATURE = (1, 4)
"""From so many past cycles on a bin counts as known a little, and as known well."""
EXPECTED = np.log(np.geomspace(0.02, 8.0, 32))
"""The expected fills, as logarithms, for which the table holds the level at the end."""
# A cycle's level says this much about those of neighbouring expected fill: standard deviation of the logarithm.
EXPECTED_WIDTH = 0.15
# A bin's rate: the weight of its past cycles halves with each so many, and the pool's rate counts like so long a time.
RATE_HALF_LIFE = 8.0
RATE_PRIOR_S = DAY_S
RATE_CYCLES = 24
# Before anything was seen: a bin fills in a week, give or take a factor of two, and counts like so many cycles.
FIRST_RATE_PER_S = 1.0 / (7 * DAY_S)
FIRST_SPREAD = 0.7
FIRST_EVENTS = 3.0
# The table is learnt from so many of the newest cycles; older ones count half after so long; other pools' a little.
LEARNT_CYCLES = 6000
HALF_LIFE = np.timedelta64(180 * 24, "h")
OTHER_POOL = 0.05
# Quantiles of the standard normal distribution at QUANTILES.
_NORMAL = np.array([-1.593, -0.967, -0.589, -0.282, 0.0, 0.282, 0.589, 0.967, 1.593])


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
        level: level at the end, by expected fill, quantiles, shape (pools, maturities, expected, events).
    """

    clock: Clock
    rate_per_s: Floats
    passage: Floats
    chance: Floats
    level: Floats

    def rates(self, past: Past, pool: Integers, present_gain: Floats, present_use_s: Floats) -> Rates:
        """Say how fast bins fill: their past cycles, the present one, and a little of the pool's rate.

        Args:
            past: shape (rows, cycles).
            pool: of each row, shape (rows,).
            present_gain: level gained in the present cycle, shape (rows,); NaN unknown.
            present_use_s: seconds of use that it took, shape (rows,); NaN unknown.
        """
        return _rates(past, self.rate_per_s[pool], present_gain, present_use_s)


def _rates(past: Past, pool_rate: Floats, present_gain: Floats, present_use_s: Floats) -> Rates:
    known = past.exists & ~np.isnan(past.gained) & (past.length_use_s > 0)
    weight = np.where(known, 0.5 ** (past.lag / RATE_HALF_LIFE), 0.0)
    gain = (weight * np.nan_to_num(past.gained)).sum(axis=1) + pool_rate * RATE_PRIOR_S
    use_s = (weight * np.nan_to_num(past.length_use_s)).sum(axis=1) + RATE_PRIOR_S
    now = ~np.isnan(present_gain) & (present_use_s > 0)
    gain += np.where(now, np.nan_to_num(present_gain), 0.0)
    use_s += np.where(now, np.nan_to_num(present_use_s), 0.0)
    return Rates(gain / use_s, np.count_nonzero(known, axis=1).astype(np.int64))


def prepare(cycles: Cycles, cycle_pool: Integers, clock: Clock, now: np.datetime64) -> Pool:
    """Make the table of all pools from the newest cycles that had ended at `now`; causal.

    Args:
        cycles: of all bins.
        cycle_pool: the pool of each, 0 and up, shape (cycles,).
        clock: of use.
        now: what ended later is not looked at.
    """
    ended = np.flatnonzero((cycles.ended_at <= now) & (cycles.ended_by != OPEN))
    newest = ended[np.argsort(cycles.ended_at[ended], kind="stable")[-LEARNT_CYCLES:]]
    learnt, pool = cycles[newest], cycle_pool[newest]
    age = (now - learnt.ended_at) / HALF_LIFE
    weights = np.where(pool == np.arange(clock.pools)[:, None], 1.0, OTHER_POOL) * 0.5**age
    if SEASON:
        clock = clock.paced(*_season(learnt, pool, clock, now))
    rate = _pool_rates(learnt, pool, clock, weights)
    past = Past(cycles, clock, bins=learnt.bin, pool=pool, now=learnt.began_at, count=RATE_CYCLES)
    lesson = _Lesson(learnt, pool, clock, past, rate[pool], weights)
    return Pool(clock, rate, *lesson.passages(), lesson.levels())


SEASON = True
SEASON_DAYS = 7.0
SEASON_PRIOR = 10.0


def _season(learnt: Cycles, pool: Integers, clock: Clock, now: np.datetime64) -> tuple[Floats, np.datetime64]:
    """Say how busy each day was against what the bins usually take."""
    first = (learnt.began_at.min() if len(learnt) else now).astype("datetime64[D]")
    days = int((now.astype("datetime64[D]") - first) / np.timedelta64(1, "D")) + 1
    gained = np.maximum(learnt.level_last - learnt.level_first, 0.0).astype(np.float64)
    use_s = clock.use_s(learnt.ended_at, pool) - clock.use_s(learnt.began_at, pool)
    known = ~np.isnan(gained)
    gained, use_s = np.where(known, gained, 0.0), np.where(known, use_s, 0.0)
    bins, place = np.unique(learnt.bin, return_inverse=True)
    usual = (np.bincount(place, gained, len(bins)) + 1e-9) / np.maximum(np.bincount(place, use_s, len(bins)), 1.0)
    usual_gain = usual[place] * use_s
    begin, end = (
        (times.astype("datetime64[D]") - first).astype(np.int64) for times in (learnt.began_at, learnt.ended_at)
    )
    touched = end - begin + 1
    sums = []
    for amount in (gained, usual_gain):
        change = np.zeros((clock.pools, days + 1))
        np.add.at(change, (pool, begin), amount / touched)
        np.add.at(change, (pool, end + 1), -amount / touched)
        sums.append(np.cumsum(change[:, :-1], axis=1))
    apart = np.arange(days)[:, None] - np.arange(days)
    kernel = np.exp(-0.5 * (apart / SEASON_DAYS) ** 2)
    factors = (sums[0] @ kernel + SEASON_PRIOR) / (sums[1] @ kernel + SEASON_PRIOR)
    return np.clip(factors, 0.25, 4.0), first


def _pool_rates(learnt: Cycles, pool: Integers, clock: Clock, weights: Floats) -> Floats:
    gained = np.maximum(np.nan_to_num(learnt.level_last - learnt.level_first), 0.0)
    use_s = np.where(
        np.isnan(learnt.level_last), 0.0, clock.use_s(learnt.ended_at, pool) - clock.use_s(learnt.began_at, pool)
    )
    prior_s = FIRST_EVENTS / FIRST_RATE_PER_S
    rates: Floats = (weights @ gained + FIRST_EVENTS) / (weights @ use_s + prior_s)
    return rates


@dataclass(frozen=True, slots=True)
class _Lesson:
    """The cycles that the table is learnt from, each beside what was known of its bin before."""

    learnt: Cycles
    pool: Integers
    clock: Clock
    past: Past
    rate: Floats
    weights: Floats

    def passages(self) -> tuple[Floats, Floats]:
        """Fill the tables of passages."""
        began = self.clock.use_s(self.learnt.began_at, self.pool)[:, None]
        marks_at = self.learnt.began_at[:, None] + microseconds(self.learnt.passed_s.astype(np.float64))
        passed = self.clock.use_s(marks_at, self.pool[:, None]) - began
        length = self.clock.use_s(self.learnt.ended_at, self.pool) - began[:, 0]
        shape = (len(self.weights), len(MATURE) + 1, MARKS, MARKS, len(QUANTILES))
        passage, chance = np.full(shape, np.nan), np.full(shape, np.nan)
        for low in range(MARKS - 1):
            rates = self._rates_at(low, passed[:, low])
            log_rate = np.log(rates.per_s)
            for maturity in range(len(MATURE) + 1):
                mine = np.flatnonzero(~np.isnan(passed[:, low]) & (rates.maturity == maturity))
                for high in range(low + 1, MARKS):
                    reached = passed[mine, high]
                    censored = np.isnan(reached)
                    took = np.where(censored, length[mine], reached) - passed[mine, low]
                    fill = np.log(np.maximum(took, 60.0)) + log_rate[mine]
                    cell = _cells(fill, self.weights[:, mine], censored, np.log((high - low) / (MARKS - 1)))
                    passage[:, maturity, low, high], chance[:, maturity, low, high] = cell
        return passage, chance

    def _rates_at(self, mark: int, passed: Floats) -> Rates:
        known = self.learnt.after_emptying & ~np.isnan(passed)
        gain = np.where(known, mark / (MARKS - 1), np.nan)
        return _rates(self.past, self.rate, gain, np.where(known, passed, np.nan))

    def levels(self) -> Floats:
        """Fill the table of levels at the end."""
        nothing = np.full(len(self.learnt), np.nan)
        rates = _rates(self.past, self.rate, nothing, nothing)
        length = self.clock.use_s(self.learnt.ended_at, self.pool) - self.clock.use_s(self.learnt.began_at, self.pool)
        expected = np.log(np.maximum(length * rates.per_s, 1e-6))
        usable = self.learnt.after_emptying & (self.learnt.ended_by == EMPTIED) & ~np.isnan(self.learnt.level_last)
        table = np.full((len(self.weights), len(MATURE) + 1, len(EXPECTED), len(QUANTILES)), np.nan)
        for maturity in range(len(MATURE) + 1):
            mine = np.flatnonzero(usable & (rates.maturity == maturity))
            level = self.learnt.level_last[mine].astype(np.float64)
            for place, wanted in enumerate(EXPECTED):
                near = np.exp(-0.5 * ((expected[mine] - wanted) / EXPECTED_WIDTH) ** 2)
                prior = np.minimum(np.exp(wanted + FIRST_SPREAD * _NORMAL), 1.0)
                values, weights = _with_prior(level, self.weights[:, mine] * near, prior)
                table[:, maturity, place] = quantiles(values, weights, QUANTILES)
        return table


def _cells(fill: Floats, weights: Floats, censored: Truths, expected: float) -> tuple[Floats, Floats]:
    """Give one cell of both tables, shape (pools, events) each."""
    prior = expected + FIRST_SPREAD * _NORMAL
    came = ~censored
    passage = quantiles(*_with_prior(fill[came], weights[:, came], prior), QUANTILES)
    values, weight = _with_prior(fill, weights, prior)
    cut = np.broadcast_to(np.concatenate([censored, np.zeros(len(prior), np.bool_)]), values.shape)
    return passage, first_at(*uncensored(values, weight, cut), QUANTILES)


def _with_prior(values: Floats, weights: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """Add what is believed before anything was seen to the events of each pool."""
    pools = len(weights)
    together = np.concatenate([values, prior])
    beliefs = np.full((pools, len(prior)), FIRST_EVENTS / len(prior))
    return np.broadcast_to(together, (pools, len(together))), np.concatenate([weights, beliefs], axis=1)
