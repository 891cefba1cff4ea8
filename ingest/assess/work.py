"""One assessment: from the queue through readings, findings and decisions to states."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import psycopg
import structlog
from psycopg import Connection

from ingest.assess.findings import Findings, examine, moment
from ingest.assess.history import EVER, History, load_histories
from ingest.assess.outcome import Revision, revise_emptyings, write_states
from ingest.assess.roster import Entry, load_roster
from ingest.assess.state import BinState, state_at
from ingest.assess.tracks import Voice, combine

# So many bins at a time: their readings are in memory together, and their states are written in one transaction.
BINS_AT_ONCE = 200
# What is loaded before the last emptying that stands: more than readings can say about their neighbours.
CONTEXT = timedelta(days=2)

# Fresh readings first: they never wait behind history.
_QUEUE = "select device_id, from_measured_at, xmin::text from assess_queue order by from_measured_at desc limit 200"
# A device that was queued again meanwhile has another row version, and stays.
_DONE = """
delete from assess_queue
using unnest(%s::int[], %s::text[]) as seen (device_id, version)
where assess_queue.device_id = seen.device_id and assess_queue.xmin = seen.version::xid
"""
_CONCERNED = """
select fittings.bin_id, min(greatest(seen.since, fittings.fitted_at))
from unnest(%s::int[], %s::timestamptz[]) as seen (device_id, since)
join fittings on fittings.device_id = seen.device_id and coalesce(fittings.removed_at, 'infinity') >= seen.since
group by fittings.bin_id
"""
_LAST_BEFORE = """
select distinct on (wanted.bin_id) wanted.bin_id, emptyings.not_before, emptyings.emptied_at
from unnest(%s::int[], %s::timestamptz[]) as wanted (bin_id, since)
join emptyings
    on emptyings.bin_id = wanted.bin_id and emptyings.emptied_at < wanted.since and emptyings.source = 'sensor'
order by wanted.bin_id, emptyings.emptied_at desc
"""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a bin's readings say, for the threshold that it had then."""

    findings: Findings
    threshold: float


class Assessor:
    """Assesses bins, and remembers what their readings say, so that the passing of time costs no reading of them."""

    def __init__(self, connection: Connection, zone: ZoneInfo) -> None:
        self._connection = connection
        self._zone = zone
        self._found: dict[int, _Found] = {}
        self._written: dict[int, BinState] = {}

    def take_queue(self, now: datetime) -> bool:
        """Assess the bins of the devices that wait, or of some of them; False when none waits."""
        queue = self._connection.execute(_QUEUE).fetchall()
        if not queue:
            return False
        devices, since, versions = (list(column) for column in zip(*queue, strict=True))
        concerned: dict[int, datetime] = dict(self._connection.execute(_CONCERNED, (devices, since)).fetchall())
        self.assess(concerned, now)
        self._connection.execute(_DONE, (devices, versions))
        return True

    def assess(self, since: Mapping[int, datetime], now: datetime) -> None:
        """Work out emptyings and states of bins anew.

        Args:
            since: by bin id, the time of the first reading that is new; aware.
            now: aware.
        """
        for batch in _batches(since):
            try:
                self._assess_batch(batch, now)
            except (psycopg.DataError, psycopg.IntegrityError, ArithmeticError, ValueError):
                # One bin must never keep the others from being assessed.
                for bin_id, at in batch.items():
                    self._assess_alone(bin_id, at, now)

    def _assess_alone(self, bin_id: int, since: datetime, now: datetime) -> None:
        try:
            self._assess_batch({bin_id: since}, now)
        except (psycopg.DataError, psycopg.IntegrityError, ArithmeticError, ValueError):
            structlog.get_logger("assess").exception("a bin could not be assessed", bin_id=bin_id)

    def _assess_batch(self, batch: dict[int, datetime], now: datetime) -> None:
        last = self._last_emptyings(batch)
        starts = {bin_id: last[bin_id][0] - CONTEXT if bin_id in last else EVER for bin_id in batch}
        histories = load_histories(self._connection, starts)
        _report_doubles(histories)
        roster = load_roster(self._connection, self._zone, list(batch))
        found = {bin_id: _examine(histories.get(bin_id), entry) for bin_id, entry in roster.items()}
        revisions = {
            bin_id: _revision(one.findings, last[bin_id][1] if bin_id in last else EVER)
            for bin_id, one in found.items()
        }
        with self._connection.transaction():
            revise_emptyings(self._connection, revisions)
            self._found.update(found)
            self._write(load_roster(self._connection, self._zone, list(batch)), now)

    def look_at_time(self, now: datetime) -> None:
        """Decide on all bins anew for what time, the registry and reports change; only what changed is written."""
        roster = load_roster(self._connection, self._zone)
        for gone in self._found.keys() - roster.keys():
            del self._found[gone]
            self._written.pop(gone, None)
        outdated = [bin_id for bin_id, one in self._found.items() if one.threshold != roster[bin_id].rules.threshold]
        self.assess(dict.fromkeys(outdated, now), now)
        with self._connection.transaction():
            self._write(roster, now)

    def has_new_bins(self) -> bool:
        """Say whether a bin stands that has no state yet."""
        query = (
            "select exists (select from bins where removed_at is null"
            " and not exists (select from bin_state where bin_state.bin_id = bins.id))"
        )
        row = self._connection.execute(query).fetchone()
        return row is not None and bool(row[0])

    def _write(self, roster: Mapping[int, Entry], now: datetime) -> None:
        states = {
            bin_id: state_at(self._findings(bin_id), entry.last_emptied_at, entry.sensor, entry.rules, now)
            for bin_id, entry in roster.items()
        }
        changed = {bin_id: state for bin_id, state in states.items() if self._written.get(bin_id) != state}
        write_states(self._connection, changed, now)
        self._written.update(changed)

    def _findings(self, bin_id: int) -> Findings:
        one = self._found.get(bin_id)
        return Findings() if one is None else one.findings

    def _last_emptyings(self, since: Mapping[int, datetime]) -> dict[int, tuple[datetime, datetime]]:
        """Give the window of the last emptying that each bin's sensor saw before the news; later ones may change."""
        rows = self._connection.execute(_LAST_BEFORE, (list(since), list(since.values())))
        return {bin_id: (not_before, emptied_at) for bin_id, not_before, emptied_at in rows}


def fitted_bins(connection: Connection) -> list[int]:
    """Give the ids of the bins that a sensor sits in or sat in."""
    return [bin_id for (bin_id,) in connection.execute("select distinct bin_id from fittings order by bin_id")]


def _examine(history: History | None, entry: Entry) -> _Found:
    threshold = entry.rules.threshold
    if history is None or not history.parts:
        return _Found(Findings(), threshold)
    voices = [Voice(examine(part.series, part.geometry, threshold)[0], part.running) for part in history.parts]
    return _Found(combine(voices), threshold)


def _revision(findings: Findings, since: datetime) -> Revision:
    return Revision(since, [one for one in findings.emptyings if moment(one.emptied_at) >= since])


def _batches(since: Mapping[int, datetime]) -> Iterator[dict[int, datetime]]:
    pairs: Sequence[tuple[int, datetime]] = sorted(since.items())
    rest = iter(pairs)
    while batch := dict(islice(rest, BINS_AT_ONCE)):
        yield batch


def _report_doubles(histories: Mapping[int, History]) -> None:
    for bin_id, history in histories.items():
        if history.double_count:
            structlog.get_logger("assess").warning(
                "readings share an identity but not their time; the later received ones do not count",
                bin_id=bin_id,
                readings=history.double_count,
            )
