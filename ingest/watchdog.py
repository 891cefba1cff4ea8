"""Sees that acknowledgements keep flowing: commits that go on while no acknowledgement is taken mean a stuck sender."""

import asyncio
import time
from collections.abc import Coroutine

import structlog

from ingest.errors import BrokerLostError
from ingest.metrics import Metrics

CHECKS = 10  # while it waits for one acknowledgement

log = structlog.get_logger()


class StuckError(BrokerLostError):
    """Raised when acknowledgements do not flow although the link is there; connecting again may help."""


class Watchdog:
    """Ends a link over which nothing is taken.

    Args:
        stuck_s: seconds that commits may go on without one acknowledgement being taken.
        metrics: is told when it happens.
    """

    def __init__(self, stuck_s: float, metrics: Metrics) -> None:
        self._stuck_s = stuck_s
        self._metrics = metrics
        self._owed_since: float | None = None
        self._linked_at: float | None = None
        self.stuck = False

    def owed(self) -> None:
        """Note that something was committed, and its acknowledgement waits."""
        if self._owed_since is None:
            self._owed_since = time.monotonic()

    def taken(self, *, all_of_them: bool) -> None:
        """Note that the broker took acknowledgements, and whether that was all that waited."""
        self._owed_since = None if all_of_them else time.monotonic()
        if self.stuck:
            self.stuck = False
            log.info("Acknowledgements flow again")

    def linked(self) -> None:
        """Note that there is a link: from now on acknowledgements have to be taken."""
        self._linked_at = time.monotonic()

    async def guard(self, work: Coroutine[None, None, None]) -> None:
        """Do the work of one link, and end it when it is stuck.

        Raises:
            StuckError: nothing was taken for too long; said in the log once, however often it is tried again.
        """
        self._linked_at = None
        tasks = (asyncio.ensure_future(work), asyncio.ensure_future(self._until_stuck()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        working, watching = tasks
        if not watching.cancelled():
            raise self._say_stuck()
        working.result()

    async def _until_stuck(self) -> None:
        while True:
            await asyncio.sleep(self._stuck_s / CHECKS)
            if self._waited_s() >= self._stuck_s:
                return

    def _waited_s(self) -> float:
        if self._owed_since is None or self._linked_at is None:
            return 0.0
        return time.monotonic() - max(self._owed_since, self._linked_at)

    def _say_stuck(self) -> StuckError:
        sentence = f"Readings are stored, but no acknowledgement was taken by the broker for {self._stuck_s:g} s"
        if not self.stuck:
            self.stuck = True
            self._metrics.stuck.inc()
            log.error("%s; connecting again, because devices have to be told", sentence)
        return StuckError(sentence)
