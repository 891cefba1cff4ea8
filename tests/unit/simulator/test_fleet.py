from pathlib import Path

import pytest

from simulator.city import City, make_city
from simulator.device import BrokerAddress
from simulator.faults import plan_faults
from simulator.fleet import Fleet, Plan
from simulator.memory import Memory
from simulator.roles import assign_roles
from simulator.sensor import DAY_S

NOW = 1_772_366_400
NOWHERE = Plan(broker=BrokerAddress("127.0.0.1", 1), bundles=Path("nowhere"))


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(120, seed=1)


def silent(city: City) -> int:
    return list(plan_faults(city.seed, [place.device or "" for place in city.fitted]).values()).count("silent")


def test_recall_first_start_brings_four_weeks_of_hours(city: City, tmp_path: Path) -> None:
    fleet = Fleet(city, NOWHERE, Memory(tmp_path / "memory.json", NOW), now=lambda: NOW)

    fleet.recall()

    whole = 28 * 24 * len(city.fitted)
    assert silent(city)
    assert 0.97 * whole < fleet.waiting < whole


def test_recall_second_start_fills_only_the_gap(city: City, tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.json", NOW)
    for place in city.fitted:
        memory.settle(place.device or "", NOW)
    memory.save(waiting=0)

    later = Fleet(city, NOWHERE, Memory(tmp_path / "memory.json", NOW + DAY_S), now=lambda: NOW + DAY_S)
    later.recall()

    assert later.waiting == 24 * (len(city.fitted) - silent(city))


def test_recall_after_a_year_goes_back_four_weeks(city: City, tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.json", NOW)
    memory.save(waiting=0)
    year_later = NOW + 365 * DAY_S

    fleet = Fleet(city, NOWHERE, Memory(tmp_path / "memory.json", year_later), now=lambda: year_later)
    fleet.recall()

    assert fleet.waiting == 28 * 24 * (len(city.fitted) - silent(city))


def test_recall_killed_fleet_makes_the_very_same_readings(city: City, tmp_path: Path) -> None:
    first, second = (
        Fleet(city, NOWHERE, Memory(tmp_path / "memory.json", NOW), now=lambda now=now: now) for now in (NOW, NOW + 60)
    )
    first.recall()
    second.recall()

    device = next(place.device for place in city.fitted if place.device)

    assert second.readings(device)[: len(first.readings(device))] == first.readings(device)


def test_save_never_settles_what_still_waits(city: City, tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.json", NOW)
    fleet = Fleet(city, NOWHERE, memory, now=lambda: NOW)
    fleet.recall()
    before = fleet.waiting

    fleet.save(at_once=True)

    assert fleet.waiting == before
    assert all(until < NOW for until in Memory(tmp_path / "memory.json", NOW).settled.values())


def test_assign_roles_spreads_the_firmware_and_spares_one(city: City) -> None:
    roles = assign_roles(city, 24)

    assert len(set(roles.firmware_devices)) == 24
    assert roles.spare_device
    assert roles.spare_device not in roles.firmware_devices


def test_assign_roles_same_town_same_roles(city: City) -> None:
    assert assign_roles(city, 7) == assign_roles(make_city(120, seed=1), 7)
