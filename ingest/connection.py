"""One connection to the broker that only receives: bytes in, messages out. Used by `receive`."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import TypeVar, cast

from ingest.packets import (
    PING,
    Answer,
    Disconnected,
    Message,
    PacketError,
    Pong,
    Reader,
    Reason,
    disconnect,
    say,
)

READ_BYTES = 256 * 1024
# So much may wait in our memory, whatever the window allows: then we stop reading, until all of it is taken.
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
        self._answer: asyncio.Future[Answer] | None = None
        self._silent = False
        self._ping: asyncio.TimerHandle | None = None

    async def ask(self, packet: bytes, kind: type[AnyAnswer]) -> AnyAnswer:
        """Send a packet and wait for its answer.

        Raises:
            ConnectionError: the connection ended, or the broker answered something else.
        """
        if self.ended:
            raise self.ended
        self._answer = asyncio.get_running_loop().create_future()
        self.send(packet)
        answer = await self._answer
        if not isinstance(answer, kind):
            self._refuse(PacketError(Reason.PROTOCOL, "an answer to something that we did not ask"))
            raise cast(Exception, self.ended)
        return answer

    def keep_alive(self, interval_s: float) -> None:
        """Ask the broker regularly whether it is there; one that is silent for a whole interval is lost."""
        self._silent = True
        self.send(PING)
        self._ping = asyncio.get_running_loop().call_later(interval_s, self._check_silence, interval_s)

    def send(self, packet: bytes) -> None:
        """Send packets, if the connection still is there."""
        if self._transport and not self.ended:
            self._transport.write(packet)

    def taken(self) -> None:
        """Go on reading, where we had to stop, as soon as everything is taken."""
        if not self.messages:
            self._waiting_bytes = 0
            if self._paused and self._transport and not self._transport.is_closing():
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
        # An answer lies behind what the broker sent before it: until it is there, only the window bounds what waits.
        awaited = self._answer is not None and not self._answer.done()
        full = self._waiting_bytes > LARGEST_WAITING_BYTES and bool(self.messages) and not awaited
        if full and self._transport and not self._paused:
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
            self._end(EndedByBroker(answer.reason, answer.text))
            self._close()
        elif self._answer and not self._answer.done():
            self._answer.set_result(answer)
        else:
            self._refuse(PacketError(Reason.PROTOCOL, "an answer to something that we did not ask"))

    def _refuse(self, error: PacketError) -> None:
        self.send(disconnect(error.reason))
        self._end(ConnectionError(f"it sent {error}"))
        self._close()

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
        if self._answer and not self._answer.done():
            self._answer.set_exception(error)
        self._news()
