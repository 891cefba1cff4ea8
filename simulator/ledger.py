"""What a virtual device remembers: every reading until the ingester has acknowledged it."""

import threading
from collections.abc import Iterable

from simulator.sensor import Row

LONGEST_MESSAGE = 200
"""Rows that fit into one message (docs/contract.md)."""


class Ledger:
    """The readings of one device that are not acknowledged yet. Threads may share it.

    Args:
        settled_until: Unix seconds; everything measured until then was acknowledged before.
    """

    def __init__(self, settled_until: int) -> None:
        self._waiting: dict[tuple[int, int], Row] = {}
        self._newest = settled_until
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def settled_until(self) -> int:
        """Unix seconds: all readings measured until then are acknowledged."""
        with self._lock:
            times = [_required(row[1]) for row in self._waiting.values()]
            return min(times) - 1 if times else self._newest

    def record(self, epoch: int, rows: Iterable[Row]) -> None:
        """Remember readings; a reading that is there already stays as it is."""
        with self._lock:
            for row in rows:
                self._waiting.setdefault((epoch, _required(row[0])), row)
                self._newest = max(self._newest, _required(row[1]))

    def settle(self, until_s: int) -> None:
        """Note that somebody else has handed over what was measured until then, Unix seconds."""
        with self._lock:
            self._newest = max(self._newest, until_s)

    def acknowledge(self, ranges: Iterable[tuple[int, int, int]]) -> None:
        """Forget what the ingester has stored or refused.

        Args:
            ranges: epoch, first and last seq, both ends included.
        """
        with self._lock:
            for epoch, first, last in ranges:
                for key in [key for key in self._waiting if key[0] == epoch and first <= key[1] <= last]:
                    del self._waiting[key]

    def messages(self, longest: int = LONGEST_MESSAGE) -> list[tuple[int, list[Row]]]:
        """Give what waits in messages of one epoch each, oldest first.

        Args:
            longest: rows in a message, at most.
        """
        with self._lock:
            waiting = sorted(self._waiting.items())
        by_epoch: dict[int, list[Row]] = {}
        for (epoch, _), row in waiting:
            by_epoch.setdefault(epoch, []).append(row)
        return [
            (epoch, rows[start : start + longest])
            for epoch, rows in by_epoch.items()
            for start in range(0, len(rows), longest)
        ]


def _required(value: int | None) -> int:
    if value is None:
        raise ValueError("a reading needs seq and measured_at")
    return value
