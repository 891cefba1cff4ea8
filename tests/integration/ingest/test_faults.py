"""What goes wrong around the ingester: it is ended, doubled, cut off, and refused by its own database."""

import json
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware.smartbin import codec
from simulator.stack.broker import Broker
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import NOW_S, Ingester, Peer, change, reading, rejects, rows, stored, until


def test_row_that_the_database_refuses_does_not_cost_its_neighbours(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    assert ingester
    change(database, "alter table readings add constraint unlucky check (distance_mm <> 666)")
    readings = [reading(seq, 666 if seq in {4, 13} else 640) for seq in range(20)]
    message = codec.encode_readings(1, None, readings)

    peer.publish(message)
    until(lambda: len(peer.acknowledged) == 20, "all are acknowledged")

    assert [seq for _, seq, _ in stored(database, peer)] == [seq for seq in range(20) if seq not in {4, 13}]
    kept = [json.loads(payload)["readings"] for reason, payload in rejects(database, peer) if reason == "database"]
    assert sorted(row["seq"] for rows_alone in kept for row in rows_alone) == [4, 13]
    details = rows(database, "select detail from rejects order by detail")
    assert [detail.split(":")[0] for (detail,) in details] == ["epoch 1, seq 13", "epoch 1, seq 4"]


def test_sigterm_ends_it_quickly_and_the_session_stays(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    code, seconds = ingester.terminate()
    peer.publish(codec.encode_readings(1, None, [reading(1)]))
    ingester.start()
    until(lambda: (1, 1) in peer.acknowledged, "what was published meanwhile is acknowledged")

    assert code == 0
    # Docker waits for ten.
    assert seconds < 8
    assert stored(database, peer) == [(1, 1, 640)]


def test_sender_that_kept_its_rate_loses_nothing_by_an_outage(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    ingester.terminate()
    # What came in hours, as it waits at the broker; this sender waits for no acknowledgement and sends nothing again.
    for number in range(200):
        peer.send(f'{{"distance_mm": 640, "measured_at": {NOW_S - 7200 + number}}}').wait_for_publish(60)
    ingester.set("BRIMWATCH_DEVICE_MESSAGES_PER_S", "0.1")  # six at once
    ingester.start()

    until(lambda: len(stored(database, peer)) == 200, "all are stored")
    assert ingester.figure("messages_put_off_total") == 0


def test_second_ingester_waits_and_takes_over(
    tmp_path: Path, database: MigratedDatabase, broker: Broker, ingester: Ingester, peer: Peer
) -> None:
    second = Ingester(tmp_path, database, broker, "second")
    try:
        second.launch()
        until(lambda: "Another ingester is at work" in second.text, "the second one waits")
        until(lambda: second.health()[0] == 503, "it says so")
        problems = second.health()[1]["problems"]
        ingester.kill()
        until(lambda: second.health()[0] == 200, "the second one took over")
        peer.publish(codec.encode_readings(1, None, [reading(1)]))
        until(lambda: (1, 1) in peer.acknowledged, "it works")
    finally:
        second.kill()

    assert "Another ingester is at work" in problems["database"]
    assert stored(database, peer) == [(1, 1, 640)]


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
    # Both connect again and again.
    until(lambda: list(ingester.health()[1].get("problems", ())) == [name], "nothing else is lost")
    intruder.disconnect()
    intruder.loop_stop()
    peer.publish(codec.encode_readings(1, None, [reading(1)]))
    until(lambda: (1, 1) in peer.acknowledged, "it receives again")

    assert stored(database, peer) == [(1, 1, 640)]


def test_lost_database_connection_loses_nothing(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    for seq in range(3):
        terminate = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'brimwatch %'"
        rows(database, terminate)
        peer.publish(codec.encode_readings(1, None, [reading(seq)]))
        until(lambda seq=seq: (1, seq) in peer.acknowledged, "it is acknowledged")  # type: ignore[misc]

    until(lambda: ingester.health()[0] == 200, "all is well again")
    assert stored(database, peer) == [(1, seq, 640) for seq in range(3)]
