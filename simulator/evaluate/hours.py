"""Scores forecasts of the hours from one level to another, beside what anyone could have said."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.forecasts.cycles import Cycles, cut
from ingest.assess.forecasts.profile import hour_of_week as hours_of_week
from ingest.assess.levels.readings import Floats
from simulator.evaluate import naive
from simulator.evaluate.detection import Assessed
from simulator.evaluate.passages import Flags, Passages, passages
from simulator.evaluate.readings_file import Readings
from simulator.evaluate.scores import Evaluation, Table, coverage, gain, mae, pinball, weighted_brier
from simulator.evaluate.walk import LONGEST_H, walk

# This share of the time is only history; what begins after it is scored.
HISTORY_SHARE = 1 / 3
# Fewer passages say nothing.
FEWEST = 20
# The naive forecast by the hour of the week is worked out for so many passages at a time.
ROWS_AT_ONCE = 8192


@dataclass(frozen=True, slots=True)
class Split:
    """Which passages are only history, and which are scored; both have the shape (passages,)."""

    past: Flags
    scored: Flags


def evaluate_hours(
    readings: Readings, assessed: Assessed, level_from: float, level_to: float, zone: ZoneInfo
) -> Evaluation:
    """Forecast the passages of a data set and score them."""
    cycles = cut(
        readings.measured_at,
        assessed.levels,
        readings.starts,
        bins=np.arange(len(readings.bins)),
        emptied_track=assessed.bin,
        emptied_at=assessed.found.emptied_at,
    )
    found = passages(readings, assessed, cycles, level_from, level_to)
    first, last = readings.measured_at.min(), readings.measured_at.max()
    scored_from = first + (last - first) * HISTORY_SHARE
    # What was not over when the scoring begins is not known of the past.
    split = Split(found.known_at <= scored_from, found.began_at >= scored_from)
    figures = {
        "passages": float(np.count_nonzero(split.scored)),
        "passages_censored": float(np.count_nonzero(split.scored & ~found.came)),
    }
    learnt = np.count_nonzero(split.past & found.came)
    if learnt < FEWEST or np.count_nonzero(split.scored & found.came) < FEWEST:
        note = f"Too few passages from {level_from:g} to {level_to:g} to say how well forecasts hold."
        return Evaluation(figures, notes=(note,))
    horizon_h = max(1.0, float(np.round(np.median(found.hours[split.past & found.came]))))
    told = walk(
        readings,
        assessed,
        cycles,
        found,
        mark=level_to,
        scored_from=scored_from,
        horizon_h=horizon_h,
        zone=zone,
    )
    naives = _naives(found, cycles, split, mark=level_to, weights=told.tallies.weights()[0], zone=zone)
    forecasts = {"Brimwatch": told.quantiles, **naives}
    return _scored(found, split, forecasts, told.chance, figures=figures, horizon_h=horizon_h, scored_from=scored_from)


def _scored(
    found: Passages,
    split: Split,
    forecasts: Mapping[str, Floats],
    chance: Floats,
    *,
    figures: dict[str, float],
    horizon_h: float,
    scored_from: np.datetime64,
) -> Evaluation:
    uncut = split.scored & found.came
    truth = found.hours[uncut]
    rows = [
        (name, mae(truth, told[uncut, 1]), pinball(truth, told[uncut]), coverage(truth, told[uncut]))
        for name, told in forecasts.items()
    ]
    ours, best = rows[0], min(rows[1:], key=lambda row: row[2])
    scored = found.hours[split.scored], found.came[split.scored]
    known = split.past & (found.came | (found.hours >= horizon_h))
    usual = float((found.came & (found.hours <= horizon_h))[known].mean())
    figures |= {
        "mae_hours": ours[1],
        "mae_hours_best_naive": min(row[1] for row in rows[1:]),
        "pinball_gain": gain(ours[2], best[2]),
        "coverage_80": ours[3],
        "brier": weighted_brier(chance[split.scored], *scored, horizon_h),
        "brier_constant": weighted_brier(np.full(len(scored[0]), usual), *scored, horizon_h),
        "brier_horizon_h": horizon_h,
    }
    columns = ("forecast", "mean error, hours", "pinball loss, hours", "within p10 to p90")
    notes = (
        f"Scored are passages that began on {scored_from.astype('datetime64[D]')} or later; before is only history.",
        f"Brier: does it come within {horizon_h:g} h, the median of the history? Weighted for censoring (Graf 1999).",
    )
    return Evaluation(figures, [Table("Hours from one level to the other", columns, rows)], notes)


def _naives(
    found: Passages, cycles: Cycles, split: Split, *, mark: float, weights: Floats, zone: ZoneInfo
) -> dict[str, Floats]:
    """Give what anyone could have said, each with the quantiles of its errors in the history."""
    hours = np.where(found.came, found.hours, np.nan)
    asked, known = (at.astype(np.int64) / 3.6e9 for at in (found.began_at, found.known_at))
    usual = naive.constant(hours, split.past & found.came)
    start = float(usual[0])
    rate = _own_rate(found, cycles)
    age = (found.began_at - found.emptied_at) / np.timedelta64(1, "h")
    line = naive.straight_line(found.level, np.full(len(found), mark), np.where(np.isnan(age), np.inf, age))
    mean, median = (
        naive.walking(summary, found.bin, hours, asked, known, start=start) for summary in (np.mean, np.median)
    )
    told = {
        "the same for all": usual,
        "the bin's mean": mean,
        "the bin's median": median,
        "the bin's own rate": naive.own_rate(found.level, np.full(len(found), mark), rate),
        "straight line since it was emptied": np.where(np.isnan(age), start, line),
        "mean of the hour of the week": _by_hour(found, mark, rate, weights, zone),
    }
    return {
        name: naive.with_quantiles(np.minimum(each, LONGEST_H), hours, split.past, 0.0, LONGEST_H)
        for name, each in told.items()
    }


def _own_rate(found: Passages, cycles: Cycles) -> Floats:
    """Give how much a bin had risen an hour, over its cycles that had ended before each passage; else as all bins."""
    rise = np.maximum(np.nan_to_num(cycles.level_last - cycles.level_first), 0.0).astype(np.float64)
    hours = (cycles.ended_at - cycles.began_at) / np.timedelta64(1, "h")
    risen, passed = (np.append(0.0, np.cumsum(one)) for one in (rise, hours))
    first = cycles.starts(found.bin)
    end = first + cycles.before(found.bin, found.began_at)
    gained, span = risen[end] - risen[first], passed[end] - passed[first]
    overall = risen[-1] / max(passed[-1], 1.0)
    rate: Floats = np.where(span > 0, gained / np.maximum(span, 1e-9), overall)
    return rate


def _by_hour(found: Passages, mark: float, rate: Floats, weights: Floats, zone: ZoneInfo) -> Floats:
    started = hours_of_week(found.began_at, zone)
    parts = [
        naive.hour_of_week(
            found.level[rows],
            np.full(len(found.level[rows]), mark),
            started[rows],
            rate[rows, None] * weights,
            int(LONGEST_H),
        )
        for begin in range(0, len(found), ROWS_AT_ONCE)
        for rows in [slice(begin, begin + ROWS_AT_ONCE)]
    ]
    return np.concatenate(parts)
