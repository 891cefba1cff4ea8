"""Broker and database of a bench, and one run of a subject on them."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from simulator.stack.broker import Broker, open_broker
from simulator.stack.database import Database, open_database
from simulator.stack.place import find_place
from tests.bench.backlog import Backlog, enrol_devices, put_back
from tests.conftest import conninfo, run_module

ROOT = Path(__file__).parents[2]
TICKS_S = os.sysconf("SC_CLK_TCK")
POLL_S = 0.005
START_S = 30.0
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


@dataclass(frozen=True, slots=True)
class Stage:
    """Where subjects run: loopback, TLS, durable commits.

    Attributes:
        broker: with the product's own configuration.
        env: what a subject finds broker and database by.
        conninfo: of the database's owner.
        folder: for logs.
    """

    broker: Broker
    env: dict[str, str]
    conninfo: str
    folder: Path

    def run(self, command: Sequence[str], backlog: Backlog, env: dict[str, str] | None = None) -> Outcome:
        """Have a subject write a whole backlog into the empty table; it must not lose or double anything."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("truncate readings, device_state, assess_queue, rejects")
            connection.execute("checkpoint")
            put_back(self.broker, backlog)
            with self._running(command, env or {}) as process:
                if not _until(process, lambda: _exists(connection, "select exists (select from readings)"), START_S):
                    raise AssertionError(f"{command} wrote nothing: {self._log.read_text()[-2000:]}")
                began, before, cpu_before = time.monotonic(), _count(connection), cpu_s(process.pid)
                _until(process, lambda: _is_last_there(connection, backlog), LONGEST_S)
                ended, cpu_after = time.monotonic(), cpu_s(process.pid)
                after = _count(connection)
        if after != backlog.readings:
            raise AssertionError(f"{command} wrote {after} of {backlog.readings} readings")
        messages = (after - before) / backlog.rows
        return Outcome(messages / (ended - began), 1e6 * (cpu_after - cpu_before) / messages)

    @property
    def _log(self) -> Path:
        return self.folder / "subject.log"

    @contextmanager
    def _running(self, command: Sequence[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **self.env, **env}, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Start broker and database, and end them."""
    folder = find_place().scratch("bench")
    authority = folder / "authority"
    try:
        run_module("ingest", "certificates", "init", "--dir", str(authority), "--host", "127.0.0.1")
        server = open_database(folder / "database", {})
        if not isinstance(server, Database):
            raise TypeError("the bench needs a database server of its own")
        with server, open_broker(folder / "broker", authority, os.environ) as broker:
            yield _furnish(server, broker, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cpu_s(pid: int) -> float:
    """Say how many seconds of processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def _furnish(server: Database, broker: Broker, folder: Path) -> Stage:
    password = secrets.token_urlsafe(16)
    run_module("ingest", "migrate", env={**server.env(), "BRIMWATCH_INGEST_PASSWORD": password})
    enrol_devices(conninfo(server.env()))
    env = {
        **server.env(),
        "PGUSER": "brimwatch_ingest",
        "PGPASSWORD": password,
        "BRIMWATCH_MQTT_HOST": broker.host,
        "BRIMWATCH_MQTT_PORT": str(broker.port),
        "BRIMWATCH_CERTIFICATES": str(broker.certificates),
        # A backlog's devices send far more than any device would.
        "BRIMWATCH_DEVICE_MESSAGES_PER_S": "0",
        "BRIMWATCH_DEVICE_READINGS_PER_S": "0",
    }
    return Stage(broker, env, conninfo(server.env()), folder)


def _until(process: subprocess.Popen[bytes], condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        if process.poll() is not None:
            return False
        time.sleep(POLL_S)
    return False


def _is_last_there(connection: psycopg.Connection, backlog: Backlog) -> bool:
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


def _count(connection: psycopg.Connection) -> int:
    row = connection.execute("select count(*) from readings").fetchone()
    return int(row[0]) if row else 0
