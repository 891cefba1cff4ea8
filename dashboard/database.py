"""Connections to the database; where it is and who asks comes from libpq's PG* variables."""

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[TupleRow]]
Connection = AsyncConnection[TupleRow]

POOL_SIZE = 8
# A page or a program that waits longer than this is better told that the database does not answer.
WAIT_S = 4.0
OPTIONS = "-c timezone=UTC -c statement_timeout=15000 -c application_name=brimwatch-dashboard"


def make_pool() -> Pool:
    """Make the pool; it opens with `async with`, needs no database to do so, and finds one again when it comes back."""
    return AsyncConnectionPool(
        "",
        connection_class=AsyncConnection[TupleRow],
        kwargs={"autocommit": True, "options": OPTIONS, "connect_timeout": 4},
        min_size=1,
        max_size=POOL_SIZE,
        timeout=WAIT_S,
        open=False,
        check=AsyncConnectionPool.check_connection,
        reconnect_timeout=5.0,
        name="dashboard",
    )


def reason_of(error: psycopg.Error) -> str:
    """Say in one line, without a full stop, why the database is no use; libpq's hints are left away."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".").removeprefix("connection failed: ")
