"""What the readings of many tracks say is what each says alone."""

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.assess.levels.findings import Findings, examine
from ingest.assess.levels.readings import Geometry, Series
from tests.unit.assess.bins import NOW, hourly, reading


@st.composite
def tracks(draw: st.DrawFn) -> list[dict[str, object]]:
    """Readings of a track: mostly hourly, with levels that stay, jump and fall."""
    levels = draw(st.lists(st.none() | st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.5, 0.82, 0.97]), max_size=14))
    rows = hourly(levels)
    for row in rows:
        row["temperature_c"] = draw(st.sampled_from([8.0, None, 70.0, 255.0]))
        row["tilt_deg"] = draw(st.sampled_from([2, 2, None, 90]))
        row["empty_mm"], row["full_mm"] = 1200, draw(st.sampled_from([200, 200, 200, 300]))
    return rows


@given(st.lists(tracks(), max_size=6), st.data())
def test_no_track_changes_what_is_said_of_another(rows: list[list[dict[str, object]]], data: st.DataObject) -> None:
    thresholds = data.draw(st.lists(st.sampled_from([0.5, 0.8]), min_size=len(rows), max_size=len(rows)))
    parts = [(Series.from_rows(one), Geometry.from_rows(one)) for one in rows]
    alone = [examine(*part, threshold)[0] for part, threshold in zip(parts, thresholds, strict=True)]

    together = examine(
        Series.joined([series for series, _ in parts]),
        Geometry.joined([(geometry, len(series)) for series, geometry in parts]),
        np.array(thresholds),
    )

    assert together == alone


def test_tracks_without_readings_say_nothing() -> None:
    full = Series.from_rows([reading(1, 0.9), reading(0, 0.9)])

    said = examine(Series.joined([Series.empty(), full, Series.empty()]), Geometry(1200, 200), 0.8)

    assert [said[0], said[2]] == [Findings(), Findings()]
    assert (said[1].full_confirmed, said[1].newest_at) == (True, NOW)


@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 12))
def test_portions_keep_tracks_whole(lengths: list[int], readings: int) -> None:
    whole = Series.joined([Series.from_rows([reading(hour, 0.5) for hour in range(length)]) for length in lengths])

    parts = [whole.part(first, end) for first, end in whole.portions(readings)]

    assert [np.diff(part.starts).tolist() for part in parts if len(part) > readings and part.track_count > 1] == []
    assert [length for part in parts for length in np.diff(part.starts).tolist()] == lengths
    assert np.array_equal(Series.joined(parts).measured_at, whole.measured_at)


def test_many_tracks_cost_little() -> None:
    tracks, readings = 1000, 100
    rng = np.random.default_rng(1)
    count = tracks * readings
    level = np.arange(count) % 40 / 40 + rng.normal(0, 0.005, count)
    known = np.zeros(count)
    series = Series(
        np.datetime64("2026-03-01T00:00", "us") + np.arange(count) % readings * np.timedelta64(1, "h"),
        1200 - 1000 * level,
        known,
        known + 7,
        known + 8.5,
        known,
        known.astype(np.int64),
        np.arange(tracks + 1) * readings,
    )
    began = time.process_time()

    said = examine(series, Geometry(1200, 200), 0.8)

    assert time.process_time() - began < 1
    assert {len(one.emptyings) for one in said} <= {2, 3}
