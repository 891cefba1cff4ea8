"""How long to wait before trying again: longer each time, and never in step with others."""

import random
from dataclasses import dataclass, field

SHORTEST_S = 0.2
# One ingester that asks so often costs nobody anything, and readings wait no longer than this once all is well again.
LONGEST_S = 2.0


@dataclass(slots=True)
class Backoff:
    """Waiting times that double up to a limit, each with jitter.

    Attributes:
        failures: how often it failed since it last worked.
    """

    failures: int = field(default=0, init=False)

    def delay_s(self) -> float:
        """Say how many seconds to wait after one more failure."""
        longest: float = min(LONGEST_S, SHORTEST_S * 2 ** min(self.failures, 16))
        self.failures += 1
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret

    def worked(self) -> None:
        """Begin again with the shortest wait."""
        self.failures = 0


def again(reason: object, delay_s: float) -> str:
    """Say that something failed and will be tried again."""
    return f"{reason}; trying again in {delay_s:.1f} s"
