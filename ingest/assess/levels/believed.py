"""The readings of many tracks that nothing speaks against so far, and what is usual in their tracks."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.neighbours import beside
from ingest.assess.levels.readings import Floats, Geometry, Integers, Series

Hits = npt.NDArray[np.bool_]

# A step of this share of the depth between two readings is a jump; with a noisy sensor it takes more.
JUMP = 0.1
JUMP_NOISES = 6.0
# Two levels as close as this, or as so many standard deviations of the noise, are the same.
SAME = 0.04
SAME_NOISES = 4.0
# No sensor is less noisy than this: it reports whole millimetres, and waste is not flat.
LEAST_NOISE_MM = 4.0
# Where few readings tell it, it is taken to be more than that of a good sensor.
UNKNOWN_NOISE = 0.015
NOISE_READINGS = 6
# What is thrown in makes levels rise, and an emptying makes them fall for good: only a dip, which comes back at once,
# shows the noise. Of normal noise a sixth of all readings lies so many standard deviations below both its neighbours.
SIXTH_DIP = 0.69
DIPS = np.array([0.0, 0.002, 0.004, 0.006, 0.009, 0.013, 0.018, 0.025, 0.035, 0.05])
# So many days before a reading's own tell its noise.
NOISE_DAYS = 7
# A fixed thing is seen at a distance that changes by this much, because sound is slower in the cold.
FIXED_MM = 15.0
# Neighbours further off in time prove nothing: the bin may have been filled and emptied between them.
NEIGHBOUR_H = 6.0


@dataclass(frozen=True)
class Believed:
    """The readings of many tracks that nothing speaks against so far.

    Attributes:
        place: in the series, shape (n,).
        level: 0 empty, 1 full, not clipped, shape (n,).
        hours: since 1970, shape (n,).
        track: of each, shape (n,); a change of geometry begins another one.
        noise: standard deviation of the level, as the days before showed it, shape (n,).
        depth_mm: from the bottom to the full mark, shape (n,).
    """

    place: Integers
    level: Floats
    hours: Floats
    track: Integers
    noise: Floats
    depth_mm: Floats

    @classmethod
    def of(cls, series: Series, geometry: Geometry, believed: Hits) -> Self:
        """Take the believed readings of a series."""
        place = np.flatnonzero(believed)
        depth_mm = np.broadcast_to(geometry.depth_mm, len(series))[place]
        empty_mm = np.broadcast_to(geometry.empty_mm, len(series))[place]
        level = (empty_mm - series.distance_mm[place]) / depth_mm
        hours = series.measured_at.astype(np.int64)[place] / 3.6e9
        track = _parts(series, geometry)[place]
        usual = noise(steps(level, hours, track), hours, track)
        return cls(place, level, hours, track, np.maximum(usual, LEAST_NOISE_MM / depth_mm), depth_mm)

    def where(self, kept: Hits) -> Self:
        """Give those of them that are marked, shape (n,)."""
        if kept.all():
            return self
        at = np.flatnonzero(kept)
        return type(self)(
            self.place.take(at),
            self.level.take(at),
            self.hours.take(at),
            self.track.take(at),
            self.noise.take(at),
            self.depth_mm.take(at),
        )

    def noise_anew(self, before: "Believed") -> Floats:
        """Estimate the noise once more: among the readings that are left there are fewer strangers, shape (n,).

        Args:
            before: what there was, with its noise; only tracks that lost some of it have another one now.
        """
        lost = np.bincount(before.track) != np.bincount(self.track, minlength=int(before.track.max(initial=-1)) + 1)
        at = np.flatnonzero(lost[self.track])
        usual = noise(self.step[at], self.hours[at], self.track[at])
        anew = self.noise.copy()
        anew[at] = np.maximum(usual, LEAST_NOISE_MM / self.depth_mm[at])
        return anew

    @cached_property
    def jump(self) -> Floats:
        """From which change on a step is a jump, shape (n,)."""
        return np.maximum(JUMP, JUMP_NOISES * self.noise)

    @cached_property
    def same(self) -> Floats:
        """Up to which difference two levels are the same, shape (n,)."""
        return np.maximum(SAME, SAME_NOISES * self.noise)

    @cached_property
    def fixed_width(self) -> Floats:
        """Up to which difference two echoes come from the same fixed thing, shape (n,)."""
        return FIXED_MM / self.depth_mm

    @cached_property
    def step(self) -> Floats:
        """The change from each reading to the next, shape (n,); NaN where there is none soon enough."""
        return steps(self.level, self.hours, self.track)

    @cached_property
    def jumps(self) -> Integers:
        """The readings after which the level jumps, ascending, shape (jumps,)."""
        return np.flatnonzero(np.abs(self.step) > self.jump)


def noise(step: Floats, hours: Floats, track: Integers) -> Floats:
    """Estimate the standard deviation of the levels around each reading from how they dipped in the days before.

    Only whole days (UTC) before a reading's own count, and only NOISE_DAYS of them: readings that come later
    change nothing.

    Args:
        step: from each reading to the next, shape (n,); NaN where there is none.
        hours: since 1970, of each reading.
        track: of each, ascending.

    Returns:
        Shape (n,).
    """
    if not len(step):
        return np.zeros(0)
    # Exact for whole microseconds, and many times as fast as `floor_divide`.
    day = np.floor(hours / 24.0)
    begins = np.flatnonzero(np.append(True, (np.diff(track) != 0) | (np.diff(day) != 0)))
    readings = np.diff(np.append(begins, len(step)))
    group = np.repeat(np.arange(len(begins)), readings)
    days, tracks = day[begins], track[begins]
    # From the one before to this one, and from this one to the one after.
    dip = np.minimum(-np.append(np.nan, step[:-1]), step)
    known = readings - np.bincount(group[np.isnan(dip)], minlength=len(days))
    # How many dips are deeper than each depth; the noise is told by the depth that a sixth of them exceed.
    places = np.flatnonzero(dip > DIPS[0])
    depths = np.searchsorted(DIPS, dip[places]) - 1
    by_depth = np.bincount(depths * len(days) + group[places], minlength=len(DIPS) * len(days)).reshape(len(DIPS), -1)
    deeper = np.cumsum(by_depth[::-1], axis=0)[::-1]
    near = _near_days(days, tracks, np.vstack([known, deeper]).astype(float))
    counts = near[0]
    told = _depth_exceeded(near[1:], counts / 6) / SIXTH_DIP
    usual: Floats = np.where(counts >= NOISE_READINGS, told, UNKNOWN_NOISE)[group]
    return usual


def _near_days(days: Floats, tracks: Integers, values: Floats) -> Floats:
    """Sum, for each day with readings, what there is of the days before that count for it; shape (..., days)."""
    total = np.zeros(values.shape)
    for back in range(1, NOISE_DAYS + 1):
        near = (tracks[back:] == tracks[:-back]) & (days[back:] - days[:-back] <= NOISE_DAYS)
        total[..., back:] += np.where(near, values[..., :-back], 0.0)
    return total


def _depth_exceeded(deeper: Floats, wanted: Floats) -> Floats:
    """Give the depth that so many dips exceed, between the depths of DIPS, shape (n,).

    Args:
        deeper: dips that are deeper than each of DIPS, shape (len(DIPS), n).
        wanted: shape (n,).
    """
    place = (deeper > wanted).sum(axis=0)
    low, high = np.clip(place - 1, 0, len(DIPS) - 1), np.clip(place, 0, len(DIPS) - 1)
    each = np.arange(len(wanted))
    more, less = deeper[low, each], deeper[high, each]
    share = np.divide(more - wanted, more - less, out=np.zeros(len(wanted)), where=more > less)
    depth: Floats = DIPS[low] + np.clip(share, 0.0, 1.0) * (DIPS[high] - DIPS[low])
    return depth


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
