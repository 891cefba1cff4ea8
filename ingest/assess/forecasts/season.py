"""How busy each day was, of itself: a festival, a lockdown, a warm week. Pure.

The clock of use then runs faster on busy days, so that cycles of a quiet month tell what a busy one will do.
"""

import numpy as np

from ingest.assess.forecasts.cycles import OPEN, Cycles
from ingest.assess.forecasts.profile import Clock
from ingest.assess.levels.readings import Floats, Integers

# A day is judged with its neighbours: standard deviation in days. The last known days stand for all that come.
WIDTH_DAYS = 7.0
# So many bins filled as usual are believed beside what was seen.
USUAL_BINS = 10.0
SLOWEST, FASTEST = 0.25, 4.0
_DAY = np.timedelta64(1, "D")


def seasonal(cycles: Cycles, cycle_pool: Integers, clock: Clock, now: np.datetime64) -> Clock:
    """Give the clock that also knows how busy each day until now was.

    Each bin is compared with itself, so it does not matter which bins were watched when.

    Args:
        cycles: that had ended at `now`, of the bins to learn from.
        cycle_pool: the pool of each, shape (cycles,).
        clock: by the hours of the week.
        now: later days are taken to be like the last ones.
    """
    learnt = np.flatnonzero((cycles.ended_by != OPEN) & ~np.isnan(cycles.level_last - cycles.level_first))
    if not len(learnt):
        return clock
    cycles, pool = cycles[learnt], cycle_pool[learnt]
    gained = np.maximum(cycles.level_last - cycles.level_first, 0.0).astype(np.float64)
    first = cycles.began_at.min().astype("datetime64[D]")
    days = int((now.astype("datetime64[D]") - first) / _DAY) + 1
    began, ended = ((times.astype("datetime64[D]") - first) // _DAY for times in (cycles.began_at, cycles.ended_at))
    use_s = clock.use_s(cycles.ended_at, pool) - clock.use_s(cycles.began_at, pool)
    amounts = (gained, _usual(cycles, gained, use_s))
    daily = [_by_day(amount, pool, np.stack([began, ended]), (clock.pools, days)) for amount in amounts]
    apart = np.arange(days)[:, None] - np.arange(days)
    near = np.exp(-0.5 * (apart / WIDTH_DAYS) ** 2)
    seen, usual = (amount @ near + USUAL_BINS for amount in daily)
    return clock.paced(np.clip(seen / usual, SLOWEST, FASTEST), first)


def _usual(cycles: Cycles, gained: Floats, use_s: Floats) -> Floats:
    """Say what each cycle would have gained at its bin's mean rate."""
    _, place = np.unique(cycles.bin, return_inverse=True)
    usual: Floats = (np.bincount(place, gained) / np.maximum(np.bincount(place, use_s), 1.0))[place] * use_s
    return usual


def _by_day(amount: Floats, pool: Integers, between: Integers, shape: tuple[int, int]) -> Floats:
    """Share out each cycle's amount evenly over the days that it touched, shape (pools, days)."""
    began, ended = between
    share = amount / (ended - began + 1)
    change = np.zeros((shape[0], shape[1] + 1))
    np.add.at(change, (pool, began), share)
    np.add.at(change, (pool, ended + 1), -share)
    daily: Floats = np.cumsum(change[:, :-1], axis=1)
    return daily
