"""When bins were emptied, as their levels show it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.neighbours import beside
from ingest.assess.quality import ACCEPTED
from ingest.assess.readings import Floats, Integers, Series, Times

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


@dataclass(frozen=True, slots=True)
class Emptyings:
    """Emptyings of many tracks, track after track, each oldest first; all arrays have the shape (n,).

    Iterating or indexing gives single ones.

    Attributes:
        track: of each.
        not_before: as in `Emptying`, and so are the others.
        emptied_at: datetime64[us], UTC.
        fill_before: 0..1.
        fill_after: 0..1.
        confidence: 0..1.
        before: place of the last reading before in the series.
        after: place of the first reading after in the series.
    """

    track: Integers
    not_before: Times
    emptied_at: Times
    fill_before: Floats
    fill_after: Floats
    confidence: Floats
    before: Integers
    after: Integers

    def __len__(self) -> int:
        return len(self.track)

    def __getitem__(self, place: int) -> Emptying:
        return Emptying(
            self.not_before[place],
            self.emptied_at[place],
            float(self.fill_before[place]),
            float(self.fill_after[place]),
            float(self.confidence[place]),
        )

    def __iter__(self) -> Iterator[Emptying]:
        numbers = (self.fill_before.tolist(), self.fill_after.tolist(), self.confidence.tolist())
        return map(Emptying, self.not_before, self.emptied_at, *numbers)

    def where(self, kept: npt.NDArray[np.bool_]) -> "Emptyings":
        """Give those of them that are marked, shape (n,)."""
        return Emptyings(
            self.track[kept],
            self.not_before[kept],
            self.emptied_at[kept],
            self.fill_before[kept],
            self.fill_after[kept],
            self.confidence[kept],
            self.before[kept],
            self.after[kept],
        )


def detect(series: Series, levels: Floats, codes: npt.NDArray[np.int8]) -> Emptyings:
    """Find the falls that mean an emptying.

    A fall counts only when the following believed reading confirms it, so the newest reading alone never does. Only the
    readings beside a fall decide: late readings elsewhere change nothing.

    Args:
        series: of one or many tracks.
        levels: of the same readings, NaN where rejected.
        codes: quality of the same readings, as `judge` gives it.
    """
    believed = np.flatnonzero(~np.isnan(levels))
    track = series.track[believed]
    falls = _falls(levels[believed], track)
    # A crew that works while the sensor measures leaves two falls in a row: one emptying.
    follows = (np.diff(falls) == 1) & (np.diff(track[falls]) == 0)
    before = believed[falls[np.concatenate([[True], ~follows])]] if len(falls) else falls
    after = believed[falls[np.concatenate([~follows, [True]])] + 1] if len(falls) else falls
    fill_before, fill_after = levels[before], levels[after]
    doubts = (codes[before] < ACCEPTED).astype(np.int64) + (codes[after] < ACCEPTED)
    sureness = np.minimum(0.99, 0.6 + 0.6 * (fill_before - fill_after))
    return Emptyings(
        track=series.track[before],
        not_before=series.measured_at[before],
        emptied_at=series.measured_at[after],
        fill_before=fill_before,
        fill_after=fill_after,
        confidence=np.round(np.maximum(0.1, sureness - DOUBT * doubts), 3),
        before=before,
        after=after,
    )


def _falls(levels: Floats, track: Integers) -> Integers:
    """Give the places after which the level falls for good; `levels` has no NaN."""
    after, later = beside(levels, track, 1), beside(levels, track, 2)
    fall = levels - after
    deep = (fall >= FALL) | ((fall >= FALL_TO_BOTTOM) & (after <= BOTTOM))
    return np.flatnonzero(deep & (later - after <= REFILLED_SHARE * fall))
