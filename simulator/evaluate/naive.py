"""Forecasts that anyone can make: what a real one has to beat. They look back only."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from simulator.evaluate.scores import LEVELS, Floats, Truths, mae, pinball

Integers = npt.NDArray[np.int64]


def constant(values: Floats, past: Truths) -> Floats:
    """Forecast the median of the past.

    Args:
        values: of each case, shape (n,).
        past: which of them are known before the first forecast that is scored, shape (n,).
    """
    return np.full(len(values), np.median(values[past]))


def walking(
    summary: Callable[[Floats], float],
    groups: Integers,
    values: Floats,
    asked_at: Floats,
    known_at: Floats,
    *,
    start: float,
) -> Floats:
    """Forecast the mean or median of what was known of the same group when asked.

    Args:
        summary: `np.mean` or `np.median`.
        groups: of each case, such as its bin, shape (n,).
        values: of each case, shape (n,); NaN is never known.
        asked_at: when each case is forecast, shape (n,).
        known_at: when its value became known, shape (n,), in the same unit.
        start: forecast while nothing is known.
    """
    forecast = np.full(len(values), start)
    for group in np.unique(groups):
        cases = np.flatnonzero(groups == group)
        learnt = cases[~np.isnan(values[cases])]
        learnt = learnt[np.argsort(known_at[learnt], kind="stable")]
        counts = np.searchsorted(known_at[learnt], asked_at[cases], side="right")
        summaries = {count: summary(values[learnt[:count]]) for count in np.unique(counts) if count}
        forecast[cases] = [summaries.get(count, start) for count in counts]
    return forecast


def own_rate(level: Floats, mark: Floats, rate: Floats) -> Floats:
    """Forecast the time from a level to a mark at the bin's own mean rate (levels per unit of time), shapes (n,)."""
    time: Floats = np.maximum(mark - level, 0.0) / np.maximum(rate, 1e-9)
    return time


def straight_line(level: Floats, mark: Floats, age: Floats) -> Floats:
    """Forecast the time from a level to a mark on the line from the last emptying through the level, shapes (n,)."""
    return own_rate(level, mark, level / np.maximum(age, 1e-9))


def hour_of_week(level: Floats, mark: Floats, started: Integers, hourly: Floats, longest: int) -> Floats:
    """Forecast the hours from a level to a mark when each hour brings what that hour of the week brings on average.

    Args:
        level: shape (n,).
        mark: shape (n,).
        started: hour of the week of each case, 0..167, shape (n,).
        hourly: mean rise in each hour of the week, shape (n, 168), or (1, 168) for all alike.
        longest: hours after which it is given up.
    """
    rises = np.take_along_axis(
        np.broadcast_to(hourly, (len(level), 168)), (started[:, None] + np.arange(168)) % 168, axis=1
    )
    week = np.cumsum(rises, axis=1)
    need = np.maximum(mark - level, 0.0)
    weeks = np.floor(need / np.maximum(week[:, -1], 1e-9))
    rest = need - weeks * week[:, -1]
    whole = np.count_nonzero(week < rest[:, None], axis=1)
    before = np.where(whole > 0, np.take_along_axis(week, np.maximum(whole - 1, 0)[:, None], axis=1)[:, 0], 0.0)
    rise = np.take_along_axis(rises, np.minimum(whole, 167)[:, None], axis=1)[:, 0]
    hours = weeks * 168 + whole + np.clip((rest - before) / np.maximum(rise, 1e-9), 0.0, 1.0)
    found: Floats = np.minimum(np.where(rest > 0, hours, weeks * 168.0), longest)
    return found


def with_quantiles(forecast: Floats, values: Floats, past: Truths, lowest: float, highest: float) -> Floats:
    """Add the quantiles of its own past errors to a forecast; the middle one takes its past bias away too.

    Args:
        forecast: of each case, shape (n,).
        values: what came, shape (n,); NaN where it was cut off.
        past: the cases whose errors are known before the first that is scored, shape (n,).
        lowest: no quantile lies below.
        highest: none lies above.

    Returns:
        Shape (n, 3), at the levels of `scores.LEVELS`.
    """
    learnt = past & ~np.isnan(values)
    errors = np.quantile(values[learnt] - forecast[learnt], LEVELS)
    quantiles: Floats = np.clip(forecast[:, None] + errors, lowest, highest)
    return quantiles


def losses(
    forecast: Floats, values: Floats, *, past: Truths, scored: Truths, lowest: float, highest: float
) -> tuple[float, float]:
    """Score a naive forecast as it does best: its mean absolute error as it is, its pinball loss with past errors.

    Args:
        forecast: of each case, shape (n,).
        values: what came, shape (n,); NaN where it was cut off.
        past: the cases whose errors are known before the first that is scored, shape (n,).
        scored: the cases to score, shape (n,).
        lowest: no quantile lies below.
        highest: none lies above.
    """
    quantiles = with_quantiles(forecast, values, past, lowest, highest)
    return mae(values[scored], forecast[scored]), pinball(values[scored], quantiles[scored])
