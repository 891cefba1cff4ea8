"""One connection to the broker that only receives: bytes in, messages out. Used by `receive`."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ingest.packets import (
    PING,
    Answer,
    Disconnected,
    Message,
    PacketError,
    Pong,
    Reason,
    disconnect,
    say,
)
from ingest.reader import Reader

READ_BYTES = 256 * 1024
# So much may wait in our memory, whatever the window allows: then we stop reading, until half of it is taken.
LARGEST_WAITING_BYTES = 8 * 1024 * 1024

AnyAnswer = TypeVar("AnyAnswer", bound=Answer)


class EndedByBroker(ConnectionError):  # noqa: N818 - an end, not always an error
    """Raised when the broker said why it ends the connection.

    Attributes:
        reason: its code.
    """

    def __init__(self, reason: int, text: str) -> None:
        super().__init__(say(reason, text))
        self.reason = reason


class Connection(asyncio.BufferedProtocol):
    """What happens between connecting and the end; asyncio calls it.

    A buffered protocol, because TLS then hands over all records that have arrived at once.

    Args:
        news: called whenever messages arrived, and at the end.

    Attributes:
        messages: what arrived, oldest first; call `taken` after taking some.
        ended: why the connection is of no use any more; None while it is.
    """

    def __init__(self, news: Callable[[], None]) -> None:
        self._reader = Reader()
        self.messages: deque[Message] = self._reader.messages
        self.ended: Exception | None = None
        self._closed = asyncio.Event()
        self._news = news
        self._waiting_bytes = 0
        self._paused = False
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._transport: asyncio.Transport | None = None
        self._asked: tuple[type[object], asyncio.Future[Any]] | None = None
        self._silent = False
        self._ping: asyncio.TimerHandle | None = None

    def ask(self, packet: bytes, kind: type[AnyAnswer]) -> asyncio.Future[AnyAnswer]:
        """Send a packet; the result is its answer, or the ConnectionError that ended the connection before it came."""
        answer: asyncio.Future[AnyAnswer] = asyncio.get_running_loop().create_future()
        self._asked = kind, answer
        if self.ended:
            answer.set_exception(self.ended)
        self.send(packet)
        return answer

    def give_up(self, error: Exception) -> None:
        """End the connection, because it is of no use to us."""
        self._end(error)
        self._close()

    def keep_alive(self, interval_s: float) -> None:
        """Ask the broker regularly whether it is there; one that is silent for a whole interval is lost."""
        self._silent = True
        self.send(PING)
        self._ping = asyncio.get_running_loop().call_later(interval_s, self._check_silence, interval_s)

    def send(self, packet: bytes) -> None:
        """Send packets, if the connection still is there."""
        if self._transport and not self.ended:
            self._transport.write(packet)

    def taken(self, count: int) -> None:
        """Note that so many messages were taken; where we had to stop, go on reading when half of the room is free."""
        waiting = len(self.messages)
        # Messages that came together are much alike.
        self._waiting_bytes = self._waiting_bytes * waiting // max(1, waiting + count)
        has_room = self._waiting_bytes <= LARGEST_WAITING_BYTES // 2
        if self._paused and has_room and self._transport and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    async def close(self, within_s: float) -> None:
        """Say goodbye and end the connection, whatever the broker does; the session stays."""
        self.send(disconnect(Reason.NORMAL))
        self._end(ConnectionError("we ended the connection"))
        if self._transport:
            self._transport.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), within_s)
            self._transport.abort()
            await self._closed.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what we write to."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - it is large enough for everybody
        """Say where bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Read what came."""
        if self.ended:
            return
        self._silent = False
        fault: PacketError | None = None
        try:
            self._reader.feed(bytes(self._buffer[:nbytes]))
        except PacketError as error:
            fault = error
        # What came before a fault counts: it may be the broker's own reason for ending the connection.
        while self._reader.answers:
            self._hear(self._reader.answers.popleft())
        if fault:
            self._refuse(fault)
        self._waiting_bytes += nbytes
        if self._waiting_bytes > LARGEST_WAITING_BYTES and self.messages and self._transport and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        if self.messages:
            self._news()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        self._end(error or ConnectionError("it ended the connection"))
        self._closed.set()

    def _hear(self, answer: Answer) -> None:
        if isinstance(answer, Pong):
            return
        if isinstance(answer, Disconnected):
            self.give_up(EndedByBroker(answer.reason, answer.text))
        elif self._asked and isinstance(answer, self._asked[0]) and not self._asked[1].done():
            self._asked[1].set_result(answer)
        else:
            self._refuse(PacketError(Reason.PROTOCOL, "an answer to something that we did not ask"))

    def _refuse(self, error: PacketError) -> None:
        self.send(disconnect(error.reason))
        self.give_up(ConnectionError(f"it sent {error}"))

    def _check_silence(self, interval_s: float) -> None:
        # Where we do not read, we cannot hear.
        if self._silent and not self._paused:
            self._end(ConnectionError(f"it has been silent for {interval_s:g} s"))
            if self._transport:
                self._transport.abort()
        else:
            self.keep_alive(interval_s)

    def _close(self) -> None:
        if self._transport:
            self._transport.close()

    def _end(self, error: Exception) -> None:
        if self.ended:
            return
        self.ended = error
        if self._ping:
            self._ping.cancel()
        if self._asked and not self._asked[1].done():
            self._asked[1].set_exception(error)
        self._news()
