from hypothesis import given
from hypothesis import strategies as st

from firmware.smartbin import record, state
from tests.unit.firmware.rows import row


def make_state(rows: int = 3) -> state.State:
    made = state.State(7)
    made.next_seq = rows
    made.slip = 1012
    made.ring = [record.pack(row(seq)) for seq in range(rows)]
    return made


def test_state_survives_sleep() -> None:
    before = make_state(state.RING_ROWS)

    after = state.load(bytes(before.dump()))

    assert after is not None
    assert vars(after) == vars(before)


def test_state_with_a_full_ring_fits_into_the_chip() -> None:
    assert len(make_state(state.RING_ROWS).dump()) <= state.CAPACITY


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_state_with_a_flipped_byte_is_lost_not_wrong(place: int, flip: int) -> None:
    block = make_state().dump()
    block[place % len(block)] ^= flip

    assert state.load(bytes(block)) is None


@given(st.integers(0, 10_000))
def test_state_that_is_cut_short_is_lost_not_wrong(length: int) -> None:
    block = bytes(make_state().dump())

    assert state.load(block[: length % len(block)]) is None
