"""What bins of a kind have in common: prepares the table of the pools once for all forecasts. Pure."""

from dataclasses import replace

import numpy as np

from ingest.assess.forecasts.cycles import MARKS, OPEN, Cycles, as_of
from ingest.assess.forecasts.events import uncensored_quantiles
from ingest.assess.forecasts.lesson import FIRST_EVENTS, Lesson
from ingest.assess.forecasts.past import NEVER, SECOND, Past
from ingest.assess.forecasts.profile import Clock, microseconds
from ingest.assess.forecasts.season import seasonal
from ingest.assess.forecasts.table import DAY_S, Pool
from ingest.assess.forecasts.waiting import CYCLES, Start, waits_until
from ingest.assess.levels.readings import Floats, Integers

__all__ = ["Pool", "prepare"]

# Before anything was seen a bin fills in a week.
FIRST_RATE_PER_S = 1.0 / (7 * DAY_S)
RATE_CYCLES = 24
# The table is learnt from about so many cycles of so long; they count half after half a year; other pools' a little.
LEARNT_CYCLES = 12_000
REMEMBERED = np.timedelta64(400 * 24, "h")
HALF_LIFE = np.timedelta64(180 * 24, "h")
OTHER_POOL = 0.05
# Which quantiles of the events are right is found from so many past passages between these tenths; until there are as
# many as FIRST_TRIALS, LEVELS are believed more.
TRIED = ((0, 8), (2, 8), (4, 8), (6, 8), (0, 5), (3, 10))
TRIALS = 3000
FIRST_TRIALS = 100
LEVELS = np.array([0.1, 0.5, 0.9])
LOWEST, HIGHEST = np.array([0.02, 0.35, 0.75]), np.array([0.25, 0.65, 0.98])


def prepare(cycles: Cycles, cycle_pool: Integers, clock: Clock, now: np.datetime64) -> Pool:
    """Make the table of all pools from the newest cycles, those that still run at `now` among them; causal.

    Args:
        cycles: of all bins.
        cycle_pool: the pool of each, 0 and up, shape (cycles,).
        clock: of use.
        now: what was not known then is not looked at.
    """
    places = _lessons(cycles, cycle_pool, now)
    learnt, pool = as_of(cycles[places], now), cycle_pool[places]
    clock = seasonal(learnt, pool, clock, now)
    age = (now - learnt.ended_at) / HALF_LIFE
    weights = np.where(pool == np.arange(clock.pools)[:, None], 1.0, OTHER_POOL) * 0.5**age
    rate = _pool_rates(learnt, pool, clock, weights)
    past = Past(cycles, clock, bins=learnt.bin, pool=pool, now=learnt.began_at, count=RATE_CYCLES)
    lesson = Lesson(learnt, pool, clock, past, rate[pool], weights)
    made = Pool(clock, rate, *lesson.passages(), *lesson.standing(), lesson.levels(), LEVELS, LEVELS)
    levels, standing = (_levels(made, cycles, learnt, pool, standing=one) for one in (False, True))
    return replace(made, levels=levels, standing_levels=standing)


def _levels(table: Pool, cycles: Cycles, learnt: Cycles, pool: Integers, *, standing: bool) -> Floats:
    """Find which quantiles of the events would have been right so far, as bins came to a level or stood there.

    Some past passages are forecast from what was known when each cycle began: where the truth lay among the events, one
    time in ten it lay below the first of these quantiles, one time in ten above the last.
    """
    row, low, high, stood_s, share = _trials(learnt, standing=standing)
    passed_s = learnt.passed_s.astype(np.float64)
    began_at, bin_pool = learnt.began_at[row], pool[row]
    runs = np.isnan(passed_s[row, high])
    at = began_at + microseconds(passed_s[row, low] + stood_s)
    until = np.where(runs, learnt.ended_at[row], began_at + microseconds(passed_s[row, high]))
    past = Past(cycles, table.clock, bins=learnt.bin[row], pool=bin_pool, now=began_at, count=CYCLES)
    start = Start(
        pool=bin_pool,
        level=(low + share) / (MARKS - 1),
        at=at,
        emptied_at=np.where(learnt.after_emptying[row], began_at, NEVER),
        stood_s=stood_s,
    )
    waits = waits_until(table, past, start, high / (MARKS - 1))
    place = waits.place(table.clock.use_s(until, bin_pool) - table.clock.use_s(at, bin_pool))
    mine = waits.standing == standing
    weight = mine.sum() / (mine.sum() + FIRST_TRIALS)
    found = LEVELS
    if mine.any():
        found = uncensored_quantiles(place[None, mine], np.ones((1, mine.sum())), runs[None, mine], LEVELS)[0]
    right: Floats = np.clip(weight * found + (1 - weight) * LEVELS, LOWEST, HIGHEST)
    return right


def _trials(learnt: Cycles, *, standing: bool) -> tuple[Integers, Integers, Integers, Floats, Floats]:
    """Choose past passages to try forecasts on.

    Args:
        learnt: the cycles.
        standing: from moments spread evenly over the time between two tenths, so that slow cycles are met more often;
            else from when a tenth was reached.

    Returns:
        The cycle, the tenth below and the one to reach, the seconds since the one below was reached, and the share of
        the way to the next that was done; shape (trials,) each.
    """
    tried = np.array(TRIED)
    passed_s = learnt.passed_s.astype(np.float64)
    came_s, left_s, until_s = (passed_s[:, marks] for marks in (tried[:, 0], tried[:, 0] + 1, tried[:, 1]))
    runs_s = np.where(learnt.ended_by == OPEN, (learnt.ended_at - learnt.began_at) / SECOND, np.nan)[:, None]
    waited = np.where(np.isnan(until_s), runs_s, until_s) > came_s
    stayed_s = np.where(waited, np.nan_to_num(left_s - came_s) if standing else 1.0, 0.0)
    total_s = np.append(0.0, np.cumsum(stayed_s))
    count = min(int(np.count_nonzero(stayed_s)), TRIALS)
    moment_s = (np.arange(count) + 0.5) / max(count, 1) * total_s[-1]
    met = np.searchsorted(total_s, moment_s) - 1
    row, trial = np.divmod(met, len(tried))
    stood_s = (moment_s - total_s[met]) * standing
    return row, tried[trial, 0], tried[trial, 1], stood_s, stood_s / stayed_s[row, trial]


def _lessons(cycles: Cycles, cycle_pool: Integers, now: np.datetime64) -> Integers:
    """Choose the cycles to learn from: in each pool all recent ones of every so many-th bin."""
    recent = (cycles.began_at < now) & (cycles.ended_at > now - REMEMBERED)
    chosen = [np.zeros(0, dtype=np.int64)]
    pools = np.unique(cycle_pool[recent])
    for pool in pools:
        mine = np.flatnonzero(recent & (cycle_pool == pool))
        every = -(-len(mine) * len(pools) // LEARNT_CYCLES)
        number = np.cumsum(np.diff(cycles.bin[mine], prepend=-1) != 0)
        chosen.append(mine[number % every == 0])
    return np.concatenate(chosen)


def _pool_rates(learnt: Cycles, pool: Integers, clock: Clock, weights: Floats) -> Floats:
    gained = np.maximum(np.nan_to_num(learnt.level_last - learnt.level_first), 0.0)
    use_s = np.where(
        np.isnan(learnt.level_last), 0.0, clock.use_s(learnt.ended_at, pool) - clock.use_s(learnt.began_at, pool)
    )
    prior_s = FIRST_EVENTS / FIRST_RATE_PER_S
    rates: Floats = (weights @ gained + FIRST_EVENTS) / (weights @ use_s + prior_s)
    return rates
