from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.assess.levels.readings import Geometry
from ingest.assess.places.usage import usage_days
from tests.unit.assess.usage_bins import LONDON, at, day_of, hourly, joined, measured


def test_rise_between_two_readings_falls_into_their_hour() -> None:
    times = hourly("2026-03-02T08:00", 5)

    day = day_of(usage_days(measured(times, [0.1, 0.1, 0.3, 0.3, 0.35]), LONDON), "2026-03-02")

    assert day["litres"] == {9: 20.0, 11: 5.0}
    assert day["observed_h"] == {8: 1, 9: 1, 10: 1, 11: 1}
    assert day["spread_h"] == day["full_h"] == {}


def test_rise_between_readings_at_half_past_is_shared_by_both_hours() -> None:
    times = hourly("2026-03-02T08:30", 3)

    day = day_of(usage_days(measured(times, [0.1, 0.3, 0.3]), LONDON), "2026-03-02")

    assert day["litres"] == {8: 10.0, 9: 10.0}
    assert day["observed_h"] == {8: 0.5, 9: 1, 10: 0.5}


def test_time_around_an_emptying_is_unknown_and_the_fall_is_no_use() -> None:
    times = hourly("2026-03-02T08:00", 6)

    found = usage_days(measured(times, [0.4, 0.6, 0.6, 0.05, 0.1, 0.1], [3]), LONDON)

    day = day_of(found, "2026-03-02")
    assert day["litres"] == {8: 20.0, 11: 5.0}
    assert day["observed_h"] == {8: 1, 9: 1, 11: 1, 12: 1}


def test_settling_waste_is_no_negative_use_and_hides_nothing_but_what_it_hides() -> None:
    times = hourly("2026-03-02T08:00", 6)

    day = day_of(usage_days(measured(times, [0.5, 0.5, 0.45, 0.44, 0.56, 0.56]), LONDON), "2026-03-02")

    assert day["litres"] == {11: 6.0}
    assert len(day["observed_h"]) == 5


def test_hours_after_a_deep_sinking_are_unknown() -> None:
    times = hourly("2026-03-02T08:00", 6)

    day = day_of(usage_days(measured(times, [0.5, 0.5, 0.3, 0.3, 0.35, 0.35]), LONDON), "2026-03-02")

    assert day["observed_h"] == {8: 1}
    assert day["litres"] == {}


def test_rise_over_a_gap_is_spread_evenly_and_marked() -> None:
    times = np.array([at("2026-03-02T08:00"), at("2026-03-02T09:00"), at("2026-03-02T13:00"), at("2026-03-02T14:00")])

    day = day_of(usage_days(measured(times, [0.1, 0.1, 0.5, 0.5]), LONDON), "2026-03-02")

    assert day["litres"] == {9: 10.0, 10: 10.0, 11: 10.0, 12: 10.0}
    assert day["spread_h"] == {9: 1, 10: 1, 11: 1, 12: 1}
    assert day["observed_h"] == {8: 1, 13: 1}


def test_rise_over_a_gap_follows_the_profile() -> None:
    times = np.array([at("2026-03-02T08:00"), at("2026-03-02T12:00"), at("2026-03-02T13:00")])
    profile = np.ones(168)
    profile[8:12] = [10, 30, 50, 10]

    day = day_of(usage_days(measured(times, [0.1, 0.3, 0.3]), LONDON, profile), "2026-03-02")

    assert day["litres"] == {8: 2.0, 9: 6.0, 10: 10.0, 11: 2.0}


def test_each_track_is_spread_by_its_own_profile() -> None:
    times = np.array([at("2026-03-02T08:00"), at("2026-03-02T12:00"), at("2026-03-02T13:00")])
    bins = joined([measured(times, [0.1, 0.3, 0.3], bin_id=number) for number in (1, 2)])
    profiles = np.zeros((2, 168))
    profiles[0, 8], profiles[1, 11] = 1, 1

    found = usage_days(bins, LONDON, profiles)

    assert day_of(found, "2026-03-02", 1)["litres"][8] > 19
    assert day_of(found, "2026-03-02", 2)["litres"][11] > 19


def test_silence_of_more_than_two_days_is_unknown() -> None:
    times = np.array([at("2026-03-02T08:00"), at("2026-03-02T09:00"), at("2026-03-04T10:00"), at("2026-03-04T11:00")])

    found = usage_days(measured(times, [0.1, 0.2, 0.9, 0.9]), LONDON)

    assert [str(day) for day in found.day] == ["2026-03-02", "2026-03-04"]
    assert found.litres.sum() == pytest.approx(10.0)
    assert found.spread_h.sum() == 0


def test_full_bin_takes_no_more_and_says_how_long() -> None:
    times = hourly("2026-03-02T08:00", 5)

    day = day_of(usage_days(measured(times, [0.9, 1.0, 1.0, 1.0, 1.0]), LONDON), "2026-03-02")

    assert day["litres"] == {8: 10.0}
    assert day["observed_h"] == {8: 1}
    assert day["full_h"] == {9: 1, 10: 1, 11: 1}


def test_rejected_readings_leave_a_gap() -> None:
    times = hourly("2026-03-02T08:00", 6)

    day = day_of(usage_days(measured(times, [0.1, np.nan, np.nan, np.nan, 0.5, 0.5]), LONDON), "2026-03-02")

    assert day["litres"] == {8: 10.0, 9: 10.0, 10: 10.0, 11: 10.0}
    assert day["spread_h"] == {8: 1, 9: 1, 10: 1, 11: 1}


def test_lone_peak_is_not_waste() -> None:
    times = hourly("2026-03-02T08:00", 6)

    assert usage_days(measured(times, [0.2, 0.2, 0.35, 0.2, 0.2, 0.2]), LONDON).litres.sum() == 0


def test_refit_is_no_use() -> None:
    times = hourly("2026-03-02T08:00", 4)
    geometry = Geometry(np.array([1150.0, 1150, 1200, 1200]), 150.0)

    found = usage_days(replace(measured(times, [0.2, 0.2, 0.5, 0.5]), geometry=geometry), LONDON)

    day = day_of(found, "2026-03-02")

    assert (day["litres"], day["observed_h"]) == ({}, {8: 1, 10: 1})


def test_autumn_day_has_25_hours_and_the_repeated_one_adds_up() -> None:
    times = hourly("2026-10-25T00:00", 26)

    day = day_of(usage_days(measured(times, np.linspace(0.1, 0.6, 26).tolist()), LONDON), "2026-10-25")

    assert sum(day["observed_h"].values()) == 25
    assert day["observed_h"][1] == 2
    assert day["litres"][1] == 4.0
    assert day["litres"][2] == 2.0


def test_spring_day_has_23_hours_and_the_missing_one_stays_empty() -> None:
    times = hourly("2026-03-29T00:00", 24)

    found = usage_days(measured(times, np.linspace(0.1, 0.56, 24).tolist()), LONDON)

    day = day_of(found, "2026-03-29")
    assert len(found) == 1
    assert sum(day["observed_h"].values()) == 23
    assert 1 not in day["observed_h"]
    assert sum(day["litres"].values()) == pytest.approx(46.0)


def test_use_before_midnight_in_summer_belongs_to_the_local_day() -> None:
    times = hourly("2026-06-01T22:00:00Z", 4)

    found = usage_days(measured(times, [0.1, 0.2, 0.2, 0.3]), LONDON)

    assert day_of(found, "2026-06-01")["litres"] == {23: 10.0}
    assert day_of(found, "2026-06-02")["litres"] == {1: 10.0}


def test_only_days_after_the_first_emptying_are_told_of_a_track_that_was_cut_off() -> None:
    times = hourly("2026-03-01T12:00", 72)
    levels = [0.3] * 20 + [0.05] * 52
    emptied = [20]

    part = usage_days(measured(times, levels, emptied, whole=False), LONDON)
    whole = usage_days(measured(times, levels, emptied), LONDON)

    assert (str(part.since[0]), [str(day) for day in part.day]) == ("2026-03-03", ["2026-03-03", "2026-03-04"])
    assert [str(day) for day in whole.day] == ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]


def test_of_a_track_without_any_emptying_nothing_is_told_until_it_is_whole() -> None:
    found = usage_days(measured(hourly("2026-03-01T12:00", 72), [0.3] * 72, whole=False), LONDON)

    assert np.isnat(found.since).all()
    assert len(found) == 0


def test_bins_without_a_believed_reading_have_no_days() -> None:
    found = usage_days(measured(hourly("2026-03-01T12:00", 3), [np.nan] * 3), LONDON)

    assert (len(found), found.bins.tolist()) == (0, [1])


def test_bin_with_two_sensors_is_told_of_once_by_the_one_that_knows_more() -> None:
    times = hourly("2026-03-02T08:00", 9)
    poor = measured(times, [0.1, *[np.nan] * 7, 0.5])
    good = measured(times, [0.1, 0.1, 0.1, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3])

    found = usage_days(joined([poor, good]), LONDON)

    assert len(found) == 1
    assert day_of(found, "2026-03-02")["litres"] == {10: 20.0}


@settings(max_examples=60, deadline=None)
@given(
    base=st.floats(0.05, 0.9),
    noise=st.lists(st.floats(-0.0099, 0.0099), min_size=1, max_size=300),
    step_min=st.sampled_from([15, 60, 360]),
)
def test_noise_of_some_millimetres_creates_no_litres(base: float, noise: list[float], step_min: int) -> None:
    """Echoes that scatter by a centimetre in a bin a metre deep, for as long as one likes."""
    times = hourly("2026-03-02T08:10", len(noise), step_min)

    assert usage_days(measured(times, [base + one for one in noise]), LONDON).litres.sum() == 0


def test_use_is_found_again_under_noise() -> None:
    """Forty days, two emptyings a week: what went in comes out again within 2%, at the time of day it went in."""
    rng = np.random.default_rng(4)
    times = hourly("2026-03-02T00:00", 24 * 40)
    thrown = np.where((np.arange(len(times)) % 24 >= 8) & (np.arange(len(times)) % 24 < 20), 0.018, 0.001)
    thrown[:: 24 * 4] = 0
    cycle = np.arange(len(times)) // (24 * 4)
    level = np.concatenate([0.02 + np.cumsum(thrown[cycle == one]) for one in range(10)])
    starts = np.flatnonzero(np.diff(cycle)) + 1
    noisy = np.clip(level + rng.normal(0, 0.006, len(level)), 0, 1)

    found = usage_days(measured(times, noisy.tolist(), starts.tolist()), LONDON)

    by_day = found.litres[:, 7:20].sum() / found.litres.sum()
    assert found.litres.sum() == pytest.approx(100 * thrown.sum(), rel=0.02)
    assert by_day > 0.93
    assert found.observed_h.sum() == len(times) - 1 - len(starts)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_late_readings_give_the_same_as_in_order(data: st.DataObject) -> None:
    """From whichever cycle on the readings are loaded, the days that are told are those of the whole history."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    times = hourly("2026-03-20T05:20", 24 * 20)
    count = data.draw(st.integers(1, 6))
    cuts = np.sort(rng.choice(np.arange(2, len(times) - 2), count, replace=False))
    level = np.concatenate([0.03 + np.cumsum(rng.gamma(0.3, 0.02, n)) for n in np.diff([0, *cuts, len(times)])])
    levels = np.where(rng.random(len(level)) < 0.1, np.nan, np.clip(level + rng.normal(0, 0.005, len(level)), 0, 1))
    start = cuts[data.draw(st.integers(0, count - 1))] - data.draw(st.integers(1, 40))

    whole = usage_days(measured(times, levels.tolist(), cuts.tolist()), LONDON)
    start = max(0, int(start))
    part = usage_days(
        measured(
            times[start:], levels[start:].tolist(), [cut - start for cut in cuts.tolist() if cut > start], whole=False
        ),
        LONDON,
    )

    same = whole.day >= part.since[0]
    assert np.array_equal(part.day, whole.day[same])
    for name in ("litres", "observed_h", "spread_h", "full_h"):
        assert np.allclose(getattr(part, name), getattr(whole, name)[same], atol=0.002)
