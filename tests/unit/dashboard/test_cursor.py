from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import cursor
from dashboard.errors import BadCursorError

MOMENT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_decode_gives_back_what_was_encoded() -> None:
    made = cursor.encode("readings", MOMENT, "sensor-7", 3, 2**32)

    assert cursor.decode(made, "readings", datetime, str, int, int) == [MOMENT, "sensor-7", 3, 2**32]


def test_decode_refuses_cursor_of_another_list() -> None:
    made = cursor.encode("bins", 7)

    with pytest.raises(BadCursorError):
        cursor.decode(made, "due", int)


@pytest.mark.parametrize(
    "rubbish",
    [
        "",
        "zzz",
        "bnVsbA",  # null
        "W10",  # []
        "WyJiaW5zIl0",  # ["bins"]: no key
        "WyJiaW5zIix0cnVlXQ",  # a key of another type
        "WyJiaW5zIiwxZTQwMF0",  # a number beyond all bounds
        "ä",
        "A" * 10_000,
        cursor.encode("bins", 2**63),
    ],
)
def test_decode_refuses_rubbish(rubbish: str) -> None:
    with pytest.raises(BadCursorError):
        cursor.decode(rubbish, "bins", int)


@given(st.text(max_size=60))
def test_decode_never_fails_otherwise(text: str) -> None:
    with pytest.raises(BadCursorError):
        cursor.decode(text, "readings", datetime, str, int, int)


def test_decode_refuses_time_out_of_range() -> None:
    made = cursor.encode("emptyings", 2**62, "sensor")

    with pytest.raises(BadCursorError):
        cursor.decode(made, "emptyings", datetime, str)
