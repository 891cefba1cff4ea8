"""When bins were emptied, as their levels show it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.falls import find_falls
from ingest.assess.levels.quality import ACCEPTED, TOO_NEAR, Judgement
from ingest.assess.levels.readings import Floats, Integers, Series, Times

# After such a level, "too near to measure" says that the bin is full.
FULL_BEFORE = 0.9
# So many readings after a fall, and nothing that comes later makes it undone.
SETTLED_READINGS = 6
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


def detect(series: Series, levels: Floats, judgement: Judgement) -> Emptyings:
    """Find the falls that mean an emptying.

    The level around a fall is the median of three readings before it and of three after it, so that neither one bad
    reading nor the newest alone makes an emptying. Two readings after it will do when both are low.

    Args:
        series: of one or many tracks.
        levels: of the same readings, NaN where rejected.
        judgement: of the same readings.
    """
    believed = np.flatnonzero(~np.isnan(levels))
    codes = judgement.codes
    # What is there twice is no second witness.
    measured_at, track = series.measured_at[believed], series.track[believed]
    again = np.append(False, (measured_at[1:] == measured_at[:-1]) & (track[1:] == track[:-1]))[: len(believed)]
    if again.any():
        believed, measured_at, track = (column[~again] for column in (believed, measured_at, track))
    level, hours = levels[believed], measured_at.astype(np.int64) / 3.6e9
    first, last = find_falls(level, hours, track, judgement.noise[believed])
    before, after = believed[first], believed[last + 1]
    fill_before, fill_after = levels[before], levels[after]
    doubts = (codes[before] < ACCEPTED).astype(np.int64) + (codes[after] < ACCEPTED)
    sureness = np.minimum(0.99, 0.6 + 0.6 * (fill_before - fill_after))
    return Emptyings(
        track=series.track[before],
        not_before=series.measured_at[_still_full(judgement, before, after, fill_before)],
        emptied_at=series.measured_at[after],
        fill_before=fill_before,
        fill_after=fill_after,
        confidence=np.round(np.maximum(0.1, sureness - DOUBT * doubts), 3),
        before=before,
        after=after,
    )


def _still_full(judgement: Judgement, before: Integers, after: Integers, fill_before: Floats) -> Integers:
    """Give the place of the last reading before each emptying that says that the bin was not emptied yet.

    Of a full bin the sensor may say nothing that counts but that something is too near.
    """
    near = np.append(-1, np.flatnonzero(np.isin(judgement.causes, TOO_NEAR)))
    newest = near[np.searchsorted(near, after) - 1]
    return np.where(fill_before >= FULL_BEFORE, np.maximum(before, newest), before)
