"""Our receiver beside paho on the real broker: the same messages, whatever happens to the connection."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.link import Link
from ingest.packets import Message
from ingest.receive import Receiver
from simulator.stack.broker import Broker
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import enrol, until

# Both may read everything below `up/`; each has a session of its own.
OURS, OTHERS = "brimwatch-readings", "brimwatch-backlog"
TOPICS = ("bins/v1/+/up/readings", "bins/v1/+/up/status")
WINDOW = 50


class Other:
    """The same subscription by paho, which acknowledges nothing until it is told to."""

    def __init__(self, broker: Broker) -> None:
        self.messages: list[MQTTMessage] = []
        self._broker = broker
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=OTHERS, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True
        )
        folder = broker.certificates
        self._client.tls_set(str(folder / "ca.pem"), str(folder / f"{OTHERS}.pem"), str(folder / f"{OTHERS}.key"))
        self._client.on_message = lambda _client, _userdata, message: self.messages.append(message)
        self._subscribed = False
        self._client.on_subscribe = lambda *_: setattr(self, "_subscribed", True)

    def __enter__(self) -> Self:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 600
        properties.ReceiveMaximum = WINDOW
        self._client.connect(self._broker.host, self._broker.port, clean_start=False, properties=properties)
        self._client.loop_start()
        until(self._client.is_connected, "paho is connected")
        options = SubscribeOptions(
            qos=1, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
        )
        self._client.subscribe([(topic, options) for topic in TOPICS])
        until(lambda: self._subscribed, "paho has subscribed")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def acknowledge(self, messages: list[MQTTMessage]) -> None:
        """Send PUBACK for each, and wait until they are on their way: what is queued when paho disconnects is lost."""
        for message in messages:
            self._client.ack(message.mid, message.qos)
        until(lambda: not self._client.want_write(), "paho has sent its acknowledgements")


@pytest.fixture
def device(tmp_path: Path, database: MigratedDatabase, fresh_broker: Broker) -> Iterator[Client]:
    ref = f"d-{secrets.token_hex(4)}"
    enrol(database, fresh_broker.certificates, tmp_path, ref)
    client = Client(CallbackAPIVersion.VERSION2, client_id=ref)
    folder = tmp_path / ref
    client.tls_set(str(folder / "ca.pem"), str(folder / "device.pem"), str(folder / "device.key.pem"))
    client.connect(fresh_broker.host, fresh_broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def publish(device: Client, count: int, seed: int) -> None:
    """Publish messages of all sizes and kinds, and wait until the broker has them."""
    chance = random.Random(seed)  # noqa: S311 - a sequence to repeat
    ref = device._client_id.decode()  # noqa: SLF001 - its name, which paho does not tell
    infos = []
    for _ in range(count):
        payload = chance.randbytes(chance.choice((0, 1, 90, 127, 128, 5000, 16383, 70_000)))
        kind = chance.choice(("readings", "status"))
        retain = chance.random() < 0.1
        infos.append(device.publish(f"bins/v1/{ref}/up/{kind}", payload, qos=1, retain=retain))
    for info in infos:
        info.wait_for_publish(60)


@asynccontextmanager
async def receiving(broker: Broker, window: int = WINDOW) -> AsyncIterator[Receiver]:
    link = Link(broker.host, broker.port, broker.certificates)
    async with Receiver(link, OURS, TOPICS, window) as receiver:
        yield receiver


async def take(receiver: Receiver, count: int) -> list[Message]:
    messages: list[Message] = []
    async with asyncio.timeout(60):
        while len(messages) < count:
            messages += await receiver.take(count - len(messages))
    return messages


def essence(messages: list[Message]) -> list[tuple[str, bytes, bool]]:
    return [(message.topic, message.payload, message.retain) for message in messages]


def essence_of_other(messages: list[MQTTMessage]) -> list[tuple[str, bytes, bool]]:
    return [(message.topic, bytes(message.payload), message.retain) for message in messages]


@pytest.mark.anyio
async def test_receives_what_paho_receives(fresh_broker: Broker, device: Client) -> None:
    ours: list[Message] = []
    with Other(fresh_broker) as other:
        async with receiving(fresh_broker) as receiver:
            publishing = asyncio.ensure_future(asyncio.to_thread(publish, device, 400, seed=1))
            while len(ours) < 400:
                batch = await asyncio.wait_for(receiver.take(30), 60)
                receiver.acknowledge(batch)
                ours += batch
            await publishing
        seen = 0
        while seen < 400:
            await asyncio.to_thread(until, lambda seen=seen: len(other.messages) > seen, "paho gets more")
            batch_of_other = other.messages[seen:]
            other.acknowledge(batch_of_other)
            seen += len(batch_of_other)

    assert essence(ours) == essence_of_other(other.messages)
    assert any(message.retain for message in ours)


@pytest.mark.anyio
async def test_unacknowledged_messages_come_again_in_their_order(fresh_broker: Broker, device: Client) -> None:
    with Other(fresh_broker) as other:
        async with receiving(fresh_broker) as receiver:
            await asyncio.to_thread(publish, device, 40, seed=2)
            first = await take(receiver, 40)
        await asyncio.to_thread(until, lambda: len(other.messages) == 40, "paho has all")
    await asyncio.to_thread(publish, device, 10, seed=3)

    async with receiving(fresh_broker) as receiver:
        again = await take(receiver, 50)
    with Other(fresh_broker) as other:
        await asyncio.to_thread(until, lambda: len(other.messages) == 50, "paho has them again")

    assert [message.dup for message in other.messages] == [True] * 40 + [False] * 10
    assert again[:40] == first
    assert essence(again) == essence_of_other(other.messages)


@pytest.mark.anyio
async def test_no_more_than_the_window_is_on_its_way(fresh_broker: Broker, device: Client) -> None:
    async with receiving(fresh_broker, window=7) as receiver:
        await asyncio.to_thread(publish, device, 30, seed=4)
        first = await take(receiver, 7)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receiver.take(1), 0.3)
        receiver.acknowledge(first[:3])
        more = await take(receiver, 3)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receiver.take(1), 0.3)

    assert len({message.packet_id for message in first + more}) == 10
