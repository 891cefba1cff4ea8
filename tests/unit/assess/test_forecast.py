from dataclasses import replace
from datetime import UTC, timedelta
from itertools import pairwise

import numpy as np
import pytest

from ingest.assess.forecasts.cycles import EMPTIED, OPEN, Cycles
from ingest.assess.forecasts.forecast import Forecast, Forecasts, Passage, forecast
from ingest.assess.forecasts.foresight import situation as running
from ingest.assess.forecasts.pool import Pool
from ingest.assess.forecasts.profile import HOURS, Clock
from tests.unit.assess.past_cycles import (
    DAY,
    HOUR,
    LONDON,
    NEVER,
    START,
    bags,
    cycles_until,
    even_cycles,
    pool_of,
    situation,
    steady_clock,
    town,
)

NOW = START + 40 * DAY
NOBODY = Cycles.empty()


def hours_ahead(made: Forecasts, row: int = 0, now: np.datetime64 = NOW) -> list[float]:
    """Give p10, p50 and p90 of the threshold in hours from now."""
    hours: list[float] = ((made.threshold.quantiles[row] - now) / HOUR).tolist()
    return hours


def passage(made: Forecasts, row: int = 0) -> Passage:
    one = made[row]
    assert isinstance(one, Forecast)
    return one.threshold


def test_bin_that_always_fills_alike_is_forecast_exactly() -> None:
    cycles = even_cycles([40.0] * 20)

    made = forecast(cycles, pool_of(cycles, NOW), situation([0.4], NOW, hours_since_emptying=16), NOW)

    # Four of ten tenths are there, eight are wanted, and each takes four hours.
    assert hours_ahead(made)[1] == pytest.approx(16, abs=0.5)
    assert (made.full.quantiles[0, 1] - NOW) / HOUR == pytest.approx(24, abs=0.7)
    assert passage(made).chance_before((NOW + 8 * HOUR).item().replace(tzinfo=UTC)) < 0.15
    assert passage(made).chance_before((NOW + 30 * HOUR).item().replace(tzinfo=UTC)) > 0.85


def test_no_forecast_without_its_interval() -> None:
    cycles = town(30)
    made = forecast(cycles, pool_of(cycles, NOW), situation([0.05, 0.3, 0.5, 0.7] * 7, NOW), NOW)

    assert made.known.all()
    assert (np.diff(made.threshold.quantiles, axis=1) > np.timedelta64(0)).all()
    assert (made.full.quantiles >= made.threshold.quantiles).all()


def test_first_bin_of_a_new_town_is_forecast_very_roughly() -> None:
    made = forecast(NOBODY, pool_of(NOBODY, NOW), situation([0.2], NOW), NOW)

    p10, p50, p90 = hours_ahead(made)
    assert 24 < p50 < 14 * 24
    assert p90 > 3 * p10


def test_new_bin_is_forecast_from_its_pool_and_less_surely() -> None:
    cycles = town(40)
    pool = pool_of(cycles, NOW)

    made = forecast(cycles, pool, situation([0.2, 0.2], NOW, bins=np.array([3, 999])), NOW)

    known, new = (hours_ahead(made, row) for row in (0, 1))
    assert 10 < new[1] < 80
    assert new[2] / new[0] > known[2] / known[0]


def test_what_comes_later_changes_nothing() -> None:
    cycles = town(20)
    now = NOW - 20 * DAY
    later = cycles.began_at[:, None] + np.nan_to_num(cycles.passed_s) * np.timedelta64(1, "s") > now
    changed = replace(cycles, passed_s=np.where(later, cycles.passed_s * 9, cycles.passed_s))
    asked = situation([0.3] * 20, now)

    first, second = (forecast(one, pool_of(one, now), asked, now) for one in (cycles, changed))

    assert later.any()
    assert first.threshold.quantiles.tolist() == second.threshold.quantiles.tolist()
    assert first.full.instants.tolist() == second.full.instants.tolist()


def test_cycles_cut_off_by_an_emptying_count() -> None:
    # Three quick cycles came to the end; where many more were emptied at 70 % after a long time, it is later.
    quick = even_cycles([20.0] * 3)
    slow = even_cycles([60.0] * 12, emptied_at_level=0.7)
    slow = replace(slow, began_at=slow.began_at + 3 * DAY, ended_at=slow.ended_at + 3 * DAY)
    mixed = Cycles.joined([quick, slow])
    asked = situation([0.3], NOW, hours_since_emptying=12)
    pool = pool_of(quick, NOW)
    within = NOW + 24 * HOUR

    chances = [float(forecast(one, pool, asked, NOW).threshold.chance_before(within)[0]) for one in (quick, mixed)]

    assert chances[0] > 0.8
    assert chances[1] < chances[0] - 0.3


def test_time_at_a_level_between_two_tenths_is_counted_once() -> None:
    # That the bin is beyond 0.4 already tells what it did since it got there.
    cycles = town(40)
    asked = situation([0.45], NOW, bins=np.array([999]))
    pool = pool_of(cycles, NOW)

    first, second = (
        forecast(cycles, pool, replace(asked, stood_s=np.array([hours * 3600.0])), NOW) for hours in (4, 8)
    )

    assert first.threshold.quantiles.tolist() == second.threshold.quantiles.tolist()


def test_half_of_the_times_it_is_later_wherever_a_bin_is_met() -> None:
    # Bins are met at any time: mostly in their slow cycles.
    cycles = town(200)
    passed_h = cycles.passed_s / 3600
    now = START + 20 * DAY
    met = (cycles.began_at < now) & (cycles.began_at + np.nan_to_num(passed_h[:, 8]) * HOUR > now)
    gone_h = (now - cycles.began_at[met]) / HOUR
    tenths = np.arange(9) / 10
    level = [np.interp(gone, hours[:9], tenths) for gone, hours in zip(gone_h, passed_h[met], strict=True)]
    reached_h = np.max(np.where(passed_h[met] <= gone_h[:, None], passed_h[met], 0), axis=1)
    asked = situation(level, now, bins=cycles.bin[met])
    asked = replace(asked, emptied_at=cycles.began_at[met], stood_s=(gone_h - reached_h) * 3600)

    made = forecast(cycles, pool_of(cycles, now), asked, now)

    came = cycles.began_at[met] + passed_h[met, 8] * HOUR
    sooner = (came[:, None] < made.threshold.quantiles).mean(axis=0)
    assert np.count_nonzero(met) > 40
    assert sooner == pytest.approx([0.1, 0.5, 0.9], abs=0.12)


def test_half_of_the_times_it_is_later_where_bags_fall() -> None:
    # A bin with a level between two tenths is mostly one in which nothing fell for a while.
    levels, emptied = bags(60, 30)
    sooner = []
    for hour in range(20 * 24, 26 * 24, 17):
        cycles, now = cycles_until(levels, emptied, hour), START + hour * HOUR
        asked = running(np.arange(60), np.zeros(60, np.int64), np.full(60, 0.8), np.full(60, NEVER), cycles)
        hours = (forecast(cycles, pool_of(cycles, now), asked, now).threshold.quantiles - now) / HOUR
        high = levels[:, hour:] >= 0.8
        came = ~high[:, 0] & high.any(axis=1)
        sooner.append((high.argmax(axis=1) - 0.5)[came, None] < hours[came])

    found = np.concatenate(sooner)
    assert len(found) > 300
    assert found.mean(axis=0) == pytest.approx([0.1, 0.5, 0.9], abs=0.08)


def test_first_cycles_that_end_do_not_speak_for_all() -> None:
    # After three days the quick bins alone have filled, again and again; the others still run.
    cycles = town(200)
    now = START + 3 * DAY
    begun = cycles[cycles.began_at < now]
    first = begun[np.diff(begun.bin, prepend=-1) != 0]
    hours = first.passed_s[:, 8] / 3600
    asked = situation([0.0] * len(first), START, bins=1000 + first.bin)

    made = forecast(begun, pool_of(begun, now), replace(asked, emptied_at=asked.measured_at), START)

    known = ~np.isnan(hours)
    sooner = (hours[known, None] < (made.threshold.quantiles[known] - START) / HOUR).mean(axis=0)
    assert sooner == pytest.approx([0.1, 0.5, 0.9], abs=0.12)


def test_what_still_runs_takes_longer_than_it_has() -> None:
    # Half of the bins are full after a day; of the others nobody knows more than that they are not.
    quick, slow = (
        [even_cycles([hours], number=number + first) for number in range(40)]
        for hours, first in ((24.0, 0), (96.0, 40))
    )
    now = START + 25 * HOUR
    asked = situation([0.0], now, bins=np.array([999]), hours_since_emptying=0)
    cycles = Cycles.joined(quick + slow)

    p50 = hours_ahead(forecast(NOBODY, pool_of(cycles, now), asked, now), now=now)[1]

    assert p50 > 22


def test_cycle_that_jumped_over_the_level_says_nothing_of_a_bin_that_stands_there() -> None:
    cycles = even_cycles([40.0] * 20)
    jumped = cycles.passed_s.copy()
    jumped[::2, :9] = 0
    pool, asked = pool_of(cycles, NOW), situation([0.4], NOW, hours_since_emptying=16)

    made = forecast(replace(cycles, passed_s=jumped), pool, asked, NOW)

    p10, p50, _ = hours_ahead(made)
    assert p10 > 12
    assert p50 == pytest.approx(16, abs=0.5)


def test_running_cycle_is_not_learnt_from() -> None:
    cycles = even_cycles([40.0] * 10)
    running = replace(
        cycles[-1:], ended_by=np.array([OPEN], dtype=np.int8), passed_s=np.zeros((1, 11), np.float32),
        began_at=cycles.ended_at[-1:], ended_at=cycles.ended_at[-1:] + 5 * HOUR,
    )  # fmt: skip
    pool, asked = pool_of(cycles, NOW), situation([0.4], NOW)

    with_it = forecast(Cycles.joined([cycles, running]), pool, asked, NOW)

    assert with_it.threshold.quantiles.tolist() == forecast(cycles, pool, asked, NOW).threshold.quantiles.tolist()
    assert cycles.ended_by.tolist() == [EMPTIED] * 10


def test_silence_widens_the_interval() -> None:
    cycles = town(20)
    pool = pool_of(cycles, NOW)
    asked = situation([0.3] * 20, NOW - 30 * HOUR)

    widths = []
    for silence in (0, 12, 24, 30):
        made = forecast(cycles, pool, asked, NOW - 30 * HOUR + silence * HOUR)
        widths.append(made.threshold.quantiles[:, 2] - made.threshold.quantiles[:, 0])

    assert all((later > earlier).all() for earlier, later in pairwise(widths))


def test_chance_never_falls_while_a_sensor_is_silent() -> None:
    cycles = town(20)
    pool, asked, until = pool_of(cycles, NOW), situation([0.5] * 20, NOW), NOW + 12 * HOUR

    chances = [forecast(cycles, pool, asked, NOW + hours * HOUR).full.chance_before(until) for hours in (0, 6, 12)]

    assert (chances[1] >= chances[0]).all()
    assert (chances[2] >= chances[1]).all()


def test_older_level_than_the_last_emptying_does_not_count() -> None:
    cycles = even_cycles([40.0] * 20)
    asked = situation([0.9], NOW - 2 * HOUR)
    asked = replace(asked, emptied_at=np.array([NOW]))

    made = forecast(cycles, pool_of(cycles, NOW), asked, NOW)

    assert hours_ahead(made)[1] == pytest.approx(32, abs=1)


def test_nothing_is_said_where_nothing_is_known() -> None:
    asked = replace(situation([np.nan, 0.3], NOW), emptied_at=np.array([NEVER, NOW - DAY]))

    made = forecast(NOBODY, pool_of(NOBODY, NOW), asked, NOW)

    assert made[0] is None
    assert made[1] is not None


def test_full_bin_has_reached_its_threshold() -> None:
    cycles = town(5)
    made = forecast(cycles, pool_of(cycles, NOW), situation([0.9], NOW), NOW)

    now = NOW.item().replace(tzinfo=UTC)
    assert (passage(made).p10, passage(made).p90) == (now, now)
    assert passage(made).chance_before(now + timedelta(seconds=1)) > 0.97


def test_all_at_once_is_as_one_by_one() -> None:
    cycles = town(30)
    pool = pool_of(cycles, NOW)
    asked = situation(list(np.linspace(0, 0.95, 30)), NOW)

    together = forecast(cycles, pool, asked, NOW)

    for row in range(30):
        alone = forecast(cycles, pool, asked[np.array([row])], NOW)
        assert alone.threshold.quantiles[0].tolist() == together.threshold.quantiles[row].tolist()
        assert alone.full.instants[0].tolist() == together.full.instants[row].tolist()


def test_table_of_the_pool_does_not_grow_with_the_town() -> None:
    small, large = (pool_of(town(bins), NOW) for bins in (5, 60))

    for table in ("passage", "chance", "level"):
        assert getattr(small, table).shape == getattr(large, table).shape


def test_night_is_rested_through() -> None:
    hours = np.arange(HOURS) % 24
    clock = Clock(np.where((hours >= 8) & (hours < 20), 1.9, 0.1)[None], LONDON, START - DAY, START + 200 * DAY)
    evening = np.datetime64("2026-03-27T20:00:00", "us")
    cycles = even_cycles([48.0] * 10)

    made = forecast(cycles, pool_of(cycles, evening, clock), situation([0.6], evening), evening)

    # A fifth of a bin is a morning's waste.
    assert evening + 11 * HOUR < made.threshold.quantiles[0, 1] < evening + 20 * HOUR


def test_busy_season_makes_it_sooner() -> None:
    usual = Cycles.joined([even_cycles([60.0] * 8 + [30.0] * 20, number=number) for number in range(40)])
    now = usual.ended_at.max()
    quiet = Cycles.joined([even_cycles([60.0] * 18, number=number) for number in range(40)])

    sooner, later = (
        hours_ahead(forecast(one, pool_of(one, now), situation([0.2], now), now), now=now)[1] for one in (usual, quiet)
    )

    assert sooner < 0.62 * later


def test_bin_known_by_its_emptyings_only() -> None:
    cycles = even_cycles([40.0] * 20)
    bare = replace(cycles, passed_s=np.full((20, 11), np.nan, dtype=np.float32))
    asked = replace(situation([np.nan], NOW), measured_at=np.array([NEVER]), emptied_at=np.array([NOW]))

    made = forecast(bare, pool_of(bare, NOW), asked, NOW)

    p10, p50, p90 = hours_ahead(made)
    assert p10 < p50 < p90
    assert p50 == pytest.approx(32, rel=0.3)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_bins_are_no_trouble(rows: int) -> None:
    pool: Pool = pool_of(NOBODY, NOW, steady_clock(2))

    assert len(forecast(NOBODY, pool, situation([0.5] * rows, NOW), NOW)) == rows
