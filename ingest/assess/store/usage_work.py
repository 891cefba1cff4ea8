"""Keeps `usage_days` true to the readings, a little behind everything else: for the assess runner.

The runner says which bins have new readings (`queue_usage`, before it forgets that they came), and lets what waits be
worked out when it has time (`UsageKeeper`). It waits in the database, so nothing is forgotten when the runner ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import structlog
from psycopg import Connection

from ingest.assess.forecasts.hours import WEEK_HOURS
from ingest.assess.levels.emptying import detect
from ingest.assess.levels.level import fill_levels
from ingest.assess.levels.quality import judge
from ingest.assess.levels.readings import Floats, Geometry, Series
from ingest.assess.places.spans import Measured
from ingest.assess.places.usage import usage_days
from ingest.assess.store.history import EVER, Part, load_histories
from ingest.assess.store.usage_store import revise_usage, usage_starts, week_sums

# So many bins at a time: their readings are in memory together.
BINS_AT_ONCE = 100
# Of those whose whole past waits, after an upgrade: a pass of them must not keep new readings waiting.
OLD_AT_ONCE = 10
LONG_AGO = timedelta(days=60)
# A device reports several times within a minute when it has much to tell.
REST = timedelta(minutes=1)
# How long back the shape of a week is looked for.
PROFILE_DAYS = 56
_POISON = (psycopg.DataError, psycopg.IntegrityError, ArithmeticError, ValueError)

_QUEUE = """
insert into usage_queue as waiting (bin_id, from_measured_at)
select bin_id, changed from unnest(%s::int[], %s::timestamptz[]) as seen (bin_id, changed)
order by bin_id
on conflict (bin_id) do update set from_measured_at = least(waiting.from_measured_at, excluded.from_measured_at)
"""
_NEXT = """
select usage_queue.bin_id, usage_queue.from_measured_at, bins.capacity_l, bins.stream
from usage_queue
join bins on bins.id = usage_queue.bin_id
where usage_queue.queued_at <= %s
order by usage_queue.from_measured_at < %s, usage_queue.queued_at, usage_queue.bin_id
limit %s
"""


def queue_usage(connection: Connection, changed: Mapping[int, datetime]) -> None:
    """Say which bins have new readings.

    Args:
        connection: whose transaction this joins.
        changed: by bin id, when the oldest of the new readings was measured; aware.
    """
    connection.execute(_QUEUE, (list(changed), list(changed.values())))


def week_profiles(connection: Connection, today: date) -> dict[str, Floats]:
    """Give how busy each hour of the week is, by stream, shape (168,) each, with a mean of 1.

    Args:
        connection: read only.
        today: local day.
    """
    bins: dict[int, str] = dict(connection.execute("select id, stream from bins").fetchall())
    streams = sorted(set(bins.values()))
    pools = {bin_id: streams.index(stream) for bin_id, stream in bins.items()}
    sums = week_sums(connection, pools, today - timedelta(days=PROFILE_DAYS), today)
    return {streams[pool]: tally.weights()[0] for pool, tally in sums.items()}


def revise_queued(
    connection: Connection, zone: ZoneInfo, now: datetime, profiles: Mapping[str, Floats] | None = None
) -> int:
    """Work out the use of bins whose readings changed, BINS_AT_ONCE at most; fresh readings first.

    Args:
        connection: of the ingester.
        zone: of the town's clocks.
        now: aware; what was queued less than REST ago waits a little longer.
        profiles: from `week_profiles`, by stream; a stream that is missing, and None, spread over gaps evenly.

    Returns:
        How many bins were done; 0 when none waits.
    """
    long_ago = now - LONG_AGO
    rows = connection.execute(_NEXT, (now - REST, long_ago, BINS_AT_ONCE)).fetchall()
    old = [bin_id for bin_id, changed_at, *_ in rows if changed_at < long_ago]
    waiting = {bin_id: _Wait(*rest) for bin_id, *rest in rows if bin_id not in old[OLD_AT_ONCE:]}
    try:
        _revise_all(connection, waiting, zone, profiles or {})
    except _POISON:
        # One bin must never keep the others waiting.
        for bin_id, one in waiting.items():
            try:
                _revise_all(connection, {bin_id: one}, zone, profiles or {})
            except _POISON:
                structlog.get_logger("assess").exception("the use of a bin could not be worked out", bin_id=bin_id)
    connection.execute("delete from usage_queue where bin_id = any(%s)", (list(waiting),))
    return len(waiting)


class UsageKeeper:
    """Works out what waits, with the shapes of the week that the last weeks taught; learnt once a day.

    Args:
        connection: of the ingester.
        zone: of the town's clocks.
    """

    def __init__(self, connection: Connection, zone: ZoneInfo) -> None:
        self._connection = connection
        self._zone = zone
        self._learnt_on: date | None = None
        self._profiles: dict[str, Floats] = {}

    def revise(self, now: datetime) -> int:
        """Revise some of the bins that wait at `now` (aware); gives how many, 0 when none waits."""
        today = now.astimezone(self._zone).date()
        if self._learnt_on != today:
            self._profiles = week_profiles(self._connection, today)
            self._learnt_on = today
        return revise_queued(self._connection, self._zone, now, self._profiles)


@dataclass(frozen=True, slots=True)
class _Wait:
    changed_at: datetime
    capacity_l: float
    stream: str


def _revise_all(
    connection: Connection, waiting: Mapping[int, _Wait], zone: ZoneInfo, profiles: Mapping[str, Floats]
) -> None:
    with connection.transaction():
        starts = usage_starts(connection, {bin_id: one.changed_at for bin_id, one in waiting.items()}, zone)
        revise = partial(_revise, connection, waiting, zone=zone, profiles=profiles)
        unexplained = revise(starts) if starts else []
        # Of those without an emptying so long ago, or that does not show in part of their readings, all is looked at.
        revise(dict.fromkeys([*(waiting.keys() - starts.keys()), *unexplained], EVER))


def _revise(
    connection: Connection,
    waiting: Mapping[int, _Wait],
    starts: Mapping[int, datetime],
    *,
    zone: ZoneInfo,
    profiles: Mapping[str, Floats],
) -> list[int]:
    """Revise bins from where their readings are loaded; gives those that these readings do not explain."""
    histories = load_histories(connection, starts)
    tracks = [(bin_id, part) for bin_id, parts in histories.items() for part in parts]
    if not tracks:
        return []
    bins = [waiting[bin_id] for bin_id, _ in tracks]
    even = np.ones(WEEK_HOURS)
    measured = replace(
        _measured([part for _, part in tracks]),
        bin=np.array([bin_id for bin_id, _ in tracks]),
        capacity_l=np.array([one.capacity_l for one in bins]),
        whole=np.array([starts[bin_id] == EVER for bin_id, _ in tracks]),
    )
    usage = usage_days(measured, zone, np.array([profiles.get(one.stream, even) for one in bins]))
    revise_usage(connection, usage)
    unexplained: list[int] = usage.bins[np.isnat(usage.since)].tolist()
    return unexplained


def _measured(parts: Sequence[Part]) -> Measured:
    series = Series.joined([part.series for part in parts])
    geometry = Geometry.joined([(part.geometry, len(part.series)) for part in parts])
    judgement = judge(series, geometry)
    levels = fill_levels(series, judgement, geometry)
    emptyings = detect(series, levels, judgement)
    nothing = np.zeros(len(parts))
    return Measured(nothing.astype(np.int64), nothing, nothing > 0, series, levels, geometry, emptyings)
