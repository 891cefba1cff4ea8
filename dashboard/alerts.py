"""Somebody says on the page that they look after an alert."""

from psycopg.types.json import Jsonb

from dashboard.accounts.sessions import Visitor
from dashboard.database import Pool

MAY_DECIDE = frozenset({"manager", "admin"})
"""Roles; the others only look."""


async def acknowledge(pool: Pool, alert_id: int, visitor: Visitor) -> bool:
    """Note that somebody looks after an alert; who did so first stays.

    Args:
        pool: to the database.
        alert_id: of the alert.
        visitor: who says so.

    Returns:
        False when their role may not, the alert does not exist, or somebody else was first.
    """
    if visitor.role not in MAY_DECIDE:
        return False
    update = (
        "update alerts set acknowledged_at = now(), acknowledged_by = %s"
        " where id = %s and acknowledged_at is null returning id"
    )
    note = "insert into audit_log (actor, action, subject, after) values (%s, %s, %s, %s)"
    async with pool.connection() as conn, conn.transaction():
        cursor = await conn.execute(update, (visitor.name, alert_id))
        if await cursor.fetchone() is None:
            return False
        after = Jsonb({"acknowledged_by": visitor.name})
        await conn.execute(note, (f"page: {visitor.name}", "alert.acknowledge", str(alert_id), after))
        return True
