import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.assess.levels.level import fill_levels
from ingest.assess.levels.quality import judge
from ingest.assess.levels.readings import Geometry, Series
from tests.unit.assess.bins import GEOMETRY, NOW, hourly, reading, series


def levels_of(given_series: Series, geometry: Geometry = GEOMETRY) -> list[float]:
    return [float(level) for level in fill_levels(given_series, judge(given_series, geometry), geometry)]


@pytest.mark.parametrize(
    ("distance_mm", "level"),
    [(1200, 0.0), (1250, 0.0), (700, 0.5), (200, 1.0), (100, 1.0)],
)
def test_fill_level_between_marks(distance_mm: int, level: float) -> None:
    assert levels_of(Series.from_rows([reading(0, 0, distance_mm=distance_mm)])) == [level]


def test_fill_level_ignores_one_bad_echo() -> None:
    assert levels_of(series([0.3, 0.95, 0.3])) == pytest.approx([0.3, math.nan, 0.3], nan_ok=True)


def test_fill_level_uses_geometry_of_each_reading() -> None:
    rows = [
        reading(1, 0, distance_mm=600, empty_mm=1200, full_mm=200),
        reading(0, 0, distance_mm=600, empty_mm=800, full_mm=200),
    ]

    levels = levels_of(Series.from_rows(rows), Geometry.from_rows(rows))

    assert levels == pytest.approx([0.6, 1 / 3])


readings = st.builds(
    reading,
    hours_ago=st.floats(0, 1000),
    level=st.none(),
    distance_mm=st.none() | st.integers(0, 65535),
    spread_mm=st.none() | st.integers(0, 65535),
    valid_count=st.none() | st.integers(0, 255),
    temperature_c=st.none() | st.floats(-100, 500),
    tilt_deg=st.none() | st.integers(0, 180),
    flags=st.integers(0, 3),
)


@given(st.lists(readings, max_size=20), st.integers(51, 10_000), st.data())
def test_fill_level_is_a_share_or_unknown(rows: list[dict[str, object]], empty_mm: int, data: st.DataObject) -> None:
    geometry = Geometry(empty_mm, data.draw(st.integers(0, empty_mm - 1)))
    given_series = Series.from_rows(rows)
    judgement = judge(given_series, geometry)

    levels = fill_levels(given_series, judgement, geometry)

    assert np.array_equal(np.isnan(levels), ~judgement.believed)
    assert np.all(np.isnan(levels) | ((levels >= 0) & (levels <= 1)))
    assert [bool(reason) for reason in judgement.reasons] == (judgement.codes < 4).tolist()


@given(st.permutations(hourly([0.1, 0.5, None, 0.9, 0.9, 0.1])))
def test_series_does_not_depend_on_order_of_rows(rows: list[Mapping[str, object]]) -> None:
    assert levels_of(Series.from_rows(rows)) == pytest.approx(
        levels_of(series([0.1, 0.5, None, 0.9, 0.9, 0.1])), nan_ok=True
    )


def test_series_refuses_time_without_zone() -> None:
    with pytest.raises(TypeError, match="time zone"):
        Series.from_rows([reading(0, 0.5, measured_at=NOW.replace(tzinfo=None))])
