"""Who changed which account, for the audit log."""

import getpass
from collections.abc import Mapping

from psycopg.types.json import Jsonb

from dashboard.database import Connection


async def note(conn: Connection, action: str, subject: str, after: Mapping[str, object] | None = None) -> None:
    """Write down that this command's user changed something; part of the caller's transaction.

    Args:
        conn: in the transaction of the change.
        action: what was done, such as `user.add`.
        subject: to whom.
        after: the columns' new values; None where nothing tells more than the action.
    """
    query = "insert into audit_log (actor, action, subject, after) values (%s, %s, %s, %s)"
    await conn.execute(query, (f"command line: {_account()}", action, subject, Jsonb(after) if after else None))


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
