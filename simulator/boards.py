"""Devices with the real firmware: each wake is a MicroPython process on a made-up board (firmware/fakes/README.md)."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
BUNDLE_FILES = ("ca.der", "device.der", "device.key.der")
CONFIG = {"measure_interval_s": 300, "report_interval_s": 300}
"""The shortest that the firmware allows: it reports in every wake, and we shorten the sleep in between."""
SLEPT, RESTARTED, KILLED = 75, 76, -9
HUNG_S = 90.0
"""A wake is over after its link budget; one that takes so long hangs."""
AWAKE_AT_ONCE = 6
LOOK_EVERY_S = 0.1
PAUSE_AFTER_MISTAKE_S = 30.0
LONGEST_LOG_BYTES = 200_000

World = Callable[[str], Mapping[str, object]]
"""Says what is around a device now, by the names of `world.json`."""


class Board:
    """One device: a folder that is its flash, and the process of the present wake.

    Args:
        device: its name.
        bundle: what `ingest devices enrol` made for it.
        folder: its flash; what is there stays.
    """

    def __init__(self, device: str, bundle: Path, folder: Path) -> None:
        self.device = device
        self.next_wake = 0.0
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._woke = 0.0
        self._prepare(bundle)

    @property
    def awake(self) -> bool:
        """Whether a wake is going on, or has ended without being looked at."""
        return self._process is not None

    def wake(self, world: Mapping[str, object]) -> None:
        """Start a wake in this world."""
        new = self._folder / "world.json.new"
        new.write_text(json.dumps(world))
        new.replace(self._folder / "world.json")
        log = self._folder / "device.log"
        too_long = log.exists() and log.stat().st_size > LONGEST_LOG_BYTES
        with log.open("wb" if too_long else "ab") as output:
            # Ends with us, even when we are killed: two processes must never share one flash.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", str(Path(sys.executable).with_name("micropython")),
                 "-X", "heapsize=256K", "firmware/main.py"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=CHECKOUT,
                env={"PATH": "/usr/bin:/bin", "SIM_DIR": str(self._folder),
                     "MICROPYPATH": "firmware/fakes:firmware:.frozen"},
            )  # fmt: skip
        self._woke = time.monotonic()

    def look(self) -> int | None:
        """Give the exit code of a wake that is over, once; None while it goes on."""
        if self._process is None:
            return None
        if self._process.poll() is None and time.monotonic() > self._woke + HUNG_S:
            self.end()
        code = self._process.poll()
        if code is not None:
            self._process = None
        return code

    def end(self) -> None:
        """End the present wake at once, as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def _prepare(self, bundle: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in BUNDLE_FILES:
            shutil.copy(bundle / name, self._folder / name)
        config = json.loads((bundle / "config.json").read_text())
        (self._folder / "config.json").write_text(json.dumps(config | CONFIG))


class Boards:
    """All devices with the real firmware. `run` has to be called from a thread that lives as long as they do.

    Args:
        bundles: folder with one folder per device.
        folder: for their flash.
        world: what is around them.
        every_s: seconds from one wake to the next.
        slept: called with a device after each wake that ended well.
        tell: takes a line about a device that misbehaves.
    """

    def __init__(
        self,
        bundles: Path,
        folder: Path,
        world: World,
        *,
        every_s: float,
        slept: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        self._bundles, self._folder, self._world = bundles, folder, world
        self._every_s, self._slept, self._tell = every_s, slept, tell
        self._boards: list[Board] = []
        self._lock = threading.Lock()

    def add(self, device: str) -> None:
        """Switch a device on; from any thread."""
        board = Board(device, self._bundles / device, self._folder / device)
        with self._lock:
            self._boards.append(board)

    def run(self, stop: threading.Event) -> None:
        """Let all devices wake and sleep until `stop` is set."""
        while not stop.wait(LOOK_EVERY_S):
            with self._lock:
                boards = list(self._boards)
            for board in boards:
                self._look_after(board)
            self._wake_some(boards)
        for board in self._boards:
            board.end()

    def _look_after(self, board: Board) -> None:
        code = board.look()
        if code == SLEPT:
            self._slept(board.device)
            board.next_wake = time.monotonic() + self._every_s
        elif code is not None and code not in (RESTARTED, KILLED):
            self._tell(f"The firmware of {board.device} ended with exit code {code}: see its device.log.")
            board.next_wake = time.monotonic() + PAUSE_AFTER_MISTAKE_S

    def _wake_some(self, boards: list[Board]) -> None:
        room = AWAKE_AT_ONCE - sum(board.awake for board in boards)
        now = time.monotonic()
        tired = sorted((board for board in boards if not board.awake), key=lambda board: board.next_wake)
        for board in tired[: max(0, room)]:
            if board.next_wake <= now:
                board.wake(self._world(board.device))
