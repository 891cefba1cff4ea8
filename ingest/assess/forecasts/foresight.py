"""The forecasts of a watch: the table of all pools, prepared some times a day, and what it says of bins now. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.forecasts.cycles import MARKS, OPEN, Cycles
from ingest.assess.forecasts.forecast import HORIZON, Passage, Passages, Situation, forecast
from ingest.assess.forecasts.pool import Pool, prepare
from ingest.assess.forecasts.profile import Clock, Tally, tally
from ingest.assess.levels.readings import Floats, Integers, Times, instant, moments

# The table is prepared anew after so long, at the same times of day however long the watch has run.
LASTS = np.timedelta64(12, "h")
# And when so many times the cycles are known, as when years of readings come in at once.
MANY_MORE = 2
FEW_CYCLES = 20
# For how far back the hours of the week are told apart, and from how many cycles they are learnt.
REACHES_BACK = np.timedelta64(180 * 24, "h")
HOURS_CYCLES = 20_000
_SECOND = np.timedelta64(1, "s")
_NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What `Passage` says, with the answers at hand that a decision asks for.

    Attributes:
        p10: as in `Passage`, and so are p50 and p90.
        answers: chances, by the moments that they are for.
        instants: as in `Passage`.
    """

    p10: datetime | None
    p50: datetime | None
    p90: datetime | None
    answers: dict[datetime, float]
    instants: Times

    def chance_before(self, moment: datetime) -> float:
        """Say how likely the mark is reached before `moment`, aware, if nobody empties the bin; 0..1."""
        known = self.answers.get(moment)
        if known is not None:
            return known
        return Passage(self.p10, self.p50, self.p90, self.instants).chance_before(moment)


@dataclass(frozen=True, slots=True)
class Foresight:
    """Of one bin: when it reaches its threshold, and when it is full to the brim.

    Attributes:
        threshold: for the threshold.
        full: for the brim.
    """

    threshold: Foreseen
    full: Foreseen


class Foresights:
    """Keeps the table of all pools."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._pool: Pool | None = None
        self._as_of: np.datetime64 = _NEVER
        self._cycles = 0

    def is_outdated(self, pools: int, cycles: int, now: np.datetime64) -> bool:
        """Say whether the table has to be prepared anew, when there are so many pools and cycles."""
        if self._pool is None or self._pool.clock.pools != pools or self._as_of != _boundary(now):
            return True
        return cycles > MANY_MORE * (self._cycles + FEW_CYCLES)

    def prepare(self, cycles: Cycles, cycle_pool: Integers, pools: int, now: np.datetime64) -> None:
        """Prepare the table from what had ended at the last of the times of day that it is made for.

        Args:
            cycles: of all bins.
            cycle_pool: the pool of each, shape (cycles,).
            pools: how many there are.
            now: of what ended later nothing is learnt.
        """
        self._cycles = len(cycles)
        self._as_of = _boundary(now)
        last = self._as_of + LASTS + HORIZON
        clock = clock_of_use(cycles, cycle_pool, pools, self._zone, as_of=self._as_of, last=last)
        self._pool = prepare(cycles, cycle_pool, clock, self._as_of)

    def of(
        self, cycles: Cycles, situation: Situation, horizons: Sequence[datetime | None], now: datetime
    ) -> list[Foresight | None]:
        """Forecast bins.

        Args:
            cycles: of these bins at least.
            situation: of the bins.
            horizons: of each, the moment that a decision will ask about.
            now: aware.

        Returns:
            One a bin; None where nothing can be said.
        """
        if self._pool is None or not len(situation):
            return [None] * len(situation)
        found = forecast(cycles, self._pool, situation, instant(now))
        answers = _answers(found.full, horizons, now)
        nothing: list[dict[datetime, float]] = [{}] * len(situation)
        pairs = zip(_foreseen(found.threshold, nothing), _foreseen(found.full, answers), strict=True)
        return [Foresight(*pair) if known else None for pair, known in zip(pairs, found.known.tolist(), strict=True)]


def clock_of_use(
    cycles: Cycles, cycle_pool: Integers, pools: int, zone: ZoneInfo, *, as_of: np.datetime64, last: np.datetime64
) -> Clock:
    """Learn how busy the hours of the week are from the newest cycles that had ended.

    Args:
        cycles: of all bins.
        cycle_pool: the pool of each, shape (cycles,).
        pools: how many there are.
        zone: whose clocks people live by.
        as_of: what ended later is not looked at.
        last: until when the clock has to run.
    """
    known = np.flatnonzero((cycles.ended_at <= as_of) & (cycles.ended_at > as_of - REACHES_BACK))
    newest = known[np.argsort(cycles.ended_at[known], kind="stable")[-HOURS_CYCLES:]]
    weights = _hours(cycles[newest], cycle_pool[newest], pools, zone).weights()
    return Clock(weights, zone, as_of - REACHES_BACK, last)


def situation(bins: Integers, pools: Integers, thresholds: Floats, reported_at: Times, cycles: Cycles) -> Situation:
    """Say what is known of bins now from their running cycles.

    Args:
        bins: ascending.
        pools: of each.
        thresholds: of each.
        reported_at: of each, its newest known emptying, whoever reported it; NaT for none.
        cycles: of these bins.
    """
    last = np.searchsorted(cycles.bin, bins, side="right") - 1
    if not len(cycles):
        unknown = np.full(len(bins), np.nan)
        never = np.full(len(bins), _NEVER)
        return Situation(bins, pools, unknown, never, reported_at, thresholds, np.zeros(len(bins)))
    runs = (last >= 0) & (cycles.bin[last] == bins) & (cycles.ended_by[last] == OPEN)
    running = cycles[last]
    measured_at = np.where(runs, running.ended_at, _NEVER)
    began_at = np.where(runs & running.after_emptying, running.began_at, _NEVER)
    # What a crew reported and the sensor did not see counts once it is newer than what the sensor saw.
    emptied_at = np.where(np.isnat(measured_at) | (reported_at > measured_at), reported_at, began_at)
    level = np.where(runs, running.level_last, np.nan).astype(np.float64)
    tenth = np.clip(np.floor(np.nan_to_num(level) * (MARKS - 1) + 1e-6), 0, MARKS - 1).astype(np.int64)
    reached_s = running.passed_s[np.arange(len(bins)), tenth]
    stood_s = (running.ended_at - running.began_at) / _SECOND - reached_s
    return Situation(
        bins, pools, level, measured_at, emptied_at, thresholds, np.nan_to_num(np.where(runs, stood_s, 0.0))
    )


def _boundary(now: np.datetime64) -> np.datetime64:
    since = now.astype("datetime64[us]").astype(np.int64)
    step = LASTS // np.timedelta64(1, "us")
    return np.datetime64(int(since // step * step), "us")


def _hours(cycles: Cycles, pool: Integers, pools: int, zone: ZoneInfo) -> Tally:
    """Count in which hours bins fill, from when their cycles passed each tenth."""
    ends_s = ((cycles.ended_at - cycles.began_at) / _SECOND)[:, None]
    after_s = np.concatenate([cycles.passed_s.astype(np.float64), ends_s], axis=1)
    marks = np.broadcast_to(np.arange(MARKS) / (MARKS - 1), cycles.passed_s.shape)
    levels = np.concatenate([marks, cycles.level_last[:, None]], axis=1)
    # A level between two tenths reached the lower one first; of several that were reached at once the highest counts.
    known = ~np.isnan(after_s) & ~np.isnan(levels)
    known[:, :-1] &= ~(after_s[:, :-1] == after_s[:, 1:])
    times = np.repeat(cycles.began_at, MARKS + 1).reshape(after_s.shape) + (np.nan_to_num(after_s) * 1e6).astype(
        "timedelta64[us]"
    )
    starts = np.concatenate([[0], np.cumsum(known.sum(axis=1))])
    # One pool more than there are, so that the last has a row even where none of its bins has a cycle.
    found = tally(times[known], levels[known], np.append(pool, pools), np.append(starts, starts[-1]), zone=zone)
    return Tally(found.gained[:pools], found.hours[:pools])


def _answers(passages: Passages, horizons: Sequence[datetime | None], now: datetime) -> list[dict[datetime, float]]:
    """Give the chances that a decision asks for: before the horizon, and before the middle of the time until then."""
    middles = {one: now + (one - now) / 2 for one in set(horizons) if one is not None}
    place = {one: number for number, one in enumerate([*middles, None])}
    which = np.array([place[one] for one in horizons])
    chances = (
        passages.chance_before(np.array([*map(instant, asked), _NEVER], dtype="datetime64[us]")[which]).tolist()
        for asked in (middles, middles.values())
    )
    return [
        {} if horizon is None else {horizon: chance, middles[horizon]: soon}
        for horizon, chance, soon in zip(horizons, *chances, strict=True)
    ]


def _foreseen(passages: Passages, answers: Sequence[dict[datetime, float]]) -> list[Foreseen]:
    quantiles = map(moments, passages.quantiles.T)
    return [Foreseen(*row) for row in zip(*quantiles, answers, passages.instants, strict=True)]
