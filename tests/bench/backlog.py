"""A standing backlog: messages that the broker holds for an absent ingester, made once and put back for each run."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware.smartbin import codec
from simulator.stack.broker import Broker
from simulator.stack.place import find_place, give
from tests.integration.ingest.ingester import until

CONSUMER = "brimwatch-readings"
PUBLISHER = "brimwatch-backlog"
DEVICES = 200
AT_ONCE = 10_000  # paho queues no more than 65,535


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that wait at the broker.

    Attributes:
        messages: how many.
        rows: readings in each.
        state: the broker's saved sessions.
        first_s: Unix seconds of the first readings; each device's next one is a second later.
    """

    messages: int
    rows: int
    state: Path
    first_s: int

    @property
    def readings(self) -> int:
        """Readings in all messages."""
        return self.messages * self.rows

    def last(self) -> tuple[str, int, int]:
        """Give device, seq and time (Unix seconds) of the very last reading."""
        seq = self.messages // DEVICES * self.rows - 1
        return ref(DEVICES - 1), seq, self.first_s + seq


def enrol_devices(conninfo: str) -> None:
    """Let the devices of all backlogs be known to the database."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("insert into devices (ref) select unnest(%s::text[])", ([*map(ref, range(DEVICES))],))


def make_backlog(broker: Broker, messages: int, rows: int) -> Backlog:
    """Publish messages to the ingester's sleeping session; the broker is stopped afterwards.

    Args:
        broker: without sessions.
        messages: a multiple of the number of devices.
        rows: readings in each.
    """
    if broker.pid is None:
        broker.start()
    _allow_publishing(broker)
    _subscribe(broker)
    first_s = int(time.time()) - 2 * 86_400
    client = _client(broker, PUBLISHER)
    client.max_inflight_messages_set(1000)
    client.connect(broker.host, broker.port)
    client.loop_start()
    for number in range(messages):
        turn, device = divmod(number, DEVICES)
        readings = [_row(turn * rows + place, first_s) for place in range(rows)]
        payload = codec.encode_readings(device, 3600, readings)
        info = client.publish(codec.topic(ref(device), "up/readings"), payload, qos=1)
        if number % AT_ONCE == 0 or number == messages - 1:
            info.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()
    broker.stop()
    state = broker.folder / f"backlog-{messages}-{rows}.db"
    shutil.move(_sessions(broker), state)
    return Backlog(messages, rows, state, first_s)


def put_back(broker: Broker, backlog: Backlog) -> None:
    """Start the broker with a backlog, as it was made."""
    broker.stop()
    shutil.copyfile(backlog.state, _sessions(broker))
    give(find_place().account, _sessions(broker))
    broker.start()


def _sessions(broker: Broker) -> Path:
    return broker.folder / "data/mosquitto.db"


def _allow_publishing(broker: Broker) -> None:
    # One publisher for all devices, which the product's own access list forbids.
    with (broker.folder / "acl").open("a") as acl:
        acl.write(f"\nuser {PUBLISHER}\ntopic write bins/v1/+/up/#\n")
    broker.reload()


def _subscribe(broker: Broker) -> None:
    client = _client(broker, CONSUMER, MQTTProtocolVersion.MQTTv5)
    subscribed: list[object] = []
    client.on_subscribe = lambda *answer: subscribed.append(answer)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 86_400
    client.connect(broker.host, broker.port, clean_start=False, properties=properties)
    client.loop_start()
    client.subscribe("bins/v1/+/up/readings", qos=1)
    until(lambda: bool(subscribed), "the session exists")
    client.disconnect()
    client.loop_stop()


def _client(broker: Broker, name: str, protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol)
    folder = broker.certificates
    client.tls_set(str(folder / "ca.pem"), str(folder / f"{name}.pem"), str(folder / f"{name}.key"))
    return client


def ref(device: int) -> str:
    """Give the name of a device by its number, which is its epoch, too."""
    return f"bench-{device:03}"


def _row(seq: int, first_s: int) -> tuple[int | None, ...]:
    return (seq, first_s + seq, 100 + seq * 37 % 1000, seq % 9, 9, 50 + seq % 300, 3600 - seq % 500, seq % 5, 0)
