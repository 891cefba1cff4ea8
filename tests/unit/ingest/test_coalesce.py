import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.send import coalesce


@pytest.mark.parametrize(
    ("identities", "ranges"),
    [
        ([], []),
        ([(1, 5)], [(1, 5, 5)]),
        ([(1, 6), (1, 5), (1, 7)], [(1, 5, 7)]),  # in any order
        ([(1, 5), (1, 5)], [(1, 5, 5)]),  # twice
        ([(1, 5), (1, 7)], [(1, 5, 5), (1, 7, 7)]),  # never over a gap
        ([(1, 5), (2, 6)], [(1, 5, 5), (2, 6, 6)]),  # nor from epoch to epoch
    ],
)
def test_neighbours_become_ranges(identities: list[tuple[int, int]], ranges: list[tuple[int, int, int]]) -> None:
    assert coalesce(identities) == ranges


@given(st.sets(st.tuples(st.integers(0, 3), st.integers(0, 40))))
def test_ranges_cover_what_is_given_and_nothing_else(identities: set[tuple[int, int]]) -> None:
    covered = {(epoch, seq) for epoch, first, last in coalesce(identities) for seq in range(first, last + 1)}

    assert covered == identities
