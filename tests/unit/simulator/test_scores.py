import numpy as np
import pytest

from simulator.evaluate import scores

NEVER = np.zeros(0)


def test_scores_of_a_perfect_forecast() -> None:
    truth = np.array([1.0, 4.0, 2.0])
    quantiles = np.repeat(truth[:, None], 3, axis=1)

    assert scores.mae(truth, truth) == 0
    assert scores.pinball(truth, quantiles) == 0
    assert scores.coverage(truth, quantiles) == 1


def test_pinball_weighs_the_sides_by_the_level() -> None:
    low = scores.pinball(np.array([10.0]), np.array([[0.0]]), np.array([0.9]))
    high = scores.pinball(np.array([10.0]), np.array([[20.0]]), np.array([0.9]))

    assert (low, high) == (pytest.approx(9.0), pytest.approx(1.0))


def test_pinball_is_least_at_the_true_quantiles() -> None:
    truth = np.random.default_rng(4).normal(size=4000)
    true = np.quantile(truth, scores.LEVELS)

    losses = [scores.pinball(truth, np.tile(true * factor, (4000, 1))) for factor in (0.6, 1.0, 1.5)]

    assert losses[1] == min(losses)


def test_gain() -> None:
    assert scores.gain(3.0, 4.0) == 0.25


def test_coverage_counts_the_borders() -> None:
    quantiles = np.array([[1.0, 2.0, 3.0]] * 4)

    assert scores.coverage(np.array([1.0, 3.0, 0.9, 3.1]), quantiles) == 0.5


def test_brier_leaves_out_what_nobody_knows() -> None:
    waited, came = np.array([2.0, 5.0, 1.0, 3.0]), np.array([True, True, False, False])

    # It came, it came later, it was cut off before, it was cut off at the horizon.
    assert scores.brier(np.array([1.0, 0.0, 0.3, 0.0]), waited, came, 3.0) == 0
    assert scores.brier(np.array([0.5, 0.5, 0.3, 0.5]), waited, came, 3.0) == 0.25


def test_weighted_brier_is_the_plain_one_where_nothing_is_cut_off() -> None:
    rng = np.random.default_rng(6)
    chance, waited, came = rng.uniform(size=50), rng.uniform(0, 6, 50), np.ones(50, dtype=np.bool_)

    weighted = scores.weighted_brier(chance, waited, came, 3.0)

    assert weighted == pytest.approx(scores.brier(chance, waited, came, 3.0))


def test_weighted_brier_makes_up_for_what_was_cut_off() -> None:
    rng = np.random.default_rng(7)
    true_wait, cut = rng.exponential(4, 40_000), rng.exponential(4, 40_000)
    chance = np.full(40_000, 0.7)
    waited, came = np.minimum(true_wait, cut), true_wait <= cut
    uncut = scores.brier(chance, true_wait, np.ones(40_000, dtype=np.bool_), 3.0)

    assert scores.weighted_brier(chance, waited, came, 3.0) == pytest.approx(uncut, abs=0.01)
    assert abs(scores.brier(chance, waited, came, 3.0) - uncut) > 0.01
