"""A device that is to be set to something else is told whenever it reports, until it says that it is so."""

import json
import secrets
from pathlib import Path

import cbor2
import pytest

from firmware.smartbin import codec
from simulator.stack.broker import Broker
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import Ingester, Peer, enrol, reading, until
from tests.integration.registry.commands import ingest
from tests.unit.firmware.device import SLEPT, Device, Wake


def report(peer: Peer, seq: int) -> list[object]:
    """Have a device report; gives what it was told to be set to until the acknowledgement came."""
    told = len(peer.configurations)
    peer.publish(codec.encode_readings(1, None, [reading(seq)]))
    until(lambda: (1, seq) in peer.acknowledged, "it is acknowledged")
    return [cbor2.loads(payload) for payload in peer.configurations[told:]]


def test_device_is_told_with_each_report_until_it_says_that_it_is_so(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    ingest(database, "configuration", "change", peer.ref, "--set", "full_mm=250")

    first, second = report(peer, 1), report(peer, 2)
    peer.publish(json.dumps({"config_version": 1}), "status")
    until(lambda: "1" in ingest(database, "configuration", "list").split("\t")[-2], "its word is stored")
    third = report(peer, 3)

    assert first == second == [[1, 1, {"full_mm": 250}]]
    assert third == []
    # Before, because a device may sleep as soon as it has its acknowledgement.
    assert peer.heard[:4] == ["config", "ack", "config", "ack"]
    assert ingester.figure("configurations_sent_total") >= 2


def test_refused_configuration_comes_again_only_when_the_device_says_nothing_of_it_any_more(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    ingest(database, "configuration", "change", peer.ref, "--set", "full_mm=250")

    first = report(peer, 1)
    peer.publish(json.dumps({"config_version": 0, "config_refused": "version 1: full_mm: too far"}), "status")
    until(lambda: "too far" in ingest(database, "configuration", "list"), "its word is stored")
    second = report(peer, 2)
    peer.publish(json.dumps({"config_version": 0}), "status")
    until(lambda: "too far" not in ingest(database, "configuration", "list"), "its word is stored")
    third = report(peer, 3)

    assert first == third == [[1, 1, {"full_mm": 250}]]
    assert second == []
    assert ingester.figure("configurations_sent_total") >= 2


def test_device_without_a_configuration_is_told_nothing(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    ingest(database, "configuration", "change", peer.ref, "--set", "full_mm=250")
    ingest(database, "configuration", "change", peer.ref, "--unset", "full_mm")
    peer.publish(json.dumps({"config_version": 2}), "status")
    until(lambda: len(peer.configurations) == 1, "it is told, because it had not said yet that it is so")

    assert cbor2.loads(peer.configurations[0]) == [1, 2, {}]
    assert report(peer, 1) == []
    assert ingester.figure("configurations_sent_total") == 1


@pytest.mark.usefixtures("ingester")
def test_real_firmware_is_set_and_says_so(
    tmp_path: Path, database: MigratedDatabase, broker: Broker, authority: Path
) -> None:
    ref = f"d-{secrets.token_hex(4)}"
    enrol(database, authority, tmp_path / "devices", ref)
    device = Device(tmp_path / "devices" / ref, mqtt_host=broker.host, mqtt_port=broker.port)
    device.world(distance_mm=640)

    def reported(version: int) -> tuple[str, str]:
        row = ingest(database, "configuration", "list", ref).rstrip("\n").split("\n")[1].split("\t")
        assert row[1] == str(version)
        return row[-2], row[-1]

    ingest(database, "configuration", "change", ref, "--set", "jump_mm=77")
    wakes = [device.wake(), device.wake()]
    until(lambda: reported(1) == ("1", ""), "it says that it is set")

    # It was provisioned to report every five minutes, which only it knows.
    ingest(database, "configuration", "change", ref, "--set", "measure_interval_s=7200")
    until(lambda: _is_refused(wakes, device, reported(2)), "it says that it refused")

    assert {wake.code for wake in wakes} == {SLEPT}
    assert reported(2) == ("1", "version 2: report_interval_s: must not be shorter than measure_interval_s")


def _is_refused(wakes: list[Wake], device: Device, reported: tuple[str, str]) -> bool:
    if reported[1]:
        return True
    # The ingester looks a device up again within half a minute, or when it says something of itself.
    wakes.append(device.wake())
    return False
