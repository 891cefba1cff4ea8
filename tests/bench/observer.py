"""Sees when each transaction becomes visible to another session: it asks for the snapshot, again and again.

PostgreSQL's own commit time would be too early: it is taken before the commit is on disk.
"""

import threading
import time
from bisect import bisect_right
from types import TracebackType
from typing import Self

import psycopg

LOOK_EVERY_S = 0.001
ROWS = "select epoch, seq, xmin::text::bigint from readings"


class Observer:
    """Looks while the `with` block runs; what it says is late by a look at most, never early.

    Args:
        conninfo: of the database.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="observer")
        self._times: list[float] = []
        self._horizons: list[int] = []
        self._running: list[frozenset[int]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def seen_s(self) -> dict[tuple[int, int], float]:
        """Say for each reading, by epoch and seq, when it was first visible, monotonic seconds; after the block.

        Readings that became visible after the last look are left out.
        """
        with psycopg.connect(self._conninfo) as connection:
            rows = connection.execute(ROWS).fetchall()
        found = {transaction: self._first_look(transaction) for transaction in {row[2] for row in rows}}
        return {(epoch, seq): seen for epoch, seq, transaction in rows if (seen := found[transaction]) is not None}

    def _first_look(self, transaction: int) -> float | None:
        place = bisect_right(self._horizons, transaction)
        while place < len(self._times) and transaction in self._running[place]:
            place += 1
        return self._times[place] if place < len(self._times) else None

    def _look(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            last = False
            while not last:
                # What was there when the block ended is still looked at.
                last = self._ended.is_set()
                row = connection.execute("select pg_current_snapshot()::text", prepare=True).fetchone()
                assert row
                self._note(row[0])
                time.sleep(LOOK_EVERY_S)

    def _note(self, snapshot: str) -> None:
        # "oldest running : first not yet begun : running, with commas"
        _, horizon, running = snapshot.split(":")
        self._times.append(time.monotonic())
        self._horizons.append(int(horizon))
        self._running.append(frozenset(map(int, running.split(","))) if running else frozenset())
