"""A standing backlog: messages that the broker holds for an absent ingester, made once and put back for each run."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import psycopg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from simulator.stack.broker import Broker
from simulator.stack.place import find_place, give
from tests.bench.flow import Flow, ref
from tests.bench.publisher import Where, publish_all
from tests.integration.ingest.ingester import until

CONSUMER = "brimwatch-readings"
HISTORY = "brimwatch-backlog"
TOPICS = {CONSUMER: "bins/v1/+/up/readings", HISTORY: "bins/v1/+/up/backlog"}


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that wait at the broker.

    Attributes:
        flow: they.
        state: the broker's saved sessions.
    """

    flow: Flow
    state: Path

    def last(self) -> tuple[str, int, int]:
        """Give device, seq and time (Unix seconds) of the very last reading."""
        flow = self.flow
        seq = flow.messages // flow.devices * flow.rows - 1
        return ref(flow.devices - 1), seq, flow.measured_s(seq)


def enrol_devices(conninfo: str, count: int) -> None:
    """Let devices be known to the database."""
    statement = "insert into devices (ref) select unnest(%s::text[]) on conflict do nothing"
    with psycopg.connect(conninfo) as connection:
        connection.execute(statement, ([*map(ref, range(count))],))


def make_backlog(broker: Broker, bundle: Path, flow: Flow) -> Backlog:
    """Publish a flow to the ingester's sleeping sessions; the broker is stopped afterwards.

    Args:
        broker: stopped, or without sessions.
        bundle: the publisher's certificate.
        flow: of a multiple of its devices' number of messages.
    """
    if broker.pid is None:
        broker.start()
    begin_sessions(broker)
    publish_all(Where(broker.host, broker.port, str(bundle)), flow)
    broker.stop()
    state = broker.folder / f"backlog-{flow.messages}-{flow.rows}.db"
    shutil.move(sessions(broker), state)
    return Backlog(flow, state)


def put_back(broker: Broker, backlog: Backlog) -> None:
    """Start the broker with a backlog, as it was made."""
    broker.stop()
    shutil.copyfile(backlog.state, sessions(broker))
    give(find_place().account, sessions(broker))
    broker.start()


def sessions(broker: Broker) -> Path:
    """Say where a broker saves its sessions."""
    return broker.folder / "data/mosquitto.db"


def begin_sessions(broker: Broker) -> None:
    """Let the broker know the ingester, which is away: from now on it keeps what it gets."""
    for consumer, topic in TOPICS.items():
        _subscribe(broker, consumer, topic)


def _subscribe(broker: Broker, consumer: str, topic: str) -> None:
    client = Client(CallbackAPIVersion.VERSION2, client_id=consumer, protocol=MQTTProtocolVersion.MQTTv5)
    folder = broker.certificates
    client.tls_set(str(folder / "ca.pem"), str(folder / f"{consumer}.pem"), str(folder / f"{consumer}.key"))
    subscribed: list[object] = []
    client.on_subscribe = lambda *answer: subscribed.append(answer)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 86_400
    client.connect(broker.host, broker.port, clean_start=False, properties=properties)
    client.loop_start()
    client.subscribe(topic, qos=1)
    until(lambda: bool(subscribed), "the session exists")
    client.disconnect()
    client.loop_stop()
