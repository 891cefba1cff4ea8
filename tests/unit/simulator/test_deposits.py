from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from simulator.city import City, make_city
from simulator.deposits import HOUR_S, USUAL, Deposits, Habits

MONDAY = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) // HOUR_S
EVEN = Habits(days_differ=0.0, weeks_differ=0.0, districts_differ=0.0)


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(80, seed=1)


def by_day(city: City, habits: Habits, days: int = 28, first: int = MONDAY) -> np.ndarray:
    deposits = Deposits(city, habits)
    return np.array([[deposits.in_hour(first + 24 * day + hour) for hour in range(24)] for day in range(days)]).sum(1)


def test_deposits_are_never_negative_and_some_hours_bring_nothing(city: City) -> None:
    deposits = Deposits(city)

    found = np.array([deposits.in_hour(MONDAY + hour) for hour in range(48)])

    assert found.min() == 0
    assert found.max() > 0


def test_deposits_twice_as_busy_is_twice_as_much(city: City) -> None:
    usual, busy = (by_day(city, replace(USUAL, busyness=busyness)).sum() for busyness in (1, 2))

    assert busy / usual == pytest.approx(2, rel=0.03)


def test_deposits_days_of_a_bin_vary_more_than_single_items_do(city: City) -> None:
    even, uneven = (by_day(city, habits) for habits in (EVEN, replace(EVEN, days_differ=0.7)))

    assert uneven.std(0).mean() > 1.3 * even.std(0).mean()


def test_deposits_neighbours_have_their_good_days_together(city: City) -> None:
    apart, together = (by_day(city, replace(EVEN, districts_differ=differ)) for differ in (0.0, 0.8))

    assert together.sum(1).std() > 1.2 * apart.sum(1).std()


def test_deposits_summer_brings_more_to_the_sea_than_winter(city: City) -> None:
    sea = np.array([place.use == "seafront" for place in city.bins])
    winter = MONDAY - 24 * 7 * 20

    assert by_day(city, USUAL)[:, sea].sum() > 1.3 * by_day(city, USUAL, first=winter)[:, sea].sum()


def test_deposits_another_quantity_changes_nothing_about_the_items(city: City) -> None:
    one, two = Deposits(city, USUAL), Deposits(city, USUAL)
    for hour in range(5):
        two.in_hour(MONDAY + 500 + hour)

    assert np.array_equal(one.in_hour(MONDAY + 9), two.in_hour(MONDAY + 9))


def test_other_luck_is_the_same_people_in_other_weeks(city: City) -> None:
    hours = range(MONDAY, MONDAY + 28 * 24)
    own, again, other = (
        np.array([deposits.in_hour(hour) for hour in hours])
        for deposits in (Deposits(city), Deposits(city, luck=city.seed), Deposits(city, luck=city.seed + 1))
    )

    assert np.array_equal(own, again)
    assert not np.array_equal(own, other)
    assert np.corrcoef(own.sum(axis=0), other.sum(axis=0))[0, 1] > 0.9
