"""Devices that measure and send without a pause, through one fault after another, and how long each fault is felt."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg

from simulator.stack.errors import StackError
from simulator.stack.process import Child, wait_until
from tests.chaos.device import Device, Ledger
from tests.chaos.disk import move_back, move_to_small_disk
from tests.chaos.stack import Stack
from tests.chaos.verdict import Verdict, judge

DEVICES = 4
EVERY_S = 0.1
READINGS = 3
"""Of each device each time: 120 a second together."""
RESEND_S = 5.0
LOOK_EVERY_S = 0.02
START_AGAIN_S = 1.0
"""The supervisor starts a dead server at once, and one that cannot be started after this pause, which does not grow."""
LIMIT_S = 60.0
NEWEST = """
select ref, highest.seq
from devices, lateral (select seq from readings where device_id = devices.id order by seq desc limit 1) as highest
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault did.

    Attributes:
        recovery_s: from the end of the fault until a reading is committed that was made after it.
        verdict: about all readings so far, after the fault.
        rss_mb: the most memory that the ingester had since it was started.
    """

    recovery_s: float
    verdict: Verdict
    rss_mb: float

    def __str__(self) -> str:
        return f"committing again after {self.recovery_s:.2f} s, {self.verdict}, {self.rss_mb:.0f} MB"


class Endurance:
    """The devices, the ingester, and somebody who starts dead servers again.

    Args:
        stack: the servers.
        name: of the devices, before their number.
    """

    def __init__(self, stack: Stack, name: str) -> None:
        self.stack = stack
        bundles = stack.enrol(*(f"{name}-{number}" for number in range(DEVICES)))
        self._ledgers = {bundle.folder.name: Ledger(stack.folder / name / bundle.folder.name) for bundle in bundles}
        self._devices = [Device(bundle, self._ledgers[bundle.folder.name], resend_s=RESEND_S) for bundle in bundles]
        self._measuring = threading.Event()
        self._care = threading.Lock()
        self._ingester: Child | None = None
        self._said = 0

    @contextlib.contextmanager
    def going_on(self) -> Iterator["Endurance"]:
        """Run everything until the end of the block."""
        with contextlib.ExitStack() as parts:
            for device in self._devices:
                parts.enter_context(device)
            parts.callback(self._end_ingester)
            self._ingester = self.stack.start_ingester({})
            self._measuring.set()
            parts.enter_context(in_background(self._send))
            parts.enter_context(in_background(self._look_after))
            self._until_committed(dict.fromkeys(self._ledgers, 0))
            yield self

    def restart_ingester(self) -> None:
        """End the ingester as a power cut would, and start another."""
        self._end_ingester()
        self._ingester = self.stack.start_ingester({})

    def left_alone(self) -> contextlib.AbstractContextManager[object]:
        """Give a block during which nobody starts dead servers again."""
        return self._care

    @contextlib.contextmanager
    def on_small_disk(self, name: str) -> Iterator[None]:
        """Have a folder of the database's data on a small disk, and readings committed to it, inside the block.

        Raises:
            NoMountsError: nothing can be mounted here.
        """
        with self.left_alone():
            move_to_small_disk(self.stack.database, name)
        try:
            self._until_committed(self._made())
            yield
        finally:
            with self.left_alone():
                move_back(self.stack.database, name)

    def endure(self, fault: contextlib.AbstractContextManager[None], hold_s: float, sign: str | None) -> Outcome:
        """Go through a fault, hand over all that was made, and judge.

        Args:
            fault: begins and ends it.
            hold_s: how long it lasts after the ingester noticed.
            sign: what the ingester then says; None where it cannot notice.
        """
        self._said = self.stack.ingester_log.stat().st_size
        with fault:
            if sign is not None:
                wait_until(lambda: sign in self._says, timeout_s=LIMIT_S, what=f"The ingester did not say '{sign}'")
            time.sleep(hold_s)
            ended = time.monotonic()
            # What was made before may have been on its way past the fault.
            before = self._made()
        self._until_committed(before)
        recovery_s = time.monotonic() - ended
        self._measuring.clear()
        self._until(lambda: not any(device.kept for device in self._devices), "The devices were not answered")
        verdict = judge(self.stack, {ref: ledger.rows() for ref, ledger in self._ledgers.items()}, {})
        self._measuring.set()
        return Outcome(recovery_s, verdict, self.rss_mb())

    def rss_mb(self) -> float:
        """Say how much memory the ingester has had at most since it was started, megabytes.

        Raises:
            StackError: it does not run any more.
        """
        if not self._ingester or not self._ingester.running:
            raise StackError("The ingester has ended.")
        status = Path(f"/proc/{self._ingester.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def _end_ingester(self) -> None:
        if self._ingester:
            self._ingester.kill()

    def _made(self) -> dict[str, int]:
        return {ref: ledger.count for ref, ledger in self._ledgers.items()}

    def _until_committed(self, before: dict[str, int]) -> None:
        """Wait for a reading that is not among the first so many of its device."""

        def committed() -> bool:
            try:
                newest = dict(self.stack.rows(NEWEST))
            except psycopg.Error:
                return False
            return any(newest.get(ref, -1) >= count for ref, count in before.items())

        self._until(committed, "Nothing was committed")

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(condition, timeout_s=LIMIT_S, what=what, child=self._ingester, every_s=LOOK_EVERY_S)

    @property
    def _says(self) -> str:
        """What the ingester has said since the fault began."""
        with self.stack.ingester_log.open("rb") as log:
            log.seek(self._said)
            return log.read().decode()

    def _send(self, ended: threading.Event) -> None:
        while not ended.wait(EVERY_S):
            for device in self._devices:
                if self._measuring.is_set():
                    device.measure(READINGS)
                device.send()

    def _look_after(self, ended: threading.Event) -> None:
        while not ended.wait(LOOK_EVERY_S):
            for server in (self.stack.database, self.stack.broker):
                try:
                    with self._care:
                        if server.pid is None:
                            server.start()
                except StackError:
                    ended.wait(START_AGAIN_S)


@contextlib.contextmanager
def in_background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something beside the block until the event is set at its end; what it raises is raised there."""
    ended = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(work, ended)
        try:
            yield
        finally:
            ended.set()
        done.result()
