"""What bins belong to: depots and areas, imported from and exported to CSV, with every change in the audit log."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection, sql
from psycopg.rows import dict_row

from ingest.registry import cells
from ingest.registry.audit import Change, difference, record_changes
from ingest.registry.bin_file import BinRow, RefusedRow
from ingest.registry.cells import Reader, read_cells
from ingest.registry.errors import RegistryError
from ingest.registry.queue import announce
from ingest.registry.settings import Area
from ingest.registry.tables import Row, read_table, write_table

_READERS: Mapping[str, Reader] = {
    "ref": cells.reference,
    "name": cells.text(200),
    "longitude": cells.or_none(cells.number(-180, 180)),
    "latitude": cells.or_none(cells.number(-90, 90)),
}
_MAY_BE_EMPTY = ("longitude", "latitude")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of group.

    Attributes:
        table: that holds them; a file of bins has a column named `noun`.
        noun: for people and the audit log.
        columns: in the order of an export.
    """

    table: str
    noun: str
    columns: tuple[str, ...]


DEPOTS = Kind("depots", "depot", ("ref", "name", "longitude", "latitude"))
AREAS = Kind("areas", "area", ("ref", "name"))


@dataclass(frozen=True, slots=True)
class ImportedGroups:
    """What an import did: numbers of groups."""

    added: int
    changed: int
    unchanged: int


def read_groups(path: Path, kind: Kind, area: Area) -> tuple[list[BinRow], list[RefusedRow]]:
    """Read a CSV file of groups; `ref` and `name` are required, a depot may have `longitude` and `latitude`.

    Raises:
        RegistryError: the file as a whole cannot be used.
    """
    table = read_table(path, {name: name for name in kind.columns}, ("ref", "name"))
    good: list[BinRow] = []
    refused: list[RefusedRow] = []
    lines: dict[object, int] = {}
    for row in table.rows:
        try:
            values = _values(row, area)
            if values["ref"] in lines:
                raise ValueError(f"line {lines[values['ref']]} has the same ref {values['ref']}")  # noqa: TRY301
        except ValueError as error:
            refused.append(RefusedRow(row.line, row.cells.get("name", ""), str(error)))
        else:
            lines[values["ref"]] = row.line
            good.append(BinRow(row.line, values))
    return good, refused


def import_groups(connection: Connection, kind: Kind, rows: Sequence[BinRow], *, actor: str) -> ImportedGroups:
    """Add the groups that are new and change those that differ; what the file does not say stays. Nothing is removed.

    Args:
        connection: of the caller's transaction.
        kind: of the groups.
        rows: one per group.
        actor: for the audit log.
    """
    table = sql.Identifier(kind.table)
    connection.execute(sql.SQL("lock table {} in share row exclusive mode").format(table))
    known = {row["ref"]: row for row in _load(connection, kind)}
    empty = dict.fromkeys(kind.columns)
    changes: list[Change] = []
    stored: list[Mapping[str, object]] = []
    for row in rows:
        before = known.get(row.values["ref"])
        after = {**(before or empty), **row.values}
        if before != after:
            stored.append(after)
            action = f"{kind.noun}.{'add' if before is None else 'change'}"
            changes.append(difference(action, str(after["ref"]), before, after))
    with connection.cursor() as cursor:
        cursor.executemany(_store(kind), stored)
    record_changes(connection, actor, changes)
    announce(connection)
    added = sum(change.before is None for change in changes)
    return ImportedGroups(added, len(changes) - added, len(rows) - len(changes))


def add_named(connection: Connection, kind: Kind, refs: Iterable[object], *, actor: str) -> tuple[str, ...]:
    """Add the groups that a file of bins names first, each under its reference; gives their references."""
    named = sorted({str(ref) for ref in refs if ref})
    query = sql.SQL(
        "insert into {} (ref, name) select ref, ref from unnest(%s::text[]) as ref on conflict do nothing returning ref"
    ).format(sql.Identifier(kind.table))
    added = tuple(ref for (ref,) in connection.execute(query, (named,)).fetchall())
    record_changes(connection, actor, [Change(f"{kind.noun}.add", ref, None, {"name": ref}) for ref in added])
    return added


def export_groups(connection: Connection, kind: Kind) -> str:
    """Write all groups of a kind as CSV, by reference; `import_groups` takes it back without a change."""
    return write_table(kind.columns, _load(connection, kind))


def find_depot(connection: Connection, ref: str | None) -> int | None:
    """Give the id of a depot; None for None, which stands for all of them.

    Raises:
        RegistryError: there is none of this reference.
    """
    if ref is None:
        return None
    row = connection.execute("select id from depots where ref = %s", (ref,)).fetchone()
    if row is None:
        raise RegistryError(f"There is no depot {ref}.")
    return int(row[0])


def _values(row: Row, area: Area) -> dict[str, object]:
    if row.fault:
        raise ValueError(row.fault)
    values = read_cells(row.cells, _READERS, _MAY_BE_EMPTY)
    for name in ("ref", "name"):
        if name not in values:
            raise ValueError(f"it has no {name}")
    longitude, latitude = values.get("longitude"), values.get("latitude")
    if (longitude is None) != (latitude is None):
        raise ValueError("it has one of longitude and latitude, without the other")
    if isinstance(longitude, float) and isinstance(latitude, float) and not area.holds(longitude, latitude):
        raise ValueError(f"longitude {longitude:.5f}, latitude {latitude:.5f} is outside the council's area")
    return values


def _load(connection: Connection, kind: Kind) -> list[dict[str, object]]:
    columns = sql.SQL(", ").join(map(sql.Identifier, kind.columns))
    query = sql.SQL("select {} from {} order by ref").format(columns, sql.Identifier(kind.table))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def _store(kind: Kind) -> sql.Composed:
    return sql.SQL("insert into {} ({}) values ({}) on conflict (ref) do update set {}").format(
        sql.Identifier(kind.table),
        sql.SQL(", ").join(map(sql.Identifier, kind.columns)),
        sql.SQL(", ").join(map(sql.Placeholder, kind.columns)),
        sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in kind.columns if name != "ref"
        ),
    )
