"""How full bins were: a record of deposits and visits by the hour, from which the level at any moment follows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.deposits import HOUR_S
from simulator.terrain import Points

HIGHEST = 1.6
"""What lies on and beside a full bin, beyond which nobody adds any more."""
FULL = 1.0
SETTLES = 0.0015
"""Which part of its height waste loses in an hour."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Which bins a crew emptied in one hour; all of shape (bins,).

    Attributes:
        emptied: which.
        after: after which part of the hour, 0..1.
        left: which part of the waste was left behind, 0..1; 0 where nothing.
    """

    emptied: NDArray[np.bool_]
    after: Points
    left: Points


@dataclass(frozen=True, slots=True)
class Falls:
    """The true emptyings; all of shape (n,), ordered by time.

    Attributes:
        bin: place of the bin.
        at_s: Unix seconds.
        before: level before; over 1 where waste lay beside the bin.
        after: level after; over 0 where some was left behind.
    """

    bin: NDArray[np.int64]
    at_s: Points
    before: Points
    after: Points


class Levels:
    """The levels of all bins over some hours.

    Args:
        first_hour: hours since 1970, UTC.
        hours: for how many there is room.
        bins: how many there are.
    """

    def __init__(self, first_hour: int, hours: int, bins: int) -> None:
        self.first_hour = first_hour
        self._start, self._change, self._added, self._left = np.zeros((4, hours, bins))
        self._after = np.full((hours, bins), np.inf)

    def __len__(self) -> int:
        return len(self._start)

    @property
    def hourly(self) -> Points:
        """The level at the start of each hour, shape (hours, bins)."""
        return self._start

    @property
    def emptied(self) -> NDArray[np.bool_]:
        """In which hours each bin was emptied, shape (hours, bins)."""
        return np.asarray(np.isfinite(self._after))

    def unemptied(self, row: int, hours: int) -> Points:
        """Say how full bins would get if nobody emptied them for some hours, shape (bins,).

        Args:
            row: of the hour from whose start on, among the recorded ones.
            hours: how many.
        """
        level: Points = self._start[row].copy()
        for added in self._added[row : row + hours]:
            level += risen(level, added)
        return level

    def record(self, hour: int, level: Points, added: Points, visits: Visits) -> Points:
        """Let one hour pass, and remember it.

        Args:
            hour: hours since 1970, UTC; one that there is room for.
            level: at its start, shape (bins,).
            added: what was thrown in, shape (bins,).
            visits: of the crew.

        Returns:
            The level at its end, shape (bins,).
        """
        row = hour - self.first_hour
        self._start[row], self._change[row] = level, risen(level, added)
        self._added[row], self._left[row] = added, visits.left
        self._after[row] = np.where(visits.emptied, visits.after, np.inf)
        return pass_hour(level, added, visits)

    def at(self, bins: NDArray[np.int64], at_s: NDArray[np.int64]) -> Points:
        """Say how full bins were.

        Args:
            bins: places, shape (n,).
            at_s: Unix seconds within the recorded hours, shape (n,).

        Returns:
            0 (empty) to 1 (full) and more (piled up), shape (n,).
        """
        hours, seconds = np.divmod(at_s, HOUR_S)
        rows, part = hours - self.first_hour, seconds / HOUR_S
        start, change, after = self._start[rows, bins], self._change[rows, bins], self._after[rows, bins]
        left = self._left[rows, bins] * (start + change * np.minimum(after, 1))
        later = left + self._added[rows, bins] * np.maximum(part - after, 0)
        return np.asarray(np.where(part < after, start + change * part, later))

    def falls(self) -> Falls:
        """List the emptyings."""
        rows, bins = np.nonzero(np.isfinite(self._after))
        after = self._after[rows, bins]
        before = self._start[rows, bins] + self._change[rows, bins] * after
        at_s = (self.first_hour + rows + after) * HOUR_S
        order = np.argsort(at_s, kind="stable")
        at_s, before = at_s[order], before[order]
        return Falls(bins[order], at_s, before, self._left[rows, bins][order] * before)

    def overflow_hours(self, from_hour: int = 0) -> int:
        """Count the hours that bins were full or more, all bins together, by their level at each hour's start.

        Args:
            from_hour: hours since 1970, UTC; what was before is not counted.
        """
        return int(np.count_nonzero(self._start[max(0, from_hour - self.first_hour) :] >= FULL))


def risen(level: Points, added: Points) -> Points:
    """Say by how much levels change in an hour without a visit: waste settles, and nothing piles up for ever."""
    return np.minimum(level * (1 - SETTLES) + added, HIGHEST) - level


def pass_hour(level: Points, added: Points, visits: Visits) -> Points:
    """Give the level at the end of an hour, shape (bins,), from that at its start, the deposits and the visits."""
    change = risen(level, added)
    # Nothing of what was before remains in an emptied bin, not even in the last digit: histories agree whenever begun.
    emptied = visits.left * (level + change * visits.after) + added * (1 - visits.after)
    return np.asarray(np.where(visits.emptied, emptied, level + change))
