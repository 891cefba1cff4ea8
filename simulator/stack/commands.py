"""Runs commands of the write and the read side to their end, with their words kept in a log."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from simulator.stack.errors import StackError
from simulator.stack.place import checkout_folder
from simulator.stack.process import Child

TIMEOUT_S = 180.0


class Command:
    """`python -m WORDS` in its own process; several may run side by side.

    Args:
        words: after `python -m`.
        env: added to our environment.
        logs: folder for the log.
    """

    def __init__(self, words: Sequence[str], *, env: Mapping[str, str], logs: Path) -> None:
        self._name = f"python -m {' '.join(words[:3])}"
        self._log = logs / f"{'-'.join(word for word in words[:3] if word.isalpha())}.log"
        self._child = Child(
            [sys.executable, "-m", *words], name=self._name, log=self._log, env=env, cwd=checkout_folder()
        )

    def finish(self) -> None:
        """Wait for its end.

        Raises:
            StackError: it failed or did not end; the sentence has its last words and its log.
        """
        try:
            code = self._child.wait(TIMEOUT_S)
        except TimeoutError:
            self._child.kill()
            raise StackError(f"`{self._name}` did not end within {TIMEOUT_S:g} s; its log is {self._log}.") from None
        if code:
            raise StackError(f"`{self._name}` failed: {self._child.last_words()} Its log is {self._log}.")

    def stop(self) -> None:
        """End it if it runs still."""
        self._child.stop()


class Commands:
    """Commands that run side by side; those that still run at the end of the block are ended.

    Args:
        logs: folder for their logs.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._started: list[Command] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for command in self._started:
            command.stop()

    def start(self, *words: str, env: Mapping[str, str]) -> Command:
        """Start `python -m WORDS` in this environment."""
        command = Command(words, env=env, logs=self._logs)
        self._started.append(command)
        return command


def ask(words: Sequence[str], *, env: Mapping[str, str], told: str = "") -> str:
    """Run a command whose answer is a secret, and give what it prints; nothing of it goes into a log.

    Args:
        words: after `python -m`.
        env: added to our environment.
        told: for its standard input.

    Raises:
        StackError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", *words],
        input=told,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
        cwd=checkout_folder(),
        start_new_session=True,
        timeout=TIMEOUT_S,
    )
    if done.returncode:
        raise StackError(f"`python -m {' '.join(words[:3])}` failed: {done.stderr.strip()}")
    return done.stdout.strip()
