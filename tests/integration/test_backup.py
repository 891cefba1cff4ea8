"""A backup made as docs/operations.md says is a database again."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from simulator.stack.native import find_programs
from simulator.stack.place import find_place
from tests.conftest import MigratedDatabase, conninfo

FILL = """
insert into bins (ref, name, longitude, latitude) values ('bin-1', 'Market Square', -4.9, 54.0);
insert into devices (ref) values ('sensor-1');
insert into fittings (device_id, bin_id, fitted_at, empty_mm)
select devices.id, bins.id, '2026-01-01T00:00:00Z', 1000 from devices, bins;
insert into readings (device_id, epoch, seq, measured_at, distance_mm)
select devices.id, 1, seq, timestamptz '2026-01-01T00:00:00Z' + seq * interval '1 day', 500 + seq
from devices, generate_series(1, 30) as seq;
"""


@pytest.fixture
def programs() -> Path:
    folder = find_programs(find_place(), os.environ).postgres
    if folder is None:
        pytest.skip("PGHOST or DATABASE_URL names a server, whose pg_dump is not here.")
    return folder


def test_restored_backup_holds_the_same_and_takes_more(
    programs: Path, database: MigratedDatabase, tmp_path: Path
) -> None:
    query = "select device, seq, measured_at, distance_mm, empty_mm from bin_readings order by seq"
    with psycopg.connect(database.conninfo, autocommit=True) as conn:
        conn.execute(FILL)
        before = conn.execute(query).fetchall()
    dump = tmp_path / "brimwatch.dump"
    restored = {**database.env, "PGDATABASE": f"{database.name}_restored"}

    run(database.env, programs / "pg_dump", "--format=custom", f"--file={dump}", database.name)
    with psycopg.connect(database.conninfo, autocommit=True) as conn:
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(restored["PGDATABASE"])))
    try:
        with psycopg.connect(conninfo(restored), autocommit=True) as conn:
            # The image makes its database with the extension in it.
            conn.execute("create extension timescaledb")
            conn.execute("select timescaledb_pre_restore()")
        run(restored, programs / "pg_restore", f"--dbname={restored['PGDATABASE']}", dump)
        with psycopg.connect(conninfo(restored), autocommit=True) as conn:
            conn.execute("select timescaledb_post_restore()")
            after = conn.execute(query).fetchall()
            conn.execute("set role brimwatch_ingest")
            conn.execute("insert into readings (device_id, epoch, seq, measured_at) values (1, 1, 31, now())")
    finally:
        with psycopg.connect(database.conninfo, autocommit=True) as conn:
            conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(restored["PGDATABASE"])))

    assert len(before) == 30
    assert after == before


def run(env: dict[str, str], *command: Path | str) -> None:
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
