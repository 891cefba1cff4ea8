"""The readings of many tracks that nothing speaks against so far, and what is usual in their tracks."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from ingest.assess.neighbours import beside, quantiles_by_track
from ingest.assess.readings import Floats, Geometry, Integers, Series

Hits = npt.NDArray[np.bool_]

# A step of this share of the depth between two readings is a jump; with a noisy sensor it takes more.
JUMP = 0.1
JUMP_NOISES = 6.0
# Two levels as close as this, or as so many standard deviations of the noise, are the same.
SAME = 0.04
SAME_NOISES = 4.0
# No sensor is less noisy than this: it reports whole millimetres, and waste is not flat.
LEAST_NOISE_MM = 4.0
# More is no noise, and few readings do not tell it.
MOST_NOISE = 0.06
NOISE_READINGS = 12
# With normal noise one step of four lies this many standard deviations below the median step, and one of twenty falls by
# more than the other number of them. What is thrown in only makes steps larger: the smaller half shows the noise.
LOWER_MIDDLE, LARGE_FALL = 0.954, 2.33
# A fixed thing is seen at a distance that changes by this much, because sound is slower in the cold.
FIXED_MM = 15.0
# Neighbours further off in time prove nothing: the bin may have been filled and emptied between them.
NEIGHBOUR_H = 6.0
# What an emptied bin shows: the least that one of twenty readings shows, where there are enough to say so.
LOWEST_SHARE = 0.05
LOWEST_READINGS = 50
HIGHEST_BOTTOM = 0.15


@dataclass(frozen=True)
class Believed:
    """The readings of many tracks that nothing speaks against so far.

    Attributes:
        place: in the series, shape (n,).
        level: 0 empty, 1 full, not clipped, shape (n,).
        hours: since 1970, shape (n,).
        track: of each, shape (n,); a change of geometry begins another one.
        noise: standard deviation of the level, shape (tracks,).
        bottom: level of the emptied bin, shape (tracks,).
        depth_mm: from the bottom to the full mark, shape (tracks,).
    """

    place: Integers
    level: Floats
    hours: Floats
    track: Integers
    noise: Floats
    bottom: Floats
    depth_mm: Floats

    @classmethod
    def of(cls, series: Series, geometry: Geometry, believed: Hits) -> Self:
        """Take the believed readings of a series."""
        depths_mm = np.broadcast_to(geometry.depth_mm, len(series))
        place = np.flatnonzero(believed)
        track = _parts(series, geometry)[place]
        level = ((geometry.empty_mm - series.distance_mm) / depths_mm)[place]
        count = int(track[-1]) + 1 if len(track) else 0
        depth_mm = np.ones(count)
        depth_mm[track] = depths_mm[place]
        hours = series.measured_at.astype(np.int64)[place] / 3.6e9
        usual, _ = noise(steps(level, hours, track), track, count)
        usual = np.maximum(usual, LEAST_NOISE_MM / depth_mm)
        return cls(place, level, hours, track, usual, bottom(level, track, count), depth_mm)

    def where(self, kept: Hits) -> Self:
        """Give those of them that are marked, shape (n,)."""
        if kept.all():
            return self
        return replace(
            self, place=self.place[kept], level=self.level[kept], hours=self.hours[kept], track=self.track[kept]
        )

    @cached_property
    def jump(self) -> Floats:
        """From which change on a step is a jump, shape (n,)."""
        return np.maximum(JUMP, JUMP_NOISES * self.noise)[self.track]

    @cached_property
    def same(self) -> Floats:
        """Up to which difference two levels are the same, shape (n,)."""
        return np.maximum(SAME, SAME_NOISES * self.noise)[self.track]

    @cached_property
    def fixed_width(self) -> Floats:
        """Up to which difference two echoes come from the same fixed thing, shape (n,)."""
        return (FIXED_MM / self.depth_mm)[self.track]

    @cached_property
    def step(self) -> Floats:
        """The change from each reading to the next, shape (n,); NaN where there is none soon enough."""
        return steps(self.level, self.hours, self.track)

    def near_bottom(self, places: Integers, least: float) -> Hits:
        """Say whether readings show as good as an empty bin: up to `least` above its bottom."""
        hits: Hits = self.level[places] <= self.bottom[self.track[places]] + least
        return hits


def noise(step: Floats, track: Integers, track_count: int) -> tuple[Floats, Floats]:
    """Estimate the standard deviation of the levels of each track from their steps, whatever jumps there are.

    Args:
        step: from each reading to the next, shape (n,); NaN where there is none.
        track: of each, ascending.
        track_count: how many tracks there are.

    Returns:
        From the smaller half of the steps, and from the largest falls but one of twenty: the same for normal noise; both
        of shape (tracks,), 0 where there are too few readings to tell.
    """
    known = np.flatnonzero(~np.isnan(step))
    low, quarter, half = quantiles_by_track(step[known], track[known], track_count, (0.05, 0.25, 0.5), missing=0.0)
    counts = np.bincount(track[known], minlength=track_count)
    middle = np.where(counts >= NOISE_READINGS, (half - quarter) / LOWER_MIDDLE, 0.0)
    falls = np.where(counts >= LOWEST_READINGS, np.maximum(-low, 0.0) / LARGE_FALL, 0.0)
    return np.minimum(middle, MOST_NOISE), falls


def bottom(level: Floats, track: Integers, track_count: int) -> Floats:
    """Give the level that an emptied bin shows in each track: 0 where the geometry is right, or little is known."""
    [lowest] = quantiles_by_track(level, track, track_count, (LOWEST_SHARE,), missing=0.0)
    enough = np.bincount(track, minlength=track_count) >= LOWEST_READINGS
    return np.where(enough, np.clip(lowest, 0.0, HIGHEST_BOTTOM), 0.0)


def steps(level: Floats, hours: Floats, track: Integers) -> Floats:
    """Give the change from each reading to the next, shape (n,); NaN where there is none soon enough."""
    step = beside(level, track, 1) - level
    step[:-1][np.diff(hours) > NEIGHBOUR_H] = np.nan
    return step


def _parts(series: Series, geometry: Geometry) -> Integers:
    """Number the stretches of readings that share track and geometry."""
    border = np.zeros(len(series), dtype=np.bool_)
    border[series.starts[:-1][np.diff(series.starts) > 0]] = True
    for values in (geometry.empty_mm, geometry.full_mm):
        border[1:] |= np.diff(np.broadcast_to(values, len(series))) != 0
    parts: Integers = np.cumsum(border) - 1
    return parts
