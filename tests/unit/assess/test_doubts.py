"""What readings say of the sensor itself: stuck, obstructed, often rejected."""

import numpy as np
import pytest

from ingest.assess.levels.findings import examine
from ingest.assess.levels.readings import Series
from tests.unit.assess.bins import GEOMETRY, HOUR, NOW, hourly

# A bin that fills, with the noise that every sensor has.
USUAL = [
    0.1 + 0.004 * hour + 0.004 * float(noise) for hour, noise in enumerate(np.random.default_rng(5).normal(size=72))
]


def test_stuck_sensor_is_stuck_since_its_first_equal_reading() -> None:
    rows = hourly([*USUAL, *[0.4] * 30])

    (said,) = examine(Series.from_rows(rows), GEOMETRY, 0.8)

    assert said.stuck_since == NOW - 29 * HOUR
    assert said.obstructed_since is None


@pytest.mark.parametrize(("every", "obstructed"), [(2, True), (12, False)])
def test_something_fixed_in_front_of_the_waste_obstructs_when_it_is_seen_often(every: int, *, obstructed: bool) -> None:
    levels = [0.8 if place % every == 0 else level for place, level in enumerate(USUAL)]

    (said,) = examine(Series.from_rows(hourly(levels)), GEOMETRY, 0.8)

    assert (said.obstructed_since is not None) == obstructed


@pytest.mark.parametrize(
    ("bad", "share"),
    [
        # Of the last two days, both ends included; nothing of what was before.
        (range(72), 1.0),
        (range(20), 0.0),
        (range(24, 72, 2), 24 / 49),
    ],
)
def test_share_of_rejected_readings(bad: range, share: float) -> None:
    levels = [None if place in bad else level for place, level in enumerate(USUAL)]

    (said,) = examine(Series.from_rows(hourly(levels)), GEOMETRY, 0.8)

    assert said.rejected_share == pytest.approx(share)


def test_share_of_few_readings_says_nothing() -> None:
    (said,) = examine(Series.from_rows(hourly([None] * 11)), GEOMETRY, 0.8)

    assert said.rejected_share == 0.0
