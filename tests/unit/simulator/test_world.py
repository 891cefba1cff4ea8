from collections.abc import Mapping

import numpy as np
import pytest

from simulator.faults import ALL, BLINDING, FAULTS, Fault, plan_spells
from simulator.service import PERFECT, Manners, Rounds, every
from simulator.world import World, make_world, run

BINS, WEEKS = 30, 2


def town(seed: int = 101, faults: Mapping[Fault, float] | None = None) -> World:
    return make_world(BINS, WEEKS, seed, faults)


@pytest.fixture(scope="module")
def sound() -> World:
    return town()


def test_make_world_same_seed_same_truth_and_telemetry(sound: World) -> None:
    again = town()

    assert np.array_equal(sound.levels.hourly, again.levels.hourly)
    assert np.array_equal(sound.telemetry.distance_mm, again.telemetry.distance_mm, equal_nan=True)


def test_make_world_faults_leave_the_truth_alone(sound: World) -> None:
    assert np.array_equal(sound.levels.hourly, town(faults=ALL).levels.hourly)


def test_levels_are_never_negative(sound: World) -> None:
    assert sound.levels.hourly.min() >= 0


def test_falls_happen_where_levels_fall(sound: World) -> None:
    falls = sound.falls()
    before = sound.levels.at(falls.bin, falls.at_s.astype(np.int64) - 1)
    after = sound.levels.at(falls.bin, falls.at_s.astype(np.int64) + 1)

    assert len(falls.bin) > BINS
    assert np.abs(before - falls.before).max() < 0.01
    assert np.abs(after - falls.after).max() < 0.01


def test_sound_sensors_measure_hourly_and_nothing_is_lost(sound: World) -> None:
    counts = np.bincount(sound.telemetry.bin)

    assert counts.tolist() == [24 * 7 * WEEKS] * BINS
    assert not sound.telemetry.hits.any()


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_hits_the_share_it_should_and_only_that(fault: Fault, sound: World) -> None:
    world = town(faults={fault: 0.2})

    assert len({spell.bin for spell in world.spells}) == round(0.2 * BINS)
    hit = {spell.bin for spell in world.spells}
    same = [place for place in range(BINS) if place not in hit]
    for name in ("distance_mm", "arrived_s", "measured_s", "tilt_deg", "temperature_c"):
        mine, theirs = (getattr(one.telemetry, name)[np.isin(one.telemetry.bin, same)] for one in (world, sound))
        assert np.array_equal(mine, theirs, equal_nan=name == "distance_mm"), name


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_shows_in_the_readings_it_hit(fault: Fault, sound: World) -> None:
    telemetry, clean = town(faults={fault: 0.5}).telemetry, sound.telemetry

    # A silent sensor's readings never arrive; all others are marked.
    assert fault == "silent" or telemetry.hit_by(fault).any()
    assert not np.array_equal(rows(telemetry), rows(clean))


def rows(telemetry: object) -> np.ndarray:
    names = (
        "bin", "measured_s", "distance_mm", "spread_mm", "valid_count", "temperature_c", "battery_mv", "tilt_deg",
        "flags", "empty_mm", "arrived_s",
    )  # fmt: skip
    return np.nan_to_num(np.column_stack([getattr(telemetry, name) for name in names]), nan=-1)


def test_plan_spells_one_fault_more_changes_nothing_about_the_others() -> None:
    some = plan_spells(3, 100, 0, 10**7, {"stuck": 0.1})
    more = plan_spells(3, 100, 0, 10**7, {"spikes": 0.3, "stuck": 0.1})

    assert set(some) < set(more)


def test_blinding_faults_are_faults() -> None:
    assert set(FAULTS) > BLINDING


def test_moved_sensor_hangs_over_the_other_bins_emptyings() -> None:
    world = town(faults={"moved": 0.3})

    own, hung = world.levels.falls(), world.falls()

    assert sorted(zip(own.bin.tolist(), own.at_s.tolist(), strict=True)) != sorted(
        zip(hung.bin.tolist(), hung.at_s.tolist(), strict=True)
    )


def test_crews_that_fall_short_leave_more_behind() -> None:
    city = town().city
    sloppy = Manners(late=0.5, skips=0.3, partial=0.3, pretends=0.1, forgets=0.3)
    good, bad = (run(city, Rounds(city, every(2, city), manners), 14) for manners in (PERFECT, sloppy))

    assert bad.levels.overflow_hours() > good.levels.overflow_hours()
    assert len(bad.log.stops) < len(good.log.stops)
    assert len(good.log.reports) == len(good.log.stops)
    assert len(bad.log.reports) < len(bad.log.stops)
    assert (bad.falls().after > 0.05).any()
    assert not (good.falls().after > 0).any()


def test_more_rounds_less_overflow() -> None:
    city = town().city
    hours = [run(city, Rounds(city, every(days, city), PERFECT), 14).levels.overflow_hours() for days in (1, 2, 4)]

    assert hours == sorted(hours)
    assert hours[0] < hours[2]
