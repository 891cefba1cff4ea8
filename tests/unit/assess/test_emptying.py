import pytest

from ingest.assess.emptying import detect
from ingest.assess.findings import examine, moment
from ingest.assess.level import fill_levels
from ingest.assess.quality import judge
from ingest.assess.readings import Geometry, Series
from tests.unit.assess.bins import GEOMETRY, HOUR, NOW, hourly, reading, series


def found(given_series: Series) -> list[tuple[float, float]]:
    """Hours before NOW, of the window's two ends."""
    judgement = judge(given_series, GEOMETRY)
    emptyings = detect(given_series, fill_levels(given_series, judgement, GEOMETRY), judgement.codes)
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
        # Emptied though there was little in it.
        ([0.2, 0.2, 0.02, 0.02], [(2, 1)]),
        # Not wholly emptied.
        ([0.9, 0.9, 0.4, 0.4], [(2, 1)]),
        # Measured while the crew worked: one emptying, not two.
        ([0.9, 0.9, 0.4, 0.02, 0.02], [(3, 1)]),
        # The lid was open: the window is as wide as what is not known.
        ([0.9, 0.9, None, None, 0.05, 0.05], [(4, 1)]),
        # Twice.
        ([0.8, 0.9, 0.1, 0.1, 0.5, 0.9, 0.1, 0.1], [(6, 5), (2, 1)]),
    ],
)
def test_detect_emptying(levels: list[float | None], windows: list[tuple[float, float]]) -> None:
    assert found(series(levels)) == windows


def test_detect_says_how_full_and_how_sure() -> None:
    given_series = series([0.5, 0.9, 0.05, 0.06])
    judgement = judge(given_series, GEOMETRY)

    [emptying] = detect(given_series, fill_levels(given_series, judgement, GEOMETRY), judgement.codes)

    assert (emptying.fill_before, emptying.fill_after) == pytest.approx((0.9, 0.05))
    assert emptying.confidence == pytest.approx(0.99)


def test_detect_trusts_doubtful_readings_less() -> None:
    rows = hourly([0.5, 0.9, 0.05, 0.06])
    rows[2]["spread_mm"] = 400
    given_series = Series.from_rows(rows)
    judgement = judge(given_series, GEOMETRY)

    [emptying] = detect(given_series, fill_levels(given_series, judgement, GEOMETRY), judgement.codes)

    assert emptying.confidence == pytest.approx(0.79)


def test_detect_revises_history_for_a_late_reading() -> None:
    rows = [reading(10, 0.9), reading(9, 0.9), reading(2, 0.1), reading(1, 0.1)]

    assert found(Series.from_rows(rows)) == [(9, 2)]
    assert found(Series.from_rows([*rows, reading(5, 0.95)])) == [(5, 2)]


def test_change_of_sensor_is_no_emptying() -> None:
    rows = [
        *(reading(hours, 0, distance_mm=300, empty_mm=1200, full_mm=200) for hours in (5, 4, 3)),
        *(reading(hours, 0, distance_mm=500, empty_mm=800, full_mm=100) for hours in (2, 1, 0)),
    ]

    [findings] = examine(Series.from_rows(rows), Geometry.from_rows(rows), thresholds=0.8)

    assert findings.level == pytest.approx(3 / 7)
    assert findings.emptyings == ()
