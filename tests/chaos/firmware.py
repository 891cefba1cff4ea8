"""Devices with the real firmware in MicroPython, whose ledger is what they print once a reading is safe."""

import re
import sys
import threading
import time
from pathlib import Path

from simulator.boards import RESTARTED, SLEPT, Board
from tests.chaos.device import Bundle
from tests.chaos.verdict import Identity

RECORDED = re.compile(r"^recorded epoch=(\d+) seq=(\d+) distance_mm=(\w+)$", re.MULTILINE)
NIGHT_S = 0.5
LOOK_EVERY_S = 0.05


class FirmwareDevice:
    """A board that wakes, measures, reports and sleeps again and again, each time seeing another distance.

    Args:
        bundle: what lets it in.
        folder: its flash.
    """

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self.ref = bundle.folder.name
        self._folder = folder
        self._board = Board(self.ref, bundle.folder, folder)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._strange: list[int] = []
        self._thread = threading.Thread(target=self._run, name=self.ref)

    def start(self) -> None:
        """Let it live."""
        self._thread.start()

    def kill(self) -> None:
        """Cut the power of the present wake, or of the next."""
        while not self._ended.is_set():
            with self._lock:
                if self._board.awake:
                    self._board.end()
                    return
            time.sleep(LOOK_EVERY_S)

    def stop(self) -> None:
        """Let it finish its wake and wake no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def ledger(self) -> dict[Identity, int | None]:
        """The distance of each reading that was safe."""
        log = self._folder / "device.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return {
            (self.ref, int(epoch), int(seq)): None if distance == "None" else int(distance)
            for epoch, seq, distance in RECORDED.findall(text)
        }

    @property
    def mistakes(self) -> list[int]:
        """Exit codes that no wake should have."""
        return list(self._strange)

    def _run(self) -> None:
        wakes, next_wake = 0, 0.0
        while not self._ended.wait(LOOK_EVERY_S) or self._board.awake:
            with self._lock:
                if self._board.awake:
                    code = self._board.look()
                    if code is not None:
                        next_wake = time.monotonic() + (NIGHT_S if code == SLEPT else 0)
                        self._strange += [code] if code not in (SLEPT, RESTARTED, -9) else []
                elif time.monotonic() >= next_wake:
                    wakes += 1
                    self._board.wake({"distance_mm": 400 + wakes % 600, "noise_mm": 0, "temperature_c": None})


def have_micropython() -> bool:
    """Whether there is a MicroPython for this machine."""
    return Path(sys.executable).with_name("micropython").exists()
