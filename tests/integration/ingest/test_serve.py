import json
import time
from pathlib import Path

import cbor2
import psycopg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware.smartbin import codec
from simulator.stack.broker import Broker
from tests.conftest import MigratedDatabase, run_module
from tests.integration.ingest.ingester import Ingester, Peer, change, enrol, rows, until

NOW_S = int(time.time())


def reading(seq: int = 1, distance_mm: int | None = 640) -> tuple[int | None, ...]:
    return (seq, NOW_S - 3600 + seq, distance_mm, 4, 9, 123, 3600, 1, 0)


def stored(database: MigratedDatabase) -> list[tuple[int, int, int | None]]:
    return rows(database, "select epoch, seq, distance_mm from readings order by epoch, seq")


def rejects(database: MigratedDatabase) -> list[tuple[str, bytes]]:
    return [(reason, bytes(payload)) for reason, payload in rows(database, "select reason, payload from rejects")]


def test_reading_is_stored_and_then_acknowledged(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    peer.publish(codec.encode_readings(3, 3600, [reading(1), reading(2, None)]))
    until(lambda: len(peer.acknowledged) == 2, "the readings are acknowledged")

    assert stored(database) == [(3, 1, 640), (3, 2, None)]
    assert peer.acknowledged == {(3, 1), (3, 2)}
    assert cbor2.loads(peer.acks[0])[2] == [[3, 1, 2]]
    assert ingester.health() == (200, {"status": "ok"})


def test_whole_reading_arrives_unchanged(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    assert ingester

    peer.publish(codec.encode_readings(4294967295, 604800, [(4294967295, NOW_S, 65535, 0, 255, -95, 3123, 180, 3)]))
    until(lambda: bool(peer.acknowledged), "the reading is acknowledged")

    query = """
select epoch, seq, extract(epoch from measured_at)::bigint, distance_mm, spread_mm, valid_count,
    temperature_c::float8, battery_mv, tilt_deg, flags
from readings
"""
    assert rows(database, query) == [(4294967295, 4294967295, NOW_S, 65535, 0, 255, -9.5, 3123, 180, 3)]


def test_json_by_hand_is_stored(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    assert ingester

    peer.publish('{"distance_mm": 640, "measured_at": "2026-03-01T12:00:00.250Z"}')
    until(lambda: bool(peer.acknowledged), "the reading is acknowledged")

    assert stored(database) == [(0, 1772366400250, 640)]
    assert peer.acknowledged == {(0, 1772366400250)}


def test_resend_is_stored_once_and_acknowledged_again(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    assert ingester
    message = codec.encode_readings(1, None, [reading(1), reading(2)])

    peer.publish(message)
    until(lambda: len(peer.acks) == 1, "the first is acknowledged")
    peer.publish(message)
    peer.publish(message, "backlog")
    until(lambda: len(peer.acks) == 3, "the others are acknowledged")

    assert stored(database) == [(1, 1, 640), (1, 2, 640)]
    assert rejects(database) == []


def test_other_value_is_refused_as_conflict_and_acknowledged(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    assert ingester
    other = codec.encode_readings(1, None, [reading(1, 641)])

    peer.publish(codec.encode_readings(1, None, [reading(1, 640)]))
    peer.publish(other)
    until(lambda: bool(rejects(database)), "the conflict is kept")
    until(lambda: bool(peer.acknowledged), "it is acknowledged")

    assert stored(database) == [(1, 1, 640)]
    assert rejects(database) == [("conflict", other)]
    details = rows(database, "select detail, device from rejects")
    assert details == [("epoch 1, seq 1: distance_mm 641 instead of 640", peer.ref)]


def test_bad_row_does_not_cost_its_neighbours(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    assert ingester
    bad = [2, NOW_S, 99999, 4, 9, 123, 3600, 1, 0]

    peer.publish(cbor2.dumps([1, 7, 3600, [list(reading(1)), bad, list(reading(3))]]))
    until(lambda: len(peer.acknowledged) == 3, "all are acknowledged")

    assert stored(database) == [(7, 1, 640), (7, 3, 640)]
    assert rejects(database) == [("range", cbor2.dumps([1, 7, 3600, [bad]]))]


def test_row_that_the_database_refuses_does_not_cost_its_neighbours(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    assert ingester
    change(database, "alter table readings add constraint unlucky check (distance_mm <> 666)")
    readings = [reading(seq, 666 if seq in {4, 13} else 640) for seq in range(20)]
    message = codec.encode_readings(1, None, readings)

    peer.publish(message)
    until(lambda: len(peer.acknowledged) == 20, "all are acknowledged")

    assert [seq for _, seq, _ in stored(database)] == [seq for seq in range(20) if seq not in {4, 13}]
    assert rejects(database) == [("database", message)] * 2
    details = rows(database, "select detail from rejects order by detail")
    assert [detail.split(":")[0] for (detail,) in details] == ["epoch 1, seq 13", "epoch 1, seq 4"]


def test_nothing_is_acknowledged_before_the_commit(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    assert ingester
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


def test_device_enrolled_while_it_runs_is_known(
    tmp_path: Path, database: MigratedDatabase, broker: Broker, ingester: Ingester, peer: Peer
) -> None:
    assert ingester
    peer.publish(codec.encode_readings(1, None, [reading(1)]))
    until(lambda: (1, 1) in peer.acknowledged, "the first device is known")

    enrol(database, broker.certificates, tmp_path / "devices", f"{peer.ref}-new")
    with Peer(tmp_path / "devices", f"{peer.ref}-new", broker) as newcomer:
        newcomer.publish(codec.encode_readings(1, None, [reading(1)]))
        until(lambda: (1, 1) in newcomer.acknowledged, "the new one is acknowledged")

    assert rejects(database) == []
    assert stored(database) == [(1, 1, 640)] * 2


def test_rubbish_is_kept_and_stops_nothing(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    assert ingester

    peer.publish(b"\x84\x01garbage")
    peer.publish("not json at all")
    peer.publish(b"")
    peer.publish('{"distance_mm": "640", "measured_at": 1772366400}')
    peer.publish(codec.encode_readings(1, None, [reading(1)]))
    until(lambda: (1, 1) in peer.acknowledged, "the good one is acknowledged")

    assert sorted(rejects(database)) == [
        ("parse", b""),
        ("parse", b"not json at all"),
        ("parse", b"\x84\x01garbage"),
        ("schema", b'{"distance_mm": "640", "measured_at": 1772366400}'),
    ]
    assert stored(database) == [(1, 1, 640)]


def test_retained_message_is_refused(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    assert ingester
    message = codec.encode_readings(1, None, [reading(1)])

    peer.publish(message, retain=True)
    until(lambda: (1, 1) in peer.acknowledged, "it is acknowledged")
    peer.publish(b"", retain=True)

    assert stored(database) == []
    assert ("retained", message) in rejects(database)


def test_retired_device_is_refused(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    assert ingester
    change(database, "update devices set retired_at = now()")
    message = codec.encode_readings(1, None, [reading(1)])

    peer.publish(message)
    until(lambda: (1, 1) in peer.acknowledged, "it is acknowledged")

    assert rejects(database) == [("unknown_device", message)]
    assert stored(database) == []


def test_what_a_device_says_of_itself_is_kept(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    assert ingester
    said = {"firmware": "1.2", "battery_mv": 3500, "next_report_s": 900, "odd": "a\0b", "none": float("nan")}

    peer.publish(cbor2.dumps(said), "status")
    until(lambda: bool(rows(database, "select 1 from device_state where status is not null")), "it is kept")

    kept = rows(
        database, "select status, next_report_s, battery_mv, last_received_at > %s from device_state", "2026-01-01"
    )
    status = {"firmware": "1.2", "battery_mv": 3500, "next_report_s": 900, "odd": "a\ufffdb", "none": None}
    assert kept == [(status, 900, 3500, True)]


def test_news_are_queued_from_the_oldest_reading(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    assert ingester

    peer.publish(codec.encode_readings(1, 1800, [reading(5), reading(2), reading(9)]))
    until(lambda: bool(peer.acknowledged), "they are acknowledged")

    queued = rows(database, "select extract(epoch from from_measured_at)::bigint from assess_queue")
    state = rows(
        database, "select extract(epoch from last_measured_at)::bigint, next_report_s, battery_mv from device_state"
    )
    assert queued == [(NOW_S - 3600 + 2,)]
    assert state == [(NOW_S - 3600 + 9, 1800, 3600)]


def test_sigterm_ends_it_quickly_and_the_session_stays(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    code, seconds = ingester.terminate()
    peer.publish(codec.encode_readings(1, None, [reading(1)]))
    ingester.start()
    until(lambda: (1, 1) in peer.acknowledged, "what was published meanwhile is acknowledged")

    assert code == 0
    assert seconds < 3
    assert stored(database) == [(1, 1, 640)]


def test_second_ingester_waits_and_takes_over(
    tmp_path: Path, database: MigratedDatabase, broker: Broker, ingester: Ingester, peer: Peer
) -> None:
    second = Ingester(tmp_path, database, broker, "second")
    try:
        second.launch()
        until(lambda: "Another ingester is at work" in second.text, "the second one waits")
        code, problems = second.health()
        ingester.kill()
        until(lambda: second.health()[0] == 200, "the second one took over")
        peer.publish(codec.encode_readings(1, None, [reading(1)]))
        until(lambda: (1, 1) in peer.acknowledged, "it works")
    finally:
        second.kill()

    assert (code, "database" in problems["problems"]) == (503, True)
    assert stored(database) == [(1, 1, 640)]


def test_log_holds_no_payload(ingester: Ingester, peer: Peer) -> None:
    peer.publish(json.dumps({"distance_mm": "a-secret-word", "measured_at": 1772366400}))
    ingester.terminate()

    assert "a-secret-word" not in ingester.text


def test_other_client_of_the_same_name_is_told_and_outlived(
    database: MigratedDatabase, broker: Broker, ingester: Ingester, peer: Peer
) -> None:
    name = "brimwatch-readings"
    intruder = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
    folder = broker.certificates
    intruder.tls_set(str(folder / "ca.pem"), str(folder / f"{name}.pem"), str(folder / f"{name}.key"))
    # Whoever connects decides how long the session lasts.
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 600

    intruder.connect(broker.host, broker.port, clean_start=False, properties=properties)
    intruder.loop_start()
    until(lambda: "Another program connected to the broker as brimwatch-readings" in ingester.text, "it is told")
    code, problems = ingester.health()
    intruder.disconnect()
    intruder.loop_stop()
    peer.publish(codec.encode_readings(1, None, [reading(1)]))
    until(lambda: (1, 1) in peer.acknowledged, "it receives again")

    assert (code, list(problems["problems"])) == (503, [name])
    assert stored(database) == [(1, 1, 640)]


def test_lost_database_connection_loses_nothing(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    for seq in range(3):
        terminate = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'brimwatch %'"
        rows(database, terminate)
        peer.publish(codec.encode_readings(1, None, [reading(seq)]))
        until(lambda seq=seq: (1, seq) in peer.acknowledged, "it is acknowledged")  # type: ignore[misc]

    until(lambda: ingester.health()[0] == 200, "all is well again")
    assert stored(database) == [(1, seq, 640) for seq in range(3)]


def test_rejects_can_be_listed_and_shown(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    assert ingester
    peer.publish("no reading")
    until(lambda: bool(rejects(database)), "it is refused")
    number = rows(database, "select id from rejects")[0][0]

    listed = run_module("ingest", "rejects", "list", env={**database.env, "COLUMNS": "200"})
    shown = run_module("ingest", "rejects", "show", str(number), env=database.env)

    assert "no reading" in listed
    assert f"topic: bins/v1/{peer.ref}/up/readings" in shown
    assert "payload: no reading" in shown
