"""One connection of a persistent session that receives, and acknowledges after the commit."""

import asyncio
from collections.abc import Callable
from itertools import zip_longest
from types import TracebackType
from typing import Self

from ingest.connection import Connection, EndedByBroker
from ingest.errors import BrokerLostError, SessionTakenError
from ingest.link import Link
from ingest.packets import (
    SESSION_TAKEN_OVER,
    Connected,
    Message,
    Subscribed,
    acknowledgements,
    connect,
    say,
    subscribe,
)

# The broker forgets the session, and what waits in it, when nobody came back for this long.
SESSION_EXPIRY_S = 30 * 24 * 3600
KEEPALIVE_S = 20
CONNECT_TIMEOUT_S = 10.0
DISCONNECT_TIMEOUT_S = 0.5
# What is taken at once ends here too: large messages are decoded as long as many small ones.
LARGEST_TAKEN_BYTES = 16 * 1024
SUBSCRIPTION = 1  # its packet id; the broker counts its own
GRANTED = 1  # QoS 1


class Receiver:
    """One connection of a persistent session: `async with` connects, a lost connection needs a new one.

    What was received and not acknowledged comes again on the next connection. A packet id means nothing beyond its
    connection, so a batch is acknowledged through the receiver that it was taken from; after its end nothing is sent.

    Args:
        link: the broker.
        name: client id, and name of the certificate.
        topics: to subscribe to, QoS 1.
        window: the most messages that may be on their way unacknowledged; what of them waits is bounded in bytes, too.
        keepalive_s: a broker that is silent for so long is lost.
        subscribed: called when the broker has granted all topics; messages may come before.
    """

    def __init__(
        self,
        link: Link,
        name: str,
        topics: tuple[str, ...],
        window: int,
        *,
        keepalive_s: int = KEEPALIVE_S,
        subscribed: Callable[[], None] = lambda: None,
    ) -> None:
        self._link = link
        self._name = name
        self._topics = topics
        self._window = window
        self._keepalive_s = keepalive_s
        self._subscribed = subscribed
        # Taken, and not acknowledged yet.
        self._unacknowledged = 0
        self._granted = False
        self._held_back = True
        self._news = asyncio.Event()
        self._connection = Connection(self._news.set)

    async def __aenter__(self) -> Self:
        """Connect, and ask for the topics.

        Raises:
            BrokerLostError: the broker does not answer or does not let us in.
        """
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connect()
        except TimeoutError as error:
            await self._connection.close(DISCONNECT_TIMEOUT_S)
            raise self._link.lost(TimeoutError(f"nothing within {CONNECT_TIMEOUT_S:g} s")) from error
        # Names that no host can bear are a ValueError.
        except (OSError, ValueError) as error:
            await self._connection.close(DISCONNECT_TIMEOUT_S)
            raise self._why_lost(error) from error
        except BaseException:
            await self._connection.close(DISCONNECT_TIMEOUT_S)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect and leave the session to the broker."""
        await self._connection.close(DISCONNECT_TIMEOUT_S)

    @property
    def waiting(self) -> int:
        """Messages that arrived and were not yet taken."""
        return len(self._connection.messages)

    @property
    def has_all(self) -> bool:
        """Whether everything that waited for us at the broker was taken."""
        return not (self._held_back or self._connection.messages)

    async def take(self, limit: int) -> list[Message]:
        """Take what has arrived, in order; waits for at least one message.

        Args:
            limit: at most so many messages.

        Raises:
            BrokerLostError: the connection ended, and all that arrived before was taken.
            SessionTakenError: it ended because somebody else connected under our name.
        """
        arrived = self._connection.messages
        while not arrived:
            if self._connection.ended:
                raise self._why_lost(self._connection.ended)
            self._news.clear()
            await self._news.wait()
        batch: list[Message] = []
        size = 0
        while arrived and len(batch) < limit and size < LARGEST_TAKEN_BYTES:
            message = arrived.popleft()
            size += len(message.payload)
            batch.append(message)
        self._connection.taken(len(batch))
        self._unacknowledged += len(batch)
        return batch

    def acknowledge(self, batch: list[Message]) -> None:
        """Tell the broker in one go that a batch is safe; does nothing when the connection has ended."""
        # As long as the window is full the broker may have more.
        self._held_back = not self._granted or self._unacknowledged + self.waiting >= self._window
        self._unacknowledged -= len(batch)
        self._connection.send(acknowledgements([message.packet_id for message in batch if message.packet_id]))

    async def _connect(self) -> None:
        await asyncio.get_running_loop().create_connection(
            lambda: self._connection, self._link.host, self._link.port, ssl=self._link.context(self._name)
        )
        hello = connect(
            self._name, keepalive_s=self._keepalive_s, session_expiry_s=SESSION_EXPIRY_S, window=self._window
        )
        connected = await self._connection.ask(hello, Connected)
        if connected.reason:
            raise EndedByBroker(connected.reason, connected.text)
        # Always: after a crash of the broker the subscription is gone with the session. Its answer comes after all that
        # the session holds, which may be more than we have room for: so we go on before it.
        asked = self._connection.ask(subscribe(SUBSCRIPTION, self._topics), Subscribed)
        asked.add_done_callback(self._check_subscribed)
        # Twice as often as promised: it is to hear from us in time, and we notice its silence in time.
        self._connection.keep_alive((connected.keepalive_s or self._keepalive_s) / 2)

    def _check_subscribed(self, asked: asyncio.Future[Subscribed]) -> None:
        if asked.cancelled() or asked.exception():
            return  # whoever takes hears of it
        for topic, reason in zip_longest(self._topics, asked.result().reasons):
            # Less than QoS 1 would mean that nothing waits for us while we are away.
            if reason != GRANTED:
                refusal = f"it refuses the subscription to {topic}: {say(reason or 0, '')}"
                self._connection.give_up(ConnectionError(refusal))
                return
        self._granted = True
        self._subscribed()

    def _why_lost(self, error: Exception) -> BrokerLostError:
        if isinstance(error, EndedByBroker) and error.reason == SESSION_TAKEN_OVER:
            return SessionTakenError(f"Another program connected to the broker as {self._name}")
        return self._link.lost(error)
