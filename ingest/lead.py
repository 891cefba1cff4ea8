"""Only one ingester works at a time: who holds an advisory lock of the database. A second one waits and takes over."""

import asyncio

import psycopg
import structlog
from psycopg import AsyncConnection

from ingest.backoff import Backoff, again
from ingest.database import connect, lost
from ingest.errors import DatabaseLostError
from ingest.health import Health

# Any number that nothing else uses.
LEAD_LOCK = 4_202_602
CHECK_S = 1.0
SILENT_S = 5.0

log = structlog.get_logger()


class Lead:
    """The right to receive and write.

    Args:
        health: is told whether the database is there and the lead is ours.
    """

    def __init__(self, health: Health) -> None:
        self._health = health
        self._ours = asyncio.Event()

    async def wait(self) -> None:
        """Wait until the lead is ours."""
        await self._ours.wait()

    async def run(self) -> None:
        """Take the lead and keep it until cancelled; take it again whenever the database was away."""
        backoff = Backoff()
        while True:
            try:
                async with await connect("lead") as connection:
                    await self._acquire(connection)
                    backoff.worked()
                    await self._hold(connection)
            except (DatabaseLostError, psycopg.Error) as error:
                delay_s = backoff.delay_s()
                sentence = str(lost(error) if isinstance(error, psycopg.Error) else error)
                self._health.failed("database", sentence)
                log.warning(again(sentence, delay_s))
                await asyncio.sleep(delay_s)
            finally:
                self._ours.clear()

    async def _acquire(self, connection: AsyncConnection) -> None:
        waiting = False
        while not await _try_lock(connection):
            if not waiting:
                sentence = "Another ingester is at work; this one waits to take over"
                self._health.failed("database", sentence)
                log.info(sentence)
                waiting = True
            await asyncio.sleep(CHECK_S)

    async def _hold(self, connection: AsyncConnection) -> None:
        self._ours.set()
        self._health.works("database")
        log.info("This ingester is at work")
        hangs = f"The database has not answered for {SILENT_S:g} s"
        while True:
            await asyncio.sleep(CHECK_S)
            # Whoever lost this connection lost the lock with it; whoever only hears nothing still has it.
            silent = asyncio.get_running_loop().call_later(SILENT_S, self._health.failed, "database", hangs)
            try:
                await connection.execute("select 1")
            finally:
                silent.cancel()
            self._health.works("database")


async def _try_lock(connection: AsyncConnection) -> bool:
    cursor = await connection.execute("select pg_try_advisory_lock(%s)", (LEAD_LOCK,))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
