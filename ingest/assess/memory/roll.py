"""The bins that a watch knows, numbered as they came, and what holds for each. Pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import numpy as np

from ingest.assess.decisions.rules import THRESHOLD
from ingest.assess.levels.readings import Floats, Integers, Times, instant, moment
from ingest.assess.levels.reports import Report
from ingest.assess.memory.entry import Entry

# So many reports of a bin, the newest, say when it was emptied last: sensors seldom contradict several in a row.
REPORTS = 6

_NEVER = np.iinfo(np.int64).min
"""Microseconds that stand for NaT."""


class Roll:
    """Bins are numbered 0, 1, 2, ...; all arrays have the shape (bins,).

    Attributes:
        entries: of the bins that stand, by bin id.
        ids: bin id of each number.
        thresholds: of each.
        pools: of each, a number.
        reported: the bins of which anything was ever reported, by bin id.
    """

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.ids: Integers = np.zeros(0, dtype=np.int64)
        self.thresholds: Floats = np.zeros(0)
        self.pools: Integers = np.zeros(0, dtype=np.int64)
        self._number: dict[int, int] = {}
        self._pool: dict[str, int] = {"": 0}
        self.reported: set[int] = set()
        self._told: dict[int, tuple[Report, ...]] = {}
        self._refuted: dict[int, frozenset[Report]] = {}
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
        """Take what holds for bins, by bin id; gives the numbers of those whose threshold or reports are others now."""
        told = [bin_id for bin_id, entry in entries.items() if entry.reports != self._entered(bin_id)]
        self.entries.update(entries)
        numbers = self.numbers(entries)
        thresholds = np.array([entry.rules.threshold for entry in entries.values()], dtype=np.float64)
        changed = numbers[self.thresholds[numbers] != thresholds]
        self.thresholds[numbers] = thresholds
        pools = self._pool
        self.pools[numbers] = [pools.setdefault(entry.pool, len(pools)) for entry in entries.values()]
        return np.union1d(changed, self._note(told))

    def dismiss(self, bin_ids: Iterable[int]) -> None:
        """Take bins off that no longer stand; they keep their number."""
        for bin_id in bin_ids:
            self.entries.pop(bin_id, None)
            self._told.pop(bin_id, None)
            self._refuted.pop(bin_id, None)

    def report(self, emptied_at: Mapping[int, datetime]) -> Integers:
        """Take emptyings that crews reported, aware, by bin id; gives the numbers of the bins of which that is new."""
        told = []
        for bin_id, at in emptied_at.items():
            report, known = Report(instant(at), "crew"), self._told.get(bin_id, ())
            if report not in known:
                self._told[bin_id] = tuple(sorted([*known, report], key=_when)[-REPORTS:])
                told.append(bin_id)
        return self._note(told)

    def reports(self, bin_id: int) -> list[Report]:
        """Give what was reported of a bin, oldest first."""
        told = self._told.get(bin_id, ())
        entered = self._entered(bin_id)
        return sorted({*entered, *told}, key=_when) if told or entered else []

    def refute(self, bin_id: int, reports: Iterable[Report]) -> None:
        """Say which reports of a bin its sensor contradicts."""
        refuted = frozenset(reports)
        if refuted != self._refuted.get(bin_id, frozenset()):
            self._refuted[bin_id] = refuted
            self._note([bin_id])

    def emptied_at(self, bin_id: int) -> datetime | None:
        """Give the newest emptying of a bin that others than its sensor know of; None for none."""
        refuted = self._refuted.get(bin_id, ())
        return _newest([report for report in self.reports(bin_id) if report not in refuted])

    def denied_at(self, bin_id: int) -> datetime | None:
        """Give the newest emptying that was reported of a bin and that its sensor contradicts; None for none."""
        return _newest(self._refuted.get(bin_id, ()))

    def emptied_at_of(self, numbers: Integers) -> Times:
        """Give the same of many bins, by number; NaT for none."""
        moments: Times = self._emptied_us[numbers].view("datetime64[us]")
        return moments

    def _entered(self, bin_id: int) -> tuple[Report, ...]:
        entry = self.entries.get(bin_id)
        return () if entry is None else entry.reports

    def _note(self, bin_ids: list[int]) -> Integers:
        numbers = self.numbers(bin_ids)
        self.reported.update(bin_ids)
        known = (self.emptied_at(bin_id) for bin_id in bin_ids)
        self._emptied_us[numbers] = [_NEVER if at is None else round(at.timestamp() * 1e6) for at in known]
        return numbers


def _when(report: Report) -> tuple[np.datetime64, str]:
    return report.emptied_at, report.source


def _newest(reports: Collection[Report]) -> datetime | None:
    return moment(max(report.emptied_at for report in reports)) if reports else None
