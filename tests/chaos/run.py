"""One run of chaos: parts are killed at planned moments while devices measure, then the ledgers are held to it."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from simulator.stack.services import Process, Server, Supervisor
from tests.chaos.device import Ledger
from tests.chaos.firmware import FirmwareDevice, have_micropython
from tests.chaos.schedule import Kill, plan_kills
from tests.chaos.stack import Stack
from tests.chaos.verdict import Verdict, judge

LOOK_EVERY_S = 0.02
RECOVERY_LIMIT_S = 60.0
STEADY_S, FIRST_PAUSE_S = 10.0, 0.1
"""Docker's own: the pause doubles while a container does not run as long as the first of these."""
DRAIN_LIMIT_S = 90.0
HIGHEST = """
select ref, highest.epoch, highest.seq
from devices, lateral (
    select epoch, seq from readings where device_id = devices.id order by epoch desc, seq desc limit 1
) as highest
"""

Position = tuple[int, int]
"""Epoch and seq of a reading of one device."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a run is.

    Attributes:
        seed: draws the kills.
        kills: how many.
        readings: in all ledgers at the end, at least.
        devices: virtual ones, each a process.
        boards: devices with the real firmware, where MicroPython is there.
    """

    seed: int
    kills: int
    readings: int
    devices: int = 6
    boards: int = 2


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a kill did.

    Attributes:
        part: what was killed.
        name: which one.
        seconds: until a reading is committed that was made after the kill: by anybody, or by the killed device.
    """

    part: str
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run showed.

    Attributes:
        recoveries: one for each kill.
        verdict: of the ledgers.
        unacknowledged: readings that virtual devices still hold at the end.
        mistakes: exit codes of the real firmware that it should not have.
        seconds: that it took.
    """

    recoveries: list[Recovery]
    verdict: Verdict
    unacknowledged: int
    mistakes: list[int]
    seconds: float


class Run:
    """The parts of a run, each looked after by a supervisor as in production.

    Args:
        stack: the servers.
        plan: how large.
        tell: takes lines for people.
    """

    def __init__(self, stack: Stack, plan: Plan, tell: Callable[[str], None]) -> None:
        self._stack, self._plan, self._tell = stack, plan, tell
        self._folder = stack.folder / "devices"
        boards = plan.boards if have_micropython() else 0
        names = [f"device-{number}" for number in range(plan.devices)], [f"board-{number}" for number in range(boards)]
        virtual, real = (stack.enrol(*refs) if refs else [] for refs in names)
        self._ledgers = {bundle.folder.name: Ledger(self._folder / bundle.folder.name) for bundle in virtual}
        self._boards = [FirmwareDevice(bundle, self._folder / bundle.folder.name) for bundle in real]
        self._ingester = Process(
            "ingester", ["ingest", "serve"], env=stack.ingest_env(), log=stack.ingester_log, ready=None
        )
        self._devices = [
            Process(
                bundle.folder.name,
                [
                    "tests.chaos.device",
                    *map(str, (bundle.folder, self._folder / bundle.folder.name, bundle.host, bundle.port)),
                ],
                env={},
                log=stack.folder / f"{bundle.folder.name}.log",
                ready=None,
            )
            for bundle in virtual
        ]
        self._watch: psycopg.Connection | None = None

    def go(self) -> Outcome:
        """Kill as planned, let the devices hand over what they hold, and judge."""
        began = time.monotonic()
        (self._folder / "drain").unlink(missing_ok=True)
        with contextlib.ExitStack() as parts:
            for board in self._boards:
                parts.callback(board.stop)
                board.start()
            parts.enter_context(self._supervised())
            self._wait(lambda: len(self._committed()) == len(self._names), "all devices report")
            recoveries = [self._strike(kill) for kill in self._kills()]
            self._wait(lambda: self._made() >= self._plan.readings, "there are enough readings")
            for board in self._boards:
                board.stop()
            (self._folder / "drain").touch()
            self._drain()
        if self._watch:
            self._watch.close()
        ledgers = {ref: ledger.rows() for ref, ledger in self._ledgers.items()}
        kept = sum(len(rows) - len(self._ledgers[ref].acknowledged()) for ref, rows in ledgers.items())
        verdict = judge(self._stack, ledgers, {board.ref: board.ledger for board in self._boards})
        mistakes = [code for board in self._boards for code in board.mistakes]
        return Outcome(recoveries, verdict, kept, mistakes, time.monotonic() - began)

    @property
    def _names(self) -> list[str]:
        return [*self._ledgers, *(board.ref for board in self._boards)]

    def _kills(self) -> list[Kill]:
        return plan_kills(self._plan.seed, self._plan.kills, len(self._names))

    @contextlib.contextmanager
    def _supervised(self) -> Iterator[None]:
        """Start again what dies, until the end of the block: in a thread, as starting a server takes a while."""
        supervisor, ended = Supervisor(self._tell, steady_s=STEADY_S, first_pause_s=FIRST_PAUSE_S), threading.Event()
        supervisor.add(Server("database", self._stack.database, self._stack.database.folder / "postgres.log"))
        supervisor.add(Server("broker", self._stack.broker, self._stack.broker.log))
        for process in (self._ingester, *self._devices):
            process.start()
            supervisor.add(process)

        def look_after() -> None:
            while not ended.wait(LOOK_EVERY_S):
                supervisor.heal()

        thread = threading.Thread(target=look_after, name="supervisor")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            for process in (*self._devices, self._ingester):
                process.kill()

    def _strike(self, kill: Kill) -> Recovery:
        time.sleep(kill.pause_s)
        name = self._names[kill.device] if kill.part == "device" else kill.part
        self._kill(kill, name)
        killed = time.monotonic()
        # Only now: what was made before may have been on its way past the killed part already.
        before = self._newest()
        if kill.part == "device":
            before = {name: before[name]}
        self._wait(lambda: self._is_beyond(before), f"recovery from the kill of {name}", RECOVERY_LIMIT_S)
        seconds = time.monotonic() - killed
        self._tell(f"{name} killed, committing again after {seconds:.2f} s")
        return Recovery(kill.part, name, seconds)

    def _kill(self, kill: Kill, name: str) -> None:
        if kill.part == "device":
            (*self._devices, *self._boards)[kill.device].kill()
        else:
            {"ingester": self._ingester, "database": self._stack.database, "broker": self._stack.broker}[name].kill()

    def _newest(self) -> dict[str, Position]:
        """Give for each device the newest reading that it has made."""
        virtual = {ref: (1, ledger.count - 1) for ref, ledger in self._ledgers.items()}
        real = {
            board.ref: max(((epoch, seq) for _, epoch, seq in board.ledger), default=(0, 0)) for board in self._boards
        }
        return {**virtual, **real}

    def _is_beyond(self, before: dict[str, Position]) -> bool:
        committed = self._committed()
        return any(committed.get(ref, (0, 0)) > position for ref, position in before.items())

    def _committed(self) -> dict[str, Position]:
        """Give for each device the newest reading in the database; nothing while there is no database."""
        try:
            self._watch = self._watch or self._stack.connect()
            return {ref: (epoch, seq) for ref, epoch, seq in self._watch.execute(HIGHEST) if ref in self._names}
        except psycopg.Error:
            if self._watch:
                self._watch.close()
            self._watch = None
            return {}

    def _made(self) -> int:
        return sum(ledger.count for ledger in self._ledgers.values())

    def _drain(self) -> None:
        def empty() -> bool:
            return all(len(ledger.acknowledged()) == ledger.count for ledger in self._ledgers.values())

        with contextlib.suppress(TimeoutError):
            self._wait(empty, "all readings are acknowledged", DRAIN_LIMIT_S)

    def _wait(self, condition: Callable[[], bool], what: str, limit_s: float = RECOVERY_LIMIT_S) -> None:
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {limit_s:g} s")
            time.sleep(LOOK_EVERY_S)
