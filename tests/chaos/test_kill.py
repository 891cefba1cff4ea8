"""Kill -9 of ingester, database and broker during a run; the devices' own ledgers are the judge."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from simulator.stack.broker import Broker
from simulator.stack.database import Database, open_database
from simulator.stack.place import find_place
from tests.chaos.fleet import Fleet, Row, make_device
from tests.conftest import MigratedDatabase, run_module
from tests.integration.ingest.ingester import Ingester, enrol, rows, until

DEVICES = 6
Ledger = dict[tuple[str, int, int], Row]


@pytest.fixture
def own_server() -> Iterator[Database]:
    """A database server that may be killed: never the one that the environment names."""
    folder = find_place().scratch("chaos")
    server = open_database(folder, {})
    assert isinstance(server, Database)
    with server:
        yield server
    shutil.rmtree(folder)


@pytest.fixture
def own_database(own_server: Database) -> MigratedDatabase:
    env = own_server.env()
    password = secrets.token_urlsafe(16)
    run_module("ingest", "migrate", env={**env, "BRIMWATCH_INGEST_PASSWORD": password})
    writer = {**env, "PGUSER": "brimwatch_ingest", "PGPASSWORD": password}
    return MigratedDatabase(name=env["PGDATABASE"], env=env, ingest_env=writer, dashboard_env=env)


@pytest.fixture
def fleet(tmp_path: Path, own_database: MigratedDatabase, fresh_broker: Broker) -> Iterator[Fleet]:
    refs = [f"chaos-{number}" for number in range(DEVICES)]
    enrol(own_database, fresh_broker.certificates, tmp_path, *refs)
    devices = Fleet([make_device(tmp_path, ref, fresh_broker) for ref in refs], every_s=0.05)
    yield devices
    devices.close()


def test_nothing_is_lost_or_doubled_when_each_part_is_killed(
    tmp_path: Path, own_server: Database, own_database: MigratedDatabase, fresh_broker: Broker, fleet: Fleet
) -> None:
    with Ingester(tmp_path, own_database, fresh_broker) as ingester:
        for kill, start in (
            (ingester.kill, ingester.launch),
            (own_server.kill, own_server.start),
            (fresh_broker.kill, fresh_broker.start),
        ):
            run_a_while(fleet, own_database)
            kill()
            measure_more(fleet, 100)
            start()
        run_a_while(fleet, own_database)
        fleet.stop_measuring()
        until(lambda: fleet.kept == 0, "everything is acknowledged", 40)

    assert stored(own_database) == ledger(fleet)
    assert rows(own_database, "select reason, detail from rejects") == []


def run_a_while(fleet: Fleet, database: MigratedDatabase) -> None:
    """Wait until readings that are made from now on arrive again."""
    wanted = fleet.measured + 50 * DEVICES

    def arrived() -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return bool(rows(database, "select count(*) from readings")[0][0] >= wanted)
        return False

    until(arrived, "readings arrive again", 40)


def measure_more(fleet: Fleet, count: int) -> None:
    """Let the devices go on for a while, with something broken."""
    wanted = fleet.measured + count
    until(lambda: fleet.measured >= wanted, "the devices measure")


def ledger(fleet: Fleet) -> Ledger:
    return {(device.ref, device.epoch, seq): row for device in fleet.devices for seq, row in device.ledger.items()}


def stored(database: MigratedDatabase) -> Ledger:
    query = """
select
    devices.ref, epoch, seq, extract(epoch from measured_at)::bigint, distance_mm, spread_mm, valid_count,
    round(temperature_c::numeric * 10)::int, battery_mv, tilt_deg, flags
from readings
join devices on devices.id = readings.device_id
"""
    found = rows(database, query)
    by_identity = {(ref, epoch, seq): (seq, *values) for ref, epoch, seq, *values in found}
    assert len(by_identity) == len(found), "a reading is stored twice"
    return by_identity
