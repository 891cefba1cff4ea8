import numpy as np
import pytest

from ingest.assess.forecasts.profile import HOURS, QUIETEST, Clock, hour_of_week, tally
from tests.unit.assess.past_cycles import DAY, HOUR, LONDON, START, steady_clock

ONE_POOL = np.zeros(1, dtype=np.int64)


def busy_by_day() -> np.typing.NDArray[np.float64]:
    """Weights of a pool that takes nearly everything from 08:00 to 20:00."""
    hours = np.arange(HOURS) % 24
    return np.where((hours >= 8) & (hours < 20), 1.9, 0.1)[None]


def test_profile_finds_the_busy_hours() -> None:
    times = START + np.arange(28 * 24) * HOUR
    rises = np.where((np.arange(28 * 24) % 24 >= 8) & (np.arange(28 * 24) % 24 < 20), 0.05, 0.0)
    levels, bins = np.cumsum(rises) % 0.9, 20

    weights = tally(
        np.tile(times, bins),
        np.tile(levels, bins),
        np.zeros(bins, dtype=np.int64),
        np.arange(bins + 1) * len(times),
        zone=LONDON,
    ).weights()

    assert weights.shape == (1, HOURS)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[0, 12] > 4 * weights[0, 2]
    assert weights[0, 2] >= QUIETEST / 2


def test_profile_of_nothing_is_even() -> None:
    nothing = tally(np.zeros(0, "datetime64[us]"), np.zeros(0), ONE_POOL, np.array([0, 0]), zone=LONDON)

    assert nothing.weights() == pytest.approx(np.ones((1, HOURS)))


def test_tallies_add_up() -> None:
    times, starts = START + np.arange(48) * HOUR, np.array([0, 48])
    levels = np.linspace(0, 0.9, 48)
    whole = tally(times, levels, ONE_POOL, starts, zone=LONDON)

    halves = [tally(times[part], levels[part], ONE_POOL, np.array([0, 25]), zone=LONDON) for part in
              (slice(0, 25), slice(24, 48))]  # fmt: skip

    assert (halves[0] + halves[1]).gained == pytest.approx(whole.gained)


def test_hours_are_local_also_in_summer() -> None:
    winter, summer = (np.array([moment], "datetime64[us]") for moment in ("2026-03-02T08:00", "2026-06-01T08:00"))

    assert hour_of_week(winter, LONDON).tolist() == [8]
    assert hour_of_week(summer, LONDON).tolist() == [9]


def test_clock_rests_at_night() -> None:
    clock = Clock(busy_by_day(), LONDON, START, START + 7 * DAY)

    day, night = (
        float(np.diff(clock.use_s(START + np.array(hours) * HOUR, ONE_POOL))[0]) for hours in ([10, 16], [22, 28])
    )

    assert day == pytest.approx(6 * 3600 * 1.9)
    assert night == pytest.approx(6 * 3600 * 0.1)


@pytest.mark.parametrize("hours", [-40.0, 0.0, 3.25, 27.9, 165.0, 300.0])
def test_clock_can_be_read_backwards(hours: float) -> None:
    clock = Clock(busy_by_day(), LONDON, START, START + 7 * DAY)
    moment = np.array([START + np.timedelta64(int(hours * 3600), "s")])

    back = clock.when(clock.use_s(moment, ONE_POOL), ONE_POOL)

    assert abs(back - moment)[0] <= np.timedelta64(1, "s")


def test_clock_knows_nothing_of_no_moment() -> None:
    clock = steady_clock()

    assert np.isnan(clock.use_s(np.array(["NaT"], "datetime64[us]"), ONE_POOL)).all()
    assert np.isnat(clock.when(np.array([np.nan]), ONE_POOL)).all()


def test_paced_clock_runs_faster_on_busy_days() -> None:
    clock = steady_clock().paced(np.array([[1.0, 2.0]]), START.astype("datetime64[D]"))

    use_h = np.diff(clock.use_s(START + np.arange(4) * DAY, ONE_POOL)) / 3600

    # The last day that is known stands for those that follow.
    assert use_h == pytest.approx([24, 48, 48])


def test_winter_time_gives_the_night_an_hour_more() -> None:
    moments = np.array(["2026-10-24T23:00", "2026-10-25T02:00"], "datetime64[us]")

    assert hour_of_week(moments, LONDON).tolist() == [6 * 24, 6 * 24 + 2]
