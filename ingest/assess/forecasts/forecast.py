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

from ingest.assess.forecasts.cycles import Cycles, Truths
from ingest.assess.forecasts.events import chance_below
from ingest.assess.forecasts.past import NEVER, Past
from ingest.assess.forecasts.table import Pool
from ingest.assess.forecasts.waiting import CYCLES, FAR_S, Start, waits_until
from ingest.assess.levels.readings import Floats, Integers, Times

FULL = 1.0
CHANCES = np.array([0.01, 0.025, 0.05, 0.075, *np.arange(0.1, 0.95, 0.05), 0.95, 0.975])
"""The chances for which a forecast holds the instant."""
HORIZON = np.timedelta64(60 * 24, "h")
"""Nothing is said of what lies further ahead."""
# After so long a silence of the sensor an interval is twice as wide.
SILENCE_DOUBLES = np.timedelta64(48, "h")
ROWS_AT_ONCE = 4_096


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
    start = _start(situation)
    return Forecasts(
        threshold=_passages(pool, past, start, situation.threshold, now),
        full=_passages(pool, past, start, np.full(len(situation), FULL), now),
        known=~np.isnat(start.at),
    )


def _start(situation: Situation) -> Start:
    """Set out from the newest level, or from the emptying after it."""
    outdated = np.isnan(situation.level) | (situation.measured_at < situation.emptied_at)
    return Start(
        pool=situation.pool,
        level=np.where(outdated, 0.0, situation.level),
        at=np.where(outdated, situation.emptied_at, situation.measured_at),
        emptied_at=situation.emptied_at,
        stood_s=np.where(outdated, 0.0, situation.stood_s),
    )


def _passages(pool: Pool, past: Past, start: Start, mark: Floats, now: Times) -> Passages:
    """Forecast when each bin reaches its `mark`, shape (rows,)."""
    waits = waits_until(pool, past, start, mark)
    levels = np.where(waits.standing[:, None], pool.standing_levels, pool.levels)
    found_s, instants_s = waits.quantiles(levels), waits.chances(CHANCES)
    reached = (start.level >= mark)[:, None]
    found_s, instants_s = (np.where(reached, 0.0, one) for one in (found_s, instants_s))
    found_s = _widened(found_s, now - start.at)
    clock, which = pool.clock, start.pool[:, None]
    began_s = clock.use_s(start.at, start.pool)[:, None]
    ends = (clock.when(began_s + np.minimum(one, FAR_S), which) for one in (found_s, instants_s))
    limit = now[:, None] + HORIZON
    return Passages(*(np.where(end <= limit, end, NEVER) for end in ends))


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
