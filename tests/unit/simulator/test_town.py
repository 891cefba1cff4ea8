import numpy as np
import pytest

from simulator.deposits import HOUR_S
from simulator.evaluate.emptied import sight
from simulator.evaluate.foreseen import THRESHOLD, waited_h
from simulator.evaluate.online import delays, listen
from simulator.evaluate.served import Setting, by_list, by_rounds, threshold
from simulator.evaluate.town import Size, evaluate
from simulator.seeds import EVALUATION, TUNING
from simulator.world import FIRST_DAY, make_world

# For the evaluation itself; its figures mean little.
SMALL = Size(bins=20, weeks=2, online_weeks=1, days=4, losses=(0.0,), likeness_towns=1, futures=4)
TOWN = Setting(TUNING[0], bins=25, days=7)


def test_seeds_are_either_for_tuning_or_for_scoring() -> None:
    assert not set(TUNING) & set(EVALUATION)


def test_evaluate_small_town_gives_every_figure() -> None:
    evaluation = evaluate(None, SMALL)

    assert {
        "city.emptying_precision", "city.emptying_recall", "city.emptying_precision_clean",
        "city.emptying_recall_clean", "city.pinball_gain", "city.mae_hours", "city.coverage_80", "city.visits_saved",
        "city.overflow_vs_rounds", "city.overflow_vs_threshold", "city.false_alerts",
    } <= set(evaluation.figures)  # fmt: skip
    assert all(np.isfinite(value) for value in evaluation.figures.values())
    assert evaluation.figures["city.forecasts_without_interval"] == 0
    assert evaluation.figures["city.emptying_recall_clean"] == 1
    assert evaluation.figures["city.visits_saved"] > 0.3


def test_by_rounds_more_often_costs_more_and_overflows_less() -> None:
    daily, weekly = by_rounds(TOWN, 1), by_rounds(TOWN, 5)

    assert daily.visits > 3 * weekly.visits
    assert daily.overflow_hours < weekly.overflow_hours


def test_by_list_a_lower_threshold_visits_more() -> None:
    low, high = (by_list(TOWN, threshold(level), plainly=True) for level in (0.3, 0.8))

    assert low.visits > high.visits
    assert low.overflow_hours < high.overflow_hours


def test_by_list_twice_the_same() -> None:
    assert by_list(TOWN, threshold(0.6), plainly=True) == by_list(TOWN, threshold(0.6), plainly=True)


def test_delays_are_counted_from_the_emptying() -> None:
    world = make_world(10, 1, TUNING[0])

    waited = delays(listen(world, 7 * 24), world, sight(world))

    assert len(waited) > 10
    assert waited.min() >= 1
    assert waited.max() <= 4


def test_readings_that_come_in_at_once_were_not_waited_for() -> None:
    world = make_world(10, 1, TUNING[0], {"back_fill": 1.0})

    waited = delays(listen(world, 7 * 24), world, sight(world))

    assert len(waited) > 10
    assert waited.max() <= 4


def test_waited_h_ends_where_the_true_level_is_at_the_threshold() -> None:
    levels = make_world(10, 1, TUNING[0]).levels
    hour, place = np.argwhere(~np.isnan(waited_h(levels)) & (levels.hourly < THRESHOLD))[5]

    at_s = (FIRST_DAY + hour + waited_h(levels)[hour, place]) * HOUR_S

    assert levels.at(np.array([place]), np.array([int(at_s)]))[0] == pytest.approx(THRESHOLD, abs=0.02)
