"""The last cycles of many bins side by side, measured on the clock of use. Pure."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.assess.forecasts.cycles import GAP, MARKS, OPEN, ROUNDING, Cycles, Truths
from ingest.assess.forecasts.profile import Clock, microseconds
from ingest.assess.levels.readings import Floats, Integers, Times

# A level this little above a mark stands on it.
ON_MARK = 0.002
SECOND = np.timedelta64(1, "s")
NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True)
class Passages:
    """How long past cycles took from one level to another; all arrays have the shape (rows, cycles).

    Attributes:
        use_s: seconds of use; until the cycle ended where `censored`. NaN where the cycle never was at the first level,
            or jumped over both.
        age_s: seconds of use from the beginning of the cycle to the first level; NaN where that is not known.
        censored: the cycle ended before the second level.
        moved_on: the cycle did not stand at the first level for as long as asked.
    """

    use_s: Floats
    age_s: Floats
    censored: Truths
    moved_on: Truths


def on_mark(level: Floats) -> Truths:
    """Say which levels stand on a mark, as those do that are known in steps."""
    tenths = level * (MARKS - 1)
    standing: Truths = np.abs(tenths - np.round(tenths)) < ON_MARK * (MARKS - 1)
    return standing


class Past:
    """The last cycles of each row's bin that had ended at the row's `now`, the newest first.

    Args:
        cycles: of all bins.
        clock: of use, of all pools.
        bins: of each row, shape (rows,).
        pool: of each row, shape (rows,).
        now: of each row, shape (rows,).
        count: how many cycles at most. There are no more columns than some row has cycles for, by eights: numpy sums up
            by eights, so that no sum depends on which bins are asked for together.
    """

    def __init__(self, cycles: Cycles, clock: Clock, *, bins: Integers, pool: Integers, now: Times, count: int) -> None:
        known = cycles.before(bins, now)
        last = cycles.starts(bins) + known - 1
        if len(cycles):
            # The cycle that still runs is the present, not the past.
            running = (known > 0) & (cycles.ended_by[np.maximum(last, 0)] == OPEN)
            known, last = known - running, last - running
        self.lag = np.arange(min(count, -(-int(known.max(initial=1)) // 8) * 8))
        self.exists: Truths = self.lag < known[:, None]
        self._cycles, self._clock, self._pool = cycles, clock, pool[:, None]
        self._place = np.where(self.exists, last[:, None] - self.lag, 0)

    def _column(self, column: npt.NDArray[Any], absent: object) -> npt.NDArray[Any]:
        if not len(self._cycles):
            return np.full(self.exists.shape, absent, dtype=column.dtype)
        return np.where(self.exists, column[self._place], np.asarray(absent, dtype=column.dtype))

    @cached_property
    def _passed_s(self) -> npt.NDArray[np.float32]:
        """Seconds until each mark as in `Cycles`, row after row, shape (rows * cycles * MARKS,)."""
        return self._cycles.passed_s.take(self._place, axis=0).ravel()

    @cached_property
    def began_at(self) -> Times:
        """When each began, shape (rows, cycles); NaT where there is none."""
        return self._column(self._cycles.began_at, NEVER)

    @cached_property
    def ended_s(self) -> Floats:
        """Seconds from beginning to end, shape (rows, cycles); NaN where there is none."""
        seconds: Floats = (self._column(self._cycles.ended_at, NEVER) - self.began_at) / SECOND
        return seconds

    @cached_property
    def _began_use_s(self) -> Floats:
        return self._clock.use_s(self.began_at, self._pool)

    @cached_property
    def length_use_s(self) -> Floats:
        """Seconds of use from beginning to end, shape (rows, cycles); NaN where there is none."""
        return self._use_s(self.ended_s)

    @cached_property
    def level_last(self) -> Floats:
        """Level at the end, shape (rows, cycles); NaN where it is not known."""
        return self._column(self._cycles.level_last, np.nan).astype(np.float64)

    @cached_property
    def ended_by(self) -> npt.NDArray[np.int8]:
        """What ended each, as in `Cycles`, shape (rows, cycles); GAP where there is none."""
        return self._column(self._cycles.ended_by, GAP)

    @cached_property
    def gained(self) -> Floats:
        """Level gained, 0 and up, shape (rows, cycles); NaN where it is not known."""
        gained: Floats = np.maximum(self.level_last - self._column(self._cycles.level_first, np.nan), 0.0)
        return gained

    def _use_s(self, passed_s: Floats) -> Floats:
        """Turn seconds since the beginning into seconds of use since then."""
        moment = self.began_at + microseconds(passed_s)
        use_s: Floats = self._clock.use_s(moment, self._pool) - self._began_use_s
        return use_s

    def passages(self, level: Floats, mark: Floats, stood_s: Floats) -> Passages:
        """Say how long each cycle took from one level to another.

        Args:
            level: 0..1, shape (rows,).
            mark: the level to reach, at or above `level`, shape (rows,).
            stood_s: how long a level that is known in steps has stood where it is, seconds, shape (rows,): a past
                cycle is asked how long it took from then on.
        """
        entered_s = first_s = self._reached_s(level)
        left_s = self._reached_s(np.minimum(level + 1.0 / (MARKS - 1), 1.0))
        stood = np.where(on_mark(level), stood_s, 0.0)[:, None]
        latest = np.where(np.isnan(left_s), self.ended_s, left_s)
        moved_on = entered_s + stood >= latest
        entered_s = np.minimum(entered_s + stood, latest)
        reached_s = self._reached_s(mark)
        censored = np.isnan(reached_s)
        # One that was at both levels at once was never seen at the first, and says nothing of a bin that is.
        jumped = (reached_s <= first_s) & (mark > level)[:, None]
        entered_use_s = self._use_s(entered_s)
        end_use_s = np.where(censored, self.length_use_s, self._use_s(reached_s))
        fresh = self._column(self._cycles.after_emptying, absent=False)
        return Passages(
            use_s=np.where(jumped, np.nan, np.maximum(end_use_s - entered_use_s, 0.0)),
            age_s=np.where(fresh, entered_use_s, np.nan),
            censored=censored,
            moved_on=moved_on,
        )

    def _reached_s(self, level: Floats) -> Floats:
        """Give the seconds until each cycle first reached a level, shape (rows, cycles); NaN where it did not."""
        if not len(self._cycles):
            return np.full(self.exists.shape, np.nan)
        tenths = np.clip(level, 0.0, 1.0)[:, None] * (MARKS - 1)
        lower = np.floor(tenths + ROUNDING).astype(np.int64)
        upper = np.minimum(lower + 1, MARKS - 1)
        share = np.clip(tenths - lower, 0.0, 1.0)
        first = np.arange(self._place.size).reshape(self._place.shape) * MARKS
        below_s, above_s = (self._passed_s.take(first + mark) for mark in (lower, upper))
        # Past the last mark that it passed, a cycle rose evenly to the level that it ended with.
        above_end = np.clip((self.level_last * (MARKS - 1) - lower), 1e-6, 1.0)
        on_the_way = np.isnan(above_s) & (share <= above_end)
        slope_s = np.where(on_the_way, (self.ended_s - below_s) / above_end, above_s - below_s)
        reached = np.where(share <= ROUNDING, below_s, below_s + share * slope_s)
        return np.where(self.exists, reached, np.nan)
