"""What the registry asks of the assess runner: look at these devices' bins again."""

from collections.abc import Mapping
from datetime import datetime

from psycopg import Connection


def queue_assessment(connection: Connection, since: Mapping[int, datetime]) -> None:
    """Have the bins of devices assessed anew, in the caller's transaction.

    Args:
        connection: of the transaction that changes them.
        since: by device id, the time of the first reading that may mean something else now.
    """
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into assess_queue (device_id, from_measured_at) values (%s, %s) on conflict (device_id)"
            " do update set from_measured_at = least(assess_queue.from_measured_at, excluded.from_measured_at)",
            sorted(since.items()),
        )
    announce(connection)


def announce(connection: Connection) -> None:
    """Wake the assess runner when the caller's transaction commits."""
    connection.execute("notify assess")
