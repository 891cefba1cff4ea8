"""The assessor: from the queue through readings, findings, forecasts and decisions to states in the database."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice

import psycopg
import structlog
from psycopg import Connection

from ingest.assess.decisions.calendar import Calendar
from ingest.assess.decisions.state import BinState
from ingest.assess.levels.readings import instant, moment
from ingest.assess.memory.anchor import Anchor
from ingest.assess.memory.news import News
from ingest.assess.memory.watch import Watch
from ingest.assess.store.alert_store import AlertStore
from ingest.assess.store.cycle_store import load_cycles
from ingest.assess.store.difference import is_news
from ingest.assess.store.history import EVER, load_anchors, load_readings
from ingest.assess.store.outcome import judge_reports, revise_past, write_states
from ingest.assess.store.roster import load_decisions, load_roster
from ingest.assess.store.usage_work import queue_usage

# So many bins at a time are loaded anew: readings of years may be in memory together, or of the days since an anchor.
BINS_AT_ONCE = 200
ANCHORED_AT_ONCE = 2000
LONG_AGO = timedelta(days=14)
# What one bin may bring about must never keep the others from being assessed.
_POISON = (psycopg.DataError, psycopg.IntegrityError, ArithmeticError, ValueError)

# Fresh readings first: they never wait behind history.
_QUEUE = "select device_id, from_measured_at, xmin::text from assess_queue order by from_measured_at desc limit 2000"
# A device that was queued again meanwhile has another row version, and stays. Locked in the order that the ingester
# queues in, or each may wait for the other.
_DONE = """
with done as (
    select assess_queue.device_id
    from assess_queue
    join unnest(%s::int[], %s::text[]) as seen (device_id, version)
        on seen.device_id = assess_queue.device_id and seen.version::xid = assess_queue.xmin
    order by assess_queue.device_id
    for update of assess_queue
)
delete from assess_queue using done where assess_queue.device_id = done.device_id
"""
_CONCERNED = """
select fittings.bin_id, min(greatest(seen.since, fittings.fitted_at))
from unnest(%s::int[], %s::timestamptz[]) as seen (device_id, since)
join fittings on fittings.device_id = seen.device_id and coalesce(fittings.removed_at, 'infinity') >= seen.since
group by fittings.bin_id
"""
_REMOVED = """
select id from fittings
where removed_at is not null and (%(bin_ids)s::int[] is null or bin_id = any(%(bin_ids)s::int[]))
"""


class Assessor:
    """Assesses bins. A watch remembers what their readings say, so that no reading has to be loaded twice.

    Whoever sees an exception other than those of single bins needs another assessor: this one may know what was not
    committed.
    """

    def __init__(self, connection: Connection, calendar: Calendar) -> None:
        """Begin with nothing known.

        Args:
            connection: from now on it prepares no statement. Ours ask for one bin or for thousands, and a plan that
                PostgreSQL makes for any list compares every bin with all of it: seconds for a long one.
            calendar: of the council.
        """
        connection.prepare_threshold = None
        self._connection = connection
        self._calendar = calendar
        self._watch = Watch(calendar.zone)
        self._written: dict[int, BinState] = {}
        self._alerts = AlertStore(connection)
        # The bins whose readings the watch has; None before it has any.
        self._loaded: set[int] | None = None

    def take_queue(self, now: datetime) -> bool:
        """Assess the bins of the devices that wait, or of some of them; False when none waits."""
        queue = self._connection.execute(_QUEUE).fetchall()
        if not queue:
            return False
        devices, since, versions = (list(column) for column in zip(*queue, strict=True))
        concerned: dict[int, datetime] = dict(self._connection.execute(_CONCERNED, (devices, since)).fetchall())
        self.assess(concerned, now)
        queue_usage(self._connection, concerned)
        self._connection.execute(_DONE, (devices, versions))
        return True

    def assess(self, since: Mapping[int, datetime], now: datetime) -> None:
        """Take the readings of bins from a time on, and work out what they mean.

        Args:
            since: by bin id, the time of the first reading that is new; aware.
            now: aware.
        """
        loaded = self._begin(now)
        roster = load_roster(self._connection, self._calendar, now, list(since))
        self._watch.enrol(roster)
        self._watch.remove_fittings(self._removed_fittings(list(roster)))
        standing = {bin_id: at for bin_id, at in since.items() if bin_id in roster}
        late = self._watch.is_late({bin_id: instant(at) for bin_id, at in standing.items()})
        news = {bin_id: at for bin_id, at in standing.items() if bin_id in loaded and not late[bin_id]}
        old = [bin_id for bin_id, at in news.items() if now - at > LONG_AGO]
        recent = list(news.keys() - set(old))
        for batch in [*_batches(recent, ANCHORED_AT_ONCE), *_batches(old, BINS_AT_ONCE)]:
            self._take({bin_id: news[bin_id] for bin_id in batch}, None, now)
        self._take_anew({bin_id: at for bin_id, at in standing.items() if bin_id not in news}, now)

    def look_at_time(self, now: datetime) -> None:
        """Decide on all bins anew for what time, the registry and reports change; only what changed is written."""
        loaded = self._begin(now)
        roster = load_roster(self._connection, self._calendar, now)
        gone = self._watch.bin_ids - roster.keys()
        self._watch.dismiss(gone)
        loaded -= gone
        for bin_id in gone:
            self._written.pop(bin_id, None)
        self._watch.enrol(roster)
        with self._connection.transaction():
            self._write(None, now)

    def has_new_bins(self) -> bool:
        """Say whether a bin stands that has no state yet."""
        query = (
            "select exists (select from bins where removed_at is null"
            " and not exists (select from bin_state where bin_state.bin_id = bins.id))"
        )
        row = self._connection.execute(query).fetchone()
        return row is not None and bool(row[0])

    def _begin(self, now: datetime) -> set[int]:
        """Load what is known of all bins before the first readings; gives the bins whose readings are known."""
        if self._loaded is None:
            self._watch.enrol(load_roster(self._connection, self._calendar, now))
            self._watch.remove_fittings(self._removed_fittings(None))
            self._watch.remember(load_cycles(self._connection))
            self._watch.resume(load_decisions(self._connection))
            self._loaded = set()
        return self._loaded

    def _take_anew(self, since: Mapping[int, datetime], now: datetime) -> None:
        """Load the readings of bins that are not known, or from before those that are known."""
        anchors = load_anchors(self._connection, since)
        anchored = [bin_id for bin_id in since if bin_id in anchors]
        others = [bin_id for bin_id in since if bin_id not in anchors]
        for batch in [*_batches(anchored, ANCHORED_AT_ONCE), *_batches(others, BINS_AT_ONCE)]:
            known = {bin_id: anchors.get(bin_id) for bin_id in batch}
            starts = {bin_id: EVER if one is None else moment(one.since) for bin_id, one in known.items()}
            self._take(starts, known, now)

    def _take(self, since: Mapping[int, datetime], anchors: Mapping[int, Anchor | None] | None, now: datetime) -> None:
        """Take readings from a time on, of bins that are known or, with anchors, anew, and write what they mean."""
        try:
            rows = load_readings(self._connection, since)
            if anchors is None:
                self._watch.replace({bin_id: instant(at) for bin_id, at in since.items()}, rows)
            else:
                self._watch.renew(anchors, rows)
            with self._connection.transaction():
                news = self._write(since, now)
        except _POISON:
            self._watch.forget(since)
            self._begin(now).difference_update(since)
            if len(since) == 1 and anchors is not None:
                structlog.get_logger("assess").exception("a bin could not be assessed", bin_id=next(iter(since)))
            else:
                self._take_one_by_one(list(since), now)
        else:
            self._begin(now).update(since)
            _report_doubles(news.doubles)

    def _take_one_by_one(self, bin_ids: list[int], now: datetime) -> None:
        self._watch.remember(load_cycles(self._connection, bin_ids))
        for bin_id in bin_ids:
            self._take_anew({bin_id: now}, now)

    def _write(self, bin_ids: Iterable[int] | None, now: datetime) -> News:
        news = self._watch.learn()
        revise_past(self._connection, news)
        judge_reports(self._connection, news)
        states = self._watch.look(now, bin_ids)
        changed = {bin_id: one for bin_id, one in states.items() if is_news(self._written.get(bin_id), one, now)}
        write_states(self._connection, changed, now)
        self._written.update(changed)
        self._alerts.update(((one, self._watch.findings(one), self._watch.entry(one)) for one in states), now)
        return news

    def _removed_fittings(self, bin_ids: list[int] | None) -> Iterator[int]:
        return (fitting_id for (fitting_id,) in self._connection.execute(_REMOVED, {"bin_ids": bin_ids}))


def fitted_bins(connection: Connection) -> list[int]:
    """Give the ids of the bins that a sensor sits in or sat in."""
    return [bin_id for (bin_id,) in connection.execute("select distinct bin_id from fittings order by bin_id")]


def _batches(bin_ids: list[int], size: int) -> Iterator[list[int]]:
    rest = iter(sorted(bin_ids))
    while batch := list(islice(rest, size)):
        yield batch


def _report_doubles(doubles: Mapping[int, int]) -> None:
    for bin_id, count in doubles.items():
        structlog.get_logger("assess").warning(
            "readings share an identity but not their time; the later received ones do not count",
            bin_id=bin_id,
            readings=count,
        )
