import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.owed import LARGEST_RANGES, MOST_RANGES_OF_ONE, Owed, join
from ingest.reading import Decoded, Range, Reading, Refusal

RANGES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 5))).map(
    lambda drawn: [(epoch, first, first + more) for epoch, first, more in drawn]
)


def covered(ranges: list[Range]) -> list[tuple[int, int]]:
    return [(epoch, seq) for epoch, first, last in ranges for seq in range(first, last + 1)]


def told(owed: Owed) -> dict[str, list[Range]]:
    return {acknowledgement.device: acknowledgement.ranges for acknowledgement in owed.take(1000)}


@pytest.mark.parametrize(
    ("ranges", "joined"),
    [
        ([], []),
        ([(1, 5, 5)], [(1, 5, 5)]),
        ([(1, 6, 6), (1, 5, 5), (1, 7, 9)], [(1, 5, 9)]),  # in any order
        ([(1, 5, 5), (1, 5, 5)], [(1, 5, 5)]),  # twice
        ([(1, 5, 9), (1, 6, 7)], [(1, 5, 9)]),  # one within the other
        ([(1, 5, 5), (1, 7, 7)], [(1, 5, 5), (1, 7, 7)]),  # never over a gap
        ([(1, 5, 5), (2, 6, 6)], [(1, 5, 5), (2, 6, 6)]),  # nor from epoch to epoch
    ],
)
def test_neighbours_become_one_range(ranges: list[Range], joined: list[Range]) -> None:
    assert join(ranges) == joined


@given(RANGES)
def test_joined_ranges_cover_what_is_given_once_and_nothing_else(ranges: list[Range]) -> None:
    assert covered(join(ranges)) == sorted(set(covered(ranges)))


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6))), st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)))
)
def test_ranges_of_a_message_cover_its_readings(stored: list[tuple[int, int]], refused: list[tuple[int, int]]) -> None:
    readings = [Reading(epoch, seq, 0, None, None, None, None, None, None, 0) for epoch, seq in stored]
    decoded = Decoded("d-1", readings, [Refusal("range", "", b"", tuple(refused))])

    assert set(covered(decoded.ranges())) == set(decoded.identities())


def test_what_is_committed_while_an_acknowledgement_waits_travels_with_it() -> None:
    owed = Owed()

    owed.add("d-1", [(1, 0, 4)], 10.0)
    owed.add("d-2", [(1, 0, 0)], 10.0)
    owed.add("d-1", [(1, 5, 5)], 11.0)
    taken = owed.take(1000)

    assert [(told.device, told.ranges, told.committed_at) for told in taken] == [
        ("d-1", [(1, 0, 5)], 10.0),
        ("d-2", [(1, 0, 0)], 10.0),
    ]
    assert len(owed) == 0


def test_long_acknowledgement_is_told_in_parts() -> None:
    owed, scattered = Owed(), [(1, 2 * number, 2 * number) for number in range(LARGEST_RANGES + 1)]

    owed.add("d-1", scattered, 10.0)

    assert [told.ranges for told in owed.take(1000)] == [scattered[:LARGEST_RANGES], scattered[LARGEST_RANGES:]]


def test_device_that_counts_in_leaps_costs_nobody_else_an_acknowledgement() -> None:
    owed = Owed(most_ranges=MOST_RANGES_OF_ONE + 1)
    owed.add("good", [(1, 0, 0)], 10.0)

    for start in range(0, 10 * MOST_RANGES_OF_ONE, 1000):
        owed.add("mad", [(1, 2 * seq, 2 * seq) for seq in range(start, start + 1000)], 10.0)

    assert [told.device for told in owed.take(1)] == ["good"]
    assert owed.dropped_count > 0


def test_oldest_is_given_up_and_counted_when_too_much_waits() -> None:
    owed = Owed(most_ranges=2)

    for number in range(3):
        owed.add(f"d-{number}", [(1, 0, 0)], 10.0)

    assert (told(owed), owed.dropped_count) == ({"d-1": [(1, 0, 0)], "d-2": [(1, 0, 0)]}, 1)
