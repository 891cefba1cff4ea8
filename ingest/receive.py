"""One connection that receives and acknowledges after the commit: aiomqtt, with paho's manual acknowledgement.

All that reaches into the libraries' insides is here, and nothing else of the ingester knows how messages arrive.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiomqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.errors import BrokerLostError, SessionTakenError
from ingest.link import Link

# The broker forgets the session, and what waits in it, when nobody came back for this long.
SESSION_EXPIRY_S = 30 * 24 * 3600
KEEPALIVE_S = 20
CONNECT_TIMEOUT_S = 10.0
DISCONNECT_TIMEOUT_S = 0.5
SOCKET_TIMEOUT_S = 2.5
SESSION_TAKEN_OVER = 0x8E
# A batch ends here too, so that history in large messages never holds up fresh readings for long.
LARGEST_BATCH_BYTES = 256 * 1024

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Message:
    """What a device published.

    Attributes:
        packet_id: 0 for QoS 0, which nobody acknowledges.
    """

    topic: str
    payload: bytes
    retain: bool
    packet_id: int


class Receiver:
    """One connection of a persistent session: `async with` connects, a lost connection needs a new one.

    What was received and not acknowledged comes again on the next connection. A packet id means nothing beyond its
    connection, so a batch is acknowledged through the receiver that it was taken from; after its end nothing is sent.

    Args:
        link: the broker.
        name: client id, and name of the certificate.
        topics: to subscribe to, QoS 1.
        window: the most messages that may be on their way unacknowledged: the bound of our memory.
    """

    def __init__(self, link: Link, name: str, topics: tuple[str, ...], window: int) -> None:
        self._link = link
        self._name = name
        self._topics = topics
        self._arrived: deque[Message] = deque()
        self._news = asyncio.Event()
        self._client = self._make_client(window)

    async def __aenter__(self) -> Self:
        """Connect and subscribe.

        Raises:
            BrokerLostError: the broker does not answer or does not let us in.
        """
        try:
            await self._client.__aenter__()
        except (aiomqtt.MqttError, ValueError) as error:
            raise self._link.lost(error) from error
        self._client._disconnected.add_done_callback(lambda _: self._news.set())  # noqa: SLF001 - no public signal
        try:
            # Always: after a crash of the broker the subscription is gone with the session.
            await self._subscribe()
        except aiomqtt.MqttError as error:
            await self.__aexit__(None, None, None)
            raise self._link.lost(error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect and leave the session to the broker."""
        self._client.timeout = DISCONNECT_TIMEOUT_S
        try:
            await self._client.__aexit__(None, None, None)
        except aiomqtt.MqttError as lost:
            log.debug("the broker did not answer the disconnection", error=str(lost))

    async def take(self, limit: int) -> list[Message]:
        """Take what has arrived, in order; waits for at least one message.

        Args:
            limit: at most so many messages.

        Raises:
            BrokerLostError: the connection ended, and all that arrived before was taken.
            SessionTakenError: it ended because somebody else connected under our name.
        """
        while not self._arrived:
            if self._client._disconnected.done():  # noqa: SLF001 - no public signal
                raise self._why_lost()
            self._news.clear()
            await self._news.wait()
        batch: list[Message] = []
        size = 0
        while self._arrived and len(batch) < limit and size < LARGEST_BATCH_BYTES:
            message = self._arrived.popleft()
            size += len(message.payload)
            batch.append(message)
        return batch

    def acknowledge(self, batch: list[Message]) -> None:
        """Tell the broker that a batch is safe; does nothing when the connection has ended."""
        if self._client._disconnected.done():  # noqa: SLF001 - no public signal
            return
        acknowledge = self._client._client.ack  # noqa: SLF001 - aiomqtt offers no acknowledgement of its own
        for message in batch:
            if message.packet_id:
                acknowledge(message.packet_id, 1)

    def _make_client(self, window: int) -> aiomqtt.Client:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = window
        client = aiomqtt.Client(
            self._link.host,
            self._link.port,
            identifier=self._name,
            protocol=aiomqtt.ProtocolVersion.V5,
            # The default would wipe the session at every start of the process.
            clean_start=False,
            properties=properties,
            tls_context=self._link.context(self._name),
            keepalive=KEEPALIVE_S,
            timeout=CONNECT_TIMEOUT_S,
        )
        paho = client._client  # noqa: SLF001 - see above
        paho.manual_ack_set(on=True)
        # It connects in a thread that nothing can interrupt, and that the end of the process waits for.
        paho.connect_timeout = SOCKET_TIMEOUT_S
        # Past aiomqtt's queue, which is awaited message by message.
        paho.on_message = self._on_message
        return client

    def _on_message(self, client: object, userdata: object, message: Any) -> None:  # noqa: ANN401, ARG002 - paho's
        self._arrived.append(Message(message.topic, message.payload, message.retain, message.mid))
        self._news.set()

    async def _subscribe(self) -> None:
        # The flag stays as it was published, so that junk is told apart; it comes once, not at every reconnection.
        options = SubscribeOptions(
            qos=1, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
        )
        answers = await self._client.subscribe([(topic, options) for topic in self._topics])
        for topic, answer in zip(self._topics, answers, strict=True):
            if isinstance(answer, ReasonCode) and answer.is_failure:
                raise aiomqtt.MqttError(f"it refuses the subscription to {topic}: {answer}")

    def _why_lost(self) -> BrokerLostError:
        error = self._client._disconnected.exception()  # noqa: SLF001 - no public signal
        code = getattr(error, "rc", None)
        if isinstance(code, ReasonCode) and code.value == SESSION_TAKEN_OVER:
            return SessionTakenError(f"Another program connected to the broker as {self._name}")
        return self._link.lost(error or ConnectionError("it ended the connection"))
