"""Histories of a device, delivered once in order and then anyhow: both have to leave the same table."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from msgspec import json
from psycopg import AsyncConnection, Connection, errors

from firmware.smartbin import codec
from ingest.batch import Incoming
from ingest.decode import decode
from ingest.store import Store
from tests.chaos.stack import Stack
from tests.conftest import conninfo

FIRST_S = 1_772_366_400  # 2026-03-01T12:00:00Z
LONGEST_S = 40 * 86_400
NOW_MS = 1_790_000_000_000
EXAMPLES = 2000
STREAMS = ("readings", "backlog")
NAMES = (
    "seq", "measured_at", "distance_mm", "spread_mm", "valid_count", "temperature_c", "battery_mv", "tilt_deg", "flags",
)  # fmt: skip

Row = tuple[int | None, ...]
TABLE = """
select
    epoch, seq, measured_at, distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags
from readings
where device_id = (select id from devices where ref = %s)
order by epoch, seq, measured_at
"""
CONFLICTS = "select count(*) from rejects where device = %s"


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way.

    Attributes:
        stream: which of the two topics and connections it takes.
        by_name: whether it is JSON.
        last: whether it is the last of its transaction.
        epoch: of its readings.
        rows: its readings.
    """

    stream: int
    by_name: bool
    last: bool
    epoch: int
    rows: tuple[Row, ...]

    def payload(self) -> bytes:
        """Write it down."""
        if not self.by_name:
            return codec.encode_readings(self.epoch, 3600, list(self.rows))
        readings: list[dict[str, float | None]] = [dict(zip(NAMES, row, strict=True)) for row in self.rows]
        for reading in readings:
            tenths = reading["temperature_c"]
            reading["temperature_c"] = None if tenths is None else tenths / 10
        return json.encode({"epoch": self.epoch, "readings": readings})


@dataclass(frozen=True, slots=True)
class History:
    """What a device measured, and one way in which it may arrive.

    Attributes:
        readings: epoch and row, in the order in which they were made.
        parts: deliveries; all of one part are stored before the next part begins.
        conflicts: readings in the deliveries that contradict one that was stored before.
    """

    readings: list[tuple[int, Row]]
    parts: list[list[Message]]
    conflicts: int


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a history: readings that repeat an identity at another time are among them, late ones and conflicts."""
    row = st.tuples(
        st.integers(0, 8),
        st.integers(FIRST_S, FIRST_S + LONGEST_S),
        st.none() | st.integers(0, 65_535),
        st.none() | st.integers(0, 9),
        st.none() | st.integers(0, 255),
        st.none() | st.integers(-1000, 5000),
        st.none() | st.integers(0, 65_535),
        st.none() | st.integers(0, 180),
        st.integers(0, 65_535),
    )
    made = st.lists(
        st.tuples(st.integers(1, 2), row), min_size=1, max_size=10, unique_by=lambda each: (each[0], *each[1][:2])
    )
    readings = draw(made)
    again = st.lists(st.sampled_from(readings), max_size=8)
    contradicted = draw(st.lists(st.sampled_from(readings), max_size=3))
    conflicts = [(epoch, (*row[:8], (row[8] or 0) ^ 1)) for epoch, row in contradicted]
    first = draw(st.permutations(readings + draw(again)))
    second = draw(st.permutations(conflicts + draw(again)))
    return History(readings, [draw(_messages(first)), draw(_messages(second))], len(conflicts))


@st.composite
def _messages(draw: st.DrawFn, readings: Sequence[tuple[int, Row]]) -> list[Message]:
    messages = []
    left = list(readings)
    while left:
        size = draw(st.integers(1, len(left)))
        taken, left = left[:size], left[size:]
        for epoch, group in itertools.groupby(taken, key=lambda each: each[0]):
            rows = tuple(row for _, row in group)
            stream, by_name, last = draw(st.tuples(st.integers(0, 1), st.booleans(), st.booleans()))
            messages.append(Message(stream, by_name, last, epoch, rows))
    return messages


@contextmanager
def opened(address: str) -> Iterator["Archive"]:
    """Open a database that histories are delivered to.

    Args:
        address: connection string of the owner.
    """
    with asyncio.Runner() as runner, psycopg.connect(address, autocommit=True) as owner:
        links = [runner.run(AsyncConnection.connect(address, autocommit=True)) for _ in STREAMS]
        yield Archive(runner, owner, [Store(link) for link in links])
        for link in links:
            runner.run(link.close())


@dataclass(slots=True)
class Archive:
    """A database, and what writes to it.

    Attributes:
        runner: of the writers.
        owner: may add devices.
        stores: one for each stream.
        count: histories so far; each has devices of its own.
    """

    runner: asyncio.Runner
    owner: Connection
    stores: list[Store]
    count: int = 0

    def differs(self, history: History) -> str | None:
        """Deliver a history in both ways; say what differs, None when nothing does."""
        self.count += 1
        once, anyhow = f"once-{self.count}", f"anyhow-{self.count}"
        self.owner.execute("insert into devices (ref) values (%s), (%s)", (once, anyhow))
        in_order = [
            Message(stream=0, by_name=False, last=False, epoch=epoch, rows=(row,)) for epoch, row in history.readings
        ]
        self.runner.run(self._deliver(once, in_order))
        for part in history.parts:
            self.runner.run(self._deliver(anyhow, part))
        expected, found = (_ask(self.owner, TABLE, ref) for ref in (once, anyhow))
        if expected != found or len(expected) != len(history.readings):
            return f"{expected} in order, {found} otherwise"
        refused = _ask(self.owner, CONFLICTS, anyhow)[0][0]
        return None if refused == history.conflicts else f"{refused} conflicts instead of {history.conflicts}"

    async def _deliver(self, ref: str, messages: list[Message]) -> None:
        """Let both streams write at the same time, each its messages in order."""
        await asyncio.gather(
            *(
                self._write(ref, stream, [message for message in messages if message.stream == stream])
                for stream in range(len(STREAMS))
            )
        )

    async def _write(self, ref: str, stream: int, messages: list[Message]) -> None:
        batch: list[Incoming] = []
        topic = f"bins/v1/{ref}/up/{STREAMS[stream]}"
        for place, message in enumerate(messages, 1):
            payload = message.payload()
            batch.append(Incoming(topic, payload, decode(topic, payload, retain=False, now_ms=NOW_MS)))
            if message.last or place == len(messages):
                await self._commit(stream, batch)
                batch = []

    async def _commit(self, stream: int, batch: list[Incoming]) -> None:
        while True:
            # As the ingester does: two streams with the same readings may wait for each other.
            with contextlib.suppress(errors.DeadlockDetected):
                await self.stores[stream].write(batch, datetime.now(UTC))
                return


def examine(address: str, examples: int) -> tuple[int, list[str]]:
    """Deliver histories until one differs.

    Args:
        address: connection string of the database's owner.
        examples: how many.

    Returns:
        How many were delivered, and what differed.
    """
    different: list[str] = []
    with opened(address) as archive:

        @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @seed(1)
        @given(histories())
        def deliver(history: History) -> None:
            difference = archive.differs(history)
            if difference:
                different.append(difference)
            assert difference is None

        with contextlib.suppress(AssertionError):
            deliver()
        return archive.count, different


def prove(tell: Callable[[str], None]) -> tuple[dict[str, float], bool]:
    """Deliver 2,000 histories.

    Args:
        tell: takes lines for people.

    Returns:
        The figures by name, and whether they are as they should be.
    """
    with Stack() as stack:
        examples, different = examine(conninfo(stack.database.env()), EXAMPLES)
    if different:
        # The last one is the smallest.
        tell(different[-1])
    return {
        "histories.examples": examples,
        "histories.different": len(different),
    }, not different and examples >= EXAMPLES


def _ask(connection: Connection, query: str, ref: str) -> list[tuple[object, ...]]:
    return connection.execute(query.encode(), (ref,)).fetchall()
