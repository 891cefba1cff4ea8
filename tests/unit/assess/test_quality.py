from collections.abc import Sequence

import numpy as np
import pytest

from ingest.assess.levels.quality import ACCEPTED, CAUSES, REJECTED, REJECTED_PROBABLE, SUSPICIOUS, judge
from ingest.assess.levels.readings import (
    BLIND_ZONE,
    LID_OPEN,
    TILTED,
    TIME_ESTIMATED,
    Geometry,
    Series,
    believable_c,
)
from tests.unit.assess.bins import GEOMETRY, hourly, reading

SPIKE = "far from the readings before and after it"
FIXED = "an echo of something fixed"
STUCK = "the very same distance again and again"


def reasons(levels: Sequence[float | None], noise: float = 0.004, **other: object) -> list[str]:
    """Of hourly readings with a little noise, as every sensor has it."""
    random = np.random.default_rng(1)
    rows = hourly([None if level is None else level + random.normal(0, noise) for level in levels])
    return list(judge(Series.from_rows([{**row, **other} for row in rows]), GEOMETRY).reasons)


def where(found: Sequence[str], reason: str) -> list[int]:
    return [place for place, one in enumerate(found) if one == reason]


@pytest.mark.parametrize(
    ("other", "code", "reason"),
    [
        ({}, ACCEPTED, ""),
        # A third party's JSON says no more than this.
        ({"spread_mm": None, "valid_count": None, "temperature_c": None, "tilt_deg": None}, ACCEPTED, ""),
        ({"distance_mm": None}, REJECTED, "no echo"),
        ({"valid_count": 0}, REJECTED, "no echo"),
        ({"distance_mm": 0}, REJECTED, "too near to measure"),
        ({"distance_mm": 29}, REJECTED, "too near to measure"),
        # Waste above the full mark is a full bin.
        ({"distance_mm": 30}, ACCEPTED, ""),
        # A soft bag echoes late.
        ({"distance_mm": 1340}, ACCEPTED, ""),
        ({"distance_mm": 1400}, REJECTED, "further away than the bottom of the bin"),
        ({"tilt_deg": 60}, ACCEPTED, ""),
        ({"tilt_deg": 61}, REJECTED, "tilted"),
        ({"flags": LID_OPEN}, REJECTED, "lid open"),
        # Sensors of other makers that say so without a number.
        ({"flags": TILTED, "tilt_deg": None}, REJECTED, "tilted"),
        ({"flags": BLIND_ZONE, "distance_mm": None}, REJECTED, "too near to measure"),
        ({"flags": TIME_ESTIMATED}, SUSPICIOUS, "its clock was set only later"),
        ({"spread_mm": 400}, SUSPICIOUS, "its echoes disagree"),
        # Two echoes, and one of them is wrong: which?
        ({"spread_mm": 200, "valid_count": 2}, REJECTED_PROBABLE, "its echoes have nothing in common"),
        ({"spread_mm": 200, "valid_count": 5}, ACCEPTED, ""),
        # Drops on the sensor's face.
        ({"distance_mm": 90, "spread_mm": 80}, REJECTED_PROBABLE, "its echoes have nothing in common"),
        # What is certain outranks a doubt.
        ({"spread_mm": 400, "tilt_deg": 90}, REJECTED, "tilted"),
    ],
)
def test_judge_single_reading(other: dict[str, object], code: int, reason: str) -> None:
    judgement = judge(Series.from_rows([reading(0, 0.5, **other)]), GEOMETRY)

    assert judgement.codes.tolist() == [code]
    assert judgement.reasons == (reason,)


@pytest.mark.parametrize(
    ("levels", "codes"),
    [
        # One false echo between two readings that agree.
        ([0.2, 0.9, 0.2], [4, 2, 4]),
        ([0.9, 0.1, 0.9, 0.9], [4, 2, 4, 4]),
        # A missing echo beside it does not hide it.
        ([0.2, None, 0.9, 0.2], [4, 1, 2, 4]),
        # Two and three in a row, however high each of them.
        ([0.2, 0.2, 0.9, 0.6, 0.2], [4, 4, 2, 2, 4]),
        ([0.2, 0.2, 0.6, 0.8, 0.9, 0.2], [4, 4, 2, 2, 2, 4]),
        ([0.8, 0.8, 0.1, 0.1, 0.8], [4, 4, 2, 2, 4]),
        # Echo and waste by turns: the echo is the nearer one.
        ([0.3, 0.8, 0.3, 0.8, 0.3], [4, 2, 4, 2, 4]),
        # So it is beside an emptying.
        ([0.8, 0.8, 0.0, 0.8, 0.0, 0.0, 0.0], [4, 4, 4, 2, 4, 4, 4]),
        # Emptied, or filled for good: nothing is wrong.
        ([0.9, 0.9, 0.1, 0.1], [4, 4, 4, 4]),
        ([0.1, 0.1, 0.6, 0.6], [4, 4, 4, 4]),
        # Filled step by step and emptied at once.
        ([0.0, 0.4, 0.8, 0.0, 0.0], [4, 4, 4, 4, 4]),
        # For long where it was not, and the bin was not emptied meanwhile.
        ([0.3, 0.3, 0.8, 0.8, 0.8, 0.8, 0.8, 0.3, 0.3], [4, 4, 2, 2, 2, 2, 2, 4, 4]),
        # Filled by a box and emptied hours later: from an empty bin that can be.
        ([0.0, 0.0, 0.8, 0.8, 0.8, 0.8, 0.8, 0.0, 0.0], [4] * 9),
        # Fallen, and full again in one go, and still: it was never empty.
        ([0.8, 0.8, 0.1, 0.1, 0.1, 0.1, 0.8, 0.8], [4, 4, 2, 2, 2, 2, 4, 4]),
        # Emptied and filled step by step.
        ([0.8, 0.8, 0.1, 0.2, 0.4, 0.6, 0.8, 0.8], [4] * 8),
        # The newest reading jumped: the next one will say.
        ([0.2, 0.2, 0.9], [4, 4, 3]),
    ],
)
def test_judge_by_neighbours(levels: list[float | None], codes: list[int]) -> None:
    judgement = judge(Series.from_rows(hourly(levels)), GEOMETRY)

    assert judgement.codes.tolist() == codes


def test_judge_daily_readings_have_no_spikes() -> None:
    rows = [reading(48, 0.2), reading(24, 0.9), reading(0, 0.2)]

    assert judge(Series.from_rows(rows), GEOMETRY).codes.tolist() == [4, 4, 4]


def test_rough_sensor_is_no_broken_one() -> None:
    level = 0.3 + np.arange(240) / 1000

    found = reasons(level.tolist(), noise=0.03)

    assert len(where(found, "")) > 235


def test_echo_of_a_rim_is_known_again() -> None:
    """It hides the waste of an emptied bin, too, from which a level could come back by an emptying."""
    filling = [0.3, 0.3, 0.7, 0.3, 0.3, 0.7, 0.7, 0.3, 0.3]
    emptied = [0.0, 0.0, 0.7, 0.7, 0.7, 0.7, 0.7, 0.0, 0.0]

    found = reasons(filling + emptied, noise=0.002)

    assert [place for place, one in enumerate(found) if one] == [2, 5, 6, 11, 12, 13, 14, 15]
    assert where(found, FIXED)[-5:] == [11, 12, 13, 14, 15]


def test_echo_of_a_rim_is_known_for_weeks() -> None:
    seen = [0.2, 0.2, 0.7, 0.24, 0.3, 0.3, 0.7, 0.34, 0.36, 0.7, 0.38, 0.4, 0.7, 0.42]
    quiet = [0.42] * 24 * 6
    emptied = [0.02, 0.7, 0.7, 0.06, 0.7, 0.1, 0.1]

    found = reasons(seen + quiet + emptied, noise=0.002)

    start = len(seen + quiet)
    assert where(found[start:], FIXED) == [1, 2, 4]
    assert [place for place, one in enumerate(found[start:]) if one] == [1, 2, 4]


def test_bin_that_is_emptied_twice_a_day_is_no_rough_sensor() -> None:
    half_a_day = [0.02, 0.1, 0.15, 0.2, 0.24, 0.26, 0.3, 0.32, 0.35, 0.36, 0.38, 0.4]
    random = np.random.default_rng(3)
    levels = np.tile(half_a_day, 12) + random.normal(0, 0.008, 144)

    judgement = judge(Series.from_rows(hourly(levels.tolist())), GEOMETRY)

    assert np.median(judgement.noise[72:]) == pytest.approx(0.008, abs=0.006)


def test_waste_at_the_height_of_the_rim_is_believed() -> None:
    found = reasons([0.3, 0.3, 0.7, 0.3, 0.3, 0.7, 0.7, 0.3, 0.4, 0.48, 0.56, 0.62, 0.66, 0.7, 0.7, 0.74], noise=0.002)

    assert [place for place, one in enumerate(found) if one] == [2, 5, 6]


def test_stuck_sensor_repeats_itself_more_than_a_bin_at_rest() -> None:
    moving = [0.2 + hour / 500 for hour in range(48)]
    rows = hourly([*moving, *[0.3] * 16])
    random = np.random.default_rng(1)
    for row in rows[:48]:
        row["distance_mm"] = int(random.normal(float(str(row["distance_mm"])), 5))

    found = judge(Series.from_rows(rows), GEOMETRY)

    assert where(found.reasons, STUCK) == list(range(48, 64))
    assert set(found.codes[48:].tolist()) == {REJECTED_PROBABLE}


@pytest.mark.parametrize("step_mm", [10, 100])
def test_coarse_sensor_is_not_stuck(step_mm: int) -> None:
    """It says tenths of a level, or centimetres: it may repeat itself for days."""
    random = np.random.default_rng(2)
    rows = hourly([0.1 + hour // 24 * 0.1 for hour in range(24 * 8)])
    for row in rows:
        row["distance_mm"] = round(random.normal(float(str(row["distance_mm"])), 2) / step_mm) * step_mm

    assert where(judge(Series.from_rows(rows), GEOMETRY).reasons, STUCK) == []


def test_unused_bin_with_a_coarse_sensor_is_not_stuck() -> None:
    used = [0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3] * 4

    found = judge(Series.from_rows(hourly([*used, *[0.3] * 24 * 20])), GEOMETRY)

    assert where(found.reasons, STUCK) == []


def test_full_bin_is_not_stuck() -> None:
    rows = hourly([0.5 + hour / 100 + hour % 3 / 100 for hour in range(48)])
    rows += [reading(-hour, 0, distance_mm=40) for hour in range(1, 40)]

    assert where(judge(Series.from_rows(rows), GEOMETRY).reasons, STUCK) == []


def test_water_on_the_sensor_is_no_full_bin() -> None:
    wet = hourly([0.4, 0.4, 0.4, None, None, 0.4, None, 0.4, 0.4])
    for place, distance_mm in ((3, 25), (5, 34)):
        wet[place]["distance_mm"] = distance_mm

    assert (
        judge(Series.from_rows(wet), GEOMETRY).reasons[5] == "nearer than full beside readings that cannot be believed"
    )


def test_readings_below_the_bottom_are_doubted_when_they_last() -> None:
    found = reasons([0.0, -0.1, 0.0, -0.1, -0.1, -0.1, -0.1, -0.1, 0.0])

    assert where(found, "below the bottom of the bin, again and again") == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("numbers", "odd"),
    [
        ([10, 11, 12, 13, 14], []),
        # Lost ones, and another life of the device.
        ([10, 14, 15, 2**32 + 1, 2**32 + 2], []),
        # Its clock was behind, or ahead.
        ([10, 14, 11, 12, 13], [1]),
        ([10, 12, 13, 11, 14], [3]),
        # Another device in its place.
        ([90, 91, 92, 1, 2], []),
    ],
)
def test_clock_that_jumped(numbers: list[int], odd: list[int]) -> None:
    rows = hourly([0.3] * 5)
    for row, number in zip(rows, numbers, strict=True):
        row["epoch"], row["seq"] = divmod(number, 2**32)

    found = judge(Series.from_rows(rows), GEOMETRY)

    assert where(found.reasons, "its time does not fit the count of its device") == odd


def test_change_of_geometry_is_no_spike() -> None:
    rows = [reading(hours, 0, distance_mm=600, empty_mm=1200, full_mm=200) for hours in (4, 3, 1, 0)]
    rows.append(reading(2, 0, distance_mm=600, empty_mm=700, full_mm=200))

    assert set(judge(Series.from_rows(rows), Geometry.from_rows(rows)).codes.tolist()) == {ACCEPTED}


def test_judge_nothing() -> None:
    judgement = judge(Series.empty(), GEOMETRY)

    assert judgement.codes.dtype == np.int8
    assert judgement.reasons == ()


def test_causes_are_told_in_words_of_their_own() -> None:
    assert len({words for _, words in CAUSES}) == len(CAUSES)


@pytest.mark.parametrize(
    ("reported", "meant"),
    [
        (21.5, 21.5),
        (-12.0, -12.0),
        # A fire.
        (95.0, 95.0),
        # A signed byte read as an unsigned one, and tenths in two bytes.
        (255.0, -1.0),
        (246.0, -10.0),
        (6552.6, -1.0),
        # Nothing that can be told.
        (230.5, np.nan),
        (200.0, np.nan),
        (1000.0, np.nan),
        (85.0, np.nan),
        (np.nan, np.nan),
    ],
)
def test_temperature_that_wrapped(reported: float, meant: float) -> None:
    assert believable_c(np.array([reported])).tolist() == pytest.approx([meant], nan_ok=True)
