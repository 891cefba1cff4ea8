"""Writes a batch of messages in one transaction: readings, rejects, what devices say, and what is to assess."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection, AsyncPipeline, errors

from ingest.batch import (
    Batch,
    Incoming,
    Row,
    conflict_reject,
    database_reject,
    reading_columns,
    reject_columns,
    sort_out,
)
from ingest.columns import Bigints, Integers, register_columns
from ingest.configuration import Configuration
from ingest.crash import NEVER, Crash
from ingest.statements import CONFLICTS, DEVICES, HEARD, INSERT, INSERT_NEW, QUEUE, REJECTS, STATUS

# A device that was retired may still be stored for so long.
DEVICES_MAX_AGE_S = 30.0

# What a chunk of `readings` spans: a week.
CHUNK_MS = 7 * 86_400_000

# PostgreSQL's words for "this row cannot be": the others may work the next time.
POISON = (errors.DataError, errors.IntegrityError, errors.NotSupportedError, errors.InternalError)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch.

    Attributes:
        readings: rows that are new in the database.
        duplicates: rows that were there already, with the same values.
        reasons: how many rows went to `rejects`, by reason.
        newest_ms: when its newest reading was measured, milliseconds since 1970; None without readings.
        conflicting: devices that sent other values for what was stored already.
        configurations: of devices that were heard and have yet to take one.
    """

    readings: int
    duplicates: int
    reasons: Mapping[str, int]
    newest_ms: int | None
    conflicting: frozenset[str]
    configurations: Mapping[str, Configuration]

    @property
    def rejects(self) -> int:
        """Rows that went to `rejects`."""
        return sum(self.reasons.values())


class Store:
    """Writes over one connection, and knows the devices' ids.

    Args:
        connection: in autocommit mode; used by nobody else.
        crash: where a test lets the process die.
    """

    def __init__(self, connection: AsyncConnection, crash: Crash = NEVER) -> None:
        register_columns(connection)
        self._connection = connection
        self._crash = crash
        self._device_ids: dict[str, int] = {}
        # Of the devices of other makers, by id.
        self._models: dict[int, str] = {}
        # By device, when the newest reading of it that is stored was measured: what is newer cannot be stored yet.
        self._newest_ms: dict[int, int] = {}
        # By id, of the devices that have yet to take one.
        self._configurations: dict[int, Configuration] = {}
        self._devices_known_at = float("-inf")

    async def write(self, messages: Sequence[Incoming], received_at: datetime) -> Stored:
        """Commit a batch; all of it is in the database afterwards, as readings or as rejects.

        Args:
            messages: in the order of arrival.
            received_at: UTC.

        Raises:
            psycopg.Error: the database cannot do this now; nothing was written, and trying again is safe.
        """
        await self._learn_devices({message.decoded.device for message in messages if message.decoded.device})
        try:
            return await self._write(sort_out(messages, self._device_ids, self._models, received_at), careful=False)
        except POISON as error:
            if isinstance(error, errors.ReadOnlySqlTransaction):
                raise
            return await self._write(sort_out(messages, self._device_ids, self._models, received_at), careful=True)

    async def _learn_devices(self, refs: set[str]) -> None:
        now = time.monotonic()
        if now - self._devices_known_at > DEVICES_MAX_AGE_S:
            self._device_ids.clear()
            self._models.clear()
            self._newest_ms.clear()
            self._configurations.clear()
            self._devices_known_at = now
        unknown = [ref for ref in refs if ref not in self._device_ids]
        if unknown:
            cursor = await self._connection.execute(DEVICES, (unknown,))
            async for ref, device_id, model, newest_ms, version, settings in cursor:
                self._device_ids[ref] = device_id
                if version is not None:
                    self._configurations[device_id] = Configuration(version, settings)
                self._newest_ms[device_id] = newest_ms
                if model is not None:
                    self._models[device_id] = model

    async def _write(self, batch: Batch, *, careful: bool) -> Stored:
        if careful:
            async with self._connection.transaction():
                self._crash.passes("before_insert")
                inserted = await self._insert_by_halves(batch, batch.rows)
                await self._write_beside(batch, inserted)
        else:
            # Each statement alone would take a round trip. So all take one, and the commit another; only where readings
            # may be stored already, their insertion is waited for first.
            async with self._connection.pipeline() as pipeline, self._connection.transaction():
                self._crash.passes("before_insert")
                if self._are_new(batch.rows):
                    inserted = await self._insert_new(batch)
                else:
                    inserted = await self._insert(batch, batch.rows, pipeline)
                await self._write_beside(batch, inserted)
        self._crash.passes("after_commit")
        reasons = Counter(reject.reason for reject in batch.rejects)
        newest_ms = max(
            (said.measured_ms for said in batch.heard.values() if said.measured_ms is not None), default=None
        )
        # A refused row was not there already.
        there = len(batch.rows) - inserted - reasons["conflict"] - reasons["database"]
        conflicting = {reject.message.decoded.device or "" for reject in batch.rejects if reject.reason == "conflict"}
        return Stored(inserted, there, reasons, newest_ms, frozenset(conflicting), self._to_configure(batch))

    def _to_configure(self, batch: Batch) -> dict[str, Configuration]:
        """Say who of a batch has yet to take which configuration."""
        known, heard = self._configurations, batch.heard
        wanted = {heard[device_id].device: known[device_id] for device_id in known.keys() & heard.keys()}
        for device_id, said in heard.items():
            if said.status is not None:
                # It may have said that it took one, or refused it: is looked up again.
                self._device_ids.pop(said.device, None)
                known.pop(device_id, None)
        return wanted

    async def _write_beside(self, batch: Batch, inserted: int) -> None:
        self._crash.passes("after_insert")
        if batch.rejects:
            await self._connection.execute(REJECTS, reject_columns(batch))
        await self._write_heard(batch)
        if inserted:
            await self._queue(batch.rows)
        self._crash.passes("before_commit")

    def _are_new(self, rows: list[Row]) -> bool:
        """Say whether each row is newer than all before it of its device, so that none can be stored already.

        Another stream may have stored it meanwhile: then the insertion fails, and is done again with care.
        """
        newest_ms, are_new = self._newest_ms, True
        for row in rows:
            measured_ms = row.reading.measured_ms
            if measured_ms > newest_ms[row.device_id]:
                newest_ms[row.device_id] = measured_ms
            else:
                are_new = False
        return are_new

    async def _insert_new(self, batch: Batch) -> int:
        if batch.rows:
            await self._connection.execute(
                INSERT_NEW, {**reading_columns(batch.rows), "received_at": batch.received_at}
            )
        return len(batch.rows)

    async def _insert(self, batch: Batch, rows: list[Row], pipeline: AsyncPipeline | None = None) -> int:
        if not rows:
            return 0
        cursor = await self._connection.execute(INSERT, {**reading_columns(rows), "received_at": batch.received_at})
        if pipeline is not None:
            await pipeline.sync()
        if cursor.rowcount < len(rows):
            await self._reject_conflicts(batch, rows)
        return cursor.rowcount

    async def _insert_by_halves(self, batch: Batch, rows: list[Row]) -> int:
        """Insert what the database takes, and refuse each row alone that it does not take."""
        try:
            async with self._connection.transaction():
                return await self._insert(batch, rows)
        except POISON as error:
            if len(rows) == 1:
                batch.rejects.append(database_reject(rows[0], error))
                return 0
        half = len(rows) // 2
        return await self._insert_by_halves(batch, rows[:half]) + await self._insert_by_halves(batch, rows[half:])

    async def _reject_conflicts(self, batch: Batch, rows: list[Row]) -> None:
        # One false clock in a batch must not have the database open every chunk between two years.
        by_chunk: defaultdict[int, list[Row]] = defaultdict(list)
        for row in rows:
            by_chunk[row.reading.measured_ms // CHUNK_MS].append(row)
        for some in by_chunk.values():
            times = [row.reading.measured_ms for row in some]
            bounds = {"first_ms": min(times), "last_ms": max(times)}
            cursor = await self._connection.execute(CONFLICTS, {**reading_columns(some), **bounds})
            async for place, *stored in cursor:
                batch.rejects.append(conflict_reject(some[place - 1], stored))

    async def _write_heard(self, batch: Batch) -> None:
        if not batch.heard:
            return
        # In one order in all writers, so that no two wait for each other.
        device_ids = sorted(batch.heard)
        heard = [batch.heard[device_id] for device_id in device_ids]
        columns = {
            "device_ids": Integers(device_ids),
            "measured_ms": Bigints([said.measured_ms for said in heard]),
            "next_report_s": Integers([said.next_report_s for said in heard]),
            "battery_mv": Integers([said.battery_mv for said in heard]),
            "received_at": batch.received_at,
        }
        await self._connection.execute(HEARD, columns)
        statuses = {device_id: said.status for device_id, said in batch.heard.items() if said.status is not None}
        if statuses:
            columns = {
                "device_ids": Integers(list(statuses)),
                "statuses": [status.decode() for status in statuses.values()],
                "received_at": batch.received_at,
            }
            await self._connection.execute(STATUS, columns)

    async def _queue(self, rows: list[Row]) -> None:
        oldest: dict[int, int] = {}
        for row in rows:
            oldest[row.device_id] = min(oldest.get(row.device_id, row.reading.measured_ms), row.reading.measured_ms)
        device_ids = sorted(oldest)
        times = [oldest[device_id] for device_id in device_ids]
        await self._connection.execute(QUEUE, {"device_ids": Integers(device_ids), "measured_ms": Bigints(times)})
        await self._connection.execute("notify assess")
