"""How well it is forecast when bins of an invented town reach their threshold, and whether they overflow.

Its crews come by once a day and take what is full enough, so that nearly every bin gets to its threshold first. The
product hears the town from its first day, and is asked every 13 hours: all hours of the day have their turn. A case is
a bin below its threshold; its truth is when the bin gets there, taken from the true levels. The few that a crew cut
short are scored by the chance of overflowing only, where the town knows what would have happened.

Beside ours stand the naive forecasts, made of the same believed readings (`naive`, `rises`): own rate is the bin's rise
so far divided by the time it was watched, and hour of week its mean rise in each hour of the week so far. Two more rows
are yardsticks and not naive: that rate shared out by the hours of the whole town, and what one would say who knows how
everybody uses the town, but not what luck brings (`oracle`).
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ingest.assess.decisions.state import BinState
from ingest.assess.forecasts.forecast import HORIZON
from simulator.city import make_city
from simulator.deposits import HOUR_S, local_time
from simulator.evaluate import naive, oracle
from simulator.evaluate.desk import Desk
from simulator.evaluate.rises import rises
from simulator.evaluate.scores import Evaluation, Table, Truths, coverage, gain, mae, pinball
from simulator.faults import Fault, plan_spells
from simulator.levels import FULL, Levels
from simulator.shifts import EDINBURGH_HABITS, Looks, Shifts
from simulator.terrain import Points
from simulator.world import DAY_HOURS, FIRST_DAY, World, run

THRESHOLD = 0.8
FULL_ENOUGH = Looks(wanted=0.84, differ=0.0, soft=0.01, main=0.95, other=0.0)
ASKED_EVERY_H = 13
LONGEST_H = HORIZON / np.timedelta64(1, "h")
WEEK_H = 7 * DAY_HOURS
WEEKS_AFTER = 3
"""The town lives on for so long after the last question: slow bins must get their answer as well."""
NO_NAIVE = "own rate, town's hours"
HORIZONS_H = (12, 24, 48, 96, 10_000)


@dataclass(frozen=True, slots=True)
class Cases:
    """What was asked and answered; all of shape (n,), but for the quantiles.

    Attributes:
        bin: place of the bin.
        asked_h: when, hours since the town began.
        level: that was believed, 0..1.
        age_h: hours since the last emptying that was known; NaN for none.
        waited_h: until the true level reached the threshold; NaN where the bin was emptied before.
        quantiles_h: p10, p50 and p90 of the forecast, hours from then, shape (n, 3).
        chance: forecast that the bin overflows before the horizon if nobody empties it, 0..1.
        overflows: whether it would have.
    """

    bin: NDArray[np.int64]
    asked_h: Points
    level: Points
    age_h: Points
    waited_h: Points
    quantiles_h: Points
    chance: Points
    overflows: NDArray[np.bool_]


def evaluate(seed: int, bins: int, weeks: int, faults: dict[Fault, float], futures: int) -> Evaluation:
    """Ask for forecasts in an invented town and compare.

    Args:
        seed: of the town.
        bins: how many.
        weeks: how long it is watched; the later half is scored.
        faults: share of the sensors that each fault hits.
        futures: how many the oracle tries.

    Returns:
        Figures `city.*`; errors in hours.
    """
    world = _town(seed, bins, weeks, faults)
    cases, without = ask(world, weeks * WEEK_H)
    split_h = weeks * WEEK_H / 2
    came = ~np.isnan(cases.waited_h)
    scored = came & (cases.asked_h >= split_h)
    losses = _naive_losses(world, cases, split_h, scored)
    naives = [loss for name, loss in losses.items() if name != NO_NAIVE]
    best_mae, best_pinball = (min(loss[place] for loss in naives) for place in (0, 1))
    truth, ours = cases.waited_h[scored], cases.quantiles_h[scored]
    loss, floor = pinball(truth, ours), _oracle_losses(world, cases, scored, futures)
    later = cases.asked_h >= split_h
    figures = {
        "city.mae_hours": mae(truth, ours[:, 1]),
        "city.naive_mae_hours": best_mae,
        "city.pinball_gain": gain(loss, best_pinball),
        "city.pinball_gain_over_town_hours": gain(loss, losses[NO_NAIVE][1]),
        "city.oracle_mae_hours": floor[0],
        "city.oracle_gain": gain(floor[1], best_pinball),
        "city.coverage_80": coverage(truth, ours),
        "city.forecasts_without_interval": float(without),
        "city.overflow_brier": float(((cases.chance - cases.overflows)[later] ** 2).mean()),
        "city.naive_overflow_brier": float(cases.overflows[later].var()),
        "city.forecast_cases": float(scored.sum()),
    }
    rows = [("ours", figures["city.mae_hours"], loss), *((name, *each) for name, each in losses.items())]
    rows.append(("oracle", *floor))
    tables = [
        Table("The invented town: hours until the threshold", ("forecast", "mean error", "pinball"), rows),
        _by_horizon(cases, scored),
        _by_week(cases, came),
    ]
    return Evaluation(figures, tables)


def _town(seed: int, bins: int, weeks: int, faults: dict[Fault, float]) -> World:
    from_s = FIRST_DAY * HOUR_S
    spells = plan_spells(seed, bins, from_s, from_s + weeks * WEEK_H * HOUR_S, faults)
    city = make_city(bins, seed)
    days = (weeks + WEEKS_AFTER) * 7
    return run(city, Shifts(city, FULL_ENOUGH), days, spells=spells, habits=EDINBURGH_HABITS)


def ask(world: World, hours: int) -> tuple[Cases, int]:
    """Ask for all forecasts, and find out what came.

    Args:
        world: the town.
        hours: for how long it is asked.

    Returns:
        The cases, and how many forecasts lack a part of their interval.
    """
    desk = Desk(world.city, np.ones(len(world.city.bins), dtype=np.bool_))
    desk.hear(world.telemetry)
    waits = waited_h(world.levels)
    rows, without = [], 0
    for hour in range(ASKED_EVERY_H, hours - 2 * DAY_HOURS, ASKED_EVERY_H):
        now_s = (FIRST_DAY + hour) * HOUR_S
        states = desk.look(now_s)
        until = desk.horizon_at(now_s)
        full = world.levels.unemptied(hour, round((until.timestamp() - now_s) / HOUR_S)) >= FULL
        without += sum(_lacks(state) for state in states.values())
        for place, state in states.items():
            row = _case(state, now_s)
            if row is not None:
                rows.append((place, hour, waits[hour, place], full[place], *row))
    table = np.array(rows, dtype=np.float64)
    place, hour, wait, over, level, age, p10, p50, p90, chance = table.T
    quantiles = np.column_stack([p10, p50, p90])
    return Cases(place.astype(np.int64), hour, level, age, wait, quantiles, chance, over > 0), without


def waited_h(levels: Levels) -> Points:
    """Say how many hours after each hour's start bins reach the threshold; NaN where they are emptied before.

    Returns:
        Shape (hours, bins).
    """
    start, count = levels.hourly, len(levels)
    row = np.arange(count)[:, None]
    high = start >= THRESHOLD
    # Where within the hour before it was reached.
    before = np.vstack([start[:1], start[:-1]])
    over = np.clip((start - THRESHOLD) / np.maximum(start - before, 1e-9), 0, 1)
    next_high = np.minimum.accumulate(np.where(high, row, count)[::-1])[::-1]
    next_emptied = np.minimum.accumulate(np.where(levels.emptied, row, count)[::-1])[::-1]
    reached = np.minimum(next_high, count - 1)
    came = (next_high < count) & (next_high <= next_emptied)
    return np.where(came, reached - np.take_along_axis(over, reached, axis=0) - row, np.nan)


def _lacks(state: BinState) -> bool:
    if state.prospect is None:
        return False
    return any(
        moments[1] is not None and None in (moments[0], moments[2])
        for moments in (state.prospect.threshold_at, state.prospect.full_at)
    )


def _case(state: BinState, now_s: int) -> tuple[float, ...] | None:
    """Give level, age, p10, p50, p90 and the chance to overflow; None where nothing is forecast, or it is reached."""
    prospect, level = state.prospect, state.fill_level
    if prospect is None or level is None or level >= THRESHOLD or prospect.overflow_chance is None:
        return None
    age_h = np.nan if state.last_emptied_at is None else (now_s - state.last_emptied_at.timestamp()) / HOUR_S
    hours = [_hours(moment, now_s) for moment in prospect.threshold_at]
    return (level, age_h, *hours, prospect.overflow_chance)


def _hours(moment: datetime | None, now_s: int) -> float:
    return LONGEST_H if moment is None else min(max(0.0, (moment.timestamp() - now_s) / HOUR_S), LONGEST_H)


def _naive_losses(world: World, cases: Cases, split_h: float, scored: Truths) -> dict[str, tuple[float, float]]:
    """Score what anyone could say; mean error and pinball loss of each."""
    waited, asked, known = cases.waited_h, cases.asked_h, cases.asked_h + np.nan_to_num(cases.waited_h)
    past = ~np.isnan(waited) & (known < split_h)
    start = float(np.median(waited[past]))
    mark = np.full(len(waited), THRESHOLD)
    asked_s = (FIRST_DAY + asked.astype(np.int64)) * HOUR_S
    risen = rises(world.telemetry, len(world.city.bins), cases.bin, asked_s)
    started = np.array([_hour_of_week(FIRST_DAY + int(hour)) for hour in asked])
    forecasts = {
        "constant": naive.constant(waited, past),
        "bin mean": naive.walking(np.mean, cases.bin, waited, asked, known, start=start),
        "bin median": naive.walking(np.median, cases.bin, waited, asked, known, start=start),
        "own rate": naive.own_rate(cases.level, mark, risen.rate),
        "straight line": naive.straight_line(cases.level, mark, np.nan_to_num(cases.age_h, nan=24.0)),
        "hour of week": naive.hour_of_week(cases.level, mark, started, risen.hourly, int(LONGEST_H)),
        NO_NAIVE: naive.hour_of_week(cases.level, mark, started, risen.town, int(LONGEST_H)),
    }
    return {
        name: naive.losses(np.minimum(made, LONGEST_H), waited, past=past, scored=scored, lowest=0.0, highest=LONGEST_H)
        for name, made in forecasts.items()
    }


def _oracle_losses(world: World, cases: Cases, scored: Truths, futures: int) -> tuple[float, float]:
    """Score what nobody can do better; mean error and pinball loss."""
    asked_h, row = np.unique(cases.asked_h[scored].astype(np.int64), return_inverse=True)
    waits = oracle.forecast(world.city, EDINBURGH_HABITS, world.levels, asked_h, threshold=THRESHOLD, futures=futures)
    told = np.minimum(waits[row, cases.bin[scored]], LONGEST_H)
    return mae(cases.waited_h[scored], told[:, 1]), pinball(cases.waited_h[scored], told)


def _hour_of_week(hour: int) -> int:
    local = local_time(hour)
    return local.weekday() * DAY_HOURS + local.hour


def _by_horizon(cases: Cases, scored: Truths) -> Table:
    rows, least = [], 0
    for most in HORIZONS_H:
        here = scored & (cases.quantiles_h[:, 1] >= least) & (cases.quantiles_h[:, 1] < most)
        rows.append((f"{least} to {most} h" if most < LONGEST_H else f"over {least} h", *_errors(cases, here)))
        least = most
    return Table("Error by what was forecast (p50)", ("forecast", "cases", "mean error, h", "in p10 to p90"), rows)


def _by_week(cases: Cases, came: Truths) -> Table:
    week = cases.asked_h // WEEK_H
    rows = [(int(one) + 1, *_errors(cases, came & (week == one))) for one in np.unique(week)]
    return Table("Error by weeks of history", ("week", "cases", "mean error, h", "in p10 to p90"), rows)


def _errors(cases: Cases, here: Truths) -> tuple[int, float, float]:
    if not here.any():
        return 0, float("nan"), float("nan")
    truth, made = cases.waited_h[here], cases.quantiles_h[here]
    return int(here.sum()), mae(truth, made[:, 1]), coverage(truth, made)
