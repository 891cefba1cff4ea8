import numpy as np
import pytest

from ingest.assess.quality import ACCEPTED, REJECTED, SUSPICIOUS, judge
from ingest.assess.readings import BLIND_ZONE, LID_OPEN, TILTED, TIME_ESTIMATED, Series
from tests.unit.assess.bins import GEOMETRY, hourly, reading


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
        # Emptied, or filled for good: nothing is wrong.
        ([0.9, 0.9, 0.1, 0.1], [4, 4, 4, 4]),
        ([0.1, 0.1, 0.6, 0.6], [4, 4, 4, 4]),
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


def test_judge_nothing() -> None:
    judgement = judge(Series.empty(), GEOMETRY)

    assert judgement.codes.dtype == np.int8
    assert judgement.reasons == ()
