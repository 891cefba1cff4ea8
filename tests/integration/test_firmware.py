"""The real firmware in MicroPython, the real broker, ingester and database: the whole way of a reading."""

import datetime as dt
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.registry import bundles
from ingest.registry.certificates import init_authority, load_authority
from simulator.stack.broker import Broker
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import Ingester, enrol, rows
from tests.unit.firmware.device import SLEPT, Device


@pytest.fixture
def ingester(tmp_path: Path, database: MigratedDatabase, fresh_broker: Broker) -> Iterator[Ingester]:
    with Ingester(tmp_path, database, fresh_broker) as running:
        yield running


@pytest.fixture
def device(tmp_path: Path, database: MigratedDatabase, fresh_broker: Broker, authority: Path) -> Device:
    ref = f"d-{secrets.token_hex(4)}"
    enrol(database, authority, tmp_path / "devices", ref)
    return Device(tmp_path / "devices" / ref, mqtt_host="localhost", mqtt_port=fresh_broker.port)


def stored(database: MigratedDatabase) -> list[tuple[int, int]]:
    return rows(database, "select epoch, seq from readings order by epoch, seq")


@pytest.mark.usefixtures("ingester")
def test_reading_of_the_real_firmware_reaches_the_database(database: MigratedDatabase, device: Device) -> None:
    device.world(distance_mm=640, noise_mm=0, battery_mv=3650)

    wakes = [device.wake() for _ in range(2)]

    assert [wake.code for wake in wakes] == [SLEPT, SLEPT]
    assert "acked epoch=1 first=1 last=1" in wakes[1].output, wakes[1].output
    query = "select epoch, seq, distance_mm, spread_mm, valid_count, battery_mv, flags from readings order by seq"
    assert rows(database, query) == [(1, 0, 640, 0, 7, 3650, 2), (1, 1, 640, 0, 7, 3650, 0)]
    assert rows(database, "select count(*) from rejects") == [(0,)]
    assert device.spooled_bytes() == 0


def test_nothing_is_lost_when_device_ingester_and_broker_die(
    database: MigratedDatabase, ingester: Ingester, device: Device, fresh_broker: Broker
) -> None:
    rng = random.Random(3)  # noqa: S311 - repeatable moments, not secrets
    ledger: list[tuple[int, int]] = []

    for _ in range(8):
        ledger += device.wake_and_kill(rng.uniform(0.2, 1.0)).recorded
    ingester.kill()
    ledger += device.wake_in_vain().recorded
    fresh_broker.kill()
    ledger += device.wake().recorded
    fresh_broker.start()
    ingester.start()
    ledger += device.wake_until_delivered(lambda: set(ledger) <= set(stored(database)))

    assert len(ledger) > 2
    assert set(ledger) - set(stored(database)) == set()
    assert len(stored(database)) == len(set(stored(database)))
    assert rows(database, "select count(*) from rejects") == [(0,)]


@pytest.mark.usefixtures("ingester")
def test_device_of_another_authority_is_not_let_in(
    database: MigratedDatabase, device: Device, fresh_broker: Broker, tmp_path: Path
) -> None:
    now = dt.datetime.now(dt.UTC)
    init_authority(tmp_path / "foreign", ["localhost"], now)
    where = bundles.Broker("localhost", fresh_broker.port)
    bundles.make_bundle(tmp_path / "thief", device.folder.name, load_authority(tmp_path / "foreign"), where, now)
    for name in ("device.der", "device.key.der"):
        (device.folder / name).write_bytes((tmp_path / "thief" / name).read_bytes())

    wake = device.wake()

    assert wake.recorded == [(1, 0)]
    assert "report: OSError" in wake.output
    assert stored(database) == []
