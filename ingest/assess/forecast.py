"""When bins will be full, and how full they are: of all bins at once, never without how sure that is. Pure.

What a bin did in past cycles that were like the present one is weighed, and a few events of its pool are added, scaled
to the bin's own rate. Two things are taken from the same weighted events: quantiles of when the mark is reached, of
those cycles that did reach it before they were emptied; and the chance that it is reached by then if nobody empties the
bin, where cycles that were emptied before count as what they are, censored (Kaplan and Meier).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Self

import numpy as np

from ingest.assess.cycles import MARKS, Cycles, Truths
from ingest.assess.events import chance_below, first_at, quantiles, uncensored
from ingest.assess.past import NEVER, Past
from ingest.assess.pool import DAY_S, QUANTILES, Pool, Rates
from ingest.assess.readings import Floats, Integers, Times

FULL = 1.0
CHANCES = np.array([0.01, 0.025, 0.05, 0.075, *np.arange(0.1, 0.95, 0.05), 0.95, 0.975])
"""The chances for which a forecast holds the instant."""
HORIZON = np.timedelta64(60 * 24, "h")
"""Nothing is said of what lies further ahead."""
# Chosen on past data, see docs/accuracy.md: the quantiles whose events hold 80 % of what comes.
LEVELS = (0.1, 0.5, 0.9)
CYCLES = 48
# The weight of a past cycle halves with each so many; one that was at the level at another age counts less (standard
# deviation of the logarithm of days), and less one that left a level that the bin still stands on.
HALF_LIFE = 16.0
AGE_WIDTH = 1.0
MOVED_ON = 0.5
POOL_EVENTS = 3.0
# After so long a silence of the sensor an interval is twice as wide.
SILENCE_DOUBLES = np.timedelta64(48, "h")
ROWS_AT_ONCE = 16_384
# Stands for never: far beyond the horizon, and still an instant.
FAR_S = 1e10


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of bins now; all arrays have one row a bin, shape (rows,).

    Attributes:
        bin: as in `Cycles`.
        pool: its pool.
        level: newest believed level 0..1, NaN unknown.
        measured_at: when it was measured; NaT unknown.
        emptied_at: the last known emptying; NaT unknown.
        threshold: level 0..1 from which it is due.
        stood_s: seconds since it first reached the tenth it stands on, 0 unknown.
    """

    bin: Integers
    pool: Integers
    level: Floats
    measured_at: Times
    emptied_at: Times
    threshold: Floats
    stood_s: Floats

    def __len__(self) -> int:
        return len(self.bin)

    def __getitem__(self, which: Truths | Integers | slice) -> Self:
        """Take some of the rows."""
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Passage:
    """When one bin's level will reach a mark.

    Attributes:
        p10: it is reached earlier with a chance of one in ten, if it is reached before the bin is emptied; aware, UTC,
            may be past; None beyond HORIZON.
        p50: as likely earlier as later.
        p90: it is reached later with a chance of one in ten.
        instants: by when the mark is reached with each of CHANCES if nobody empties the bin; datetime64[us], NaT beyond
            what can be said.
    """

    p10: datetime | None
    p50: datetime | None
    p90: datetime | None
    instants: Times

    def chance_before(self, moment: datetime) -> float:
        """Say how likely the mark is reached before `moment`, aware, if nobody empties the bin; 0..1."""
        when = np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
        return float(chance_below(self.instants[None], np.array([when]), CHANCES)[0])


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of one bin: when it reaches its threshold, and when it is full to the brim."""

    threshold: Passage
    full: Passage


@dataclass(frozen=True, slots=True)
class Passages:
    """When many bins reach a mark.

    Attributes:
        quantiles: p10, p50 and p90 as in `Passage`, datetime64[us], shape (rows, 3); NaT beyond HORIZON.
        instants: as in `Passage`, shape (rows, chances).
    """

    quantiles: Times
    instants: Times

    def __getitem__(self, row: int) -> Passage:
        """Take one bin's."""
        p10, p50, p90 = (_aware(instant) for instant in self.quantiles[row])
        return Passage(p10, p50, p90, self.instants[row])

    def chance_before(self, moments: Times) -> Floats:
        """Say how likely each bin reaches the mark before its moment, shape (rows,)."""
        return chance_below(self.instants, np.broadcast_to(moments, len(self.instants)), CHANCES)


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Of many bins.

    Attributes:
        threshold: when each reaches its threshold.
        full: when each is full.
        known: whether anything can be said, shape (rows,): neither a level nor an emptying is known of the others.
    """

    threshold: Passages
    full: Passages
    known: Truths

    def __len__(self) -> int:
        return len(self.known)

    def __getitem__(self, row: int) -> Forecast | None:
        """Take one bin's; None where nothing can be said."""
        return Forecast(self.threshold[row], self.full[row]) if self.known[row] else None


def forecast(cycles: Cycles, pool: Pool, situation: Situation, now: Times | np.datetime64) -> Forecasts:
    """Forecast all bins at once.

    Args:
        cycles: of all bins; only what had ended at `now` is looked at.
        pool: prepared at `now` or before.
        situation: of the bins in question at `now`, in any order.
        now: one instant, or one a row.
    """
    moments = np.broadcast_to(now, len(situation)).astype("datetime64[us]")
    parts = [
        _forecast(cycles, pool, situation[rows], moments[rows])
        for start in range(0, max(len(situation), 1), ROWS_AT_ONCE)
        for rows in [slice(start, start + ROWS_AT_ONCE)]
    ]
    return Forecasts(
        threshold=_joined([part.threshold for part in parts]),
        full=_joined([part.full for part in parts]),
        known=np.concatenate([part.known for part in parts]),
    )


def _joined(parts: Sequence[Passages]) -> Passages:
    return Passages(
        np.concatenate([part.quantiles for part in parts]), np.concatenate([part.instants for part in parts])
    )


def _forecast(cycles: Cycles, pool: Pool, situation: Situation, now: Times) -> Forecasts:
    past = Past(cycles, pool.clock, bins=situation.bin, pool=situation.pool, now=now, count=CYCLES)
    start = _Start.of(situation)
    gain_use_s = pool.clock.use_s(start.at, situation.pool) - pool.clock.use_s(situation.emptied_at, situation.pool)
    rates = pool.rates(past, situation.pool, start.level, gain_use_s)
    case = _Case(pool, situation, start, now, past, rates, gain_use_s)
    return Forecasts(
        threshold=_passages(case, situation.threshold),
        full=_passages(case, np.full(len(situation), FULL)),
        known=~np.isnat(start.at),
    )


@dataclass(frozen=True, slots=True)
class _Start:
    """From where each forecast sets out: the newest level, or the emptying after it; arrays of the shape (rows,)."""

    level: Floats
    at: Times
    stood_s: Floats

    @classmethod
    def of(cls, situation: Situation) -> Self:
        outdated = np.isnan(situation.level) | (situation.measured_at < situation.emptied_at)
        return cls(
            level=np.where(outdated, 0.0, situation.level),
            at=np.where(outdated, situation.emptied_at, situation.measured_at),
            stood_s=np.where(outdated, 0.0, situation.stood_s),
        )


@dataclass(frozen=True, slots=True)
class _Case:
    pool: Pool
    situation: Situation
    start: _Start
    now: Times
    past: Past
    rates: Rates
    age_use_s: Floats


def _passages(case: _Case, mark: Floats) -> Passages:
    """Forecast when each bin reaches its `mark`, shape (rows,)."""
    start, pool = case.start, case.situation.pool
    took = case.past.passages(start.level, mark, start.stood_s)
    weights = _weights(case, took.use_s, took.age_s, took.moved_on)
    use_s = np.nan_to_num(took.use_s)
    share = np.full((len(mark), len(QUANTILES)), POOL_EVENTS / len(QUANTILES))
    passage_s, chance_s = _pool_events(case, mark)
    came = np.concatenate([np.where(took.censored, 0.0, weights), share], axis=1)
    found_s = quantiles(np.concatenate([use_s, passage_s], axis=1), came, LEVELS)
    cut = np.concatenate([took.censored, np.isinf(chance_s)], axis=1)
    # What the pool's bins did not reach is beyond everything: it takes its chance with it.
    values, mass = uncensored(
        np.concatenate([use_s, np.minimum(chance_s, FAR_S)], axis=1),
        np.concatenate([weights, share], axis=1),
        cut,
    )
    instants_s = first_at(values, mass, CHANCES)
    reached = (start.level >= mark)[:, None]
    began_s = case.pool.clock.use_s(start.at, pool)[:, None]
    found_s, instants_s = (np.where(reached, 0.0, one) for one in (found_s, instants_s))
    found_s = _widened(found_s, case.now - start.at)
    limit = case.now[:, None] + HORIZON
    ends = (case.pool.clock.when(began_s + np.minimum(one, FAR_S), pool[:, None]) for one in (found_s, instants_s))
    return Passages(*(np.where(end <= limit, end, NEVER) for end in ends))


def _weights(case: _Case, use_s: Floats, age_s: Floats, moved_on: Truths) -> Floats:
    """Weigh past cycles: the newest, and those that were at this level at this age, count most."""
    recent = 0.5 ** (case.past.lag / HALF_LIFE)
    apart = (np.log1p(age_s / DAY_S) - np.log1p(np.maximum(case.age_use_s, 0.0) / DAY_S)[:, None]) / AGE_WIDTH
    alike = np.where(np.isnan(apart), 1.0, np.exp(-0.5 * apart**2))
    return np.where(np.isnan(use_s), 0.0, recent * alike * np.where(moved_on, MOVED_ON, 1.0))


def _pool_events(case: _Case, mark: Floats) -> tuple[Floats, Floats]:
    """Take the pool's events for each row out of both tables, in seconds of use, shape (rows, events) each."""
    tenths = MARKS - 1
    low = np.clip(np.floor(case.start.level * tenths + 1e-6), 0, tenths - 1).astype(np.int64)
    high = np.clip(np.ceil(mark * tenths - 1e-6), low + 1, tenths).astype(np.int64)
    share = np.maximum(mark - case.start.level, 0.0) * tenths / (high - low)
    cell = (case.situation.pool, case.rates.maturity, low, high)
    scale = (share / case.rates.per_s)[:, None]
    passage, chance = np.exp(case.pool.passage[cell]) * scale, np.exp(case.pool.chance[cell]) * scale
    return _remaining(passage, case.start.stood_s), _remaining(chance, case.start.stood_s)


def _remaining(use_s: Floats, stood_s: Floats) -> Floats:
    """Take off the time that a bin has stood at its level already.

    What the pool's bins took less time for than that has not come: the longer a bin stands, the longer it still will.
    """
    stood = stood_s[:, None]
    middle = use_s[:, len(QUANTILES) // 2, None]
    with np.errstate(invalid="ignore"):
        again = np.where(np.isfinite(middle), stood * use_s / middle, stood)
    return np.where(use_s > stood, use_s - stood, again)


def _widened(found_s: Floats, silence: np.typing.NDArray[np.timedelta64]) -> Floats:
    """Spread quantiles around the median the more, the older the level is that they set out from."""
    factor = 1.0 + np.maximum(silence / SILENCE_DOUBLES, 0.0)[:, None]
    middle = found_s[:, 1:2]
    ratio = np.maximum(found_s, 1.0) / np.maximum(middle, 1.0)
    with np.errstate(invalid="ignore", over="ignore"):
        wide = middle * ratio**factor
    return np.where(np.isfinite(wide), wide, found_s)


def _aware(instant: np.datetime64) -> datetime | None:
    naive: datetime | None = instant.astype("datetime64[us]").item()
    return None if naive is None else naive.replace(tzinfo=UTC)
