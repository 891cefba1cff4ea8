"""Runs all of Brimwatch on this machine with a town of invented bins: `make demo` after set-up."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import typer

from simulator.stack.ending import Ended, ignore_signals
from simulator.stack.environment import forget_other_settings
from simulator.stack.errors import StackError
from simulator.stack.home import Home, write_secret
from simulator.stack.opening import Opening
from simulator.stack.place import checkout_folder, find_place
from simulator.stack.process import descendants, require_free
from simulator.stack.registration import USER
from simulator.stack.services import Supervisor
from simulator.stack.wishes import Wishes, read_wishes

OK, FAILED, WRONG_USE = 0, 1, 2
LOOK_EVERY_S = 0.5


def main(environ: Mapping[str, str], data: Path | None, out: Path | None) -> int:
    """Run the demo until it is ended or its time is up.

    Args:
        environ: holds DEMO_BINS, DEMO_FIRMWARE, DEMO_PORT, DEMO_SECONDS, and PGHOST or DATABASE_URL.
        data: folder for all its data; None chooses one by the demo's size.
        out: file that says where everything is; None is build/demo.json.

    Returns:
        The exit code: 0 also when it is ended after everything answered.

    Raises:
        Ended: somebody ended it before that; nothing runs any more.
    """
    try:
        wishes = read_wishes(environ)
        if wishes.port:
            require_free(wishes.port, "DEMO_PORT")
        folder = data or find_place().root / "demo" / f"{wishes.bins}-{wishes.firmware}"
    except StackError as error:
        complain(error)
        return WRONG_USE
    try:
        return _run(wishes, Home(folder), environ, out or checkout_folder() / "build/demo.json")
    except StackError as error:
        complain(error)
        return FAILED


def _run(wishes: Wishes, home: Home, environ: Mapping[str, str], out: Path) -> int:
    started = time.monotonic()
    home.open()
    environ = dict(environ)
    forget_other_settings()
    out.unlink(missing_ok=True)
    supervisor = Supervisor(tell)
    try:
        opening = Opening(wishes, home, environ, supervisor=supervisor, step=_steps(started))
        opening.run()
        write_secret(out, json.dumps(opening.description(), indent=2))
        tell(_box(opening.dashboard, home.notes()["password"], time.monotonic() - started))
        with contextlib.suppress(Ended):
            _keep(supervisor, wishes.seconds)
        tell("Stopping; the data stays for the next start.")
    finally:
        # From here on nothing may interrupt: whoever wants an end gets it.
        ignore_signals()
        out.unlink(missing_ok=True)
        supervisor.stop()
        _sweep()
        home.close()
    return OK


def _sweep() -> None:
    """End a child that the signal hit between its start and our knowing of it."""
    for pid in descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _keep(supervisor: Supervisor, seconds: int | None) -> None:
    end = time.monotonic() + seconds if seconds else float("inf")
    while time.monotonic() < end:
        supervisor.heal()
        time.sleep(LOOK_EVERY_S)


def tell(line: str) -> None:
    """Print a line at once, whoever reads."""
    typer.echo(line)


def complain(error: StackError) -> None:
    """Say what went wrong."""
    typer.echo(str(error), err=True)


def _steps(started: float) -> Callable[[str], None]:
    def step(name: str) -> None:
        tell(f"  {time.monotonic() - started:5.1f} s  {name}")

    return step


def _box(dashboard: str, password: str, seconds: float) -> str:
    lines = [
        f"Brimwatch runs at  {dashboard}",
        f"Sign in as         {USER}",
        f"with the password  {password}",
        f"Ready after {seconds:.0f} s; Ctrl-C ends it.",
    ]
    width = max(map(len, lines))
    edge = "─" * (width + 2)
    return "\n".join([f"┌{edge}┐", *(f"│ {line:<{width}} │" for line in lines), f"└{edge}┘"])
