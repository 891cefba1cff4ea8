"""From which emptying on a bin's readings are kept in memory. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.assess.levels.emptying import Emptying
from ingest.assess.levels.readings import Times

# What is kept before the day (UTC) of the anchor: the two days whose readings tell what is usual on it, and the
# neighbours of these readings.
CONTEXT = np.timedelta64(54, "h")
# So many readings after an emptying, and so much time, and nothing that comes later can make it undone.
SETTLED_READINGS = 6
SETTLED_AFTER = np.timedelta64(12, "h")


@dataclass(frozen=True, slots=True)
class Anchor:
    """An emptying that a bin's sensor saw and that is settled: all datetime64[us], UTC.

    Attributes:
        not_before: last reading before it.
        emptied_at: first reading after it.
    """

    not_before: np.datetime64
    emptied_at: np.datetime64

    @property
    def since(self) -> np.datetime64:
        """From when on readings are needed to know what happened from the anchor on."""
        day: np.datetime64 = self.not_before.astype("datetime64[D]")
        since: np.datetime64 = day - CONTEXT
        return since


def floor(emptied_at: np.datetime64, measured_at: Times) -> np.datetime64:
    """Say from when on new readings leave an emptying as it is.

    Args:
        emptied_at: of the emptying.
        measured_at: of the bin's readings, oldest first.

    Returns:
        NaT where there are not enough readings after it yet.
    """
    place = int(np.searchsorted(measured_at, emptied_at)) + SETTLED_READINGS
    if place >= len(measured_at):
        return np.datetime64("NaT", "us")
    return max(measured_at[place], emptied_at + SETTLED_AFTER)


def newest_settled(emptyings: Sequence[Emptying], measured_at: Times) -> tuple[Anchor, np.datetime64] | None:
    """Give the newest emptying that is settled, and its `floor`; None where none is.

    Args:
        emptyings: oldest first.
        measured_at: of the same bin's readings, oldest first.
    """
    for one in reversed(emptyings):
        # Cheaper than to look for the readings that it takes as well.
        if measured_at[-1] < one.emptied_at + SETTLED_AFTER:
            continue
        settled_at = floor(one.emptied_at, measured_at)
        if not np.isnat(settled_at) and measured_at[-1] >= settled_at:
            return Anchor(one.not_before, one.emptied_at), settled_at
    return None
