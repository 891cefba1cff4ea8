"""Connections to the database, where libpq's `PG*` variables say it is."""

import psycopg
from psycopg import AsyncConnection

from ingest.errors import DatabaseLostError

CONNECT_TIMEOUT_S = 5

# A commit that an acknowledgement stands for has to survive a power cut; a server may be set up to promise less.
# A dead peer is noticed in about 25 s from both sides, also where a cable was pulled.
SESSION = """
select
    set_config('synchronous_commit',
        case when current_setting('synchronous_commit') in ('off', 'local') then 'on'
        else current_setting('synchronous_commit') end, false),
    set_config('statement_timeout', '30s', false),
    set_config('lock_timeout', '10s', false),
    set_config('timezone', 'UTC', false),
    set_config('tcp_keepalives_idle', '10', false),
    set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false)
"""


async def connect(purpose: str) -> AsyncConnection:
    """Open a connection in autocommit mode.

    Args:
        purpose: shown in pg_stat_activity, after "brimwatch ".

    Raises:
        DatabaseLostError: the database does not answer or does not let us in.
    """
    try:
        connection = await AsyncConnection.connect(
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name=f"brimwatch {purpose}",
            tcp_user_timeout=15_000,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )
        await connection.execute(SESSION)
    except psycopg.Error as error:
        raise lost(error) from error
    return connection


def lost(error: psycopg.Error) -> DatabaseLostError:
    """Say in one sentence why the database is no use now."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = lines[0].strip().rstrip(".").removeprefix("connection failed: ")
    return DatabaseLostError(f"The database does not answer as it should: {reason}")
