import numpy as np
import pytest

from simulator.city import make_city
from simulator.deposits import Deposits
from simulator.evaluate import oracle
from simulator.evaluate.foreseen import THRESHOLD, waited_h
from simulator.seeds import TUNING
from simulator.shifts import EDINBURGH_HABITS, EDINBURGH_LOOKS, Shifts
from simulator.world import World, run

ASKED_H = np.array([20, 50])


@pytest.fixture(scope="module")
def world() -> World:
    city = make_city(15, TUNING[0])
    return run(city, Shifts(city, EDINBURGH_LOOKS), 14, habits=EDINBURGH_HABITS)


def test_waits_with_what_really_came_are_the_truth(world: World) -> None:
    levels = world.levels
    deposits = Deposits(world.city, EDINBURGH_HABITS)
    added = np.array([deposits.in_hour(levels.first_hour + hour) for hour in range(len(levels))])

    found = oracle.waits_h(levels, added, ASKED_H, THRESHOLD)

    truth = waited_h(levels)[ASKED_H]
    came = ~np.isnan(truth) & (truth > 0)
    assert np.count_nonzero(came) > 5
    assert found[came] == pytest.approx(truth[came])


def test_fuller_bins_are_told_to_be_sooner_and_never_without_interval(world: World) -> None:
    made = oracle.forecast(world.city, EDINBURGH_HABITS, world.levels, ASKED_H, threshold=THRESHOLD, futures=20)
    sooner = oracle.forecast(world.city, EDINBURGH_HABITS, world.levels, ASKED_H, threshold=0.7, futures=20)

    assert (np.diff(made[np.isfinite(made).all(axis=2)], axis=1) >= 0).all()
    assert (sooner <= made).all()
    assert (sooner < made).any()
