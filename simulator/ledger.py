"""What a virtual device remembers: every reading until the ingester has acknowledged it."""

from collections.abc import Iterable, Iterator

from simulator.sensor import Row

LONGEST_MESSAGE = 200
"""Rows that fit into one message (docs/contract.md)."""


class Ledger:
    """The readings of one device that are not acknowledged yet.

    Args:
        settled_until: Unix seconds; everything measured until then was acknowledged before.
    """

    def __init__(self, settled_until: int) -> None:
        self._waiting: dict[tuple[int, int], Row] = {}
        self._newest = settled_until

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def settled_until(self) -> int:
        """Unix seconds: all readings measured until then are acknowledged."""
        times = [measured_at for row in self._waiting.values() if (measured_at := row[1]) is not None]
        return min(times) - 1 if times else self._newest

    def record(self, epoch: int, rows: Iterable[Row]) -> None:
        """Remember readings; a reading that is there already stays as it is."""
        for row in rows:
            seq, measured_at = row[:2]
            if seq is None or measured_at is None:
                raise ValueError("a reading needs seq and measured_at")
            self._waiting.setdefault((epoch, seq), row)
            self._newest = max(self._newest, measured_at)

    def acknowledge(self, ranges: Iterable[tuple[int, int, int]]) -> None:
        """Forget what the ingester has stored or refused.

        Args:
            ranges: epoch, first and last seq, both ends included.
        """
        for epoch, first, last in ranges:
            for key in [key for key in self._waiting if key[0] == epoch and first <= key[1] <= last]:
                del self._waiting[key]

    def messages(self, longest: int = LONGEST_MESSAGE) -> Iterator[tuple[int, list[Row]]]:
        """Give what waits in messages of one epoch each, oldest first.

        Args:
            longest: rows in a message, at most.
        """
        by_epoch: dict[int, list[Row]] = {}
        for (epoch, _), row in sorted(self._waiting.items()):
            by_epoch.setdefault(epoch, []).append(row)
        for epoch, rows in by_epoch.items():
            for start in range(0, len(rows), longest):
                yield epoch, rows[start : start + longest]
