from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ingest.assess.forecasts.cycles import Cycles, cut
from ingest.assess.levels.readings import Floats, Geometry, Times
from simulator.evaluate.detection import LEVEL_GEOMETRY, Assessed, assess
from simulator.evaluate.hours import evaluate_hours
from simulator.evaluate.passages import Passages, passages
from simulator.evaluate.readings_file import Readings, read_readings
from simulator.evaluate.walk import walk
from tests.unit.simulator.evaluate.ugly import write_set

UTC = ZoneInfo("UTC")


def hourly(folder: Path, *levels: list[float]) -> Readings:
    """One bin for each list of hourly levels, from midnight on."""
    path = folder / "readings.csv"
    start = np.datetime64("2023-03-01T00:00")
    rows = [
        f"BIN-{number},{start + hour},{level:.3f}"
        for number, bin_levels in enumerate(levels)
        for hour, level in zip(np.arange(len(bin_levels)).astype("timedelta64[h]"), bin_levels, strict=True)
    ]
    path.write_text("\n".join(["bin,measured_at,fill_level", *rows]))
    return read_readings(path)


def found_in(readings: Readings, level_from: float = 0.3, level_to: float = 0.8) -> Passages:
    assessed = assess(readings, LEVEL_GEOMETRY)
    return passages(readings, assessed, cycles_of(readings, assessed), level_from, level_to)


def cycles_of(readings: Readings, assessed: Assessed) -> Cycles:
    return cut(
        readings.measured_at,
        assessed.levels,
        readings.starts,
        bins=np.arange(len(readings.bins)),
        emptied_track=assessed.bin,
        emptied_at=assessed.found.emptied_at,
    )


def rising(hours: int, first: float = 0.0, last: float = 1.0) -> list[float]:
    return np.linspace(first, last, hours).tolist()


def test_passages_end_at_the_level_or_where_the_bin_was_emptied(tmp_path: Path) -> None:
    # 0 to 1 in 20 hours, then 0 to 0.5 in 10, then again.
    readings = hourly(tmp_path, [*rising(21), *rising(11, 0, 0.5), *rising(21)])

    found = found_in(readings)

    assert found.came.tolist() == [True, False, True]
    assert found.hours.tolist() == [10, 4, 10]
    assert found.level.tolist() == pytest.approx([0.3, 0.3, 0.3])
    assert np.isnat(found.emptied_at).tolist() == [True, False, False]


def test_a_level_that_nobody_saw_reached_begins_no_passage(tmp_path: Path) -> None:
    jumps = [0.5, 0.6, 0.7, 0.9, 0.9, 0.02, 0.05, 0.1, 0.9, 0.9, 0.9]

    assert len(found_in(hourly(tmp_path, jumps))) == 0


def test_any_level_can_be_asked_for(tmp_path: Path) -> None:
    found = found_in(hourly(tmp_path, rising(101)), 0.255, 0.333)

    # From the first reading above, at 26 h, until between the readings at 33 and 34 h.
    assert found.hours == pytest.approx([7.3])


def test_forecasts_beat_what_anyone_could_say(tmp_path: Path) -> None:
    readings = read_readings(write_set(tmp_path, bins=12, days=80, seed=3).readings)

    outcome = evaluate_hours(readings, assess(readings, Geometry(1300.0, 300.0)), 0.3, 0.8, UTC)

    figures = outcome.figures
    assert figures["passages"] > figures["passages_censored"] > 0
    assert figures["mae_hours"] < figures["mae_hours_best_naive"]
    assert figures["pinball_gain"] > 0
    assert 0.6 < figures["coverage_80"] < 0.95
    assert figures["brier"] < figures["brier_constant"]
    assert [row[0] for row in outcome.tables[0].rows][:2] == ["Brimwatch", "the same for all"]


def test_forecasts_do_not_know_what_comes_later(tmp_path: Path) -> None:
    readings = read_readings(write_set(tmp_path, bins=8, days=60).readings)
    assessed = assess(readings, Geometry(1300.0, 300.0))
    week_6 = np.datetime64("2023-03-01", "us") + np.timedelta64(6 * 7, "D")
    kept = assessed.found.emptied_at < week_6
    # From the seventh week on the bins stay as they are, and nobody comes.
    other = Assessed(
        np.where(readings.measured_at < week_6, assessed.levels, 0.5),
        assessed.codes,
        assessed.bin[kept],
        assessed.found.where(kept),
        assessed.fill_before[kept],
    )

    told = [forecast_from_week_4(readings, one) for one in (assessed, other)]

    known = [quantiles[~np.isnan(quantiles[:, 1]) & (began < week_6)] for began, quantiles in told]
    assert len(known[0]) > 20
    assert np.array_equal(known[0], known[1])


def forecast_from_week_4(readings: Readings, assessed: Assessed) -> tuple[Times, Floats]:
    cycles = cycles_of(readings, assessed)
    found = passages(readings, assessed, cycles, 0.3, 0.8)
    week_4 = np.datetime64("2023-03-01", "us") + np.timedelta64(4 * 7, "D")
    told = walk(readings, assessed, cycles, found, mark=0.8, scored_from=week_4, horizon_h=24, zone=UTC)
    return found.began_at, told.quantiles


def test_too_few_passages_are_not_scored(tmp_path: Path) -> None:
    readings = hourly(tmp_path, rising(50))

    outcome = evaluate_hours(readings, assess(readings, LEVEL_GEOMETRY), 0.3, 0.8, UTC)

    assert set(outcome.figures) == {"passages", "passages_censored"}
    assert "Too few passages" in outcome.notes[0]
