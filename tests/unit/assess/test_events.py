import numpy as np
import pytest

from ingest.assess.forecasts.events import chance_below, first_at, quantiles, uncensored, uncensored_quantiles
from tests.unit.assess.past_cycles import HOUR, NEVER, START


def test_quantiles_of_equal_weights() -> None:
    values = np.array([[3.0, 1.0, 2.0]])

    assert quantiles(values, np.ones((1, 3)), (0.0, 0.5, 1.0)).tolist() == [[1.0, 2.0, 3.0]]


def test_quantiles_never_fall_and_follow_the_weight() -> None:
    rng = np.random.default_rng(5)
    values, weights = rng.normal(size=(50, 20)), rng.uniform(0, 1, (50, 20)) * (rng.uniform(size=(50, 20)) > 0.5)

    found = quantiles(values, weights, np.linspace(0.02, 0.98, 25))

    assert (np.diff(found, axis=1) >= 0).all()
    assert quantiles(np.array([[1.0, 9.0]]), np.array([[0.99, 0.01]]), (0.4,))[0, 0] == 1.0


def test_event_without_weight_changes_nothing() -> None:
    plain = quantiles(np.array([[1.0, 4.0]]), np.ones((1, 2)), (0.1, 0.5, 0.9))

    with_it = quantiles(np.array([[1.0, 2.0, 4.0]]), np.array([[1.0, 0.0, 1.0]]), (0.1, 0.5, 0.9))

    assert with_it.tolist() == plain.tolist()
    assert np.isnan(quantiles(np.ones((1, 2)), np.zeros((1, 2)), (0.5,))).all()


def test_censored_events_count_as_kaplan_and_meier_do() -> None:
    # Of four, one came after 1, one was cut off at 2, one came after 3, one was cut off at 4.
    values, censored = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[False, True, False, True]])

    times, mass = uncensored(values, np.ones((1, 4)), censored)

    chance = {float(time): float(mass[0, times[0] <= time].sum()) for time in times[0]}
    assert chance[1.0] == pytest.approx(1 / 4)
    assert chance[2.0] == pytest.approx(1 / 4)
    assert chance[3.0] == pytest.approx(1 / 4 + 3 / 4 / 2)
    assert chance[np.inf] == pytest.approx(1.0)


def test_event_that_came_counts_before_one_cut_off_at_the_same_time() -> None:
    _, mass = uncensored(np.array([[1.0, 1.0]]), np.ones((1, 2)), np.array([[True, False]]))

    assert mass[0, 0] == pytest.approx(0.5)


def test_chances_and_their_instants_belong_together() -> None:
    chances = np.array([0.25, 0.5, 0.75])
    hours = first_at(np.array([[1.0, 2.0, 3.0, np.inf]]), np.ones((1, 4)), chances)[0]
    instants = (START + (hours * 3600).astype("timedelta64[s]").astype("timedelta64[us]"))[None]

    asked = START + np.array([30, 60, 90, 180, 5940]).astype("timedelta64[m]")
    found = [float(chance_below(instants, np.array([moment]), chances)[0]) for moment in asked]

    assert found == pytest.approx([0.0, 0.25, 0.375, 0.75, 0.75])


def test_chance_of_what_is_never_reached() -> None:
    instants = np.array([[START, NEVER]])

    found = chance_below(np.repeat(instants, 2, axis=0), np.array([START - HOUR, START + HOUR]), np.array([0.1, 0.5]))

    assert found.tolist() == [0.0, 0.1]


def test_quantiles_of_censored_events_are_later_and_end_with_the_last_of_all() -> None:
    values, weights = np.array([[1.0, 2.0, 3.0, 9.0]]), np.ones((1, 4))
    cut = np.array([[False, True, False, True]])

    found = uncensored_quantiles(values, weights, cut, (0.1, 0.5, 1.0))

    assert found[0, 1] > quantiles(values[~cut][None], np.ones((1, 2)), (0.5,))[0, 0]
    assert found[0, 2] == 9.0
    assert uncensored_quantiles(values, weights, ~np.ones((1, 4), np.bool_), (0.3,)) == quantiles(
        values, weights, (0.3,)
    )
