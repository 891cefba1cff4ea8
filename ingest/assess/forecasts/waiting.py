"""How long bins have to wait until a mark is reached, as weighted events: what past cycles took, and a few of the pool.

Pure; all times are seconds of use.
"""

from dataclasses import dataclass

import numpy as np

from ingest.assess.forecasts.cycles import MARKS, ROUNDING, Truths
from ingest.assess.forecasts.events import first_at, quantiles, uncensored
from ingest.assess.forecasts.past import Passages, Past, on_mark
from ingest.assess.forecasts.profile import microseconds
from ingest.assess.forecasts.table import DAY_S, QUANTILES, Pool, Rates
from ingest.assess.levels.readings import Floats, Integers, Times

CYCLES = 32
"""So many past cycles are looked at."""
# The weight of a past cycle halves with each so many; one that was at the level at another age counts less (standard
# deviation of the logarithm of days), and so does one that had left the level by then.
HALF_LIFE = 10.0
AGE_WIDTH = 1.5
MOVED_ON = 0.5
# The pool counts like so many past cycles. Between two tenths its table tells more than single past cycles do, of which
# only the tenths are known.
POOL_EVENTS = 2.0
STANDING_EVENTS = 30.0
# Past cycles went through a level, mostly in a step that led further, and their highest readings count; where a bin is
# seen it stands: to them it is as if it stood this much lower. This and the last were chosen on `seeds.TUNING` towns.
ON_THE_WAY = 0.02
# A bin that could have gained so little since it reached the tenth below just came there.
ARRIVED = 0.02
FAR_S = 1e10
"""Stands for never: far beyond any horizon, and still an instant."""


@dataclass(frozen=True, slots=True)
class Start:
    """From where each wait sets out; all arrays have the shape (rows,).

    Attributes:
        pool: the pool.
        level: 0..1.
        at: when the bin was at that level; NaT unknown.
        emptied_at: when it was emptied before; NaT unknown.
        stood_s: for how long it had stood at that level by then, seconds.
    """

    pool: Integers
    level: Floats
    at: Times
    emptied_at: Times
    stood_s: Floats


@dataclass(frozen=True, slots=True)
class Waits:
    """The weighted events of each row; all arrays have the shape (rows, events).

    Attributes:
        came_s: what passages took that came to their end before the bin was emptied.
        came_weight: of each; 0 where there is none.
        all_s: what all passages took, or until when they had not come to their end.
        all_weight: of each.
        censored: which had not.
        standing: whether the bin stands between two tenths for some time, shape (rows,).
    """

    came_s: Floats
    came_weight: Floats
    all_s: Floats
    all_weight: Floats
    censored: Truths
    standing: Truths

    def quantiles(self, levels: Floats) -> Floats:
        """Give quantiles of what came, shape (rows, levels), at one set of levels or one a row."""
        return quantiles(self.came_s, self.came_weight, levels)

    def chances(self, chances: Floats) -> Floats:
        """Say after how long each of the chances is reached if nobody empties the bin, shape (rows, chances)."""
        return first_at(*uncensored(self.all_s, self.all_weight, self.censored), chances)

    def place(self, took_s: Floats) -> Floats:
        """Say where among what came a time lies: the share of weight below it, shape (rows,)."""
        below = np.where(self.came_s < took_s[:, None], 1.0, np.where(self.came_s == took_s[:, None], 0.5, 0.0))
        share: Floats = (below * self.came_weight).sum(axis=1) / self.came_weight.sum(axis=1)
        return share


def waits_until(pool: Pool, past: Past, start: Start, mark: Floats) -> Waits:
    """Weigh what is known of each bin's wait.

    Args:
        pool: the table.
        past: of each row, shape (rows, CYCLES).
        start: of each row.
        mark: the level that is waited for, at or above the start's, shape (rows,).
    """
    age_s = pool.clock.use_s(start.at, start.pool) - pool.clock.use_s(start.emptied_at, start.pool)
    rates = pool.rates(past, start.pool, start.level, age_s)
    standing = _stands(pool, rates, start)
    level = np.where(standing, np.maximum(start.level - ON_THE_WAY, 0.0), start.level)
    took = past.passages(level, mark, start.stood_s)
    weights = _weights(past, took, age_s)
    own_s = np.nan_to_num(took.use_s)
    pairs = zip(_pool_events(pool, rates, start, mark), _standing_events(pool, rates, start, mark), strict=True)
    came_s, all_s = (np.where(standing[:, None], stands, passes) for passes, stands in pairs)
    events = np.where(standing, STANDING_EVENTS, POOL_EVENTS)[:, None]
    share = np.broadcast_to(events / len(QUANTILES), came_s.shape)
    return Waits(
        came_s=np.concatenate([own_s, came_s], axis=1),
        came_weight=np.concatenate([np.where(took.censored, 0.0, weights), share], axis=1),
        all_s=np.concatenate([own_s, np.minimum(all_s, FAR_S)], axis=1),
        all_weight=np.concatenate([weights, share], axis=1),
        censored=np.concatenate([took.censored, np.isinf(all_s)], axis=1),
        standing=standing,
    )


def _stands(pool: Pool, rates: Rates, start: Start) -> Truths:
    """Say which bins stand between two tenths for some time; others just came, or their level is known in steps."""
    since = start.at - microseconds(start.stood_s)
    stood_use_s = pool.clock.use_s(start.at, start.pool) - pool.clock.use_s(since, start.pool)
    standing: Truths = ~on_mark(start.level) & (stood_use_s * rates.per_s >= ARRIVED)
    return standing


def _weights(past: Past, took: Passages, age_s: Floats) -> Floats:
    """Weigh past cycles: the newest, and those that were at this level at this age, count most."""
    recent = 0.5 ** (past.lag / HALF_LIFE)
    apart = (np.log1p(took.age_s / DAY_S) - np.log1p(np.maximum(age_s, 0.0) / DAY_S)[:, None]) / AGE_WIDTH
    alike = np.where(np.isnan(apart), 1.0, np.exp(-0.5 * apart**2))
    return np.where(np.isnan(took.use_s), 0.0, recent * alike * np.where(took.moved_on, MOVED_ON, 1.0))


def _pool_events(pool: Pool, rates: Rates, start: Start, mark: Floats) -> tuple[Floats, Floats]:
    """Take the events for rows that just came to their level, or stand on a mark; shape (rows, events) each."""
    tenths = MARKS - 1
    low = np.clip(np.floor(start.level * tenths + ROUNDING), 0, tenths - 1).astype(np.int64)
    high = np.clip(np.ceil(mark * tenths - ROUNDING), low + 1, tenths).astype(np.int64)
    share = np.maximum(mark - start.level, 0.0) * tenths / (high - low)
    cell = (start.pool, rates.maturity, low, high)
    scale = (share / rates.per_s)[:, None]
    # A mark that is reached already takes no time, even where most events were cut off and count as infinite.
    waits = share[:, None] > 0
    came_s, all_s = (np.where(waits, np.exp(table[cell]), 0.0) * scale for table in (pool.passage, pool.chance))
    # How far a level between two marks has come is in the share already.
    stood_s = np.where(on_mark(start.level), start.stood_s, 0.0)
    return _remaining(came_s, stood_s), _remaining(all_s, stood_s)


def _standing_events(pool: Pool, rates: Rates, start: Start, mark: Floats) -> tuple[Floats, Floats]:
    """Take the events for rows that stand between two marks for some time, shape (rows, events) each."""
    distance = np.maximum(mark - start.level, 0.0)
    tenths = np.clip(np.floor(distance * (MARKS - 1)), 0, MARKS - 2).astype(np.int64)
    cell = (start.pool, rates.maturity, tenths)
    fill = np.where(distance > 0, distance + ON_THE_WAY, 0.0)
    scale, waits = (fill / rates.per_s)[:, None], distance[:, None] > 0
    came_s, all_s = (np.where(waits, np.exp(table[cell]), 0.0) for table in (pool.standing, pool.standing_chance))
    return came_s * scale, all_s * scale


def _remaining(use_s: Floats, stood_s: Floats) -> Floats:
    """Take off the time that a bin has stood at its level already.

    What the pool's bins took less time for than that has not come: the longer a bin stands, the longer it still will.
    """
    stood = stood_s[:, None]
    middle = use_s[:, len(QUANTILES) // 2, None]
    with np.errstate(invalid="ignore"):
        again = np.where(np.isfinite(middle) & (middle > 0), stood * use_s / np.maximum(middle, ROUNDING), stood)
    return np.where(use_s > stood, use_s - stood, again)
