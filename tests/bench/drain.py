"""One subject writes a whole backlog into the empty table."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from tests.bench.backlog import Backlog, put_back
from tests.bench.stage import START_S, UNLIMITED, Stage, cpu_s, until

LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a subject did with a backlog.

    Attributes:
        messages_per_s: from its first commit on.
        cpu_us: of its process alone, for each message, microseconds.
    """

    messages_per_s: float
    cpu_us: float


def drain(stage: Stage, command: Sequence[str], backlog: Backlog, env: dict[str, str] | None = None) -> Outcome:
    """Have a subject drain a backlog; it must not lose or double anything."""
    stage.clear()
    put_back(stage.broker, backlog)
    with stage.connect() as connection, stage.running(command, {**UNLIMITED, **(env or {})}) as process:
        if not until(process, lambda: _exists(connection, "select exists (select from readings)"), START_S):
            raise AssertionError(f"{command} wrote nothing: {stage.log.read_text()[-2000:]}")
        began, before, cpu_before = time.monotonic(), count(connection), cpu_s(process.pid)
        until(process, lambda: is_last_there(connection, backlog), LONGEST_S)
        ended, cpu_after = time.monotonic(), cpu_s(process.pid)
        after = count(connection)
    if after != backlog.flow.readings:
        raise AssertionError(f"{command} wrote {after} of {backlog.flow.readings} readings")
    messages = (after - before) / backlog.flow.rows
    return Outcome(messages / (ended - began), 1e6 * (cpu_after - cpu_before) / messages)


def count(connection: psycopg.Connection) -> int:
    """Count the readings."""
    row = connection.execute("select count(*) from readings").fetchone()
    return int(row[0]) if row else 0


def is_last_there(connection: psycopg.Connection, backlog: Backlog) -> bool:
    """Say whether the very last reading of a backlog is committed."""
    ref, seq, measured_s = backlog.last()
    query = """
select exists (
    select from readings
    where device_id = (select id from devices where ref = %s) and seq = %s and measured_at = to_timestamp(%s)
)
"""
    return _exists(connection, query, ref, seq, measured_s)


def _exists(connection: psycopg.Connection, query: str, *values: object) -> bool:
    row = connection.execute(query.encode(), values).fetchone()
    return row is not None and bool(row[0])
