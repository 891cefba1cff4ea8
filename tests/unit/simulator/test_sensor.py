import cbor2
import numpy as np
import pytest

from firmware.smartbin import codec
from simulator.city import City, make_city
from simulator.deposits import HOUR_S
from simulator.faults import FOR_EVER_S, Fault, Spell, plan_faults
from simulator.measured import Slots
from simulator.sensor import MISSING, Sensors, to_rows

TURNS = np.arange(492_000, 492_100)
SLOTS = Slots("sensor hours", TURNS, HOUR_S)


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(20, seed=1)


def measure(city: City, level: float, faults: dict[int, Fault] | None = None) -> np.ndarray:
    spells = [Spell(fault, place, 0, FOR_EVER_S, 0.5) for place, fault in (faults or {}).items()]
    return Sensors(city, spells).measure(SLOTS, np.full((len(TURNS), 20), level))


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_measure_sees_the_level_through_the_geometry(city: City, level: float) -> None:
    distance = np.ma.masked_equal(measure(city, level)[:, :, 2], MISSING)

    seen = [(place.empty_mm - distance[:, i].mean()) / (place.empty_mm - place.full_mm)
            for i, place in enumerate(city.bins)]  # fmt: skip

    assert np.abs(np.array(seen) - level).max() < 0.03


def test_measure_same_turn_same_reading(city: City) -> None:
    all_turns = measure(city, 0.4)

    one_turn = Sensors(city).measure(Slots("sensor hours", TURNS[7:8], HOUR_S), np.full((1, 20), 0.4))

    assert np.array_equal(all_turns[7], one_turn[0])


def test_measure_no_echo_has_no_distance(city: City) -> None:
    rows = to_rows(measure(city, 0.4, {3: "no_echo"})[:, 3])

    assert all(row[2] is None and row[3] is None and row[4] == 0 for row in rows)


def test_measure_spikes_are_few_and_far_off(city: City) -> None:
    distance = measure(city, 0.4, {3: "spikes"})[:, 3, 2]
    off = np.abs(distance - np.median(distance)) > 60

    assert 1 <= off.sum() <= 15


def test_measured_at_falls_into_its_own_hour() -> None:
    at = SLOTS.measured_at(500)

    assert (at // HOUR_S == TURNS[:, None]).all()


def test_rows_keep_the_contract(city: City) -> None:
    rows = to_rows(measure(city, 0.4)[:, 0])

    version, epoch, next_report_s, decoded = cbor2.loads(codec.encode_readings(0, 60, rows))

    assert (version, epoch, next_report_s) == (1, 0, 60)
    assert [tuple(row) for row in decoded] == rows
    assert all(40 <= row[2] <= 65535 and 0 <= row[4] <= 7 and -300 < row[5] < 400 for row in decoded if row[2])


def test_plan_faults_leaves_most_alone() -> None:
    planned = plan_faults(1, [f"s-{number}" for number in range(500)])

    assert 5 <= len(planned) <= 25
    assert {"silent", "spikes", "no_echo", "tilted"} == set(planned.values())
