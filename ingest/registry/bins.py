"""Bins in the registry: imported from and exported to CSV, with every change in the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, sql
from psycopg.rows import dict_row

from ingest.registry.audit import Change, record_changes
from ingest.registry.bin_file import COLUMNS, BinRow, Values
from ingest.registry.queue import announce
from ingest.registry.tables import write_table

# What the schema gives a bin when a file does not say.
DEFAULTS: Mapping[str, object] = {
    "location": "",
    "depot": None,
    "stream": "general",
    "model": "",
    "capacity_l": 120.0,
    "position_source": "",
    "position_licence": "",
    "threshold": 0.8,
    "max_age_days": 7.0,
    "service_time_s": 120,
    "out_of_service_until": None,
}

_SELECT = """
select
    bins.ref, bins.name, bins.location, depots.ref as depot, bins.stream, bins.model, bins.capacity_l,
    bins.longitude, bins.latitude, bins.position_source, bins.position_licence, bins.threshold, bins.max_age_days,
    bins.service_time_s, bins.out_of_service_until
from bins
left join depots on depots.id = bins.depot_id
"""
_INSERT = """
insert into bins (
    ref, name, location, depot_id, stream, model, capacity_l, longitude, latitude,
    position_source, position_licence, threshold, max_age_days, service_time_s, out_of_service_until
)
values (
    %(ref)s, %(name)s, %(location)s, (select id from depots where ref = %(depot)s), %(stream)s, %(model)s,
    %(capacity_l)s, %(longitude)s, %(latitude)s, %(position_source)s, %(position_licence)s, %(threshold)s,
    %(max_age_days)s, %(service_time_s)s, %(out_of_service_until)s
)
"""
_UPDATE = """
update bins set
    name = %(name)s, location = %(location)s, depot_id = (select id from depots where ref = %(depot)s),
    stream = %(stream)s, model = %(model)s, capacity_l = %(capacity_l)s, longitude = %(longitude)s,
    latitude = %(latitude)s, position_source = %(position_source)s, position_licence = %(position_licence)s,
    threshold = %(threshold)s, max_age_days = %(max_age_days)s, service_time_s = %(service_time_s)s,
    out_of_service_until = %(out_of_service_until)s, removed_at = null
where ref = %(ref)s
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: numbers of bins, and the depots that the file named first."""

    added: int
    changed: int
    unchanged: int
    new_depots: tuple[str, ...]


def import_bins(connection: Connection, rows: Sequence[BinRow], *, actor: str) -> Imported:
    """Add the bins that are new and change those that differ; what the file does not say stays.

    Nothing is removed. A bin that was taken away and is in the file again stands again. A depot that the file names
    first is added under that reference.

    Args:
        connection: of the caller's transaction.
        rows: one per bin.
        actor: for the audit log.
    """
    # Two imports at once: the second waits, then finds what the first one added.
    connection.execute("lock table bins, depots in share row exclusive mode")
    known = {row["ref"]: row for row in _load(connection)}
    removed = {ref for (ref,) in connection.execute("select ref from bins where removed_at is not null")}
    added: list[Values] = []
    changed: list[Values] = []
    changes: list[Change] = []
    for row in rows:
        ref = str(row.values["ref"])
        before = known.get(ref)
        after = {**(before or DEFAULTS), **row.values}
        if before is None:
            added.append(after)
            changes.append(Change("bin.add", ref, None, after))
        elif before != after or ref in removed:
            changed.append(after)
            changes.append(_difference(ref, before, after))
    depots = _add_depots(connection, [*added, *changed], actor)
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, added)
        cursor.executemany(_UPDATE, changed)
    record_changes(connection, actor, changes)
    announce(connection)
    return Imported(len(added), len(changed), len(rows) - len(changes), depots)


def export_bins(connection: Connection) -> str:
    """Write the bins that stand as CSV, by reference; `import_bins` takes it back without a change."""
    rows = _load(connection, sql.SQL("where bins.removed_at is null order by bins.ref"))
    for row in rows:
        until = row["out_of_service_until"]
        row["out_of_service_until"] = until.isoformat() if isinstance(until, datetime) else None
    return write_table(COLUMNS, rows)


def list_bins(connection: Connection) -> list[dict[str, object]]:
    """Give reference, name, level and reason of the bins that stand, by reference."""
    query = "select ref, name, location, device, fill_level, reason from bin_status order by ref"
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def _load(connection: Connection, condition: sql.SQL | None = None) -> list[dict[str, object]]:
    query = sql.SQL(_SELECT) + (condition or sql.SQL(""))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def _difference(ref: str, before: Mapping[str, object], after: Mapping[str, object]) -> Change:
    names = [name for name in COLUMNS if before[name] != after[name]]
    return Change("bin.change", ref, {name: before[name] for name in names}, {name: after[name] for name in names})


def _add_depots(connection: Connection, bins: Sequence[Values], actor: str) -> tuple[str, ...]:
    named = sorted({str(one["depot"]) for one in bins if one["depot"]})
    query = (
        "insert into depots (ref, name) select ref, ref from unnest(%s::text[]) as ref"
        " on conflict do nothing returning ref"
    )
    added = tuple(ref for (ref,) in connection.execute(query, (named,)).fetchall())
    record_changes(connection, actor, [Change("depot.add", ref, None, {"name": ref}) for ref in added])
    return added
