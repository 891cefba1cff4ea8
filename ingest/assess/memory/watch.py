"""What is known of every bin, kept up as readings come in, and what it means now. Pure: the clock is passed in.

The one place where readings become states: the runner on the database, the evaluation on an invented town and the
shadow mode all use it, so that what is evaluated is what runs.

    watch = Watch()
    watch.enrol({7: Entry(rules, sensor)})
    watch.take(readings(bin_ids, measured_at, empty_mm=1200, full_mm=200, distance_mm=distances))
    states = watch.look(now)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingest.assess.decisions.due import Due
from ingest.assess.decisions.state import BinState, state_at
from ingest.assess.forecasts.cycles import OPEN, Cycles
from ingest.assess.forecasts.foresight import Foresight
from ingest.assess.levels.emptying import Emptying
from ingest.assess.levels.findings import Findings
from ingest.assess.levels.readings import Floats, Integers, Times, moment
from ingest.assess.levels.reports import NEAR, Service, merge
from ingest.assess.memory.account import take_account
from ingest.assess.memory.anchor import Anchor
from ingest.assess.memory.archive import Archive
from ingest.assess.memory.entry import Entry
from ingest.assess.memory.expectation import Expectation
from ingest.assess.memory.news import News, Revision, later
from ingest.assess.memory.ragged import Rows
from ingest.assess.memory.roll import Roll
from ingest.assess.memory.tails import NEVER, Tails

NOTHING = Findings()


class Watch:
    """Knows of each bin the readings since shortly before an emptying that is settled, and its past cycles."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Begin with no bins.

        Args:
            zone: whose clocks people live by.
        """
        self._roll = Roll()
        self._tails = Tails()
        self._archive = Archive()
        self._expectation = Expectation(zone, self._roll, self._archive)
        self._removed: set[int] = set()
        self._decided: dict[int, Due] = {}
        self._services: dict[int, list[Service]] = {}
        # By the bins' numbers:
        self._findings: list[Findings] = []
        self._outdated = np.zeros(0, dtype=np.bool_)
        self._renewed = np.zeros(0, dtype=np.bool_)
        self._had_later = np.zeros(0, dtype=np.bool_)

    @property
    def bin_ids(self) -> set[int]:
        """The bins that stand."""
        return set(self._roll.entries)

    @property
    def nbytes(self) -> int:
        """Bytes that readings and cycles take."""
        return self._tails.nbytes + self._archive.nbytes

    def enrol(self, entries: Mapping[int, Entry]) -> None:
        """Say which bins stand, or what holds for some of them now; by bin id."""
        changed = self._roll.enrol(entries)
        self._widen()
        self._outdate(changed)

    def dismiss(self, bin_ids: Iterable[int]) -> None:
        """Forget bins that no longer stand."""
        gone = list(bin_ids)
        self._roll.dismiss(gone)
        self.forget(gone)

    def forget(self, bin_ids: Iterable[int]) -> None:
        """Forget what the readings of bins say."""
        numbers = self._numbers(bin_ids)
        self._tails.forget(numbers)
        self._archive.forget(numbers)
        self._outdated[numbers] = False
        for number in numbers.tolist():
            self._findings[number] = NOTHING
            self._services.pop(int(self._roll.ids[number]), None)

    def findings(self, bin_id: int) -> Findings:
        """Give what the readings of a bin say, as of the last `learn` or `look`."""
        return self._findings[self._roll.number(bin_id)]

    def entry(self, bin_id: int) -> Entry:
        """Give what holds for a bin that stands."""
        return self._roll.entries[bin_id]

    def remove_fittings(self, fitting_ids: Iterable[int]) -> None:
        """Say which sensors no longer sit in their bin."""
        self._removed.update(fitting_ids)

    def report(self, emptied_at: Mapping[int, datetime]) -> None:
        """Take emptyings that crews reported, aware, by bin id; each counts unless the bin's sensor contradicts it."""
        changed = self._roll.report(emptied_at)
        self._widen()
        self._outdate(changed)

    def remember(self, cycles: Cycles) -> None:
        """Take cycles from where they were kept, in place of those that are known; `bin` is the bin's id."""
        numbers = self._numbers(cycles.bin.tolist())
        order = np.lexsort((cycles.ended_at, numbers))
        bins = np.unique(numbers)
        kept = replace(cycles[order], bin=numbers[order])
        self._archive.revise(bins, np.full(len(bins), NEVER), kept)

    def resume(self, decisions: Mapping[int, Due]) -> None:
        """Say what was decided last, by bin id, before this watch began."""
        self._decided.update(decisions)

    def take(self, rows: Rows) -> dict[int, np.datetime64]:
        """Take new readings of any bins, in any order; one that is known already changes nothing.

        Args:
            rows: of the kind `tail.READING`.

        Returns:
            By bin id, the time of the oldest reading that came too late for what is kept of its bin. Nothing was taken
            of that bin; its readings have to be loaded again, and given to `renew`.
        """
        bins = self._numbers(rows["bin_id"].tolist())
        touched, place = np.unique(bins, return_inverse=True)
        since = np.full(len(touched), np.datetime64("9999-01-01", "us"))
        np.minimum.at(since, place, rows["measured_at"])
        late = self._tails.is_late(touched, since)
        self._tails.add(bins[~late[place]], rows[~late[place]])
        self._outdated[touched[~late]] = True
        return dict(zip(self._roll.ids[touched[late]].tolist(), since[late], strict=True))

    def is_late(self, since: Mapping[int, np.datetime64]) -> dict[int, bool]:
        """Say, by bin id, whether readings from a time on are too late for what is kept of the bin."""
        late = self._tails.is_late(self._numbers(since), np.array(list(since.values()), dtype="datetime64[us]"))
        return dict(zip(since, late.tolist(), strict=True))

    def replace(self, since: Mapping[int, np.datetime64], rows: Rows) -> None:
        """Take all readings of bins from a time on, in place of those that are known; none is late.

        Args:
            since: by bin id, datetime64[us], UTC.
            rows: of these bins, of the kind `tail.READING`; of several with one identity the first counts.
        """
        numbers = self._numbers(since)
        self._tails.drop_from(numbers, np.array(list(since.values()), dtype="datetime64[us]"))
        self._tails.add(self._numbers(rows["bin_id"].tolist()), rows)
        self._outdated[numbers] = True

    def renew(self, anchors: Mapping[int, Anchor | None], rows: Rows) -> None:
        """Take the readings of bins anew.

        Args:
            anchors: by bin id, the emptying from which on (`Anchor.since`) all its readings are here; None where all
                readings that there are are here.
            rows: of these bins, of the kind `tail.READING`; of several with one identity the first counts.
        """
        numbers = self._numbers(anchors)
        self._tails.forget(numbers)
        self._tails.anchored_at[numbers] = [NEVER if one is None else one.emptied_at for one in anchors.values()]
        self._tails.add(self._numbers(rows["bin_id"].tolist()), rows)
        self._outdated[numbers] = self._renewed[numbers] = True

    def learn(self) -> News:
        """Work out what new readings say; gives what they changed of the past."""
        news = News()
        for bins, rows, starts, doubles in self._tails.tidied(np.flatnonzero(self._outdated)):
            anchored_at = self._tails.anchored_at[bins]
            account = take_account(rows, starts, self._roll.thresholds[bins], anchored_at, self._removed)
            cycles = replace(account.cycles, bin=bins[account.cycles.bin])
            changed = self._archive.revise(bins, anchored_at, cycles) | self._renewed[bins]
            found = [one.emptyings for one in account.findings]
            known = [self._findings[number].emptyings for number in bins.tolist()]
            for place in np.flatnonzero(changed | self._is_unsettled(bins, found)).tolist():
                number, since = int(bins[place]), anchored_at[place]
                revised = later(found[place], since)
                changed[place] |= revised != later(known[place], since)
                if changed[place]:
                    news.revisions[int(self._roll.ids[number])] = Revision(since, revised)
                self._tails.anchor(number, revised, rows["measured_at"][starts[place] : starts[place + 1]])
            for number, findings in zip(bins.tolist(), account.findings, strict=True):
                self._findings[number] = findings
            for place, bin_id in enumerate(self._roll.ids[bins].tolist()):
                if bin_id in self._roll.reported:
                    since = NEVER if np.isnat(anchored_at[place]) else rows["measured_at"][starts[place]] + NEAR
                    self._judge_reports(bin_id, since, found[place], account.believed(place), news)
            told = np.isin(cycles.bin, bins[changed]) & (cycles.ended_by != OPEN)
            news.cycles.append(replace(cycles[told], bin=self._roll.ids[cycles.bin[told]]))
            double = np.flatnonzero(doubles)
            news.doubles.update(zip(self._roll.ids[bins[double]].tolist(), doubles[double].tolist(), strict=True))
        self._outdated[:] = self._renewed[:] = False
        return news

    def _is_unsettled(self, bins: Integers, found: Sequence[tuple[Emptying, ...]]) -> npt.NDArray[np.bool_]:
        """Say of which bins emptyings after the anchor are known, now or before, or the anchor is not settled."""
        newest = np.array([one[-1].emptied_at if one else NEVER for one in found], dtype="datetime64[us]")
        anchored_at = self._tails.anchored_at[bins]
        after = ~np.isnat(newest) & ~(newest <= anchored_at)
        unsettled: npt.NDArray[np.bool_] = after | self._had_later[bins] | np.isnat(self._tails.floors[bins])
        self._had_later[bins] = after
        return unsettled

    def _judge_reports(
        self,
        bin_id: int,
        since: np.datetime64,
        found: tuple[Emptying, ...],
        believed: tuple[Times, Floats],
        news: News,
    ) -> None:
        """Hold what was reported of a bin from a time on (NaT: ever) against what its sensor measured."""
        measured_at, levels = believed
        reports = [one for one in self._roll.reports(bin_id) if np.isnat(since) or one.emptied_at >= since]
        services = [one for one in merge(found, reports, measured_at, levels) if one.reports]
        self._roll.refute(bin_id, (one for service in services if service.is_refuted for one in service.reports))
        if services != self._services.get(bin_id, []):
            self._services[bin_id] = news.services[bin_id] = services

    def _outdate(self, bins: Integers) -> None:
        """Look at the readings of some bins again, of those whose readings are here."""
        self._outdated[bins[self._tails.counts[bins] > 0]] = True

    def look(self, now: datetime, bin_ids: Iterable[int] | None = None) -> dict[int, BinState]:
        """Say how bins are now.

        Args:
            now: aware.
            bin_ids: of which bins that stand; None for all.

        Returns:
            By bin id.
        """
        self.learn()
        entries = self._roll.entries
        wanted = list(entries) if bin_ids is None else [one for one in bin_ids if one in entries]
        foresights = self._expectation.of([one for one in wanted if entries[one].sensor is not None], now)
        states = {bin_id: self._state(bin_id, foresights.get(bin_id), now) for bin_id in wanted}
        self._decided.update((bin_id, state.due) for bin_id, state in states.items())
        return states

    def _state(self, bin_id: int, foresight: Foresight | None, now: datetime) -> BinState:
        entry, number = self._roll.entries[bin_id], self._roll.number(bin_id)
        return state_at(
            self._findings[number],
            self._emptied_at(bin_id, number),
            entry.sensor,
            entry.rules,
            now,
            forecast=foresight,
            horizon=entry.horizon,
            before=self._decided.get(bin_id),
            denied_at=self._roll.denied_at(bin_id) if bin_id in self._roll.reported else None,
        )

    def _emptied_at(self, bin_id: int, number: int) -> datetime | None:
        """Give the newest emptying that is known beside those in the findings."""
        told = self._roll.emptied_at(bin_id) if bin_id in self._roll.reported else None
        if self._findings[number].emptyings:
            return told
        anchored_at = self._tails.anchored_at[number]
        if np.isnat(anchored_at):
            return told
        return moment(anchored_at) if told is None else max(told, moment(anchored_at))

    def _numbers(self, bin_ids: Iterable[int]) -> Integers:
        numbers = self._roll.numbers(bin_ids)
        self._widen()
        return numbers

    def _widen(self) -> None:
        """Make room for the bins that are new on the roll."""
        bins = len(self._roll)
        more = bins - len(self._findings)
        if more:
            self._findings += [NOTHING] * more
            self._outdated, self._renewed, self._had_later = (
                np.append(marks, np.zeros(more, dtype=np.bool_))
                for marks in (self._outdated, self._renewed, self._had_later)
            )
            self._tails.widen(bins)
            self._archive.widen(bins)
