"""Somebody looks after an alert."""

from collections.abc import Sequence

from psycopg import Connection

from ingest.registry.audit import Change, record_changes
from ingest.registry.errors import RegistryError

_ACKNOWLEDGE = """
update alerts set acknowledged_at = now(), acknowledged_by = %s
where id = any(%s) and acknowledged_at is null
returning id
"""


def acknowledge(connection: Connection, ids: Sequence[int], actor: str) -> None:
    """Note that somebody looks after alerts; who did so first stays.

    Args:
        connection: in the caller's transaction.
        ids: of the alerts.
        actor: who, for the page and the audit log.

    Raises:
        RegistryError: there is no such alert; none is acknowledged then.
    """
    known = {row[0] for row in connection.execute("select id from alerts where id = any(%s)", (list(ids),))}
    if missing := sorted(set(ids) - known):
        raise RegistryError(f"There is no alert {missing[0]}.")
    rows = connection.execute(_ACKNOWLEDGE, (actor, list(ids))).fetchall()
    changes = [Change("alert.acknowledge", str(alert_id), None, {"acknowledged_by": actor}) for (alert_id,) in rows]
    record_changes(connection, actor, changes)
