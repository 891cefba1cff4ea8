"""Rows of many bins in one flat array: what is kept of each bin lies together, oldest first. Pure."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.readings import Integers

Rows = npt.NDArray[np.void]
"""A structured array."""

# What a bin that outgrows its place gets beyond its rows: a share, and some rows.
ROOM_SHARE = 8
ROOM_ROWS = 4


def runs(starts: Integers) -> Integers:
    """Name the part of each row: 0, 0, 1, 1, 1, ... for parts that begin at `starts`, which ends with the total."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def ramps(firsts: Integers, counts: Integers) -> tuple[Integers, Integers]:
    """Give the numbers `first, first + 1, ...`, `count` of them for each part, and where each part starts in them.

    Returns:
        The numbers, shape (sum of counts,), and the starts, shape (parts + 1,).
    """
    starts = np.concatenate([[0], np.cumsum(counts)])
    return np.repeat(firsts - starts[:-1], counts) + np.arange(starts[-1]), starts


class Ragged:
    """Rows of numbered bins (0, 1, 2, ...). A bin grows without any other's rows being moved.

    Attributes:
        counts: rows of each bin, shape (bins,).
    """

    def __init__(self, kind: np.dtype[Any]) -> None:
        """Begin with no bins.

        Args:
            kind: of a row.
        """
        self._rows = np.zeros(0, dtype=kind)
        self._end = 0
        self._first = np.zeros(0, dtype=np.int64)
        self._room = np.zeros(0, dtype=np.int64)
        self.counts = np.zeros(0, dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes that the rows take, with the room that bins have to grow."""
        return self._rows.nbytes

    def widen(self, bins: int) -> None:
        """Make room for so many bins in all."""
        more = np.zeros(bins - len(self.counts), dtype=np.int64)
        self._first, self._room, self.counts = (
            np.concatenate([column, more]) for column in (self._first, self._room, self.counts)
        )

    def get(self, bins: Integers) -> tuple[Rows, Integers]:
        """Copy out the rows of some bins, one bin after another.

        Returns:
            The rows, and where each bin's start in them, shape (len(bins) + 1,).
        """
        places, starts = ramps(self._first[bins], self.counts[bins])
        # Five times as fast as `[places]` for structured rows.
        return self._rows.take(places), starts

    def last(self, bins: Integers) -> Rows:
        """Copy out the newest row of bins that have one at least."""
        newest: Rows = self._rows[self._first[bins] + self.counts[bins] - 1]
        return newest

    def first(self, bins: Integers) -> Rows:
        """Copy out the oldest row of bins that have one at least."""
        oldest: Rows = self._rows[self._first[bins]]
        return oldest

    def column(self, name: str, bins: Integers) -> tuple[npt.NDArray[Any], Integers]:
        """Copy out one column of the rows of some bins, as `get` does with all."""
        places, starts = ramps(self._first[bins], self.counts[bins])
        return self._rows[name].take(places), starts

    def put(self, bins: Integers, rows: Rows, starts: Integers) -> None:
        """Replace the rows of some bins, each named once."""
        self.counts[bins] = 0
        self.append(bins, rows, starts)

    def append(self, bins: Integers, rows: Rows, starts: Integers) -> None:
        """Add rows after those that some bins, each named once, have."""
        more = np.diff(starts)
        needed = self.counts[bins] + more
        tight = needed > self._room[bins]
        if self._end + _with_room(needed[tight]).sum() > len(self._rows):
            self._make_space(int(_with_room(needed).sum()))
            tight = needed > self._room[bins]
        self._move(bins[tight], _with_room(needed[tight]))
        places, _ = ramps(self._first[bins] + self.counts[bins], more)
        self._rows[places] = rows
        self.counts[bins] += more

    def drop_first(self, bins: Integers, counts: Integers) -> None:
        """Forget the oldest rows of some bins."""
        self._first[bins] += counts
        self._room[bins] -= counts
        self.counts[bins] -= counts

    def drop_last(self, bins: Integers, counts: Integers) -> Rows:
        """Forget the newest rows of some bins; gives these rows, one bin after another."""
        self.counts[bins] -= counts
        places, _ = ramps(self._first[bins] + self.counts[bins], counts)
        return self._rows.take(places)

    def _move(self, bins: Integers, room: Integers) -> None:
        """Give bins a larger place at the end."""
        rows, _ = self.get(bins)
        self._first[bins] = self._end + np.cumsum(room) - room
        self._room[bins] = room
        self._end += int(room.sum())
        places, _ = ramps(self._first[bins], self.counts[bins])
        self._rows[places] = rows

    def _make_space(self, rows: int) -> None:
        """Have space for so many rows at the end, by closing the gaps that moved bins left."""
        kept, _ = self.get(np.arange(len(self.counts)))
        room = _with_room(self.counts)
        self._first, self._room, self._end = np.cumsum(room) - room, room, int(room.sum())
        # A quarter more than is needed, so that this is done seldom.
        self._rows = np.zeros((self._end + rows) * 5 // 4, dtype=self._rows.dtype)
        places, _ = ramps(self._first, self.counts)
        self._rows[places] = kept


def _with_room(needed: Integers) -> Integers:
    """Give how many rows' place bins get that need so many."""
    return np.where(needed > 0, needed + needed // ROOM_SHARE + ROOM_ROWS, 0)
