"""Falls of the level that mean an emptying, told from noise, from spikes that end and from waste that settles."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.believed import NEIGHBOUR_H, SAME_NOISES
from ingest.assess.levels.neighbours import median_of_three, runs
from ingest.assess.levels.readings import Floats, Integers

# A level that falls by this much, and to this part of what it was, was emptied; waste settles by less, and a sensor
# that is knocked shows less, too.
FALL = 0.1
LEFT_SHARE = 0.7
FALL_FROM_FULL = 0.16
LEFT_OF_FULL = 0.85
# A fall to the very bottom counts from this much on: somebody emptied a bin that held little.
FALL_TO_BOTTOM = 0.05
BOTTOM = 0.06
# After the first reading of all, which nothing confirms, only a deep fall counts that ends near the bottom.
FIRST_FALL, FIRST_BOTTOM = 0.2, 0.1
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


def find_falls(level: Floats, hours: Floats, track: Integers, deviation: Floats) -> tuple[Integers, Integers]:
    """Find the falls by which bins were emptied.

    Args:
        level: of the readings of many tracks that can be believed, shape (n,), none NaN.
        hours: since 1970, of each.
        track: of each, ascending.
        deviation: standard deviation of the levels around each.

    Returns:
        The last reading before each fall, and the last one that it falls after: it ends with the next. Both of shape
        (falls,), ascending.
    """
    fall, emptied = np.zeros(len(level)), np.zeros(len(level), dtype=np.bool_)
    lower = np.flatnonzero(_is_lower_soon(level))
    around = _Around(level, hours, track, lower)
    fall[lower], emptied[lower] = _lasting(around, deviation[lower])
    steep = lower[level[lower] - level[lower + 1] >= SUDDEN]
    emptied[steep[_sudden(_Around(level, hours, track, steep), deviation[steep])]] = True
    found = np.flatnonzero(emptied)
    emptied[found[_spiked(_Around(level, hours, track, found))]] = False
    return _steepest(level, fall, *runs(emptied, track))


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
    """What stands around some places of many tracks; the columns are as in `find_falls`."""

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
    partial &= ~np.isnan(around(around.level, -1)) | (fall >= FIRST_FALL) & (after <= FIRST_BOTTOM)
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
