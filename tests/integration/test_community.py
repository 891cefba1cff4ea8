"""Our schema on TimescaleDB's Community edition, which the containers run: here compiled to WebAssembly, in Node."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.community.server import community_conninfo, open_community
from tests.conftest import run_module

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
def community(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """PG* variables of a migrated database on the Community edition."""
    with open_community(tmp_path_factory.mktemp("community") / "log") as env:
        yield env


@pytest.fixture
def connection(community: dict[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(community_conninfo(community), autocommit=True) as conn:
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
