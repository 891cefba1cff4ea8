"""Connections to the database, where libpq's `PG*` variables say it is."""

import os

import psycopg
from psycopg import AsyncConnection, Connection

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


def connect_for_long(purpose: str) -> Connection:
    """Open a connection in autocommit mode for a process that is not asynchronous.

    Statements outside a transaction block commit by themselves, so that a long wait holds no snapshot. A dead peer is
    noticed in about 25 s, also where a cable was pulled.

    Args:
        purpose: shown in pg_stat_activity, after "brimwatch ".

    Raises:
        psycopg.OperationalError: the database does not answer or does not let us in.
    """
    return psycopg.connect(
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name=f"brimwatch {purpose}",
        tcp_user_timeout=15_000,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
    )


def lost(error: psycopg.Error) -> DatabaseLostError:
    """Say in one sentence why the database is no use now."""
    if isinstance(error, psycopg.errors.UndefinedTable):
        return DatabaseLostError("The database lacks tables of this version: run `python -m ingest migrate` first")
    reason = first_line(error).removeprefix("connection failed: ")
    return DatabaseLostError(f"The database does not answer as it should: {reason}")


def first_line(error: Exception) -> str:
    """Give the first line of what an error says, without its full stop; the error's name where it says nothing."""
    lines = str(error).strip().splitlines()
    line = lines[0].strip().rstrip(".") if lines else type(error).__name__
    # psycopg does not say the name where it took it from libpq's variables.
    return line.replace("resolve host None", f"resolve host {os.environ.get('PGHOST')!r}")
