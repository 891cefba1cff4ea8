from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.export import COLUMNS, to_csv
from dashboard.town import Choice, Town, most_urgent_first
from dashboard.words import ago, clock, duration
from tests.unit.dashboard.places import NOON, full, place

TOWN = Town(
    (
        place(1),
        full(2, depot="south"),
        full(3, reason="STALE", sensor="silent", fill_level=None, priority=78),
        place(4, sensor="none", fill_level=None, name="Quay Road"),
        place(5, due_class="may_go", reason="AGE", priority=40, stream="glass"),
    )
)


def test_counts_never_call_a_silent_sensor_fine() -> None:
    assert TOWN.counts == {"must_go": 2, "may_go": 1, "unknown": 1, "fine": 1, "bare": 1}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), ["B-1", "B-2", "B-3", "B-4", "B-5"]),
        (Choice(kind="must_go"), ["B-2", "B-3"]),
        (Choice(kind="unknown"), ["B-3"]),
        (Choice(reasons=("AGE", "STALE")), ["B-3", "B-5"]),
        (Choice(stream="glass"), ["B-5"]),
        (Choice(depot="south"), ["B-2"]),
        (Choice(words="road quay"), ["B-4"]),
        (Choice(words="b-2"), ["B-2"]),
        (Choice(words="nowhere"), []),
    ],
)
def test_choice_picks(choice: Choice, expected: list[str]) -> None:
    assert [found.ref for found in choice.pick(TOWN)] == expected


def test_most_urgent_come_first_and_only_due_ones() -> None:
    assert [found.ref for found in most_urgent_first(list(TOWN.places))] == ["B-2", "B-3", "B-5"]


def test_csv_is_harmless_in_a_spreadsheet() -> None:
    text = to_csv(COLUMNS, [asdict(full(1, name="=cmd()", location='at "the" gate, left'))])

    line = text.splitlines()[1]
    assert line.startswith('B-1,\'=cmd(),"at ""the"" gate, left",north,general,-4.9,54.0,0.93,FULLNESS,must_go,92,')


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=20), "under 1 min"),
        (timedelta(minutes=90), "90 min"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=3), "3 d"),
        (timedelta(seconds=-5), "under 1 min"),
    ],
)
def test_duration_in_words(length: timedelta, words: str) -> None:
    assert duration(length) == words


def test_moments_in_words() -> None:
    now = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)

    assert clock(NOON, now) == "12:00"
    assert clock(NOON - timedelta(days=1), now) == "Sat 28 Feb 12:00"
    assert clock(None, now) == "—"
    assert ago(None, now) == "never"
    assert ago(NOON, now) == "6 h ago"
