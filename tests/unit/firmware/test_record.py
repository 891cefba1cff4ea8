from hypothesis import given
from hypothesis import strategies as st

from firmware.smartbin import record
from tests.unit.firmware.rows import ROWS, Row, row


@given(ROWS)
def test_record_gives_back_the_row(expected: Row) -> None:
    assert record.unpack(record.pack(expected)) == expected


@given(st.integers(-(10**6), 10**6))
def test_pack_never_turns_a_wild_number_into_a_plausible_one(value: int) -> None:
    wild = row(distance_mm=value, temperature_c=value, battery_mv=value, tilt_deg=value)

    got = record.unpack(record.pack(wild))

    assert got[2] == min(max(value, 0), 65534)
    assert got[5] == min(max(value, -1000), 5000)
    assert got[7] == min(max(value, 0), 180)


def test_correct_sets_true_time_once() -> None:
    early = record.pack(row(measured_at=946684860, flags=record.UNSYNCED))

    final = record.correct(early, 900_000_000)

    assert not record.is_final(early)
    assert record.unpack(final) == row(measured_at=1846684860, flags=2)
    assert record.correct(final, 900_000_000) == final
