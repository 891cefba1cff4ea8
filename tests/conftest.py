"""What all tests share: the real servers, fresh databases, certificates, and the tally by tier."""

import os
import secrets
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import hypothesis
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from simulator.stack.broker import Broker, open_broker
from simulator.stack.database import Database, open_database
from simulator.stack.given import GivenDatabase
from simulator.stack.place import find_place

TESTS = Path(__file__).parent
TIERS = ("unit", "contract", "integration", "browser", "chaos")

# The same examples each time, however long one takes on a busy machine: what fails here fails everywhere.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("repeatable")


@dataclass(frozen=True, slots=True)
class MigratedDatabase:
    """A database with Brimwatch's schema, as its owner, its ingester or its reader.

    Attributes:
        name: the database.
        env: PG* variables of the owner, for child processes.
        ingest_env: the same for the role that writes telemetry.
        dashboard_env: the same for the role that reads.
    """

    name: str
    env: dict[str, str]
    ingest_env: dict[str, str]
    dashboard_env: dict[str, str]

    @property
    def conninfo(self) -> str:
        """Connection string of the owner."""
        return conninfo(self.env)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server() -> Iterator[Database | GivenDatabase]:
    """A running PostgreSQL with TimescaleDB: the one PGHOST names, else one of our own."""
    folder = find_place().scratch("database")
    with open_database(folder, os.environ) as database:
        yield database
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(server: Database | GivenDatabase) -> Iterator[MigratedDatabase]:
    """A migrated database to clone from; nobody can connect to it."""
    passwords = {
        "BRIMWATCH_INGEST_PASSWORD": secrets.token_urlsafe(16),
        "BRIMWATCH_DASHBOARD_PASSWORD": secrets.token_urlsafe(16),
    }
    with empty_database(server) as env:
        name = env["PGDATABASE"]
        run_module("ingest", "migrate", env={**env, **passwords})
        # TimescaleDB's scheduler enters every database it may, and one in use cannot be cloned.
        _execute(server.env(), "alter database {} with allow_connections false", name)
        _end_connections(server.env(), name)
        yield MigratedDatabase(
            name=name,
            env=env,
            ingest_env={**env, "PGUSER": "brimwatch_ingest", "PGPASSWORD": passwords["BRIMWATCH_INGEST_PASSWORD"]},
            dashboard_env={
                **env,
                "PGUSER": "brimwatch_dashboard",
                "PGPASSWORD": passwords["BRIMWATCH_DASHBOARD_PASSWORD"],
            },
        )


@pytest.fixture
def database(server: Database | GivenDatabase, template: MigratedDatabase) -> Iterator[MigratedDatabase]:
    """A fresh, migrated, empty database for one test."""
    name = f"brimwatch_test_{secrets.token_hex(4)}"
    _execute(server.env(), "create database {} template {}", name, template.name)
    yield MigratedDatabase(
        name=name,
        env={**template.env, "PGDATABASE": name},
        ingest_env={**template.ingest_env, "PGDATABASE": name},
        dashboard_env={**template.dashboard_env, "PGDATABASE": name},
    )
    _execute(server.env(), "drop database {} with (force)", name)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the authority's, the broker's and the ingester's certificates."""
    folder = tmp_path_factory.mktemp("authority")
    hosts = ("--host", "localhost", "--host", "127.0.0.1")
    run_module("ingest", "certificates", "init", "--dir", str(folder), *hosts)
    return folder


@pytest.fixture(scope="session")
def broker(authority: Path) -> Iterator[Broker]:
    """A running broker that all tests share: use your own device names."""
    yield from _run_broker(authority)


@pytest.fixture
def fresh_broker(authority: Path) -> Iterator[Broker]:
    """A running broker of the test's own, to stop and kill."""
    yield from _run_broker(authority)


def run_module(*arguments: str, env: dict[str, str] | None = None) -> str:
    """Run `python -m ...`, which must succeed, and give what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **(env or {})},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"python -m {' '.join(arguments)}: {done.stderr or done.stdout}"
    return done.stdout


@contextmanager
def empty_database(server: Database | GivenDatabase) -> Iterator[dict[str, str]]:
    """Make a database without a schema; gives its owner's PG* variables, and drops it at the end."""
    name = f"brimwatch_empty_{secrets.token_hex(4)}"
    _execute(server.env(), "create database {}", name)
    try:
        yield {**server.env(), "PGDATABASE": name}
    finally:
        _execute(server.env(), "drop database {} with (force)", name)


def conninfo(env: dict[str, str]) -> str:
    """Turn PG* variables into a connection string."""
    return make_conninfo(
        host=env["PGHOST"],
        port=env.get("PGPORT"),
        user=env.get("PGUSER"),
        password=env.get("PGPASSWORD"),
        dbname=env["PGDATABASE"],
    )


def _run_broker(authority: Path) -> Iterator[Broker]:
    folder = find_place().scratch("broker")
    with open_broker(folder, authority, os.environ) as broker:
        yield broker
    shutil.rmtree(folder)


def _execute(env: dict[str, str], statement: LiteralString, *names: str) -> None:
    with psycopg.connect(conninfo(env), autocommit=True) as conn:
        conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _end_connections(env: dict[str, str], name: str) -> None:
    with psycopg.connect(conninfo(env), autocommit=True) as conn:
        conn.execute("select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = %s", [name])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = _why_no_browser()
    if reason:
        for item in items:
            if _tier(item.path) == "browser":
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests of each tier ran."""
    tally: Counter[tuple[str, str]] = Counter()
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            tally[_tier(TESTS.parent / report.nodeid.partition("::")[0]), outcome] += 1
    terminalreporter.section("tests by tier")
    for tier in (*TIERS, "other"):
        counts = [f"{count} {outcome}" for (name, outcome), count in tally.items() if name == tier]
        if counts:
            terminalreporter.write_line(f"{tier:<12} {', '.join(counts)}")


def _tier(path: Path) -> str:
    parts = path.relative_to(TESTS).parts if path.is_relative_to(TESTS) else ()
    return parts[0] if parts and parts[0] in TIERS else "other"


def _why_no_browser() -> str | None:
    if os.environ.get("BROWSER") == "0":
        return "BROWSER=0: the browser tests were left out as asked."
    if os.geteuid() != 0 and not shutil.which("chromium"):
        return "No Chromium on this machine and only root may install it: `apt-get install chromium`."
    return None
