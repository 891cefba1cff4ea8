"""How often somebody may try to sign in."""

from collections import deque
from collections.abc import Callable

TRIES = 10
WINDOW_S = 300.0
# Names are made up freely by whoever tries: beyond this many, the oldest are forgotten.
MOST_NAMES = 10_000


class Tries:
    """Counts failed tries by name (an account's or a source's) in a sliding window.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: dict[str, deque[float]] = {}

    def wait_s(self, *names: str) -> int:
        """Say how many seconds all of these names have to wait; 0 for not at all."""
        now = self._clock()
        waits = [self._failures[name][-TRIES] + WINDOW_S - now for name in names if self._count(name) >= TRIES]
        return max([0, *(int(wait) + 1 for wait in waits if wait > 0)])

    def fail(self, *names: str) -> None:
        """Note a failed try."""
        for name in names:
            failures = self._failures.pop(name, None) or deque(maxlen=TRIES)
            failures.append(self._clock())
            self._failures[name] = failures
        while len(self._failures) > MOST_NAMES:
            del self._failures[next(iter(self._failures))]

    def forget(self, *names: str) -> None:
        """Start anew after a success."""
        for name in names:
            self._failures.pop(name, None)

    def _count(self, name: str) -> int:
        return len(self._failures.get(name, ()))
