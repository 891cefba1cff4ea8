"""Takes messages and decodes them while the batch before them is being committed. Used by `pipeline`."""

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from ingest.batch import Incoming
from ingest.packets import Message

# So many are decoded at a stretch: a few milliseconds of work, after which the commit is looked at again.
AT_ONCE = 250


class Source(Protocol):
    """Where messages come from: a `receive.Receiver`."""

    async def take(self, limit: int) -> list[Message]:
        """Take what has arrived, at least one message and at most `limit`; raises when nothing will come any more."""


class Intake:
    """What arrived and is decoded, until the pipeline takes it; `async with` begins, and ends, taking it.

    A batch is whatever arrived during the transaction before it: there is no timer, and a message alone never waits.

    Args:
        source: of the messages.
        decode: makes of messages what may be stored; it may leave some out.
        largest: with so many messages in hand it takes no more.
        largest_bytes: nor with so many bytes, so that history in large messages never makes a long transaction.
    """

    def __init__(
        self, source: Source, decode: Callable[[list[Message]], list[Incoming]], largest: int, largest_bytes: int
    ) -> None:
        self._source = source
        self._decode = decode
        self._largest = largest
        self._largest_bytes = largest_bytes
        self._taken: list[Message] = []
        self._decoded: list[Incoming] = []
        self._bytes = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def __aenter__(self) -> Self:
        """Begin."""
        self._work = asyncio.create_task(self._run(), name="intake")
        self._work.add_done_callback(lambda _: self._news.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._work.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._work

    @property
    def waiting(self) -> int:
        """Messages that are decoded and were not yet taken."""
        return len(self._taken)

    async def take(self) -> tuple[list[Message], list[Incoming]]:
        """Give what was taken since, and what of it is to be stored; waits for at least one message.

        Raises:
            whatever the source raised, after all that came before was given.
        """
        while not self._taken:
            if self._work.done():
                self._work.result()
            self._news.clear()
            await self._news.wait()
        batch = self._taken, self._decoded
        self._taken, self._decoded, self._bytes = [], [], 0
        self._room.set()
        return batch

    async def _run(self) -> None:
        while True:
            await self._room.wait()
            messages = await self._source.take(min(AT_ONCE, self._largest - len(self._taken)))
            self._decoded += self._decode(messages)
            self._taken += messages
            self._bytes += sum(len(message.payload) for message in messages)
            if len(self._taken) >= self._largest or self._bytes >= self._largest_bytes:
                self._room.clear()
            self._news.set()
            # Let others in: the answer of the database may have come.
            await asyncio.sleep(0)
