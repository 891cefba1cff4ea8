import numpy as np
import pytest

from ingest.assess.levels.neighbours import beside, first_place, last_place, median_of_three, runs, trailing

TRACK = np.array([0, 0, 0, 2, 2, 3])
NAN = np.nan


@pytest.mark.parametrize(
    ("places", "found"),
    [
        (1, [2, 3, NAN, 5, NAN, NAN]),
        (-1, [NAN, 1, 2, NAN, 4, NAN]),
        (2, [3, NAN, NAN, NAN, NAN, NAN]),
        (-2, [NAN, NAN, 1, NAN, NAN, NAN]),
        (9, [NAN] * 6),
    ],
)
def test_beside_never_reaches_into_another_track(places: int, found: list[float]) -> None:
    assert beside(np.arange(1.0, 7.0), TRACK, places).tolist() == pytest.approx(found, nan_ok=True)


def test_first_and_last_place_of_each_track() -> None:
    places = np.array([0, 1, 4])

    assert last_place(places, TRACK, 4).tolist() == [1, -1, 4, -1]
    assert first_place(places, TRACK, 4).tolist() == [0, -1, 4, -1]


@pytest.mark.parametrize(
    ("hits", "found"),
    [
        ([], []),
        ([1, 1, 0, 1, 0, 0], []),
        ([1, 0, 1, 1, 1, 0], [2, 3, 4]),
        ([1, 1, 1, 0, 1, 1], [0, 1, 2, 4, 5]),
    ],
)
def test_trailing_hits_reach_the_end_of_their_track(hits: list[int], found: list[int]) -> None:
    assert trailing(np.array(hits, dtype=np.bool_), TRACK[: len(hits)]).tolist() == found


@pytest.mark.parametrize(
    ("hits", "found"),
    [
        ([], ([], [])),
        ([0, 0, 0, 0, 0, 0], ([], [])),
        ([0, 1, 1, 1, 1, 0], ([1, 3], [2, 4])),
        ([1, 0, 1, 0, 1, 1], ([0, 2, 4, 5], [0, 2, 4, 5])),
    ],
)
def test_runs_end_with_their_track(hits: list[int], found: tuple[list[int], list[int]]) -> None:
    begin, end = runs(np.array(hits, dtype=np.bool_), TRACK[: len(hits)])

    assert (begin.tolist(), end.tolist()) == found


def test_median_of_three() -> None:
    values = np.array([[1.0, 3.0, 2.0, 5.0], [2.0, 1.0, 2.0, -np.inf], [3.0, 2.0, 1.0, 4.0]])

    assert median_of_three(*values).tolist() == [2, 2, 2, 4]
