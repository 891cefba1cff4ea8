"""When a bin was emptied, as its levels show it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.quality import ACCEPTED
from ingest.assess.readings import Floats, Integers, Series

# A level that falls by this much was emptied; waste settles, and is pressed down, by less.
FALL = 0.25
# A fall to the very bottom counts from this much on: somebody emptied a bin that held little.
FALL_TO_BOTTOM = 0.12
BOTTOM = 0.08
# How much of the fall may be filled again when the following reading confirms it.
REFILLED_SHARE = 0.6
# What each doubtful reading beside the fall costs in confidence.
DOUBT = 0.2


@dataclass(frozen=True, slots=True)
class Emptying:
    """A bin was emptied between two readings.

    Attributes:
        not_before: datetime64[us], UTC, of the last reading before.
        emptied_at: datetime64[us], UTC, of the first reading after.
        fill_before: level 0..1 at `not_before`.
        fill_after: level 0..1 at `emptied_at`.
        confidence: 0..1.
    """

    not_before: np.datetime64
    emptied_at: np.datetime64
    fill_before: float
    fill_after: float
    confidence: float


def detect(series: Series, levels: Floats, codes: npt.NDArray[np.int8]) -> list[Emptying]:
    """Find the falls that mean an emptying, oldest first.

    A fall counts only when the following believed reading confirms it, so the newest reading alone never does. Only the
    readings beside a fall decide: late readings elsewhere change nothing.

    Args:
        series: one bin's readings, oldest first.
        levels: of the same readings, NaN where rejected.
        codes: quality of the same readings, as `judge` gives it.
    """
    believed = np.flatnonzero(~np.isnan(levels))
    falls = _falls(levels[believed])
    # A crew that works while the sensor measures leaves two falls in a row: one emptying.
    runs = np.split(falls, np.flatnonzero(np.diff(falls) > 1) + 1)
    return [_emptying(series, levels, codes, believed[[run[0], run[-1] + 1]]) for run in runs if len(run)]


def _falls(levels: Floats) -> Integers:
    """Give the places after which the level falls for good; `levels` has no NaN."""
    if len(levels) < 3:  # noqa: PLR2004 - before, after, confirmation
        return np.array([], dtype=np.int64)
    before, after, later = levels[:-2], levels[1:-1], levels[2:]
    fall = before - after
    deep = (fall >= FALL) | ((fall >= FALL_TO_BOTTOM) & (after <= BOTTOM))
    confirmed = later - after <= REFILLED_SHARE * fall
    return np.flatnonzero(deep & confirmed)


def _emptying(series: Series, levels: Floats, codes: npt.NDArray[np.int8], pair: Integers) -> Emptying:
    before, after = (float(level) for level in levels[pair])
    doubts = int(np.count_nonzero(codes[pair] < ACCEPTED))
    sureness = min(0.99, 0.6 + 0.6 * (before - after))
    not_before, emptied_at = series.measured_at[pair]
    return Emptying(not_before, emptied_at, before, after, round(max(0.1, sureness - DOUBT * doubts), 3))
