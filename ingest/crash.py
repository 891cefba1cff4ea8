"""Named points at which a test lets the ingester die as in a power cut: `BRIMWATCH_CRASH_AT=point:n`."""

import os
import signal
from typing import Literal, get_args

Point = Literal[
    "received",
    "decoded",
    "before_insert",
    "after_insert",
    "before_commit",
    "after_commit",
    "before_puback",
    "after_puback",
    "before_acknowledgement",
    "after_acknowledgement",
]
"""In the order in which a message passes them; "acknowledgement" is that to the device."""
POINTS: tuple[Point, ...] = get_args(Point)
PATTERN = f"^({'|'.join(POINTS)}):[1-9][0-9]{{0,8}}$"
"""Of the setting: a point, and at which passing of it the process ends."""


class Crash:
    """Lets every point pass, as everywhere but in tests."""

    def passes(self, point: Point) -> None:
        """Go through a point."""


class _CrashAt(Crash):
    def __init__(self, point: str, passing: int) -> None:
        self._point, self._left = point, passing

    def passes(self, point: Point) -> None:
        self._left -= point == self._point
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


NEVER = Crash()


def planned(crash_at: str | None) -> Crash:
    """Read the setting.

    Args:
        crash_at: matches `PATTERN`; None for never.
    """
    if crash_at is None:
        return NEVER
    point, _, passing = crash_at.partition(":")
    return _CrashAt(point, int(passing))
