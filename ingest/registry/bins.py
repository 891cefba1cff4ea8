"""Bins in the registry: imported from and exported to CSV and GeoJSON, with every change in the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import dict_row

from ingest.registry.audit import Change, difference, record_changes
from ingest.registry.bin_columns import COLUMNS, GRID, Values, grid_columns
from ingest.registry.bin_file import BinRow, RefusedRow
from ingest.registry.features import write_features
from ingest.registry.groups import AREAS, DEPOTS, add_named
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
    "threshold": None,
    "max_age_days": None,
    "service_time_s": 120,
    "out_of_service_until": None,
    "area": None,
    "uprn": None,
    "usrn": None,
    "open_data": False,
}

_SELECT = """
select
    bins.ref, bins.name, bins.location, depots.ref as depot, bins.stream, bins.model, bins.capacity_l,
    bins.longitude, bins.latitude, bins.position_source, bins.position_licence, bins.threshold, bins.max_age_days,
    bins.service_time_s, bins.out_of_service_until, areas.ref as area, bins.uprn, bins.usrn, bins.open_data,
    bins.removed_at
from bins
left join depots on depots.id = bins.depot_id
left join areas on areas.id = bins.area_id
order by bins.ref
"""
_INSERT = """
insert into bins (
    ref, name, location, depot_id, stream, model, capacity_l, longitude, latitude,
    position_source, position_licence, threshold, max_age_days, service_time_s, out_of_service_until,
    area_id, uprn, usrn, open_data
)
values (
    %(ref)s, %(name)s, %(location)s, (select id from depots where ref = %(depot)s), %(stream)s, %(model)s,
    %(capacity_l)s, %(longitude)s, %(latitude)s, %(position_source)s, %(position_licence)s, %(threshold)s,
    %(max_age_days)s, %(service_time_s)s, %(out_of_service_until)s,
    (select id from areas where ref = %(area)s), %(uprn)s, %(usrn)s, %(open_data)s
)
"""
_UPDATE = """
update bins set
    name = %(name)s, location = %(location)s, depot_id = (select id from depots where ref = %(depot)s),
    stream = %(stream)s, model = %(model)s, capacity_l = %(capacity_l)s, longitude = %(longitude)s,
    latitude = %(latitude)s, position_source = %(position_source)s, position_licence = %(position_licence)s,
    threshold = %(threshold)s, max_age_days = %(max_age_days)s, service_time_s = %(service_time_s)s,
    out_of_service_until = %(out_of_service_until)s, area_id = (select id from areas where ref = %(area)s),
    uprn = %(uprn)s, usrn = %(usrn)s, open_data = %(open_data)s, removed_at = null
where ref = %(ref)s
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: numbers of bins, what it refused, and the depots and areas that the file named first."""

    added: int
    changed: int
    unchanged: int
    refused: tuple[RefusedRow, ...]
    new_depots: tuple[str, ...]
    new_areas: tuple[str, ...]


def import_bins(connection: Connection, rows: Sequence[BinRow], *, actor: str) -> Imported:
    """Add the bins that are new and change those that differ; what the file does not say stays.

    Nothing is removed. A bin that was taken away and is in the file again stands again. A depot or an area that the
    file names first is added under that reference.

    Args:
        connection: of the caller's transaction.
        rows: one per bin.
        actor: for the audit log.
    """
    # Two imports at once: the second waits, then finds what the first one added.
    connection.execute("lock table bins, depots, areas in share row exclusive mode")
    known = {row["ref"]: row for row in _load(connection)}
    stored: dict[str, Values] = {}
    changes: list[Change] = []
    refused: list[RefusedRow] = []
    for row in rows:
        ref = str(row.values["ref"])
        before = known.get(ref)
        after = {**(before or DEFAULTS), **row.values, "removed_at": None}
        reason = _refusal(after)
        if reason:
            refused.append(RefusedRow(row.line, str(after["name"]), reason))
        elif before != after:
            stored[ref] = after
            changes.append(difference("bin.add" if before is None else "bin.change", ref, before, after))
    depots = add_named(connection, DEPOTS, [one["depot"] for one in stored.values()], actor=actor)
    areas = add_named(connection, AREAS, [one["area"] for one in stored.values()], actor=actor)
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, [one for ref, one in stored.items() if ref not in known])
        cursor.executemany(_UPDATE, [one for ref, one in stored.items() if ref in known])
    record_changes(connection, actor, changes)
    announce(connection)
    added = sum(change.before is None for change in changes)
    unchanged = len(rows) - len(changes) - len(refused)
    return Imported(added, len(changes) - added, unchanged, tuple(refused), depots, areas)


def export_bins(connection: Connection) -> str:
    """Write the bins that stand as CSV, by reference; `import_bins` takes it back without a change.

    Eastings and northings stand beside longitude and latitude.
    """
    rows = [{**row, **grid_columns(row["longitude"], row["latitude"])} for row in _standing(connection)]
    return write_table((*COLUMNS, *GRID), rows)


def export_features(connection: Connection) -> str:
    """Write the bins that stand as GeoJSON, by reference; `import_bins` takes it back without a change."""
    return write_features(COLUMNS, _standing(connection))


def list_bins(connection: Connection) -> list[dict[str, object]]:
    """Give reference, name, level and reason of the bins that stand, by reference."""
    query = "select ref, name, location, device, fill_level, reason from bin_status order by ref"
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def _load(connection: Connection) -> list[Values]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_SELECT).fetchall()


def _standing(connection: Connection) -> list[Values]:
    rows = [row for row in _load(connection) if row["removed_at"] is None]
    for row in rows:
        until = row["out_of_service_until"]
        row["out_of_service_until"] = until.isoformat() if isinstance(until, datetime) else None
    return rows


def _refusal(bin_: Values) -> str | None:
    if bin_["open_data"] and not bin_["position_licence"]:
        return "open_data is yes, and no position_licence says under which terms its position may be published"
    return None
