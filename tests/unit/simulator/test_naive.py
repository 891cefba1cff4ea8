import numpy as np
import pytest

from simulator.evaluate import naive


def test_constant_knows_the_past_only() -> None:
    made = naive.constant(np.array([1.0, 3.0, 2.0, 90.0]), np.array([True, True, True, False]))

    assert made.tolist() == [2.0] * 4


def test_walking_forecast_knows_what_was_known_when_asked() -> None:
    groups = np.array([1, 1, 1, 2])
    asked_at, known_at = np.array([0.0, 2.0, 3.0, 9.0]), np.array([2.0, 4.0, 5.0, 9.5])

    made = naive.walking(np.mean, groups, np.array([10.0, 20.0, 30.0, 7.0]), asked_at, known_at, start=5.0)

    assert made.tolist() == [5.0, 10.0, 10.0, 5.0]


def test_walking_forecast_skips_what_never_became_known() -> None:
    nobody, hours = np.zeros(3, np.int64), np.arange(3.0)

    made = naive.walking(np.median, nobody, np.array([np.nan, 4.0, 6.0]), hours + 0.5, hours + 1, start=1.0)

    assert made.tolist() == [1.0, 1.0, 4.0]


def test_rates_and_lines() -> None:
    level, mark = np.array([0.2, 0.9]), np.array([0.8, 0.8])

    assert naive.own_rate(level, mark, np.array([0.1, 0.1])) == pytest.approx([6.0, 0.0])
    assert naive.straight_line(level, mark, np.array([2.0, 2.0])) == pytest.approx([6.0, 0.0])


def test_hours_of_the_week_add_up() -> None:
    hourly = np.zeros((1, 168))
    hourly[0, 10:20] = 0.1  # one bin a week, on Monday from 10:00
    level = np.array([0.2, 0.2, 0.0, 0.7])
    started = np.array([8, 15, 10, 30])

    hours = naive.hour_of_week(level, np.array([0.5, 0.95, 0.95, 0.7]), started, hourly, longest=1000)

    # From 8: three of ten hours; from 15: five hours give 0.5, the rest comes on the next Monday.
    assert hours == pytest.approx([5.0, 168 - 15 + 10 + 2.5, 9.5, 0.0])


def test_quantiles_come_from_past_errors() -> None:
    forecast, values = np.full(101, 50.0), np.append(np.linspace(40, 70, 100), 1e6)
    past = np.arange(101) < 100

    made = naive.with_quantiles(forecast, values, past, 45.0, 100.0)

    assert made[100] == pytest.approx([45.0, 55.0, 67.0])


def test_losses_score_other_cases_than_they_learn_from() -> None:
    forecast, values = np.zeros(4), np.array([1.0, 1.0, 3.0, 3.0])
    past = np.array([True, True, False, False])

    error, loss = naive.losses(forecast, values, past=past, scored=~past, lowest=-9.0, highest=9.0)

    assert error == 3.0
    assert loss == pytest.approx(2.0 * 0.5)
