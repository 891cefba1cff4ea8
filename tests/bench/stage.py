"""Broker and database of a bench, and the ingester on them."""

import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from simulator.stack.answers import is_healthy
from simulator.stack.broker import Broker, open_broker
from simulator.stack.database import Database, open_database
from simulator.stack.place import find_place
from simulator.stack.process import Child, free_port
from tests.bench.backlog import begin_sessions, enrol_devices, sessions
from tests.bench.publisher import NAME, Where
from tests.conftest import conninfo, run_module

ROOT = Path(__file__).parents[2]
DEVICES = 200
POLL_S = 0.005
START_S = 30.0
TICKS_S = os.sysconf("SC_CLK_TCK")
RULES = f"\nuser {NAME}\ntopic write bins/v1/+/up/#\n"
"""One publisher speaks for all devices, which the product's own access list forbids."""
UNLIMITED = {"BRIMWATCH_DEVICE_MESSAGES_PER_S": "0", "BRIMWATCH_DEVICE_READINGS_PER_S": "0"}
"""For backlogs whose devices send far more than any device would."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where subjects run: loopback, TLS, durable commits.

    Attributes:
        broker: with the product's own configuration.
        database: the server.
        env: what a subject finds broker and database by.
        conninfo: of the database's owner.
        folder: for logs.
        bundle: certificate of who publishes for all devices.
    """

    broker: Broker
    database: Database
    env: dict[str, str]
    conninfo: str
    folder: Path
    bundle: Path

    @property
    def where(self) -> Where:
        """What a publisher needs to know."""
        return Where(self.broker.host, self.broker.port, str(self.bundle))

    def connect(self) -> psycopg.Connection:
        """Connect as the database's owner."""
        return psycopg.connect(self.conninfo, autocommit=True)

    def clear(self) -> None:
        """Empty the tables, and let no run pay for what an earlier one wrote."""
        with self.connect() as connection:
            connection.execute("truncate readings, device_state, assess_queue, rejects")
            connection.execute("checkpoint")

    def open_broker(self) -> None:
        """Start the broker with nothing but the ingester's empty sessions."""
        self.broker.stop()
        sessions(self.broker).unlink(missing_ok=True)
        self.broker.start()
        begin_sessions(self.broker)

    @property
    def log(self) -> Path:
        """What the latest subject has said."""
        return self.folder / "subject.log"

    @contextmanager
    def running(
        self, command: Sequence[str], env: Mapping[str, str] | None = None, log: Path | None = None
    ) -> Iterator[Child]:
        """Run a subject, or what runs beside it with a log of its own, while the block runs."""
        log = log or self.log
        log.unlink(missing_ok=True)
        process = Child(command, name="subject", log=log, env={**self.env, **(env or {})}, cwd=ROOT)
        try:
            yield process
        finally:
            process.kill()

    @contextmanager
    def ingester(self, env: Mapping[str, str] | None = None) -> Iterator[Child]:
        """Run the ingester while the block runs, which begins when it receives."""
        port = free_port()
        with self.running(
            [sys.executable, "-m", "ingest", "serve"], {"BRIMWATCH_HEALTH_PORT": str(port), **(env or {})}
        ) as process:
            if not until(process, lambda: is_healthy(f"http://127.0.0.1:{port}", "/readyz"), START_S):
                raise AssertionError(f"the ingester is not ready: {self.log.read_text()[-2000:]}")
            yield process


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
        broker = open_broker(folder / "broker", authority, os.environ, more_rules=RULES)
        with server, broker:
            yield _furnish(server, broker, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cpu_s(pid: int) -> float:
    """Say how many seconds of processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def until(process: Child, condition: Callable[[], bool], within_s: float) -> bool:
    """Wait for a condition; says whether it came true, in time and before the process ended."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        if not process.running:
            return False
        time.sleep(POLL_S)
    return False


def _furnish(server: Database, broker: Broker, folder: Path) -> Stage:
    password = secrets.token_urlsafe(16)
    owner = server.env()
    run_module("ingest", "migrate", env={**owner, "BRIMWATCH_INGEST_PASSWORD": password})
    enrol_devices(conninfo(owner), DEVICES)
    bundles = folder / "bundles"
    run_module(
        "ingest", "devices", "enrol", NAME, "--out", str(bundles),
        env={**owner, "BRIMWATCH_CERTIFICATES": str(broker.certificates)},
    )  # fmt: skip
    env = {
        **owner,
        "PGUSER": "brimwatch_ingest",
        "PGPASSWORD": password,
        "BRIMWATCH_MQTT_HOST": broker.host,
        "BRIMWATCH_MQTT_PORT": str(broker.port),
        "BRIMWATCH_CERTIFICATES": str(broker.certificates),
    }
    return Stage(broker, server, env, conninfo(owner), folder, bundles / NAME)
