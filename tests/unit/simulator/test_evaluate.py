"""The evaluations on real data, on a little of it; `make evaluate` runs all of it."""

from pathlib import Path

import numpy as np
import pytest

from simulator.evaluate import edinburgh, wyndham

DATA = Path(__file__).parents[3].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the councils' data is not beside this checkout")


def test_edinburgh_cases_are_what_the_data_hold() -> None:
    cycles = edinburgh.load(DATA / "edinburgh")

    assert len(cycles) == 9666
    assert np.count_nonzero(cycles.ended_at >= edinburgh.SPLIT) == 4461


def test_edinburgh_forecast_of_two_days_beats_a_constant() -> None:
    cycles = edinburgh.load(DATA / "edinburgh")
    asked = (cycles.began_at >= edinburgh.SPLIT) & (cycles.began_at < edinburgh.SPLIT + 2 * edinburgh.DAY)
    places = np.flatnonzero(asked)

    quantiles = edinburgh.forecast_cycles(cycles, places)

    truth = cycles.level_last[places]
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert np.abs(truth - quantiles[:, 1]).mean() < 0.85 * np.abs(truth - np.median(truth)).mean()
    assert 0.7 < ((truth >= quantiles[:, 0]) & (truth <= quantiles[:, 2])).mean() < 0.92


def test_wyndham_days_are_deduplicated() -> None:
    days = wyndham.load(DATA / "wyndham")

    assert len(days.bin) == 31_427 - 768
    assert len(np.unique(np.stack([days.bin, days.at.astype(np.int64)]), axis=1).T) == len(days.bin)


def test_wyndham_cases_end_as_the_days_say() -> None:
    at = np.datetime64("2020-01-01", "us") + np.array([0, 1, 2, 3, 4, 5, 6, 12]) * wyndham.DAY
    days = wyndham.Days(
        bin=np.zeros(8, dtype=np.int64),
        at=at,
        tenths=np.array([2, 4, 8, 0, 2, 4, 6, 8]),
        threshold=np.full(8, 8),
        reason=np.array(["NOT_READY"] * 8),
    )

    cases = wyndham.find_cases(days)

    # Two come, on the third day; the others are cut off by the gap. The full day is none.
    assert cases.day.tolist() == [0, 1, 3, 4, 5, 6]
    assert cases.waited.tolist() == [2, 1, 3, 2, 1, 0]
    assert cases.came.tolist() == [True, True, False, False, False, False]


def test_wyndham_due_flag_is_the_publishers() -> None:
    assert wyndham.due_flag_disagreements(DATA / "wyndham") == 0
