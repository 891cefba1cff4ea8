"""The audit log: who changed what in the registry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psycopg import Connection
from psycopg.types.json import Jsonb


@dataclass(frozen=True, slots=True)
class Change:
    """One change, to be written with who made it.

    Attributes:
        action: such as `bin.add`.
        subject: the reference of what was changed.
        before: the changed columns as they were; None for something new.
        after: the changed columns as they are now.
    """

    action: str
    subject: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None


def difference(action: str, subject: str, before: Mapping[str, object] | None, after: Mapping[str, object]) -> Change:
    """Give the change with only the columns that differ; all of them for something new."""
    if before is None:
        return Change(action, subject, None, after)
    names = [name for name in after if before.get(name) != after[name]]
    return Change(action, subject, {name: before.get(name) for name in names}, {name: after[name] for name in names})


def record_changes(connection: Connection, actor: str, changes: Iterable[Change]) -> None:
    """Write the changes into the audit log, in the caller's transaction."""
    rows = [(actor, change.action, change.subject, _json(change.before), _json(change.after)) for change in changes]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into audit_log (actor, action, subject, before, after) values (%s, %s, %s, %s, %s)", rows
        )


def _json(columns: Mapping[str, object] | None) -> Jsonb | None:
    if columns is None:
        return None
    return Jsonb({name: value if isinstance(value, _PLAIN) else str(value) for name, value in columns.items()})


_PLAIN = (str, int, float, bool, type(None))
