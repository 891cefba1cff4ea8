import numpy as np
import pytest

from ingest.assess.forecasts.cycles import EMPTIED, GAP, OPEN, Cycles, as_of, cut, reported
from tests.unit.assess.past_cycles import DAY, HOUR, START, even_cycles


def hourly(levels: list[float], emptied_before: list[int] | None = None, longest_silence: int = 48) -> Cycles:
    """Cut one bin's levels, one an hour from START."""
    places = np.array(emptied_before or [], dtype=np.int64)
    return cut(
        START + np.arange(len(levels)) * HOUR,
        np.array(levels),
        np.array([0, len(levels)]),
        bins=np.array([7]),
        emptied_track=np.zeros(len(places), dtype=np.int64),
        emptied_at=START + places * HOUR,
        longest_silence=np.timedelta64(longest_silence, "h"),
    )


def test_cycle_says_when_it_passed_each_tenth() -> None:
    cycles = hourly([0.0, 0.2, 0.4, 0.4, 0.5])

    assert cycles.bin.tolist() == [7]
    assert cycles.ended_by.tolist() == [OPEN]
    passed_h = cycles.passed_s[0] / 3600
    assert passed_h[:6] == pytest.approx([0, 0.5, 1, 1.5, 2, 4])
    assert np.isnan(passed_h[6:]).all()


def test_emptying_ends_one_cycle_and_begins_the_next() -> None:
    cycles = hourly([0.0, 0.5, 0.9, 0.0, 0.3], [3])

    assert cycles.ended_by.tolist() == [EMPTIED, OPEN]
    assert cycles.after_emptying.tolist() == [False, True]
    assert cycles.began_at.tolist() == [START.item(), (START + 3 * HOUR).item()]
    assert cycles.level_last == pytest.approx([0.9, 0.3])


def test_emptying_after_the_last_reading_ends_its_cycle() -> None:
    assert hourly([0.0, 0.5, 0.9], [3]).ended_by.tolist() == [EMPTIED]


def test_silence_ends_a_cycle_and_the_next_has_no_known_age() -> None:
    cycles = hourly([0.1, 0.2, *[np.nan] * 60, 0.3])

    assert cycles.ended_by.tolist() == [GAP, OPEN]
    assert cycles.after_emptying.tolist() == [False, False]


def test_rejected_readings_do_not_count() -> None:
    whole, holed = hourly([0.0, 0.1, 0.2, 0.3]), hourly([0.0, np.nan, 0.2, 0.3])

    assert holed.passed_s == pytest.approx(whole.passed_s, nan_ok=True)


def test_level_that_the_next_reading_denies_is_not_reached() -> None:
    cycles = hourly([0.0, 0.1, 0.9, 0.2, 0.3])

    assert np.isnan(cycles.passed_s[0, 5:]).all()


def test_many_tracks_are_cut_as_each_alone() -> None:
    rng = np.random.default_rng(3)
    tracks = [np.round(np.cumsum(rng.uniform(0, 0.02, 40)), 3) for _ in range(5)]
    alone = [hourly(list(levels)) for levels in tracks]

    together = cut(
        np.tile(START + np.arange(40) * HOUR, 5),
        np.concatenate(tracks),
        np.arange(6) * 40,
        bins=np.arange(5),
        emptied_track=np.zeros(0, dtype=np.int64),
        emptied_at=np.zeros(0, dtype="datetime64[us]"),
    )

    for number, one in enumerate(alone):
        assert together.passed_s[number].tobytes() == one.passed_s[0].tobytes()


def test_reported_emptyings_make_cycles() -> None:
    cycles = reported(np.array([2, 1, 2]), START + np.array([3, 0, 1]) * DAY, np.array([0.6, 0.2, 0.4]))

    assert cycles.bin.tolist() == [2]
    assert cycles.level_last == pytest.approx([0.6])
    assert (cycles.ended_at - cycles.began_at).tolist() == [(2 * DAY).item()]


def test_cycles_before_a_moment_are_counted_per_bin() -> None:
    cycles = Cycles.joined([even_cycles([24, 24, 24], number=1), even_cycles([48, 48], number=0)])

    counts = cycles.before(np.array([0, 1, 2]), np.full(3, START + 2 * DAY))

    assert counts.tolist() == [1, 2, 0]


def test_cycles_of_an_instant_know_nothing_of_what_came_later() -> None:
    cycles = even_cycles([20.0, 40.0])

    then = as_of(cycles, START + 34 * HOUR)

    assert then.ended_by.tolist() == [EMPTIED, OPEN]
    assert then.ended_at.tolist() == [(START + 20 * HOUR).item(), (START + 34 * HOUR).item()]
    assert then.level_last == pytest.approx([1.0, 0.35])
    assert then.passed_s[1][:4] / 3600 == pytest.approx([0, 4, 8, 12])
    assert np.isnan(then.passed_s[1][4:]).all()
    assert as_of(cycles, START + 60 * HOUR).ended_by.tolist() == [EMPTIED, EMPTIED]


def test_no_levels_make_no_cycles() -> None:
    assert len(hourly([np.nan, np.nan])) == 0
