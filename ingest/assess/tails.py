"""The tails of all bins: the readings of each since shortly before its anchor. Pure."""

from collections.abc import Iterator

import numpy as np

from ingest.assess.anchor import Anchor, floor
from ingest.assess.ragged import Ragged, Rows
from ingest.assess.readings import Integers, Times
from ingest.assess.tail import READING, tidy

NEVER = np.datetime64("NaT", "us")
# So many readings are looked at together: they fit into the processor's cache with what is worked out from them.
READINGS_AT_ONCE = 200_000


class Tails:
    """Of bins that are numbered 0, 1, 2, ... by the caller; every time is datetime64[us], UTC, shape (bins,).

    Attributes:
        anchored_at: `emptied_at` of each bin's anchor; NaT where all readings are kept.
        floors: readings from then on leave the anchor as it is; NaT where there is no anchor, or it is not settled.
    """

    def __init__(self) -> None:
        self._kept = Ragged(READING)
        self.anchored_at = np.zeros(0, dtype="datetime64[us]")
        self.floors = np.zeros(0, dtype="datetime64[us]")

    @property
    def nbytes(self) -> int:
        """Bytes that the readings take."""
        return self._kept.nbytes

    def widen(self, bins: int) -> None:
        """Make room for so many bins in all."""
        more = np.full(bins - len(self.floors), NEVER)
        self._kept.widen(bins)
        self.anchored_at = np.concatenate([self.anchored_at, more])
        self.floors = np.concatenate([self.floors, more])

    def is_late(self, bins: Integers, since: Times) -> np.typing.NDArray[np.bool_]:
        """Say which bins would have to be loaded anew if they had news from `since` on: their anchor might change."""
        anchored = ~np.isnat(self.anchored_at[bins])
        late: np.typing.NDArray[np.bool_] = anchored & ~(since >= self.floors[bins])
        return late

    def add(self, bins: Integers, rows: Rows) -> None:
        """Add readings, none of them late, in the order in which they arrived.

        Args:
            bins: of each row.
            rows: of the kind READING.
        """
        order = np.lexsort((rows["measured_at"], bins))
        numbers, firsts = np.unique(bins[order], return_index=True)
        self._kept.append(numbers, rows.take(order), np.append(firsts, len(order)))

    def drop_from(self, bins: Integers, since: Times) -> None:
        """Forget what some bins, each named once, have from a time on; they have to be tidy."""
        rows, starts = self._kept.get(bins)
        numbers = np.repeat(np.arange(len(bins)), np.diff(starts))
        dropped = rows["measured_at"] >= since[numbers]
        self._kept.drop_last(bins, np.bincount(numbers[dropped], minlength=len(bins)))

    def forget(self, bins: Integers) -> None:
        """Forget all of some bins."""
        self._kept.drop_last(bins, self._kept.counts[bins])
        self.anchored_at[bins] = self.floors[bins] = NEVER

    def tidied(self, bins: Integers) -> Iterator[tuple[Integers, Rows, Integers, int]]:
        """Bring the readings of bins in order, some bins at a time.

        Yields:
            Bins, their rows, where each bin's start, and how many were dropped because another time had their identity.
        """
        ends = np.cumsum(self._kept.counts[bins])
        cuts = np.searchsorted(ends, np.arange(READINGS_AT_ONCE, ends[-1] if len(ends) else 0, READINGS_AT_ONCE)) + 1
        for some in np.split(bins, np.unique(cuts)):
            if len(some):
                yield some, *tidy(self._kept, some)

    def hang(self, number: int, anchor: Anchor, settled_at: np.datetime64, measured_at: Times) -> None:
        """Keep a bin's readings from an anchor on.

        Args:
            number: of the bin.
            anchor: found in its readings, or known to whoever loaded them.
            settled_at: its floor.
            measured_at: of the bin's readings, in order.
        """
        self.anchored_at[number], self.floors[number] = anchor.emptied_at, settled_at
        dropped = int(np.searchsorted(measured_at, anchor.since))
        self._kept.drop_first(np.array([number]), np.array([dropped]))

    def settle(self, number: int, measured_at: Times) -> None:
        """Work out anew whether a bin's anchor, if it has one, is settled."""
        if not np.isnat(self.anchored_at[number]) and np.isnat(self.floors[number]):
            self.floors[number] = floor(self.anchored_at[number], measured_at)
