"""What the assess runner writes: states and emptyings, and the queue entries that are done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from psycopg import Connection

from ingest.assess.emptying import Emptying
from ingest.assess.findings import moment
from ingest.assess.state import BinState

_STATE = """
insert into bin_state (
    bin_id, assessed_at, fill_level, quality, measured_at, last_received_at, last_emptied_at,
    sensor, reason, due_class, priority, due_since, due_by, explanation
)
values (
    %(bin_id)s, %(now)s, %(fill_level)s, %(quality)s, %(measured_at)s, %(last_received_at)s, %(last_emptied_at)s,
    %(sensor)s, %(reason)s, %(due_class)s, %(priority)s, %(due_since)s, %(due_by)s, %(explanation)s
)
on conflict (bin_id) do update set
    assessed_at = excluded.assessed_at, fill_level = excluded.fill_level, quality = excluded.quality,
    measured_at = excluded.measured_at, last_received_at = excluded.last_received_at,
    last_emptied_at = excluded.last_emptied_at, sensor = excluded.sensor, reason = excluded.reason,
    due_class = excluded.due_class, priority = excluded.priority, due_since = excluded.due_since,
    due_by = excluded.due_by, explanation = excluded.explanation
"""
_KNOWN = """
select
    emptyings.bin_id, emptyings.emptied_at,
    emptyings.not_before, emptyings.fill_before, emptyings.fill_after, emptyings.confidence
from unnest(%(bin_ids)s::int[], %(since)s::timestamptz[]) as wanted (bin_id, since)
join emptyings on emptyings.bin_id = wanted.bin_id and emptyings.emptied_at >= wanted.since
where emptyings.source = 'sensor'
"""
_EMPTYING = """
insert into emptyings (bin_id, emptied_at, not_before, fill_before, fill_after, confidence, source)
values (%s, %s, %s, %s, %s, %s, 'sensor')
on conflict (bin_id, emptied_at, source) do update set
    not_before = excluded.not_before, fill_before = excluded.fill_before, fill_after = excluded.fill_after,
    confidence = excluded.confidence
"""


@dataclass(frozen=True, slots=True)
class Revision:
    """The emptyings that a bin's sensor saw at `since` and after, oldest first; they replace what is on record."""

    since: datetime
    emptyings: Sequence[Emptying]


def write_states(connection: Connection, states: Mapping[int, BinState], now: datetime) -> None:
    """Write the states of bins, by bin id."""
    with connection.cursor() as cursor:
        cursor.executemany(_STATE, [_columns(bin_id, state, now) for bin_id, state in states.items()])


def revise_emptyings(connection: Connection, revisions: Mapping[int, Revision]) -> None:
    """Bring the emptyings of bins, by bin id, to what their sensors saw; what is right already is not touched."""
    parameters = {"bin_ids": list(revisions), "since": [one.since for one in revisions.values()]}
    known = {(bin_id, at): tuple(rest) for bin_id, at, *rest in connection.execute(_KNOWN, parameters)}
    seen = {
        (bin_id, moment(one.emptied_at)): (moment(one.not_before), *_reals(one))
        for bin_id, revision in revisions.items()
        for one in revision.emptyings
    }
    wrong = [key for key in known if key not in seen]
    news = [(*key, *columns) for key, columns in seen.items() if known.get(key) != columns]
    with connection.cursor() as cursor:
        cursor.executemany("delete from emptyings where bin_id = %s and emptied_at = %s and source = 'sensor'", wrong)
        cursor.executemany(_EMPTYING, news)


def _reals(one: Emptying) -> tuple[float, ...]:
    """Give the numbers as a column of type `real` will show them again."""
    return tuple(float(str(np.float32(value))) for value in (one.fill_before, one.fill_after, one.confidence))


def _columns(bin_id: int, state: BinState, now: datetime) -> dict[str, object]:
    due = state.due
    return {
        "bin_id": bin_id,
        "now": now,
        "fill_level": state.fill_level,
        "quality": state.quality,
        "measured_at": state.measured_at,
        "last_received_at": state.last_received_at,
        "last_emptied_at": state.last_emptied_at,
        "sensor": due.sensor,
        "reason": due.reason,
        "due_class": due.due_class,
        "priority": due.priority,
        "due_since": due.due_since,
        "due_by": due.due_by,
        "explanation": due.explanation,
    }
