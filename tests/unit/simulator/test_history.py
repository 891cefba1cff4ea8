from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest.assess.decisions.calendar import Calendar, horizon
from ingest.assess.decisions.rules import Rules
from ingest.assess.levels.sensor import Sensor
from ingest.assess.memory.entry import Entry
from simulator.city import City, make_city
from simulator.deposits import HOUR_S, TOWN_ZONE, Deposits
from simulator.evaluate.desk import FITTED_AT, Desk
from simulator.history import History
from simulator.levels import HIGHEST
from simulator.measured import Slots
from simulator.memory import HISTORY_DAYS
from simulator.sensor import Sensors
from simulator.telemetry import Telemetry

MONDAY = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) // HOUR_S
LEARNT = 24 * HISTORY_DAYS


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


@pytest.mark.parametrize("month", [1, 7])
def test_due_share_is_a_days_work_at_any_hour(city: City, month: int) -> None:
    first_hour = int(datetime(2026, month, 1, tzinfo=UTC).timestamp()) // HOUR_S
    desk = Desk(city, np.array([place.device is not None for place in city.bins]))
    desk.hear(telemetry(city, first_hour, LEARNT + 24))

    shares = [due_share(desk, city, first_hour + LEARNT + hour) for hour in range(1, 24, 2)]

    assert min(shares) >= 0.01, shares
    assert max(shares) <= 0.3, shares


def telemetry(city: City, first_hour: int, hours: int) -> Telemetry:
    slots = Slots("sensor hours", first_hour + np.arange(hours), HOUR_S)
    at = slots.measured_at(len(city.bins))
    bins = np.broadcast_to(np.arange(len(city.bins)), at.shape)
    truth = History(city, first_hour, hours + 1).levels(bins.ravel(), at.ravel()).reshape(at.shape)
    return Telemetry.of(Sensors(city).sense(slots, truth))


def due_share(desk: Desk, city: City, hour: int) -> float:
    """Assess all bins as the runner does where a council has entered no rounds of its own."""
    now = datetime.fromtimestamp(hour * HOUR_S, UTC)
    desk.catch_up(hour * HOUR_S)
    until = horizon(Calendar(TOWN_ZONE), now)
    entries = {}
    for index, place in enumerate(city.bins):
        sensor = Sensor(FITTED_AT, HOUR_S, desk.last_received_at(index)) if place.device else None
        rules = Rules(max_age=timedelta(days=place.max_age_days))
        entries[index] = Entry(rules, sensor, horizon=until, pool=place.stream)
    desk.watch.enrol(entries)
    due = [state.due.due_class is not None for state in desk.watch.look(now).values()]
    return sum(due) / len(due)
