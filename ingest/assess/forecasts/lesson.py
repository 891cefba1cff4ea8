"""How the table of the pools is learnt from cycles. Pure."""

from dataclasses import dataclass

import numpy as np

from ingest.assess.forecasts.cycles import EMPTIED, MARKS, Cycles, Truths
from ingest.assess.forecasts.events import first_at, quantiles, uncensored
from ingest.assess.forecasts.past import Past
from ingest.assess.forecasts.profile import Clock, microseconds
from ingest.assess.forecasts.table import EXPECTED, MATURE, QUANTILES, Rates, rates
from ingest.assess.levels.readings import Floats, Integers

# A cycle's level says this much about those of neighbouring expected fill: standard deviation of the logarithm.
EXPECTED_WIDTH = 0.15
# Before anything was seen: a bin may fill twice as fast or as slowly as thought, and that counts like so many cycles.
FIRST_SPREAD = 0.7
FIRST_EVENTS = 3.0
# Quantiles of the standard normal distribution at QUANTILES.
_NORMAL = np.array([-1.593, -0.967, -0.589, -0.282, 0.0, 0.282, 0.589, 0.967, 1.593])


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
                    cell = _cells(fill, self.weights[:, mine], censored, np.log((high - low) / (MARKS - 1)))
                    passage[:, maturity, low, high], chance[:, maturity, low, high] = cell
        return passage, chance

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
