"""The Mosquitto of docs/lorawan.md that fetches uplinks from The Things Stack and brings them here."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from simulator.stack.broker import Broker, render
from simulator.stack.native import find_programs
from simulator.stack.place import checkout_folder, find_place
from simulator.stack.process import Child, free_port
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import Ingester, until
from tests.integration.ingest.network_server import from_ttn, new_dev_eui, stored
from tests.integration.registry.commands import ingest

PAGE = (checkout_folder() / "docs" / "lorawan.md").read_text(encoding="utf-8")


@contextlib.contextmanager
def running(folder: Path, name: str, configuration: str) -> Iterator[Path]:
    """Run a Mosquitto; gives its log."""
    file, log = folder / f"{name}.conf", folder / f"{name}.log"
    # Without this line one that root starts would give up its rights, and could not read what is root's.
    file.write_text(f"user root\n{configuration}")
    child = Child([str(find_programs(find_place(), os.environ).mosquitto), "-c", str(file)], name=name, log=log)
    try:
        yield log
    finally:
        child.stop()


@pytest.fixture
def things_stack(tmp_path: Path) -> Iterator[Client]:
    """A client of what stands for The Things Stack's MQTT server, and publishes like it."""
    port = free_port()
    with running(tmp_path, "things-stack", f"listener {port} 127.0.0.1\nallow_anonymous true\n") as log:
        until(lambda: "running" in log.read_text(), "The Things Stack runs")
        client = Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", port)
        client.loop_start()
        yield client
        client.disconnect()
        client.loop_stop()


def documented(folder: Path, things_stack: Client, broker: Broker, authority: Path) -> str:
    """Give the page's configuration with the addresses and paths of this test."""
    block = PAGE.split("The `mosquitto.conf` of the one between")[1].split("The Things Stack hands out")[0]
    text = "\n".join(re.findall(r"^    (.*)$", block, re.MULTILINE))
    arriving, leaving = text.split("connection to-brimwatch\n")
    own = render(
        arriving.replace("bridge_capath /etc/ssl/certs\n", ""),
        {
            "listener": f"{free_port()} 127.0.0.1",
            "persistence_location": f"{folder}/",
            "address": f"127.0.0.1:{things_stack.port}",
        },
    )
    files = {
        "bridge_cafile": "ca.pem",
        "bridge_certfile": "brimwatch-ttn.pem",
        "bridge_keyfile": "brimwatch-ttn.key",
    }
    paths = {option: str(authority / file) for option, file in files.items()}
    return own + "connection to-brimwatch\n" + render(leaving, {"address": f"{broker.host}:{broker.port}", **paths})


def test_uplinks_come_through_the_bridge_and_wait_there_while_our_broker_is_away(
    database: MigratedDatabase, fresh_broker: Broker, authority: Path, things_stack: Client, tmp_path: Path
) -> None:
    dev_eui = new_dev_eui()
    ingest(database, "devices", "enrol", dev_eui, "--model", "milesight-em400-tld")
    bridge = documented(tmp_path, things_stack, fresh_broker, authority)
    topic, first = from_ttn(dev_eui, "0482e803", "2026-03-01T12:00:00Z")
    _, second = from_ttn(dev_eui, "0482e903", "2026-03-01T13:00:00Z")

    def arrived() -> bool:
        # Nobody is told when the bridge has subscribed; the same uplink twice is stored once.
        things_stack.publish(topic, first, qos=0).wait_for_publish(60)
        return stored(database, dev_eui) != []

    with Ingester(tmp_path, database, fresh_broker), running(tmp_path, "bridge", bridge) as log:
        until(arrived, "the first is stored")
        fresh_broker.stop()
        until(lambda: "closed its connection" in log.read_text(), "the bridge knows that our broker is away")
        things_stack.publish(topic, second, qos=0).wait_for_publish(60)
        fresh_broker.start()
        until(lambda: len(stored(database, dev_eui)) == 2, "what was published meanwhile is stored", within_s=120)

    assert [row[2] for row in stored(database, dev_eui)] == [1000, 1001]
