"""What a device sends, and what becomes of it; one ingester for all, and a device for each test."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import cbor2
import psycopg
import pytest
from psycopg import sql

from firmware.smartbin import codec
from simulator.stack.broker import Broker
from simulator.stack.database import Database
from simulator.stack.given import GivenDatabase
from tests.conftest import MigratedDatabase, conninfo, run_module
from tests.integration.ingest.ingester import (
    NOW_S,
    Ingester,
    Peer,
    enrol,
    reading,
    rejects,
    rows,
    stored,
    until,
)


@pytest.fixture(scope="module")
def database(server: Database | GivenDatabase, template: MigratedDatabase) -> Iterator[MigratedDatabase]:
    name = f"brimwatch_serve_{secrets.token_hex(4)}"
    names = {"name": sql.Identifier(name), "template": sql.Identifier(template.name)}
    with psycopg.connect(conninfo(server.env()), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {name} template {template}").format(**names))
        yield MigratedDatabase(
            name=name,
            env={**template.env, "PGDATABASE": name},
            ingest_env={**template.ingest_env, "PGDATABASE": name},
            dashboard_env={**template.dashboard_env, "PGDATABASE": name},
        )
        connection.execute(sql.SQL("drop database {name} with (force)").format(**names))


@pytest.fixture(scope="module", autouse=True)
def ingester(
    tmp_path_factory: pytest.TempPathFactory, database: MigratedDatabase, broker: Broker
) -> Iterator[Ingester]:
    with Ingester(tmp_path_factory.mktemp("ingester"), database, broker) as running:
        yield running


@pytest.fixture(scope="module")
def unused(database: MigratedDatabase, broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Bundles of devices that no test has used yet."""
    refs = [f"d-{secrets.token_hex(4)}" for _ in range(20)]
    folder = tmp_path_factory.mktemp("devices")
    enrol(database, broker.certificates, folder, *refs)
    return [folder / ref for ref in refs]


@pytest.fixture
def peer(unused: list[Path], broker: Broker) -> Iterator[Peer]:
    bundle = unused.pop()
    with Peer(bundle.parent, bundle.name, broker) as connected:
        yield connected


def test_reading_is_stored_and_then_acknowledged(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    peer.publish(codec.encode_readings(3, 3600, [reading(1), reading(2, None)]))
    until(lambda: len(peer.acknowledged) == 2, "the readings are acknowledged")

    assert stored(database, peer) == [(3, 1, 640), (3, 2, None)]
    assert peer.acknowledged == {(3, 1), (3, 2)}
    assert cbor2.loads(peer.acks[0])[2] == [[3, 1, 2]]
    assert ingester.health() == (200, {"status": "ok"})


def test_whole_reading_arrives_unchanged(database: MigratedDatabase, peer: Peer) -> None:
    peer.publish(codec.encode_readings(4294967295, 604800, [(4294967295, NOW_S, 65535, 0, 255, -95, 3123, 180, 3)]))
    until(lambda: bool(peer.acknowledged), "the reading is acknowledged")

    query = """
select epoch, seq, extract(epoch from measured_at)::bigint, distance_mm, spread_mm, valid_count,
    temperature_c::float8, battery_mv, tilt_deg, flags
from readings
where device_id = (select id from devices where ref = %s)
"""
    assert rows(database, query, peer.ref) == [(4294967295, 4294967295, NOW_S, 65535, 0, 255, -9.5, 3123, 180, 3)]


def test_json_by_hand_is_stored(database: MigratedDatabase, peer: Peer) -> None:
    peer.publish('{"distance_mm": 640, "measured_at": "2026-03-01T12:00:00.250Z"}')
    until(lambda: bool(peer.acknowledged), "the reading is acknowledged")

    assert stored(database, peer) == [(0, 1772366400250, 640)]
    assert peer.acknowledged == {(0, 1772366400250)}


def test_resend_is_stored_once_and_acknowledged_again(database: MigratedDatabase, peer: Peer) -> None:
    message = codec.encode_readings(1, None, [reading(1), reading(2)])

    peer.publish(message)
    until(lambda: len(peer.acks) == 1, "the first is acknowledged")
    peer.publish(message)
    until(lambda: len(peer.acks) == 2, "the second is acknowledged")
    peer.publish(message, "backlog")
    until(lambda: len(peer.acks) == 3, "the third is acknowledged")

    assert stored(database, peer) == [(1, 1, 640), (1, 2, 640)]
    assert rejects(database, peer) == []


def test_other_value_is_refused_as_conflict_and_acknowledged(database: MigratedDatabase, peer: Peer) -> None:
    other = codec.encode_readings(1, None, [reading(1, 641)])

    peer.publish(codec.encode_readings(1, None, [reading(1, 640)]))
    peer.publish(other)
    until(lambda: bool(rejects(database, peer)), "the conflict is kept")
    until(lambda: bool(peer.acknowledged), "it is acknowledged")

    assert stored(database, peer) == [(1, 1, 640)]
    assert rejects(database, peer) == [("conflict", other)]
    details = rows(database, "select detail, device from rejects where device = %s", peer.ref)
    assert details == [("epoch 1, seq 1: distance_mm 641 instead of 640", peer.ref)]


def test_bad_row_does_not_cost_its_neighbours(database: MigratedDatabase, peer: Peer) -> None:
    bad = [2, NOW_S, 99999, 4, 9, 123, 3600, 1, 0]

    peer.publish(cbor2.dumps([1, 7, 3600, [list(reading(1)), bad, list(reading(3))]]))
    until(lambda: len(peer.acknowledged) == 3, "all are acknowledged")

    assert stored(database, peer) == [(7, 1, 640), (7, 3, 640)]
    assert rejects(database, peer) == [("range", cbor2.dumps([1, 7, 3600, [bad]]))]


def test_nothing_is_acknowledged_before_the_commit(database: MigratedDatabase, peer: Peer) -> None:
    blocked = (
        "select 1 from pg_stat_activity where application_name = 'brimwatch readings' and wait_event_type = 'Lock'"
    )

    with psycopg.connect(database.conninfo) as connection:
        connection.execute("lock table readings in access exclusive mode")
        peer.publish(codec.encode_readings(1, None, [reading(1)]))
        until(lambda: bool(rows(database, blocked)), "the ingester is about to write")
        early = list(peer.acks)
    until(lambda: (1, 1) in peer.acknowledged, "it is acknowledged after the commit")

    assert early == []


def test_rubbish_is_kept_and_stops_nothing(database: MigratedDatabase, peer: Peer) -> None:
    peer.publish(b"\x84\x01garbage")
    peer.publish("not json at all")
    peer.publish(b"")
    peer.publish('{"distance_mm": "640", "measured_at": 1772366400}')
    peer.publish(codec.encode_readings(1, None, [reading(1)]))
    until(lambda: (1, 1) in peer.acknowledged, "the good one is acknowledged")

    assert sorted(rejects(database, peer)) == [
        ("parse", b""),
        ("parse", b"not json at all"),
        ("parse", b"\x84\x01garbage"),
        ("schema", b'{"distance_mm": "640", "measured_at": 1772366400}'),
    ]
    assert stored(database, peer) == [(1, 1, 640)]


def test_retained_message_is_refused(database: MigratedDatabase, peer: Peer) -> None:
    message = codec.encode_readings(1, None, [reading(1)])

    peer.publish(message, retain=True)
    until(lambda: (1, 1) in peer.acknowledged, "it is acknowledged")
    peer.publish(b"", retain=True)

    assert stored(database, peer) == []
    assert ("retained", message) in rejects(database, peer)


def test_retired_device_is_refused(database: MigratedDatabase, peer: Peer) -> None:
    rows(database, "update devices set retired_at = now() where ref = %s returning id", peer.ref)
    message = codec.encode_readings(1, None, [reading(1)])

    peer.publish(message)
    until(lambda: (1, 1) in peer.acknowledged, "it is acknowledged")

    assert rejects(database, peer) == [("unknown_device", message)]
    assert stored(database, peer) == []


def test_what_a_device_says_of_itself_is_kept(database: MigratedDatabase, peer: Peer) -> None:
    state = "select status, next_report_s, battery_mv from device_state join devices on id = device_id where ref = %s"
    said = {"firmware": "1.2", "battery_mv": 3500, "next_report_s": 900, "odd": "a\0b", "none": float("nan")}

    peer.publish(cbor2.dumps(said), "status")
    until(lambda: bool(rows(database, f"{state} and status is not null", peer.ref)), "it is kept")

    kept = rows(database, state, peer.ref)
    status = {"firmware": "1.2", "battery_mv": 3500, "next_report_s": 900, "odd": "a\ufffdb", "none": None}
    assert kept == [(status, 900, 3500)]


def test_news_are_queued_from_the_oldest_reading(database: MigratedDatabase, peer: Peer) -> None:
    peer.publish(codec.encode_readings(1, 1800, [reading(5), reading(2), reading(9)]))
    until(lambda: bool(peer.acknowledged), "they are acknowledged")

    queued = rows(
        database,
        "select extract(epoch from from_measured_at)::bigint from assess_queue "
        "join devices on id = device_id where ref = %s",
        peer.ref,
    )
    state = rows(
        database,
        "select extract(epoch from last_measured_at)::bigint, next_report_s, battery_mv from device_state "
        "join devices on id = device_id where ref = %s",
        peer.ref,
    )
    assert queued == [(NOW_S - 3600 + 2,)]
    assert state == [(NOW_S - 3600 + 9, 1800, 3600)]


def test_rejects_can_be_listed_and_shown(database: MigratedDatabase, peer: Peer) -> None:
    peer.publish("no reading")
    until(lambda: bool(rejects(database, peer)), "it is refused")
    number = rows(database, "select id from rejects where device = %s", peer.ref)[0][0]

    listed = run_module("ingest", "rejects", "list", env={**database.env, "COLUMNS": "200"})
    shown = run_module("ingest", "rejects", "show", str(number), env=database.env)

    assert "no reading" in listed
    assert f"topic: bins/v1/{peer.ref}/up/readings" in shown
    assert "payload: no reading" in shown


def test_device_enrolled_while_it_runs_is_known_at_once(
    tmp_path: Path, database: MigratedDatabase, broker: Broker, peer: Peer
) -> None:
    peer.publish(codec.encode_readings(1, None, [reading(1)]))
    until(lambda: (1, 1) in peer.acknowledged, "the others are known")

    enrol(database, broker.certificates, tmp_path, f"{peer.ref}-new")
    with Peer(tmp_path, f"{peer.ref}-new", broker) as newcomer:
        newcomer.publish(codec.encode_readings(1, None, [reading(1)]))
        until(lambda: (1, 1) in newcomer.acknowledged, "the new one is acknowledged")

    assert rejects(database, newcomer) == []
    assert stored(database, newcomer) == [(1, 1, 640)]
