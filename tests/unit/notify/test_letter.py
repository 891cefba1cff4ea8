from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ingest.assess.decisions.alerts import TYPES
from ingest.notify.budget import DIGEST_EVERY, share_out
from ingest.notify.letter import ADVICE, Notice, Writer

NOW = datetime(2026, 7, 3, 15, 5, tzinfo=UTC)
WRITER = Writer(ZoneInfo("Europe/London"), "https://bins.example.org/")


def notice(type_: str = "tilt", number: int = 17) -> Notice:
    return Notice(number, type_, "Lies on its side.", NOW, f"B-{number:04}", "Mill Lane", "at the bus stop", "north")


def test_letter_says_what_where_since_when_and_what_to_do() -> None:
    letter = WRITER.write([notice()])

    assert letter.subject == "Bin on its side: Mill Lane (B-0017)"
    assert letter.body.splitlines() == [
        "Mill Lane, at the bus stop (B-0017): Lies on its side.",
        "Since Fri 3 Jul 2026, 16:05.",
        f"What to do: {ADVICE['tilt']}",
        "https://bins.example.org/bins/B-0017",
        "Alert 17",
    ]


def test_letter_about_many_has_the_most_severe_first_and_an_end() -> None:
    letter = WRITER.write([notice("battery", number) for number in range(1, 60)] + [notice("fire", 60)])

    lines = letter.body.splitlines()
    assert letter.subject == "60 alerts of north"
    assert lines[0] == "- Fire: Mill Lane (B-0060), since Fri 3 Jul 2026, 16:05. Lies on its side."
    assert lines[-2:] == ["... and 20 more.", "https://bins.example.org/alerts"]


def test_letter_without_an_address_of_the_pages_has_no_link() -> None:
    assert "http" not in Writer(ZoneInfo("UTC")).write([notice()]).body


def test_unanswered_letter_says_so() -> None:
    assert WRITER.write([notice()], unanswered=True).subject.startswith("Nobody acknowledged: Bin on its side")


def test_there_is_advice_for_every_type() -> None:
    assert list(ADVICE) == list(TYPES)


@pytest.mark.parametrize(
    ("types", "left", "digest_ago", "singly", "together"),
    [
        # Within the budget, one by one, the most severe first.
        (("battery", "tilt"), 2, None, ["tilt", "battery"], []),
        # Over it, the most severe one by one and the others in one.
        (("battery", "silent", "tilt"), 1, None, ["tilt"], ["silent", "battery"]),
        # Every fire goes out, and takes of what is left.
        (("fire", "fire", "tilt"), 1, None, ["fire", "fire"], ["tilt"]),
        (("fire", "tilt", "silent"), -3, None, ["fire"], ["tilt", "silent"]),
        # The next letter with many waits for its time.
        (("silent",), 0, DIGEST_EVERY - timedelta(minutes=1), [], []),
        (("silent",), 0, DIGEST_EVERY, [], ["silent"]),
    ],
)
def test_budget(
    types: tuple[str, ...], left: int, digest_ago: timedelta | None, singly: list[str], together: list[str]
) -> None:
    notices = [notice(type_, number) for number, type_ in enumerate(types)]

    parted = share_out(notices, left=left, last_digest_at=None if digest_ago is None else NOW - digest_ago, now=NOW)

    assert [[one.type for one in part] for part in parted] == [singly, together]
