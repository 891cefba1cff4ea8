"""What stands beside each value of many tracks that lie one after another; nothing reaches over a track's border."""

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.readings import Floats, Integers


def beside(values: Floats, track: Integers, places: int) -> Floats:
    """Give for each value the one `places` after it (before it where negative).

    Args:
        values: shape (n,).
        track: of each value, ascending.
        places: how far.

    Returns:
        Shape (n,); NaN where the track has none there.
    """
    found = np.full(len(values), np.nan)
    count = len(values) - abs(places)
    if count > 0:
        here, there = slice(max(0, -places), max(0, -places) + count), slice(max(0, places), max(0, places) + count)
        found[here] = np.where(track[here] == track[there], values[there], np.nan)
    return found


def median_of_three(first: Floats, second: Floats, third: Floats) -> Floats:
    """Give the middle one of three values, place by place."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    middle: Floats = np.maximum(low, np.minimum(high, third))
    return middle


def last_place(places: Integers, track: Integers, track_count: int) -> Integers:
    """Give the last of some places, ascending, in each track, shape (tracks,); -1 where there is none.

    Args:
        places: ascending.
        track: of all places, those that are not among them as well.
        track_count: how many tracks there are.
    """
    found = np.full(track_count, -1, dtype=np.int64)
    # Of several values for one place of the result, numpy keeps the last.
    found[track[places]] = places
    return found


def first_place(places: Integers, track: Integers, track_count: int) -> Integers:
    """Give the first of some places in each track, as `last_place` gives the last."""
    return last_place(places[::-1], track, track_count)


def trailing(hits: npt.NDArray[np.bool_], track: Integers) -> Integers:
    """Give the places of those hits after which their track has no miss."""
    places = np.flatnonzero(hits)
    end = np.searchsorted(track, track[places], side="right")
    # As many hits as places up to the end of the track.
    kept: Integers = places[np.searchsorted(places, end) - np.arange(len(places)) == end - places]
    return kept


def runs(hits: npt.NDArray[np.bool_], track: Integers) -> tuple[Integers, Integers]:
    """Give the first and the last place of each run of hits; both have the shape (runs,)."""
    places = np.flatnonzero(hits)
    apart = (np.diff(places) > 1) | (np.diff(track[places]) != 0)
    return places[np.append(True, apart)[: len(places)]], places[np.append(apart, True)[: len(places)]]
