"""The ingester dies at every named point of its code, with batches of any size, the broker's memory kept or lost.

The senders' ledgers judge. `make prove PROOF=crash_points` tries all cells, `make test` some of them.
"""

import contextlib
import itertools
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ingest.crash import POINTS, Point
from simulator.stack.process import Child, wait_until
from tests.chaos.device import Device, Ledger
from tests.chaos.stack import Stack
from tests.chaos.verdict import Verdict, judge

FULL = 20
"""Messages in a batch where so many wait: several batches of this size are left when the process dies."""
BATCHES = (1, 2, FULL)
READINGS = 60
SENDERS = 3
LIMIT_S = 60.0
SECOND = 2
"""The points are passed well once before the process dies: something is committed and something is not."""

BrokerState = Literal["kept", "lost"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One death.

    Attributes:
        point: where in the code.
        batch: the most messages in a transaction.
        broker: whether the broker still knows sessions and messages when the ingester comes back.
    """

    point: Point
    batch: int
    broker: BrokerState

    def __str__(self) -> str:
        return f"{self.point}, batch {self.batch}, broker state {self.broker}"


CELLS = tuple(Cell(*parts) for parts in itertools.product(POINTS, BATCHES, ("kept", "lost")))
CHOSEN = (
    Cell("after_insert", 2, "kept"),
    Cell("before_commit", FULL, "lost"),
    Cell("after_commit", FULL, "kept"),
    Cell("before_puback", 1, "lost"),
    Cell("after_puback", 2, "lost"),
    Cell("before_acknowledgement", FULL, "kept"),
)
"""Those that would show the worst mistakes."""


class Bench:
    """Senders and the servers that they send to, cell after cell.

    Args:
        stack: the servers.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        bundles = stack.enrol(*(f"sender-{number}" for number in range(SENDERS)))
        self._ledgers = {
            bundle.folder.name: Ledger(stack.folder / "senders" / bundle.folder.name) for bundle in bundles
        }
        self._senders = [Device(bundle, self._ledgers[bundle.folder.name], message_rows=1) for bundle in bundles]

    @contextlib.contextmanager
    def connected(self) -> Iterator["Bench"]:
        """Connect the senders, and let an ingester begin the sessions that later ones find."""
        with contextlib.ExitStack() as connections:
            for sender in self._senders:
                connections.enter_context(sender)
            self._hand_over(1)
            yield self

    def die(self, cell: Cell) -> Verdict:
        """Let an ingester die, start another, and judge all that was ever sent.

        Raises:
            StackError: it does not die, or the senders are left with readings.
        """
        for sender in self._senders:
            sender.measure(READINGS // SENDERS)
            sender.send()
        settings = {"BRIMWATCH_CRASH_AT": f"{cell.point}:{SECOND}", "BRIMWATCH_BATCH_MESSAGES": str(cell.batch)}
        with self._ingester(settings) as ingester:
            # What was lost on the way comes again, so that the point is passed often enough.
            self._until(lambda: not ingester.running, f"The ingester did not die at {cell.point}")
            died_of = ingester.exit_code
        if died_of != -signal.SIGKILL:
            raise AssertionError(f"the ingester ended with {died_of} at {cell}: {ingester.last_words()}")
        if cell.broker == "lost":
            self._stack.lose_sessions()
        self._hand_over(0)
        return judge(self._stack, {ref: ledger.rows() for ref, ledger in self._ledgers.items()}, {})

    def _hand_over(self, readings: int) -> None:
        """Measure, and run an ingester that does not die until everything is acknowledged."""
        for sender in self._senders:
            sender.measure(readings)
        with self._ingester({}):
            self._until(lambda: not any(sender.kept for sender in self._senders), "The senders were not answered")

    @contextlib.contextmanager
    def _ingester(self, settings: dict[str, str]) -> Iterator[Child]:
        ingester = self._stack.start_ingester(settings)
        try:
            yield ingester
        finally:
            ingester.kill()

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        def send_and_ask() -> bool:
            for sender in self._senders:
                sender.send()
            return condition()

        wait_until(send_and_ask, timeout_s=LIMIT_S, what=what, every_s=0.05)


def prove(tell: Callable[[str], None]) -> tuple[dict[str, float], bool]:
    """Try all cells.

    Args:
        tell: takes lines for people.

    Returns:
        The figures by name, and whether they are as they should be.
    """
    began = time.monotonic()
    verdicts: list[Verdict] = []
    with Stack() as stack, Bench(stack).connected() as bench:
        for cell in CELLS:
            verdicts.append(bench.die(cell))
            tell(f"{cell}: {verdicts[-1]}")
    # Each verdict is about everything so far: what is wrong once is seen in all that follow.
    figures: dict[str, float] = {
        "crash_points.cells": len(verdicts),
        "crash_points.points": len({cell.point for cell in CELLS}),
        "crash_points.readings": verdicts[-1].readings,
        "crash_points.lost": max(verdict.lost for verdict in verdicts),
        "crash_points.duplicated": max(verdict.duplicated for verdict in verdicts),
        "crash_points.altered": max(verdict.altered + verdict.rejected for verdict in verdicts),
        "crash_points.duration_s": round(time.monotonic() - began, 1),
    }
    return figures, all(verdict.clean for verdict in verdicts)
