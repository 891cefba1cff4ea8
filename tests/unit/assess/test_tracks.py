"""Several sensors in one bin."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest.assess.levels.emptying import Emptying
from ingest.assess.levels.findings import Findings
from ingest.assess.levels.tracks import Voice, combine, tracks

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hours(*values: float) -> np.ndarray:
    return np.datetime64("2026-03-01T00:00", "us") + (np.array(values) * 60).astype("timedelta64[m]")


def emptying(not_before: float, emptied_at: float, before: float = 0.9) -> Emptying:
    first, last = hours(not_before, emptied_at)
    return Emptying(first, last, before, 0.05, 0.9)


def says(level: float | None, **changes: object) -> Findings:
    return replace(Findings(level=level, newest_at=NOON, measured_at=NOON), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fitting_ids", "parts"),
    [
        ([1, 1, 1], [[0, 1, 2]]),
        ([1, 1, 2, 2], [[0, 1, 2, 3]]),
        ([1, 2, 1, 2], [[0, 2], [1, 3]]),
        ([1, 2, 1, 3, 3, 2], [[0, 2, 3, 4], [1, 5]]),
    ],
)
def test_tracks_part_only_sensors_that_measured_at_the_same_time(
    fitting_ids: list[int], parts: list[list[int]]
) -> None:
    found = tracks(np.array(fitting_ids), hours(*range(len(fitting_ids))))

    assert [list(part) for part in found] == parts


def test_bin_is_as_full_as_the_fullest_of_its_sensors_says() -> None:
    full = says(0.9, full_since=NOON, full_confirmed=True)

    assert combine([Voice(says(0.2), running=True), Voice(full, running=True)]) == full


@pytest.mark.parametrize(
    "other",
    [
        Voice(says(0.9, rejected_count=5), running=True),
        Voice(says(0.9), running=False),
        Voice(says(0.9, newest_at=NOON - 25 * HOUR), running=True),
    ],
    ids=["cannot be believed", "was taken out", "is far behind"],
)
def test_sensor_that_cannot_tell_leaves_the_word_to_the_other(other: Voice) -> None:
    assert combine([other, Voice(says(0.2), running=True)]).level == 0.2


def test_any_sensor_may_see_a_fire_or_a_fallen_bin() -> None:
    hot = says(0.1, hot_since=NOON, temperature_c=80.0, tilted_since=NOON)

    found = combine([Voice(says(0.5, temperature_c=20.0), running=True), Voice(hot, running=True)])

    assert (found.level, found.hot_since, found.temperature_c, found.tilted_since) == (0.5, NOON, 80.0, NOON)


def test_emptying_that_two_sensors_saw_is_one() -> None:
    one = says(0.1, emptyings=(emptying(1, 2), emptying(8, 9)))
    other = says(0.1, emptyings=(emptying(1.2, 2.2, 0.95), emptying(5, 6)))

    found = combine([Voice(one, running=True), Voice(other, running=False)]).emptyings

    assert [(item.not_before, item.emptied_at) for item in found] == [
        tuple(hours(*w)) for w in ((1.2, 2), (5, 6), (8, 9))
    ]
    assert found[0].fill_before == 0.95
