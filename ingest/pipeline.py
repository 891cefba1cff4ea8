"""One stream of messages, from the broker into the database: take, decode, commit, acknowledge."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
import structlog

from ingest.backoff import Backoff, again
from ingest.batch import Incoming
from ingest.crash import NEVER, Crash
from ingest.database import connect, lost
from ingest.decode import decode
from ingest.errors import BrokerLostError, DatabaseLostError, SessionTakenError
from ingest.health import Health
from ingest.intake import Intake
from ingest.lead import Lead
from ingest.limit import Limit
from ingest.link import Link
from ingest.metrics import Meter, Metrics
from ingest.packets import Message
from ingest.reading import Range
from ingest.receive import Receiver
from ingest.send import Sender
from ingest.store import Store, Stored
from ingest.tally import Tally

# What a stopped process may still do for the batch in its hands.
FINISH_S = 1.5
TAKEN_PAUSE_S = 5.0
LARGEST_BATCH_BYTES = 512 * 1024

log = structlog.get_logger()


@dataclass(slots=True)
class Pipeline:
    """A connection to the broker and one to the database, independent of other pipelines.

    Attributes:
        name: client id and certificate name.
        topics: what it subscribes to.
        batch_messages: the most messages in one transaction.
        link: the broker.
        lead: says when we may work.
        sender: tells the devices.
        health: is told whether the parts work.
        metrics: is told what became of the messages.
        limit: says whose messages pass.
        crash: where a test lets the process die.
    """

    name: str
    topics: tuple[str, ...]
    batch_messages: int
    link: Link
    lead: Lead
    sender: Sender
    health: Health
    metrics: Metrics
    limit: Limit
    crash: Crash = NEVER
    _meter: Meter = field(init=False)
    _tally: Tally = field(init=False)
    _store: Store | None = field(default=None, init=False)
    _connection: psycopg.AsyncConnection | None = field(default=None, init=False)
    # What waited while something was away is not received yet.
    _behind: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self._tally = Tally(self.name)
        self._meter = Meter(self.metrics, self.name)

    async def run(self) -> None:
        """Work until cancelled; a batch in hand is then still finished, if the database answers soon."""
        backoff = Backoff()
        try:
            while True:
                await self.lead.wait()
                try:
                    await self._receive(backoff)
                except SessionTakenError as error:
                    await self._pause(error, TAKEN_PAUSE_S)
                except BrokerLostError as error:
                    await self._pause(error, backoff.delay_s())
        finally:
            self._tally.tell()
            await self._close()

    async def _receive(self, backoff: Backoff) -> None:
        def subscribed() -> None:
            backoff.worked()
            self.health.works(self.name)
            self.metrics.linked(self.name)
            log.info("receiving", client=self.name)

        self._behind = True
        # Twice a batch: one is on its way while the other is being committed.
        window = 2 * self.batch_messages
        async with (
            Receiver(self.link, self.name, self.topics, window, subscribed=subscribed) as receiver,
            Intake(receiver, self._admit_and_decode, self.batch_messages, LARGEST_BATCH_BYTES) as intake,
        ):
            self._meter.watch_queue(lambda: receiver.waiting + intake.waiting)
            while True:
                taken, messages = await intake.take()
                if self._behind and receiver.has_all and not intake.waiting:
                    self._behind = False
                    self.limit.caught_up()
                await _finish(self._process(receiver, taken, messages))

    def _admit_and_decode(self, batch: list[Message]) -> list[Incoming]:
        self.crash.passes("received")
        now_ms = int(time.time() * 1000)
        messages = []
        for message in batch:
            allowance = self.limit.admit(message.topic, behind=self._behind)
            if allowance is not None:
                decoded = decode(message.topic, message.payload, retain=message.retain, now_ms=now_ms)
                self.limit.charge(allowance, len(decoded.readings) + len(decoded.refusals), len(message.payload))
                messages.append(Incoming(message.topic, message.payload, decoded))
        self.crash.passes("decoded")
        return messages

    async def _process(self, receiver: Receiver, taken: list[Message], messages: list[Incoming]) -> None:
        """Commit, then acknowledge to the broker, then to the devices: in this order, or a crash loses readings."""
        self._meter.taken(len(taken))
        stored = await self._commit(messages, datetime.now(UTC))
        self._meter.committed(stored)
        self.health.works(self.name)
        self.crash.passes("before_puback")
        receiver.acknowledge(taken)
        self._meter.acknowledged()
        self.crash.passes("after_puback")
        self.sender.configure(stored.configurations)
        self.sender.acknowledge(_known(messages))
        self._tally.count(len(taken), stored)

    async def _commit(self, messages: list[Incoming], received_at: datetime) -> Stored:
        """Write a batch, however long the database is away: what we hold here, the broker holds back for us."""
        backoff = Backoff()
        while True:
            try:
                store = self._store or await self._open_store()
                return await store.write(messages, received_at)
            except (psycopg.Error, DatabaseLostError) as error:
                await self._close()
                self._behind = True
                reason = lost(error) if isinstance(error, psycopg.Error) else error
                await self._pause(reason, backoff.delay_s())

    async def _open_store(self) -> Store:
        await self.lead.wait()
        self._connection = await connect(self.name.removeprefix("brimwatch-"))
        self._store = Store(self._connection, self.crash)
        self.metrics.linked(f"{self.name} database")
        self.health.works(self.name)
        return self._store

    async def _close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        self._connection = self._store = None

    async def _pause(self, error: Exception, delay_s: float) -> None:
        self.health.failed(self.name, str(error))
        log.warning(again(error, delay_s), client=self.name)
        await asyncio.sleep(delay_s)


def _known(messages: list[Incoming]) -> dict[str, list[Range]]:
    known: defaultdict[str, list[Range]] = defaultdict(list)
    for message in messages:
        decoded = message.decoded
        if decoded.device:
            known[decoded.device] += decoded.ranges()
    return {device: ranges for device, ranges in known.items() if ranges}


async def _finish(work: Awaitable[None]) -> None:
    """Do work to its end also when we are cancelled meanwhile, but not for longer than `FINISH_S`."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,), timeout=FINISH_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
