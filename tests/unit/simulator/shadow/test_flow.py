from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulator.evaluate.detection import LEVEL_GEOMETRY, assess
from simulator.evaluate.readings_file import read_readings
from simulator.shadow.flow import Flow, flow_of
from simulator.shadow.service import levels_at, serve
from simulator.shadow.town import Span

UTC = ZoneInfo("UTC")
START = np.datetime64("2023-03-01T00:00")
FIRST_HOUR = float(START.astype("datetime64[h]").astype(np.int64))


def flow(folder: Path, levels: list[float], hours: list[int] | None = None) -> Flow:
    """What fell into one bin with these levels, hourly from START on or at the hours given."""
    path = folder / "readings.csv"
    times = START + np.array(range(len(levels)) if hours is None else hours).astype("timedelta64[h]")
    rows = [f"A,{at},{level:.4f}" for at, level in zip(times, levels, strict=True)]
    path.write_text("\n".join(["bin,measured_at,fill_level", *rows]))
    readings = read_readings(path)
    return flow_of(readings, assess(readings, LEVEL_GEOMETRY), UTC)


def risen(found: Flow, *hours: float) -> list[float]:
    return [round(float(one), 3) for one in found.risen_at(0, FIRST_HOUR + np.array(hours))]


def steady(first: float, hours: int, a_hour: float = 0.02) -> list[float]:
    return [first + a_hour * hour for hour in range(hours)]


def test_what_fell_in_is_the_rise_of_the_level_whoever_empties(tmp_path: Path) -> None:
    # 0.1 to 0.68, emptied, then 0 to 0.58, and so on: 0.02 an hour all the time.
    found = flow(tmp_path, [*steady(0.1, 30), *steady(0, 30), *steady(0, 30)])

    assert risen(found, 0, 29, 30, 59, 89) == pytest.approx([0, 0.58, 0.6, 1.18, 1.78], abs=0.03)
    assert found.seen[0] > 0.95


def test_noise_and_single_bad_readings_add_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    levels = np.full(200, 0.4) + rng.normal(0, 0.005, 200)
    levels[100] = 0.9

    assert risen(flow(tmp_path, levels.tolist()), 199)[0] < 0.02


def test_a_full_bin_goes_on_filling_at_its_usual_rate_to_half_a_bin_more(tmp_path: Path) -> None:
    levels = [*steady(0, 50), *([1.0] * 100), *steady(0, 50)]

    found = flow(tmp_path, levels)

    # 0.98 by hour 49; then about 0.02 an hour, until half a bin lies beside it.
    assert risen(found, 59)[0] == pytest.approx(1.2, abs=0.07)
    assert risen(found, 140)[0] == pytest.approx(1.5, abs=0.07)
    assert found.seen[0] < 0.6


def test_a_silence_is_filled_with_the_usual_rate(tmp_path: Path) -> None:
    levels = [*steady(0, 48), *steady(0, 48)]
    hours = [*range(48), *range(48 + 72, 96 + 72)]

    found = flow(tmp_path, levels, hours)

    assert risen(found, 47, 120)[1] - risen(found, 47)[0] == pytest.approx(73 * 0.02, rel=0.1)


def test_what_falls_in_is_collected_again_under_other_emptying_times(tmp_path: Path) -> None:
    found = flow(tmp_path, [*steady(0, 45), *steady(0, 45), *steady(0, 45), *steady(0, 46)])
    span = Span(np.array([FIRST_HOUR]), np.array([FIRST_HOUR + 180]), np.array([0.0]))
    seldom, often = FIRST_HOUR + np.array([60.0, 120.0]), FIRST_HOUR + np.arange(20.0, 180.0, 20)

    slow = serve(found, [seldom], span)
    fast = serve(found, [often], span)

    # Full after 50 hours: ten hours of each sixty.
    assert slow.visits.tolist() == [2]
    assert slow.under_half.tolist() == [0]
    assert slow.overflow_hours[0] == pytest.approx(30, abs=4)
    assert slow.fill[0] == pytest.approx(1.2, abs=0.05)
    assert fast.visits.tolist() == fast.under_half.tolist() == [8]
    assert fast.overflow_hours.tolist() == [0]
    assert fast.fill[0] == pytest.approx(0.4, abs=0.03)


def test_what_lies_in_a_bin_at_the_beginning_counts(tmp_path: Path) -> None:
    found = flow(tmp_path, steady(0.3, 30))

    levels = levels_at(found, 0, FIRST_HOUR + np.array([10.0, 20.0]), 0.3, FIRST_HOUR)

    assert levels.tolist() == pytest.approx([0.5, 0.2], abs=0.02)


def test_a_bin_that_is_never_visited_overflows_until_the_end(tmp_path: Path) -> None:
    found = flow(tmp_path, [*steady(0, 50), *steady(0, 50)])

    served = serve(found, [np.array([])], Span(np.array([FIRST_HOUR]), np.array([FIRST_HOUR + 99]), np.array([0.0])))

    assert served.visits.tolist() == [0]
    assert served.overflow_hours[0] == pytest.approx(49, abs=3)
    assert np.isnan(served.fill[0])
