"""How the table of the pools is learnt from cycles. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from ingest.assess.forecasts.cycles import EMPTIED, MARKS, OPEN, Cycles, Truths
from ingest.assess.forecasts.events import first_at, quantiles, uncensored, uncensored_quantiles
from ingest.assess.forecasts.past import SECOND, Past
from ingest.assess.forecasts.profile import Clock, microseconds
from ingest.assess.forecasts.table import EXPECTED, MATURE, QUANTILES, Rates, rates
from ingest.assess.levels.readings import Floats, Integers

# A cycle's level says this much about those of neighbouring expected fill: standard deviation of the logarithm.
EXPECTED_WIDTH = 0.15
# Before anything was seen: a bin may fill twice as fast or as slowly as thought, and that counts like so many cycles.
FIRST_SPREAD = 0.7
FIRST_EVENTS = 3.0
# Passages from moments on the way are learnt towards these tenths, which tell of all distances.
TOWARDS = (5, 8, 10)
GOLDEN = (5**0.5 - 1) / 2
# Quantiles of the standard normal distribution at QUANTILES.
_NORMAL = np.array([-1.593, -0.967, -0.589, -0.282, 0.0, 0.282, 0.589, 0.967, 1.593])


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments on the way to a mark; all arrays have the shape (moments,).

    Attributes:
        cycle: in which it was.
        tenths: the level that was left to rise, in whole tenths, rounded down.
        maturity: how well the bin was known, as in `Rates`.
        fill: logarithm of the fill over the level that was left; until the cycle ended where `censored`.
        censored: whether it ended before the mark.
        stood_s: seconds that the cycle spent between the tenths beside the moment.
    """

    cycle: Integers
    tenths: Integers
    maturity: Integers
    fill: Floats
    censored: Truths
    stood_s: Floats

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put several together; at least one."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@dataclass(frozen=True, slots=True)
class Lesson:
    """The cycles that the table is learnt from, each beside what was known of its bin before.

    Attributes:
        learnt: the cycles.
        pool: of each, shape (cycles,).
        clock: of use.
        past: the cycles before each.
        rate: of its pool, shape (cycles,).
        weights: of each for each pool, shape (pools, cycles).
    """

    learnt: Cycles
    pool: Integers
    clock: Clock
    past: Past
    rate: Floats
    weights: Floats

    @property
    def running(self) -> Truths:
        """Which cycles have not ended, shape (cycles,)."""
        running: Truths = self.learnt.ended_by == OPEN
        return running

    def passages(self) -> tuple[Floats, Floats]:
        """Fill the tables of passages."""
        began = self.clock.use_s(self.learnt.began_at, self.pool)[:, None]
        marks_at = self.learnt.began_at[:, None] + microseconds(self.learnt.passed_s.astype(np.float64))
        passed = self.clock.use_s(marks_at, self.pool[:, None]) - began
        length = self.clock.use_s(self.learnt.ended_at, self.pool) - began[:, 0]
        shape = (len(self.weights), len(MATURE) + 1, MARKS, MARKS, len(QUANTILES))
        passage, chance = np.full(shape, np.nan), np.full(shape, np.nan)
        for low in range(MARKS - 1):
            known = self._rates_at(low, passed[:, low])
            log_rate = np.log(known.per_s)
            for maturity in range(len(MATURE) + 1):
                mine = np.flatnonzero(~np.isnan(passed[:, low]) & (known.maturity == maturity))
                for high in range(low + 1, MARKS):
                    reached = passed[mine, high]
                    censored = np.isnan(reached)
                    took = np.where(censored, length[mine], reached) - passed[mine, low]
                    fill = np.log(np.maximum(took, 60.0)) + log_rate[mine]
                    distance = np.log((high - low) / (MARKS - 1))
                    cell = _cells(fill, self.weights[:, mine], censored, self.running[mine], distance)
                    passage[:, maturity, low, high], chance[:, maturity, low, high] = cell
        return passage, chance

    def standing(self) -> tuple[Floats, Floats]:
        """Fill the tables of passages from moments on the way; a moment counts by how long its cycle stood there."""
        found = Moments.joined([self._moments(low, high) for high in TOWARDS for low in range(high)])
        weights = found.stood_s * len(found.stood_s) / max(found.stood_s.sum(), 1.0)
        shape = (len(self.weights), len(MATURE) + 1, MARKS - 1, len(QUANTILES))
        standing, chance = np.full(shape, np.nan), np.full(shape, np.nan)
        for maturity in range(len(MATURE) + 1):
            for tenths in range(MARKS - 1):
                mine = np.flatnonzero((found.maturity == maturity) & (found.tenths == tenths))
                weight = self.weights[:, found.cycle[mine]] * weights[mine]
                running = self.running[found.cycle[mine]]
                cell = _cells(found.fill[mine], weight, found.censored[mine], running, 0.0)
                standing[:, maturity, tenths], chance[:, maturity, tenths] = cell
        return standing, chance

    def _moments(self, low: int, high: int) -> Moments:
        """Take a moment of each cycle between a tenth and the next, and see what it still took to a higher one."""
        passed_s = self.learnt.passed_s.astype(np.float64)
        ended_s = (self.learnt.ended_at - self.learnt.began_at) / SECOND
        left, censored = (np.isnan(passed_s[:, mark]) for mark in (low + 1, high))
        stood_s = np.where(left, ended_s, passed_s[:, low + 1]) - passed_s[:, low]
        # Multiples of the golden ratio spread evenly.
        share = (np.arange(len(stood_s)) * GOLDEN + low / (MARKS - 1)) % 1.0
        bottom = low / (MARKS - 1)
        top = np.where(left, self.learnt.level_last, (low + 1) / (MARKS - 1))
        level = bottom + share * np.maximum(top - bottom, 0.0)
        instants = (0.0 * stood_s, passed_s[:, low] + share * stood_s, np.where(censored, ended_s, passed_s[:, high]))
        began, at, end = (
            self.clock.use_s(self.learnt.began_at + microseconds(seconds), self.pool) for seconds in instants
        )
        aged = self.learnt.after_emptying
        known = rates(self.past, self.rate, np.where(aged, level, np.nan), np.where(aged, at - began, np.nan))
        distance = high / (MARKS - 1) - level
        fill = np.log(np.maximum(end - at, 60.0) * known.per_s / np.maximum(distance, 1e-3))
        tenths = np.clip(np.nan_to_num(distance) * (MARKS - 1), 0, MARKS - 2).astype(np.int64)
        here = np.flatnonzero((stood_s > 0) & ~np.isnan(level))
        return Moments(here, tenths[here], known.maturity[here], fill[here], censored[here], stood_s[here])

    def _rates_at(self, mark: int, passed: Floats) -> Rates:
        aged = self.learnt.after_emptying & ~np.isnan(passed)
        gain = np.where(aged, mark / (MARKS - 1), np.nan)
        return rates(self.past, self.rate, gain, np.where(aged, passed, np.nan))

    def levels(self) -> Floats:
        """Fill the table of levels at the end."""
        nothing = np.full(len(self.learnt), np.nan)
        known = rates(self.past, self.rate, nothing, nothing)
        length = self.clock.use_s(self.learnt.ended_at, self.pool) - self.clock.use_s(self.learnt.began_at, self.pool)
        expected = np.log(np.maximum(length * known.per_s, 1e-6))
        usable = self.learnt.after_emptying & (self.learnt.ended_by == EMPTIED) & ~np.isnan(self.learnt.level_last)
        table = np.full((len(self.weights), len(MATURE) + 1, len(EXPECTED), len(QUANTILES)), np.nan)
        for maturity in range(len(MATURE) + 1):
            mine = np.flatnonzero(usable & (known.maturity == maturity))
            level = self.learnt.level_last[mine].astype(np.float64)
            for place, wanted in enumerate(EXPECTED):
                near = np.exp(-0.5 * ((expected[mine] - wanted) / EXPECTED_WIDTH) ** 2)
                prior = np.minimum(np.exp(wanted + FIRST_SPREAD * _NORMAL), 1.0)
                values, weights = _with_prior(level, self.weights[:, mine] * near, prior)
                table[:, maturity, place] = quantiles(values, weights, QUANTILES)
        return table


def _cells(fill: Floats, weights: Floats, censored: Truths, running: Truths, expected: float) -> tuple[Floats, Floats]:
    """Give one cell of both tables, shape (pools, events) each; `running` says which cycles have not ended."""
    prior = expected + FIRST_SPREAD * _NORMAL
    # The first passages that come to their end are the short ones: what still runs will take longer than it has.
    known = ~censored | running
    values, weight = _with_prior(fill[known], weights[:, known], prior)
    passage = uncensored_quantiles(values, weight, _without_prior(censored[known], values), QUANTILES)
    values, weight = _with_prior(fill, weights, prior)
    return passage, first_at(*uncensored(values, weight, _without_prior(censored, values)), QUANTILES)


def _with_prior(values: Floats, weights: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """Add what is believed before anything was seen to the events of each pool."""
    pools = len(weights)
    together = np.concatenate([values, prior])
    beliefs = np.full((pools, len(prior)), FIRST_EVENTS / len(prior))
    return np.broadcast_to(together, (pools, len(together))), np.concatenate([weights, beliefs], axis=1)


def _without_prior(marks: Truths, values: Floats) -> Truths:
    """Mark events as `marks` says, and what was believed before not at all; in the shape of `values`."""
    beliefs = np.zeros(values.shape[1] - len(marks), dtype=np.bool_)
    return np.broadcast_to(np.concatenate([marks, beliefs]), values.shape)
