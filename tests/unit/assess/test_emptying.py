import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.assess.levels.emptying import detect
from ingest.assess.levels.findings import examine
from ingest.assess.levels.level import fill_levels
from ingest.assess.levels.quality import judge
from ingest.assess.levels.readings import Geometry, Series, moment
from tests.unit.assess.bins import GEOMETRY, HOUR, NOW, hourly, reading, series


def found(given_series: Series) -> list[tuple[float, float]]:
    """Hours before NOW, of the window's two ends."""
    judgement = judge(given_series, GEOMETRY)
    emptyings = detect(given_series, fill_levels(given_series, judgement, GEOMETRY), judgement)
    return [((NOW - moment(one.not_before)) / HOUR, (NOW - moment(one.emptied_at)) / HOUR) for one in emptyings]


@pytest.mark.parametrize(
    ("levels", "windows"),
    [
        ([], []),
        ([0.9], []),
        ([0.1, 0.3, 0.6, 0.9], []),
        ([0.6, 0.9, 0.05, 0.06], [(2, 1)]),
        # Not yet: one reading proves nothing.
        ([0.6, 0.9, 0.05], []),
        # It was a bad echo.
        ([0.9, 0.9, 0.05, 0.9, 0.9], []),
        # Settled waste, and noise.
        ([0.6, 0.6, 0.45, 0.46], []),
        # Waste that settles slowly, by however much.
        ([0.9, 0.87, 0.84, 0.81, 0.78, 0.75, 0.72, 0.69, 0.66, 0.63, 0.6], []),
        # A lid that stood open, a false echo that went away: what comes back was never there.
        ([0.9, 0.9, 0.05, 0.05, 0.05, 0.05, 0.9, 0.9], []),
        ([0.4, 0.4, 0.9, 0.9, 0.9, 0.9, 0.9, 0.4, 0.4], []),
        # One reading that comes back is not enough.
        ([0.9, 0.9, 0.05, 0.05, 0.05, 0.05, 0.9, 0.3, 0.3], [(7, 6)]),
        # Emptied, and a box thrown in soon after.
        ([0.6, 0.9, 0.05, 0.05, 0.5, 0.5, 0.5], [(5, 4)]),
        # A spike beside it does not move it.
        ([0.6, 0.6, 0.95, 0.6, 0.05, 0.5, 0.05, 0.05], [(4, 3)]),
        # Emptied though there was little in it.
        ([0.2, 0.2, 0.02, 0.02], [(2, 1)]),
        # Seen once before it was emptied; of less, one reading is no proof.
        ([0.45, 0.07, 0.08, 0.08], [(3, 2)]),
        ([0.45, 0.2, 0.2, 0.2], []),
        # Not wholly emptied.
        ([0.9, 0.9, 0.4, 0.4], [(2, 1)]),
        # Measured while the crew worked: one emptying, not two.
        ([0.9, 0.9, 0.4, 0.02, 0.02], [(3, 1)]),
        # The lid was open: the window is as wide as what is not known.
        ([0.9, 0.9, None, None, 0.05, 0.05], [(4, 1)]),
        # It fills by the hour, and three readings before and after are much alike.
        ([0.05, 0.08, 0.18, 0.2, 0.32, 0.04, 0.14, 0.2, 0.28], [(4, 3)]),
        ([0.04, 0.12, 0.2, 0.3, 0.4, 0.1, 0.32, 0.46, 0.6], [(4, 3)]),
        # It held little, and was filled again at once.
        ([0.22, 0.22, 0.22, 0.22, 0.01, 0.03, 0.19, 0.22], [(4, 3)]),
        # What came for two hours and went was not there, though waste came meanwhile.
        ([0.36, 0.36, 0.37, 1.0, 1.0, 0.52, 0.53, 0.53], []),
        # Twice.
        ([0.8, 0.9, 0.1, 0.1, 0.5, 0.9, 0.1, 0.1], [(6, 5), (2, 1)]),
    ],
)
def test_detect_emptying(levels: list[float | None], windows: list[tuple[float, float]]) -> None:
    assert found(series(levels)) == windows


def test_full_bin_that_is_too_near_to_measure_is_not_emptied_yet() -> None:
    rows = hourly([0.8, 0.95, 0.0, 0.0, None, 0.03, 0.05, 0.06])
    for row in rows[2:4]:
        row["distance_mm"] = 10

    assert found(Series.from_rows(rows)) == [(4, 2)]


def test_detect_says_how_full_and_how_sure() -> None:
    given_series = series([0.5, 0.9, 0.05, 0.06])
    judgement = judge(given_series, GEOMETRY)

    [emptying] = detect(given_series, fill_levels(given_series, judgement, GEOMETRY), judgement)

    assert (emptying.fill_before, emptying.fill_after) == pytest.approx((0.9, 0.05))
    assert emptying.confidence == pytest.approx(0.99)


def test_detect_trusts_doubtful_readings_less() -> None:
    rows = hourly([0.5, 0.9, 0.05, 0.06])
    rows[2]["spread_mm"] = 400
    given_series = Series.from_rows(rows)
    judgement = judge(given_series, GEOMETRY)

    [emptying] = detect(given_series, fill_levels(given_series, judgement, GEOMETRY), judgement)

    assert emptying.confidence == pytest.approx(0.79)


def test_reading_that_came_twice_is_no_second_witness() -> None:
    rows = [reading(3, 0.9), reading(2, 0.9), reading(1, 0.05)]

    assert found(Series.from_rows([*rows, rows[-1]])) == []
    assert found(Series.from_rows([*rows, rows[-1], reading(0, 0.05)])) == [(2, 1)]


def test_detect_revises_history_for_a_late_reading() -> None:
    rows = [reading(10, 0.9), reading(9, 0.9), reading(2, 0.1), reading(1, 0.1)]

    assert found(Series.from_rows(rows)) == [(9, 2)]
    assert found(Series.from_rows([*rows, reading(5, 0.95)])) == [(5, 2)]


@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.6, 0.95]), st.floats(0.0, 0.01))
def test_emptying_is_decided_within_four_readings(seed: int, before: float, noise: float) -> None:
    random = np.random.default_rng(seed)
    levels = np.clip(np.append(np.linspace(0.05, before, 30), np.linspace(0.0, 0.1, 8)), 0, 1)
    rows = hourly((levels + random.normal(0, noise, len(levels))).tolist())

    newest_alone = found(Series.from_rows(rows[:31]))
    soon = found(Series.from_rows(rows[:34]))

    assert newest_alone == []
    assert soon == [(8, 7)] == found(Series.from_rows(rows))


@pytest.mark.parametrize(
    ("noise_mm", "wild_share", "precision", "recall"), [(5, 0, 1.0, 1.0), (30, 0, 0.99, 1.0), (5, 0.02, 0.98, 0.98)]
)
def test_emptyings_of_invented_bins(noise_mm: float, wild_share: float, precision: float, recall: float) -> None:
    """Bins that fill by day, some by boxes, and are emptied after one to four days; some readings are wild."""
    random = np.random.default_rng(7)
    hours, bins = 24 * 28, 40
    by_day = (np.arange(hours) % 24 > 7) & (np.arange(hours) % 24 < 21)
    gains = random.gamma(0.5, 0.03, (bins, hours)) * by_day + (random.random((bins, hours)) < 0.01) * 0.2
    emptied = np.cumsum(random.integers(24, 96, (bins, 28)), axis=1) + random.integers(0, 4, (bins, 28))
    levels, level = np.zeros((bins, hours)), np.zeros(bins)
    held = np.zeros((bins, hours))
    for hour in range(hours):
        comes = (emptied == hour).any(axis=1) & (hour < hours - 2)  # the newest reading alone tells nothing
        held[:, hour] = np.where(comes, level, 0.0)
        level = np.where(comes, 0.0, np.minimum(level + gains[:, hour], 1.0))
        levels[:, hour] = level
    distance_mm = 1200 - 1000 * levels + random.normal(0, noise_mm, levels.shape)
    wild = random.random(levels.shape) < wild_share
    distance_mm = np.where(wild, random.uniform(50, 1200, levels.shape), distance_mm)
    known = np.full(levels.size, np.nan)
    given_series = Series(
        np.tile(np.datetime64("2026-03-01T00:00", "us") + np.arange(hours) * np.timedelta64(1, "h"), bins),
        np.round(distance_mm).ravel(),
        *[known] * 4,
        np.zeros(levels.size, dtype=np.int64),
        np.arange(bins + 1) * hours,
    )

    judgement = judge(given_series, GEOMETRY)
    emptyings = detect(given_series, fill_levels(given_series, judgement, GEOMETRY), judgement)

    seen = np.zeros(levels.shape, dtype=np.bool_)
    seen[emptyings.track, emptyings.after - emptyings.track * hours] = True
    # An hour off where a reading beside it is a wild one.
    near = seen | np.pad(seen, ((0, 0), (0, 1)))[:, 1:]
    there = (held > 0) | np.pad(held > 0, ((0, 0), (1, 0)))[:, :-1]
    assert np.count_nonzero(near & (held >= 0.3)) >= recall * np.count_nonzero(held >= 0.3) > 100
    assert np.count_nonzero(seen & there) >= precision * np.count_nonzero(seen)


def test_change_of_sensor_is_no_emptying() -> None:
    rows = [
        *(reading(hours, 0, distance_mm=300, empty_mm=1200, full_mm=200) for hours in (5, 4, 3)),
        *(reading(hours, 0, distance_mm=500, empty_mm=800, full_mm=100) for hours in (2, 1, 0)),
    ]

    [findings] = examine(Series.from_rows(rows), Geometry.from_rows(rows), thresholds=0.8)

    assert findings.level == pytest.approx(3 / 7)
    assert findings.emptyings == ()
