"""The tails of all bins: the readings of each since shortly before its anchor. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np

from ingest.assess.levels.emptying import Emptying
from ingest.assess.levels.readings import Integers, Times
from ingest.assess.memory.anchor import floor, newest_settled
from ingest.assess.memory.ragged import Ragged, Rows, runs
from ingest.assess.memory.tail import READING, tidy

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

    @property
    def counts(self) -> Integers:
        """How many readings are kept of each bin, shape (bins,)."""
        return self._kept.counts

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
        order = np.argsort(bins, kind="stable")
        numbers, firsts = np.unique(bins[order], return_index=True)
        self._kept.append(numbers, rows.take(order), np.append(firsts, len(order)))

    def drop_from(self, bins: Integers, since: Times) -> None:
        """Forget what some bins, each named once, have from a time on."""
        rows, starts = self._kept.get(bins)
        place = runs(starts)
        kept = rows["measured_at"] < since[place]
        if not kept.all():
            counts = np.bincount(place[kept], minlength=len(bins))
            self._kept.put(bins, rows[kept], np.concatenate([[0], np.cumsum(counts)]))

    def forget(self, bins: Integers) -> None:
        """Forget all of some bins."""
        self._kept.drop_last(bins, self._kept.counts[bins])
        self.anchored_at[bins] = self.floors[bins] = NEVER

    def tidied(self, bins: Integers) -> Iterator[tuple[Integers, Rows, Integers, Integers]]:
        """Bring the readings of bins in order, some bins at a time.

        Yields:
            Bins, their rows, where each bin's start, and how many of each were dropped because another time has their
            identity.
        """
        ends = np.cumsum(self._kept.counts[bins])
        cuts = np.searchsorted(ends, np.arange(READINGS_AT_ONCE, ends[-1] if len(ends) else 0, READINGS_AT_ONCE)) + 1
        for some in np.split(bins, np.unique(cuts)):
            if len(some):
                yield some, *tidy(self._kept, some)

    def anchor(self, number: int, emptyings: Sequence[Emptying], measured_at: Times) -> None:
        """Keep a bin's readings only since the newest emptying that is settled.

        Args:
            number: of the bin.
            emptyings: found in its readings at its anchor or later, oldest first.
            measured_at: of its readings, in order.
        """
        anchored_at = self.anchored_at[number]
        found = newest_settled([one for one in emptyings if not one.emptied_at <= anchored_at], measured_at)
        if found is not None:
            anchor, self.floors[number] = found
            self.anchored_at[number] = anchor.emptied_at
            dropped = int(np.searchsorted(measured_at, anchor.since))
            self._kept.drop_first(np.array([number]), np.array([dropped]))
        if np.isnat(self.floors[number]) and not np.isnat(self.anchored_at[number]):
            # Whoever loaded it knew the anchor.
            self.floors[number] = floor(self.anchored_at[number], measured_at)
