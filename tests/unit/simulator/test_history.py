from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest.assess.due import Rules
from ingest.assess.readings import Geometry, Series
from ingest.assess.sensor import Sensor
from ingest.assess.state import assess_bin
from simulator.city import City, make_city
from simulator.deposits import HOUR_S, Deposits
from simulator.history import History
from simulator.levels import HIGHEST
from simulator.measured import Slots
from simulator.sensor import MISSING, Sensors

MONDAY = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) // HOUR_S
DAYS = 9


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(150, seed=1)


def levels(city: City, first_hour: int, hours: int, *, begun: int | None = None) -> np.ndarray:
    history = History(city, first_hour if begun is None else begun, hours)
    at = (first_hour + np.arange(hours))[:, None] * HOUR_S + np.zeros(len(city.bins), dtype=np.int64)
    bins = np.broadcast_to(np.arange(len(city.bins)), at.shape)
    return history.levels(bins.ravel(), at.ravel()).reshape(at.shape)


def test_levels_stay_between_empty_and_piled_up(city: City) -> None:
    found = levels(city, MONDAY, 24 * 14)

    assert found.min() >= 0
    assert found.max() <= HIGHEST
    assert 0.2 < found.mean() < 0.6


def test_levels_agree_whenever_the_history_began(city: City) -> None:
    long_ago = levels(city, MONDAY, 24 * 12)

    later = levels(city, MONDAY + 24 * 9, 24 * 3)

    assert np.array_equal(long_ago[24 * 9 :], later)


def test_levels_agree_with_a_history_that_began_elsewhere(city: City) -> None:
    asked_twice = levels(city, MONDAY, 48, begun=MONDAY + 24 * 100)

    assert np.array_equal(asked_twice, levels(city, MONDAY, 48))


def test_crew_empties_every_bin_within_two_weeks(city: City) -> None:
    found = levels(city, MONDAY, 24 * 14)

    falls = np.diff(found, axis=0) < -0.1

    assert falls.any(axis=0).all()


def test_deposits_follow_the_hours_of_the_town(city: City) -> None:
    deposits = Deposits(city)
    shops = np.array([place.use == "shopping" for place in city.bins])

    noon = sum(deposits.in_hour(MONDAY + 24 * day + 12)[shops].sum() for day in range(5))
    night = sum(deposits.in_hour(MONDAY + 24 * day + 3)[shops].sum() for day in range(5))

    assert night == 0
    assert noon > 0.02 * shops.sum()


def test_deposits_of_an_hour_can_be_made_again(city: City) -> None:
    one, two = Deposits(city), Deposits(city)
    two.in_hour(MONDAY + 7)

    assert np.array_equal(one.in_hour(MONDAY + 40), two.in_hour(MONDAY + 40))


def test_due_share_is_neither_nothing_nor_most_at_any_hour(city: City) -> None:
    slots = Slots("sensor hours", MONDAY + np.arange(24 * DAYS), HOUR_S)
    at = slots.measured_at(len(city.bins))
    bins = np.broadcast_to(np.arange(len(city.bins)), at.shape)
    history = History(city, MONDAY, 24 * DAYS + 1)
    truth = history.levels(bins.ravel(), at.ravel()).reshape(at.shape)
    measured = Sensors(city).measure(slots, truth)

    shares = [due_share(city, measured[: 24 * (DAYS - 1) + hour]) for hour in range(24)]

    assert min(shares) >= 0.02, shares
    assert max(shares) <= 0.2, shares


def due_share(city: City, measured: np.ndarray) -> float:
    """Assess all bins right after the last of these readings, as the runner does."""
    now = datetime.fromtimestamp(int(measured[-1, :, 1].max()), UTC)
    due = [is_due(city, index, measured[:, index], now) for index in range(len(city.bins))]
    return sum(due) / len(due)


def is_due(city: City, index: int, rows: np.ndarray, now: datetime) -> bool:
    place = city.bins[index]
    state = assess_bin(
        series(rows),
        Geometry(place.empty_mm, place.full_mm),
        sensor=Sensor(fitted_at=now - timedelta(days=DAYS), last_received_at=now, next_report_s=3600),
        rules=Rules(max_age=timedelta(days=place.max_age_days)),
        now=now,
    )
    return state.due.due_class is not None


def series(rows: np.ndarray) -> Series:
    values = rows.astype(float)
    values[rows[:, 2] == MISSING, 2:4] = np.nan
    return Series(
        measured_at=(rows[:, 1] * 1_000_000).astype("datetime64[us]"),
        distance_mm=values[:, 2],
        spread_mm=values[:, 3],
        valid_count=values[:, 4],
        temperature_c=values[:, 5] / 10,
        tilt_deg=values[:, 7],
        flags=rows[:, 8],
    )
