"""Sensors of other makers: from their network server's certificate to the database."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from firmware.smartbin import codec
from simulator.stack.broker import Broker
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import Ingester, Peer, reading, rows, until
from tests.integration.ingest.network_server import NetworkServer, from_chirpstack, from_ttn, new_dev_eui, stored
from tests.integration.registry.commands import failure, ingest

TLD, R718X = "milesight-em400-tld", "netvox-r718x"
AT_MS = 1_772_366_400_448


@pytest.fixture
def chirpstack(authority: Path, broker: Broker) -> Iterator[NetworkServer]:
    with NetworkServer("brimwatch-chirpstack", authority, broker) as connected:
        yield connected


@pytest.fixture
def ttn(authority: Path, broker: Broker) -> Iterator[NetworkServer]:
    with NetworkServer("brimwatch-ttn", authority, broker) as connected:
        yield connected


def enrol(database: MigratedDatabase, model: str) -> str:
    dev_eui = new_dev_eui()
    ingest(database, "devices", "enrol", dev_eui, "--model", model)
    return dev_eui


def refused(database: MigratedDatabase) -> list[tuple[object, ...]]:
    return rows(database, "select topic, device, reason, detail, payload from rejects order by id")


def test_uplinks_of_both_network_servers_become_readings(
    database: MigratedDatabase, ingester: Ingester, chirpstack: NetworkServer, ttn: NetworkServer
) -> None:
    laser, ultrasonic = enrol(database, TLD), enrol(database, R718X)

    for _ in range(2):  # whatever is handed on twice is stored once
        chirpstack.publish(*from_chirpstack(laser, "01755c 0367f6ff 04824408 050001"))
        ttn.publish(*from_ttn(ultrasonic, "013401a0 00 04b0 fff6 00 0c"))

    until(lambda: ingester.figure("readings_duplicate_total") >= 2, "all are committed")
    assert stored(database, laser) == [(0, AT_MS, 2116, -1.0, None, None, 8)]
    assert stored(database, ultrasonic) == [(0, AT_MS, 1200, -1.0, 3200, 12, 0)]
    assert refused(database) == []
    said = "select device, model, battery_mv, status -> 'battery_percent' from device_status"
    assert set(rows(database, said)) == {(laser, TLD, None, 92), (ultrasonic, R718X, 3200, None)}
    assert rows(database, "select count(*) from assess_queue") == [(2,)]
    assert ingester.figure("acknowledgements_sent_total") == 0


@pytest.mark.parametrize("qos", [0, 1])
def test_uplink_in_hand_survives_the_ingester(
    database: MigratedDatabase, ingester: Ingester, chirpstack: NetworkServer, qos: int
) -> None:
    dev_eui = enrol(database, TLD)
    with psycopg.connect(database.conninfo) as connection:
        connection.execute("lock table readings in access exclusive mode")
        chirpstack.publish(*from_chirpstack(dev_eui, "0482e803"), qos)
        until(lambda: ingester.figure("received_lag_seconds") > 0, "the uplink is in its hands")
        ingester.kill()
    ingester.start()

    until(lambda: stored(database, dev_eui) != [], "it comes again")


@pytest.mark.usefixtures("ingester")
def test_device_enrolled_late_gets_its_readings(database: MigratedDatabase, ttn: NetworkServer) -> None:
    dev_eui = new_dev_eui()
    topic, message = from_ttn(dev_eui, "04824408")
    ttn.publish(topic, message)
    until(lambda: len(refused(database)) == 1, "it is refused")
    advice = f"not enrolled, or retired: `devices enrol {dev_eui} --model MODEL` makes it known (docs/lorawan.md)"
    assert refused(database) == [(topic, dev_eui, "unknown_device", advice, message.encode())]

    ingest(database, "devices", "enrol", dev_eui.upper(), "--model", R718X)
    wrong = ingest(database, "rejects", "replay")
    ingest(database, "devices", "enrol", dev_eui, "--model", TLD)
    right = ingest(database, "rejects", "replay")

    assert wrong == "0 replayed, 0 readings stored.\nStill refused: 1 parse.\n"
    assert right == "1 replayed, 1 readings stored.\n"
    assert stored(database, dev_eui) == [(0, AT_MS, 2116, None, None, None, 0)]
    assert refused(database) == []


@pytest.mark.usefixtures("ingester")
def test_conflict_of_a_history_is_kept_as_it_came(database: MigratedDatabase, chirpstack: NetworkServer) -> None:
    dev_eui = enrol(database, "milesight-em410-rdl")
    chirpstack.publish(*from_chirpstack(dev_eui, "20ce002ba469e803f6ff000000"))
    topic, message = from_chirpstack(dev_eui, "20ce002ba469e903f6ff000000 20ce102ba469e803f6ff000000")

    chirpstack.publish(topic, message)

    until(lambda: len(refused(database)) == 1, "the conflict is refused")
    assert [row[2] for row in stored(database, dev_eui)] == [1000, 1000]
    assert [(row[0], row[2], row[4]) for row in refused(database)] == [(topic, "conflict", message.encode())]
    assert ingest(database, "rejects", "replay") == "0 replayed, 0 readings stored.\nStill refused: 1 conflict.\n"


def test_message_published_without_assurance_waits_while_the_ingester_is_away(
    database: MigratedDatabase, ingester: Ingester, ttn: NetworkServer
) -> None:
    dev_eui = enrol(database, TLD)
    ingester.kill()

    # All that The Things Stack offers is QoS 0.
    ttn.publish(*from_ttn(dev_eui, "04824408"), qos=0)
    ingester.start()

    until(lambda: stored(database, dev_eui) != [], "it is stored")


@pytest.mark.usefixtures("ingester")
def test_nobody_but_a_network_server_may_say_what_lorawan_devices_sent(
    database: MigratedDatabase, peer: Peer, chirpstack: NetworkServer, ttn: NetworkServer
) -> None:
    dev_eui = enrol(database, TLD)
    for topic, message in (from_chirpstack(dev_eui, "04824408"), from_ttn(dev_eui, "04824408")):
        peer.publish_to(topic, message)
    ttn.publish(*from_chirpstack(dev_eui, "04824408"))
    chirpstack.publish(*from_ttn(dev_eui, "04824408"))
    for network_server in (ttn, chirpstack):
        network_server.publish(f"bins/v1/{peer.ref}/up/readings", '{"distance_mm": 1, "measured_at": 1772366400}')

    # Whatever was let in has come before these.
    peer.publish(codec.encode_readings(1, 60, [reading()]))
    ttn.publish(*from_ttn(dev_eui, "0482e803"))
    chirpstack.publish(*from_chirpstack(dev_eui, "0482e903", at="2026-03-01T12:00:01+00:00"))

    until(lambda: len(stored(database, dev_eui)) == 2, "both network servers are heard under their own topics")
    until(lambda: peer.acknowledged == {(1, 1)}, "the device is heard under its own")
    assert [row[2] for row in stored(database, dev_eui)] == [1000, 1001]
    assert rows(database, "select count(*) from readings") == [(3,)]
    assert refused(database) == []


def test_enrolling_by_model_needs_a_dev_eui_and_a_known_model(database: MigratedDatabase) -> None:
    dev_eui = new_dev_eui()
    labelled = "-".join(dev_eui[at : at + 2].upper() for at in range(0, 16, 2))
    arguments = ("devices", "enrol", labelled, "--model", TLD)

    assert ingest(database, *arguments) == "1 enrolled, 0 renewed, 0 unchanged.\n"
    assert ingest(database, *arguments) == "0 enrolled, 0 renewed, 1 unchanged.\n"
    assert rows(database, "select ref, model, certificate_serial from devices") == [(dev_eui, TLD, None)]
    audited = rows(database, "select action, subject, after ->> 'model' from audit_log")
    assert audited == [("device.enrol", dev_eui, TLD)]
    assert "'sensor-0001' is no DevEUI" in failure(database, "devices", "enrol", "sensor-0001", "--model", TLD)
    assert "The model 'em400' is not known; these are: milesight-em400-mud, " in failure(
        database, "devices", "enrol", dev_eui, "--model", "em400"
    )
    assert "--out" in failure(database, "devices", "enrol", "sensor-0001")


def test_device_that_gets_a_certificate_is_no_longer_one_of_another_maker(
    database: MigratedDatabase, authority: Path, tmp_path: Path
) -> None:
    dev_eui = enrol(database, TLD)

    ingest(database, "devices", "enrol", dev_eui, "--out", str(tmp_path), "--certificates", str(authority))

    assert rows(database, "select model, certificate_serial is not null from devices") == [(None, True)]
