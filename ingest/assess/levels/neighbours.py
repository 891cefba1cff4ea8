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


def last_place(hits: npt.NDArray[np.bool_], track: Integers, track_count: int) -> Integers:
    """Give the last place of each track that is hit, shape (tracks,); -1 where none is."""
    found = np.full(track_count, -1, dtype=np.int64)
    places = np.flatnonzero(hits)
    # Of several values for one place of the result, numpy keeps the last.
    found[track[places]] = places
    return found


def first_place(hits: npt.NDArray[np.bool_], track: Integers, track_count: int) -> Integers:
    """Give the first place of each track that is hit, shape (tracks,); -1 where none is."""
    found = np.full(track_count, -1, dtype=np.int64)
    places = np.flatnonzero(hits)[::-1]
    found[track[places]] = places
    return found


def runs(hits: npt.NDArray[np.bool_], track: Integers) -> tuple[Integers, Integers]:
    """Give the first and the last place of each run of hits; both have the shape (runs,)."""
    border = np.append(np.diff(track) != 0, True)
    begins = hits & ~np.append(False, hits[:-1] & ~border[:-1]) if len(hits) else hits
    ends = hits & (border | ~np.append(hits[1:], False)) if len(hits) else hits
    return np.flatnonzero(begins), np.flatnonzero(ends)
