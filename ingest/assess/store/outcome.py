"""What the assess runner writes: states, and what readings changed of the past; many rows with each statement."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from psycopg import Connection, sql

from ingest.assess.decisions.state import BinState
from ingest.assess.levels.emptying import Emptying
from ingest.assess.levels.readings import moment
from ingest.assess.levels.reports import Report, Service
from ingest.assess.memory.news import News
from ingest.assess.store.cycle_store import revise_cycles
from ingest.columns import Bigints, Doubles, Integers, Texts, register_columns

EVER = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = (None, None, None)

# The columns of `bin_state` as `_row` gives them, and their types; moments are microseconds since 1970.
_COLUMNS = {
    "bin_id": "integer",
    "quality": "integer",
    "priority": "integer",
    "fill_level": "float8",
    "overflow_chance": "float8",
    "sensor": "text",
    "reason": "text",
    "due_class": "text",
    "explanation": "text",
    "measured_at": "bigint",
    "last_received_at": "bigint",
    "last_emptied_at": "bigint",
    "due_since": "bigint",
    "due_by": "bigint",
    "threshold_at_p10": "bigint",
    "threshold_at_p50": "bigint",
    "threshold_at_p90": "bigint",
    "full_at_p10": "bigint",
    "full_at_p50": "bigint",
    "full_at_p90": "bigint",
    "horizon_at": "bigint",
}
_PACKED: dict[str, Callable[[Sequence[Any]], object]] = {
    "integer": Integers,
    "float8": Doubles,
    "text": Texts,
    "bigint": lambda moments: Bigints([None if at is None else round(at.timestamp() * 1e6) for at in moments]),
}
_STATES = sql.SQL(
    "insert into bin_state (assessed_at, {names}) select %s, {values} from unnest({arrays}) as rows ({names})"
    " on conflict (bin_id) do update set assessed_at = excluded.assessed_at, {changes}"
).format(
    names=sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)),
    values=sql.SQL(", ").join(
        sql.SQL("timestamptz 'epoch' + {} * interval '1 microsecond'" if kind == "bigint" else "{}").format(
            sql.Identifier(name)
        )
        for name, kind in _COLUMNS.items()
    ),
    arrays=sql.SQL(", ").join(sql.SQL(f"%b::{kind}[]") for kind in _COLUMNS.values()),
    changes=sql.SQL(", ").join(
        sql.SQL("{name} = excluded.{name}").format(name=sql.Identifier(name)) for name in _COLUMNS if name != "bin_id"
    ),
)
_KNOWN = """
select
    emptyings.bin_id, emptyings.emptied_at,
    emptyings.not_before, emptyings.fill_before, emptyings.fill_after, emptyings.confidence
from unnest(%(bin_ids)s::int[], %(since)s::timestamptz[]) as wanted (bin_id, since)
join emptyings on emptyings.bin_id = wanted.bin_id and emptyings.emptied_at >= wanted.since
where emptyings.source = 'sensor'
"""
_WRONG = """
delete from emptyings
using unnest(%s::int[], %s::timestamptz[]) as wrong (bin_id, emptied_at)
where emptyings.bin_id = wrong.bin_id and emptyings.emptied_at = wrong.emptied_at and emptyings.source = 'sensor'
"""
_EMPTYINGS = """
insert into emptyings (bin_id, emptied_at, not_before, fill_before, fill_after, confidence, source)
select rows.*, 'sensor'
from unnest(%s::int[], %s::timestamptz[], %s::timestamptz[], %s::real[], %s::real[], %s::real[]) as rows
on conflict (bin_id, emptied_at, source) do update set
    not_before = excluded.not_before, fill_before = excluded.fill_before, fill_after = excluded.fill_after,
    confidence = excluded.confidence
"""


_REPORTED = """
update emptyings set outcome = judged.outcome, same_as = judged.same_as, confidence = judged.confidence
from unnest(%s::int[], %s::timestamptz[], %s::text[], %s::text[], %s::timestamptz[], %s::real[])
    as judged (bin_id, emptied_at, source, outcome, same_as, confidence)
where emptyings.bin_id = judged.bin_id and emptyings.emptied_at = judged.emptied_at and emptyings.source = judged.source
"""


def write_states(connection: Connection, states: Mapping[int, BinState], now: datetime) -> None:
    """Write the states of bins, by bin id."""
    if states:
        register_columns(connection)
        columns = zip(*(_row(bin_id, state) for bin_id, state in states.items()), strict=True)
        packed = [_PACKED[kind](column) for kind, column in zip(_COLUMNS.values(), columns, strict=True)]
        connection.execute(_STATES, [now, *packed])


def revise_past(connection: Connection, news: News) -> None:
    """Bring emptyings and cycles to what sensors saw; what is right already is not touched."""
    if not news.revisions:
        return
    since = {
        bin_id: EVER if np.isnat(revision.since) else moment(revision.since)
        for bin_id, revision in news.revisions.items()
    }
    rows = connection.execute(_KNOWN, {"bin_ids": list(since), "since": list(since.values())})
    known = {(bin_id, at): tuple(rest) for bin_id, at, *rest in rows}
    seen = {
        (bin_id, moment(one.emptied_at)): (moment(one.not_before), *_reals(one))
        for bin_id, revision in news.revisions.items()
        for one in revision.emptyings
    }
    wrong = [key for key in known if key not in seen]
    changed = [(*key, *columns) for key, columns in seen.items() if known.get(key) != columns]
    if wrong:
        connection.execute(_WRONG, _columns(wrong))
    if changed:
        connection.execute(_EMPTYINGS, _columns(changed))
    revise_cycles(connection, since, news.ended_cycles())


def judge_reports(connection: Connection, news: News) -> None:
    """Write down what sensors say of emptyings that were reported."""
    rows = [
        (bin_id, moment(report.emptied_at), report.source, one.outcome, _same_as(one, report), one.confidence)
        for bin_id, services in news.services.items()
        for one in services
        for report in one.reports
    ]
    if rows:
        connection.execute(_REPORTED, _columns(rows))


def _same_as(service: Service, report: Report) -> datetime | None:
    """Say when the emptying was that a report tells of, if another row has it already."""
    is_first = "sensor" not in service.sources and report == service.reports[0]
    return None if is_first else moment(service.emptied_at)


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _reals(one: Emptying) -> tuple[float, ...]:
    """Give the numbers as a column of type `real` will show them again."""
    return tuple(float(str(np.float32(value))) for value in (one.fill_before, one.fill_after, one.confidence))


def _row(bin_id: int, state: BinState) -> tuple[object, ...]:
    due, prospect = state.due, state.prospect
    return (
        bin_id,
        state.quality,
        due.priority,
        state.fill_level,
        None if prospect is None else prospect.overflow_chance,
        due.sensor,
        due.reason,
        due.due_class,
        due.explanation,
        state.measured_at,
        state.last_received_at,
        state.last_emptied_at,
        due.due_since,
        due.due_by,
        *(_NOTHING if prospect is None else prospect.threshold_at),
        *(_NOTHING if prospect is None else prospect.full_at),
        None if prospect is None else prospect.horizon_at,
    )
