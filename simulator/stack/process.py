"""Child processes that do not outlive us and can be ended for certain."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from simulator.stack.errors import StackError
from simulator.stack.place import Account, as_account

LOG_TAIL = 5
"""Lines of a child's log that are told when it fails."""

KERNEL_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""From these the kernel gives one to each connection and to whoever asks for any: what is free now, or while its server
is down for a moment, may then be another's."""
LOWEST_PORT = 20_000
"""Below it are ports that programs are known by, and that browsers refuse."""


class Child:
    """A running program with its output in a log file.

    It has its own session, so Ctrl-C in a terminal reaches only us and we end it in order. When we are killed, the
    kernel sends it `death_signal`.

    Args:
        command: program and arguments.
        name: for messages.
        log: where its output goes, appended; None gives it ours.
        env: added to our environment.
        cwd: its folder.
        account: whom it runs as; None is ourselves.
        death_signal: name without SIG.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        name: str,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
        account: Account | None = None,
        death_signal: str = "TERM",
    ) -> None:
        self.name = name
        self.log = log
        words = [*as_account(account, death_signal=death_signal), *command]
        environment = {**os.environ, **(env or {})}

        def launch() -> subprocess.Popen[bytes]:
            with contextlib.ExitStack() as stack:
                output = stack.enter_context(log.open("ab")) if log else None
                return subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT if output else None,
                    env=environment,
                    cwd=cwd,
                    start_new_session=True,
                )

        self._process = _launch_in_keeper(launch, name)

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.poll()

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.exit_code is None

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for its end and give the exit code.

        Raises:
            TimeoutError: it still runs.
        """
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} still runs after {timeout_s} s") from None

    def stop(self, *, signal_number: int = signal.SIGTERM, timeout_s: float = 10) -> None:
        """Ask it to end; end it and its descendants by force when it does not in time."""
        if self.running:
            self._process.send_signal(signal_number)
            try:
                self.wait(timeout_s)
            except TimeoutError:
                self.kill()

    def send_signal(self, number: int) -> None:
        """Send it a signal; does nothing when it has ended."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it and all its descendants at once, as a power cut would."""
        family = descendants(self.pid) if self.running else []
        self._process.kill()
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def last_words(self) -> str:
        """Give the end of its log, for a message."""
        if not self.log or not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(line.strip() for line in lines[-LOG_TAIL:])


def _launch_in_keeper(launch: Callable[[], subprocess.Popen[bytes]], name: str) -> subprocess.Popen[bytes]:
    # The kernel's "parent" is the thread that started a child, not the process: this one stays until the child ends,
    # whatever becomes of the caller's thread.
    launched: Future[subprocess.Popen[bytes]] = Future()

    def keep() -> None:
        try:
            process = launch()
        except OSError as error:
            launched.set_exception(error)
            return
        launched.set_result(process)
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    threading.Thread(target=keep, name=f"keeper of {name}", daemon=True).start()
    return launched.result()


def descendants(pid: int) -> list[int]:
    """List the processes below one, children first."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children = [int(word) for word in task.read_text().split()]
            found += children
            for child in children:
                found += descendants(child)
    return found


def wait_until(
    condition: Callable[[], bool], *, timeout_s: float, what: str, child: Child | None = None, every_s: float = 0.05
) -> None:
    """Wait for a condition.

    Args:
        condition: asked again and again.
        timeout_s: how long to ask.
        what: completes the sentence "... did not ...", for the message.
        child: gives up at once when this one has ended.
        every_s: pause between two questions.

    Raises:
        StackError: it did not come true.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if child and not child.running:
            raise StackError(f"{what}: it ended with exit code {child.exit_code}. {child.last_words()}")
        if time.monotonic() > deadline:
            raise StackError(f"{what} within {timeout_s:g} s. {child.last_words() if child else ''}".strip())
        time.sleep(every_s)


def free_port() -> int:
    """Find a port on 127.0.0.1 that nobody uses, and that the kernel gives to nobody else."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", _any_port()))
            port: int = probe.getsockname()[1]
            return port


def _any_port() -> int:
    spare = int(KERNEL_PORTS.read_text().split()[0]) - LOWEST_PORT
    return LOWEST_PORT + secrets.randbelow(spare) if spare > 0 else 0


def require_free(port: int, setting: str) -> None:
    """Check that nobody listens on a port.

    Raises:
        StackError: it is taken; the sentence names the setting to change.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StackError(f"Port {port} is taken by another program; set {setting} to a free one.") from None
