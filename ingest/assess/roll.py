"""The bins that a watch knows, numbered as they came, and what holds for each. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import numpy as np

from ingest.assess.entry import Entry
from ingest.assess.readings import Floats, Integers, Times
from ingest.assess.rules import THRESHOLD

_NEVER = np.iinfo(np.int64).min
"""Microseconds that stand for NaT."""


class Roll:
    """Bins are numbered 0, 1, 2, ...; all arrays have the shape (bins,).

    Attributes:
        entries: of the bins that stand, by bin id.
        ids: bin id of each number.
        thresholds: of each.
        pools: of each, a number.
    """

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.ids: Integers = np.zeros(0, dtype=np.int64)
        self.thresholds: Floats = np.zeros(0)
        self.pools: Integers = np.zeros(0, dtype=np.int64)
        self._number: dict[int, int] = {}
        self._pool: dict[str, int] = {"": 0}
        self._reported: dict[int, datetime] = {}
        self._emptied_us: Integers = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._number)

    @property
    def pool_count(self) -> int:
        """How many pools there are."""
        return len(self._pool)

    def number(self, bin_id: int) -> int:
        """Give the number of a bin that has one."""
        return self._number[bin_id]

    def numbers(self, bin_ids: Iterable[int]) -> Integers:
        """Give the numbers of bins; one that is new gets one."""
        known = self._number
        numbers = np.array([known.setdefault(bin_id, len(known)) for bin_id in bin_ids], dtype=np.int64)
        more = len(known) - len(self.ids)
        if more:
            self.ids = np.array(list(known), dtype=np.int64)
            self.thresholds = np.append(self.thresholds, np.full(more, THRESHOLD))
            self.pools = np.append(self.pools, np.zeros(more, dtype=np.int64))
            self._emptied_us = np.append(self._emptied_us, np.full(more, _NEVER))
        return numbers

    def enrol(self, entries: Mapping[int, Entry]) -> Integers:
        """Take what holds for bins, by bin id; gives the numbers of those whose threshold is another now."""
        self.entries.update(entries)
        numbers = self.numbers(entries)
        thresholds = np.array([entry.rules.threshold for entry in entries.values()], dtype=np.float64)
        changed: Integers = numbers[self.thresholds[numbers] != thresholds]
        self.thresholds[numbers] = thresholds
        pools = self._pool
        self.pools[numbers] = [pools.setdefault(entry.pool, len(pools)) for entry in entries.values()]
        self._note(entries)
        return changed

    def dismiss(self, bin_ids: Iterable[int]) -> None:
        """Take bins off that no longer stand; they keep their number."""
        for bin_id in bin_ids:
            self.entries.pop(bin_id, None)
            self._reported.pop(bin_id, None)

    def report(self, emptied_at: Mapping[int, datetime]) -> None:
        """Take emptyings that others than sensors reported, aware, by bin id; the newest of a bin counts."""
        for bin_id, at in emptied_at.items():
            self._reported[bin_id] = max(at, self._reported.get(bin_id, at))
        self._note(emptied_at)

    def emptied_at(self, bin_id: int) -> datetime | None:
        """Give the newest emptying of a bin that others than its sensor know of; None for none."""
        entry, reported = self.entries.get(bin_id), self._reported.get(bin_id)
        known = None if entry is None else entry.last_emptied_at
        return max(known, reported) if known and reported else known or reported

    def emptied_at_of(self, numbers: Integers) -> Times:
        """Give the same of many bins, by number; NaT for none."""
        moments: Times = self._emptied_us[numbers].view("datetime64[us]")
        return moments

    def _note(self, bin_ids: Iterable[int]) -> None:
        known = {bin_id: at for bin_id in bin_ids if (at := self.emptied_at(bin_id)) is not None}
        numbers = self.numbers(known)
        self._emptied_us[numbers] = [round(at.timestamp() * 1e6) for at in known.values()]
