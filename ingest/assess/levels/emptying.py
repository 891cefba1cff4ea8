"""When bins were emptied, as their levels show it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.believed import NEIGHBOUR_H, SAME_NOISES
from ingest.assess.levels.neighbours import median_of_three, runs
from ingest.assess.levels.quality import ACCEPTED, TOO_NEAR, Judgement
from ingest.assess.levels.readings import Floats, Integers, Series, Times

# A level that falls by this much, and to this part of what it was, was emptied; waste settles by less, and a sensor
# that is knocked shows less, too.
FALL = 0.1
LEFT_SHARE = 0.7
FALL_FROM_FULL = 0.16
LEFT_OF_FULL = 0.85
# A fall to the very bottom counts from this much on: somebody emptied a bin that held little.
FALL_TO_BOTTOM = 0.05
BOTTOM = 0.06
# With a noisy sensor it takes more: so many standard deviations to the first reading after, and to the median of three.
FALL_NOISES = 4.5
LASTING = 0.03
LASTING_NOISES = 4.0
# A fall from one reading to the next by so much needs less: both readings before lie above both after, by this much.
SUDDEN, SUDDEN_NOISES = 0.1, 6.0
LASTING_SUDDEN, LASTING_SUDDEN_NOISES = 0.02, 2.0
# Or the last before does, if it is higher than the one before it by no more than this: the bin filled.
RISEN, LASTING_RISEN, LASTING_RISEN_NOISES = 0.15, 0.04, 5.0
# A spike of at most three readings ends over this level; one that is as high as this and flat may end anywhere.
SPIKED_OVER, SPIKED = 0.15, 0.4
# How much a single reading before a fall counts beside the median of three.
NEWEST_COUNTS = 0.06
# Readings that are so far before a fall tell nothing about how full the bin was.
BEFORE_H = 12.0
# A step that makes up this share of a fall belongs to it: a crew may work while the sensor measures.
STEP_SHARE = 0.25
# How much of the fall may be filled again by the readings that confirm it.
REFILLED_SHARE = 0.7
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
    fall, emptied = _falls(level, hours, track, judgement.noise[believed])
    begin, end = runs(emptied, track)
    first, last = _steepest(level, fall, begin, end)
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


def _falls(level: Floats, hours: Floats, track: Integers, deviation: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Say by how much the level falls after each reading, 0 where that is little, and whether that is an emptying.

    Args:
        level: shape (n,), none NaN.
        hours: since 1970.
        track: of each.
        deviation: standard deviation of the levels around each.

    Returns:
        Both of shape (n,).
    """
    fall, emptied = np.zeros(len(level)), np.zeros(len(level), dtype=np.bool_)
    lower = np.flatnonzero(_is_lower_soon(level))
    around = _Around(level, hours, track, lower)
    fall[lower], emptied[lower] = _lasting(around, deviation[lower])
    steep = lower[level[lower] - level[lower + 1] >= SUDDEN]
    emptied[steep[_sudden(_Around(level, hours, track, steep), deviation[steep])]] = True
    found = np.flatnonzero(emptied)
    emptied[found[_spiked(_Around(level, hours, track, found))]] = False
    return fall, emptied


def _is_lower_soon(level: Floats) -> npt.NDArray[np.bool_]:
    """Say where one of the next three readings is lower than one of the last three, by the least that can be a fall.

    Most are not, so that only a few need to be looked at closely. Where two tracks meet, it may be said in vain.
    """
    highest, lowest = level.copy(), np.append(level[1:], np.inf)[: len(level)]
    for places in (1, 2):
        highest[places:] = np.maximum(highest[places:], level[:-places])
        lowest[: -1 - places] = np.minimum(lowest[: -1 - places], level[1 + places :])
    lower: npt.NDArray[np.bool_] = highest - lowest >= FALL_TO_BOTTOM
    return lower


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around some places of many tracks; the columns are as in `_falls`."""

    level: Floats
    hours: Floats
    track: Integers
    places: Integers

    def __call__(self, column: Floats, step: int) -> Floats:
        """Give what a column has so many readings after each place, or before it; NaN where its track has none."""
        there, exists = self._there(step)
        return np.where(exists, column[there], np.nan)

    def near(self, step: int, within_h: float = NEIGHBOUR_H) -> Floats:
        """Give the level so many readings after each place, or before it; NaN where there is none soon enough."""
        there, exists = self._there(step)
        exists &= np.abs(self.hours[there] - self.hours[self.places]) <= within_h * max(1, step)
        return np.where(exists, self.level[there], np.nan)

    def _there(self, step: int) -> tuple[Integers, npt.NDArray[np.bool_]]:
        there = np.clip(self.places + step, 0, len(self.level) - 1)
        return there, (there == self.places + step) & (self.track[there] == self.track[self.places])


def _lasting(around: _Around, deviation: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Say by how much the level falls, and whether several readings before and after say so."""
    level, first, second, third = (around(around.level, step) for step in range(4))
    before = median_of_three(level, *_earlier(around))
    lasting = median_of_three(
        first, np.where(np.isnan(second), np.inf, second), np.where(np.isnan(third), np.inf, third)
    )
    # Where readings are rare, the bin fills between them: the second one after the fall tells enough.
    rare = around(around.hours, 2) - around(around.hours, 1) > NEIGHBOUR_H
    lasting = np.where(rare, np.maximum(first, second), lasting)
    # A crew may work while the sensor measures: the lowest level within three readings is where the fall ends.
    after = np.fmin(first, np.where(rare, np.nan, np.fmin(second, third)))
    fall = np.maximum(before, np.minimum(level, before + NEWEST_COUNTS)) - after
    to_bottom = (after <= np.maximum(BOTTOM, SAME_NOISES * deviation)) & (fall >= FALL_TO_BOTTOM)
    held = fall + after
    partial = (fall >= FALL) & (after <= LEFT_SHARE * held) | (fall >= FALL_FROM_FULL) & (after <= LEFT_OF_FULL * held)
    partial &= ~np.isnan(around(around.level, -1))
    certain = (fall >= FALL_NOISES * deviation) & (before - lasting >= np.maximum(LASTING, LASTING_NOISES * deviation))
    confirmed = lasting - after <= REFILLED_SHARE * fall
    return fall, (to_bottom | partial) & certain & confirmed


def _sudden(around: _Around, deviation: Floats) -> npt.NDArray[np.bool_]:
    """Find falls from one reading to the next that noise does not explain: both before lie above both after.

    A bin in a busy place fills so fast that three readings before and after a fall may overlap.
    """
    level, first = around.near(0), around.near(1)
    before, after = around.near(-1), np.maximum(first, around.near(2))
    overlapping = np.minimum(before, level) - after
    risen = np.where(level - before <= RISEN, level, np.nan) - after
    sudden: npt.NDArray[np.bool_] = (level - first >= SUDDEN_NOISES * deviation) & (first <= LEFT_SHARE * level)
    apart = overlapping >= np.maximum(LASTING_SUDDEN, LASTING_SUDDEN_NOISES * deviation)
    return sudden & (apart | (risen >= np.maximum(LASTING_RISEN, LASTING_RISEN_NOISES * deviation)))


def _spiked(around: _Around) -> npt.NDArray[np.bool_]:
    """Find falls to where the level was shortly before, or higher: a spike ends.

    To the bottom it may be an emptying, but for a bin that was filled at once an hour or two before.
    """
    level, first = around.near(0), around.near(1)
    one, two, three = (around.near(-step) for step in (1, 2, 3))
    after = np.maximum(first, around.near(2))
    came_back = (np.fmin(np.fmin(one, two), three) <= after) & (first > SPIKED_OVER)
    at_once: npt.NDArray[np.bool_] = (one <= after) | (two <= after) & (level - one < FALL)
    return came_back | at_once & (level - after >= SPIKED)


def _earlier(around: _Around) -> tuple[Floats, Floats]:
    """Give the two levels before each, of those that are near enough in time to say the same.

    Of two that are there the lower one is the median, and one alone is its own.
    """
    one, two = (around.near(step, BEFORE_H) for step in (-1, -2))
    return np.where(np.isnan(one), around.level[around.places], one), np.where(np.isnan(two), -np.inf, two)


def _steepest(level: Floats, fall: Floats, begin: Integers, end: Integers) -> tuple[Integers, Integers]:
    """Give the first and the last step of each stretch of places that fall, by which the level really falls.

    A stretch without such a step is a slow fall: waste that settles.
    """
    if not len(begin):
        return begin, end
    length = end - begin + 1
    starts = np.cumsum(length) - length
    place = np.repeat(begin - starts, length) + np.arange(int(length.sum()))
    share = np.repeat(STEP_SHARE * np.maximum.reduceat(fall[place], starts), length)
    steep = level[place] - level[place + 1] >= share
    first = np.minimum.reduceat(np.where(steep, place, len(level)), starts)
    last = np.maximum.reduceat(np.where(steep, place, -1), starts)
    return first[last >= 0], last[last >= 0]
