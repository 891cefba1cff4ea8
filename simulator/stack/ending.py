"""Ctrl-C, SIGTERM and a closed terminal, as one exception in the main thread. Light: it is needed before all else."""

import contextlib
import signal
from collections.abc import Iterator

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """Raised in the main thread when somebody ends the command.

    Attributes:
        code: the exit code that says so.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


@contextlib.contextmanager
def ending_by_signal() -> Iterator[None]:
    """Raise `Ended` at the first signal and ignore further ones: what follows is a clean end, not another one."""

    def end(number: int, _frame: object) -> None:
        ignore_signals()
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Let nothing interrupt from here on."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)
