"""What devices have yet to be told: which readings are committed. Pure; used by `send`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ingest.reading import Range

# In one message to a device.
LARGEST_RANGES = 500
# In all: some ten megabytes, however long the broker is away.
MOST_RANGES = 100_000
MOST_RANGES_OF_ONE = 5_000


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What one device is to be told.

    Attributes:
        device: its reference.
        ranges: of readings that it may forget, in order.
        committed_at: when the first of them was committed, seconds of a clock that never goes back.
    """

    device: str
    ranges: list[Range]
    committed_at: float


class Owed:
    """The acknowledgements that wait, one for each device: what is added while one waits travels with it.

    Args:
        most_ranges: of all devices together; beyond, the oldest acknowledgements are given up.
        dropped: called for each that is given up, in whole or in part.

    Attributes:
        dropped_count: how many those were.
    """

    def __init__(self, most_ranges: int = MOST_RANGES, dropped: Callable[[], object] = lambda: None) -> None:
        self._most_ranges = most_ranges
        self._dropped = dropped
        self._waiting: dict[str, Acknowledgement] = {}
        self._ranges = 0
        self.dropped_count = 0

    def __len__(self) -> int:
        """Give how many devices are to be told something."""
        return len(self._waiting)

    def add(self, device: str, ranges: list[Range], committed_at: float) -> None:
        """Have a device told that these readings may be forgotten."""
        before = self._waiting.get(device)
        if before:
            self._ranges -= len(before.ranges)
            ranges = before.ranges + ranges
            committed_at = min(before.committed_at, committed_at)
        ranges = join(ranges)
        if len(ranges) > MOST_RANGES_OF_ONE:
            # Who counts in leaps must not cost others their acknowledgements.
            ranges = ranges[:MOST_RANGES_OF_ONE]
            self._drop()
        self._waiting[device] = Acknowledgement(device, ranges, committed_at)
        self._ranges += len(ranges)
        while self._ranges > self._most_ranges:
            self._ranges -= len(self._waiting.pop(next(iter(self._waiting))).ranges)
            self._drop()

    def take(self, count: int) -> list[Acknowledgement]:
        """Take out as many as are wanted, or all, each small enough for one message, who waited longest first."""
        taken: list[Acknowledgement] = []
        while self._waiting and len(taken) < count:
            owed = self._waiting.pop(next(iter(self._waiting)))
            self._ranges -= len(owed.ranges)
            taken.append(Acknowledgement(owed.device, owed.ranges[:LARGEST_RANGES], owed.committed_at))
            rest = owed.ranges[LARGEST_RANGES:]
            if rest:
                self.add(owed.device, rest, owed.committed_at)
        return taken

    def _drop(self) -> None:
        self.dropped_count += 1
        self._dropped()


def join(ranges: Iterable[Range]) -> list[Range]:
    """Join ranges that touch or overlap; the result is in order and never covers a reading that is not given."""
    joined: list[list[int]] = []
    for epoch, first, last in sorted(ranges):
        if joined and joined[-1][0] == epoch and first <= joined[-1][2] + 1:
            joined[-1][2] = max(joined[-1][2], last)
        else:
            joined.append([epoch, first, last])
    return [(epoch, first, last) for epoch, first, last in joined]
