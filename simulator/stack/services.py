"""The programs of the demo: started in order, started again when they die, and ended together."""

import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from simulator.stack.errors import StackError
from simulator.stack.place import checkout_folder
from simulator.stack.process import Child, wait_until

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
STEADY_S = 30.0


class Service(Protocol):
    """Something that runs until it is stopped: a server of the stack or a process of ours."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def log(self) -> Path:
        """What it says."""

    @property
    def running(self) -> bool:
        """Whether it runs."""

    def start(self) -> None:
        """Start it, again if need be."""

    def ask_to_end(self) -> None:
        """Tell it to end, without waiting."""

    def stop(self) -> None:
        """End it and wait until it has ended."""


class Process:
    """One of our own programs.

    Args:
        name: for people.
        words: after `python -m`.
        env: added to our environment.
        log: file for its output.
        ready: says whether it answers; None when there is nothing to ask.
    """

    def __init__(
        self, name: str, words: Sequence[str], *, env: Mapping[str, str], log: Path, ready: Callable[[], bool] | None
    ) -> None:
        self.name, self.log = name, log
        self._words, self._env, self._ready = words, env, ready
        self._child: Child | None = None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return bool(self._child and self._child.running)

    def start(self) -> None:
        """Start it, without waiting until it answers."""
        command = [sys.executable, "-m", *self._words]
        self._child = Child(command, name=self.name, log=self.log, env=self._env, cwd=checkout_folder())

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until it answers.

        Raises:
            StackError: it does not, or has ended; the sentence names its log.
        """
        ready = self._ready
        if ready is None or self._child is None:
            return
        try:
            wait_until(ready, timeout_s=timeout_s, what=f"{self.name} did not start", child=self._child, every_s=0.1)
        except StackError as error:
            raise StackError(f"{error} Its log is {self.log}.") from None

    def ask_to_end(self) -> None:
        """Tell it to end, without waiting."""
        if self._child and self._child.running:
            self._child.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it."""
        if self._child:
            self._child.stop(timeout_s=8)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._child:
            self._child.kill()


class Server:
    """The database or the broker of the local stack as a service.

    Args:
        name: for people.
        server: has `start` and `stop`, and a `pid` that is None when it does not run, unless somebody else runs it.
        log: what it says.
    """

    def __init__(self, name: str, server: "_Startable", log: Path) -> None:
        self.name, self.log = name, log
        self._server = server

    @property
    def running(self) -> bool:
        """Whether it runs; a server that somebody else runs is his affair."""
        return getattr(self._server, "pid", 0) is not None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._server.start()

    def ask_to_end(self) -> None:
        """Do nothing yet: it ends after those who use it."""

    def stop(self) -> None:
        """End it."""
        self._server.stop()


class _Startable(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


class Supervisor:
    """Starts services again when they die, with growing pauses, and ends all of them.

    Args:
        tell: takes one line for people.
        clock: monotonic seconds.
        steady_s: who has run so long is started again at once when it dies.
        first_pause_s: between the first two starts of one that dies sooner.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        steady_s: float = STEADY_S,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._tell, self._clock = tell, clock
        self._steady_s, self._first_pause_s = steady_s, first_pause_s
        self._services: list[Service] = []
        self._pauses: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    def add(self, service: Service) -> None:
        """Look after a service from now on; those added first end last."""
        self._services.append(service)

    def heal(self) -> None:
        """Start again what has died; to be called again and again."""
        for service in self._services:
            if not service.running:
                self._revive(service)

    def stop(self) -> None:
        """End all services."""
        for service in reversed(self._services):
            service.ask_to_end()
        for service in reversed(self._services):
            service.stop()

    def _revive(self, service: Service) -> None:
        now, due = self._clock(), self._not_before.get(service.name, 0.0)
        if now < due:
            return
        pause = (
            self._first_pause_s if now > due + self._steady_s else min(2 * self._pauses[service.name], LONGEST_PAUSE_S)
        )
        self._pauses[service.name], self._not_before[service.name] = pause, now + pause
        try:
            service.start()
        except StackError as error:
            self._tell(f"{service.name} ended and cannot be started again yet: {error}")
        else:
            self._tell(f"{service.name} ended and was started again; its log is {service.log}.")
