"""Alerts and undelivered letters as the command line lists them."""

from psycopg import Connection
from psycopg.rows import dict_row


def list_alerts(connection: Connection, *, only_open: bool, limit: int) -> list[dict[str, object]]:
    """List alerts, the newest first."""
    query = """
        select id, type, state, bin, name, since, observed_at, closed_at, acknowledged_by, notice, text
        from alert_list
        where state = 'open' or not %s
        order by id desc
        limit %s
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, (only_open, limit)).fetchall()


def list_failures(connection: Connection, limit: int) -> list[dict[str, object]]:
    """List letters that were given up, and those that failed so far, the newest first."""
    query = """
        select
            id, created_at, target, attempts,
            case when failed_at is null then 'trying again' else 'given up' end as state, error, subject
        from outbox
        where sent_at is null and (failed_at is not null or attempts > 0)
        order by id desc
        limit %s
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, (limit,)).fetchall()
