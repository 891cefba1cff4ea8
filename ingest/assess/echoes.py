"""Echoes of something else than the waste: what the other readings of a track say of each.

Waste rises slowly and falls when somebody empties the bin. A level that jumps up and comes back to where it was, or falls
and comes back, was never there. What a rule is sure of grows with the track's own noise, so that a rough sensor is not
taken for a broken one.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from ingest.assess.neighbours import beside, quantile_by_track, runs
from ingest.assess.readings import Floats, Geometry, Integers, Series

Hits = npt.NDArray[np.bool_]

# A step of this share of the depth between two readings is a jump; with a noisy sensor it takes more.
JUMP = 0.2
JUMP_NOISES = 6.0
# Two levels as close as this, or as so many standard deviations of the noise, are the same.
SAME = 0.06
SAME_NOISES = 4.0
# No sensor is less noisy than this: it reports whole millimetres, and waste is not flat.
LEAST_NOISE_MM = 4.0
# More is no noise, and few readings do not tell it.
MOST_NOISE = 0.06
NOISE_READINGS = 12
# The median of the absolute difference of two readings with normal noise, in standard deviations.
MEDIAN_DIFFERENCE = 0.954
# Neighbours further off in time prove nothing: the bin may have been filled and emptied between them.
NEIGHBOUR_H = 6.0
# An emptied bin shows this level at most, above the lowest that its track is known to come to.
NEAR_BOTTOM = 0.12
LOWEST_SHARE = 0.05
LOWEST_READINGS = 50
HIGHEST_BOTTOM = 0.15
# So many readings in a row may be spikes. Between two visits of a crew to a bin lie more hours than these.
SPIKES_IN_A_ROW = 3
SPIKES_H = 12.0
VISITS_APART_H = 4.0
# A fall that comes back after more readings than this was an emptying, and something large was thrown in.
DIP_READINGS = 5
# An echo from so many episodes is one of a fixed thing, and so are later ones at its distance.
EPISODES = 3


@dataclass(frozen=True, slots=True)
class Believed:
    """The readings of many tracks that nothing speaks against so far, and what is usual in their tracks.

    All arrays have the shape (n,).

    Attributes:
        place: in the series.
        level: 0 empty, 1 full, not clipped.
        hours: since 1970.
        track: of each; a change of geometry begins another one.
        noise: standard deviation of the level in its track.
        bottom: lowest level in its track.
    """

    place: Integers
    level: Floats
    hours: Floats
    track: Integers
    noise: Floats
    bottom: Floats

    @classmethod
    def of(cls, series: Series, geometry: Geometry, believed: Hits) -> Self:
        """Take the believed readings of a series."""
        count = len(series)
        depth_mm = np.broadcast_to(geometry.depth_mm, count)
        place = np.flatnonzero(believed)
        track = _parts(series, geometry)[place]
        level = ((geometry.empty_mm - series.distance_mm) / depth_mm)[place]
        hours = series.measured_at.astype(np.int64)[place] / 3.6e9
        least = LEAST_NOISE_MM / depth_mm[place]
        return cls(
            place, level, hours, track, np.maximum(least, noise(level, track)[track]), bottom(level, track)[track]
        )

    def where(self, kept: Hits) -> Self:
        """Give those of them that are marked, shape (n,)."""
        columns = (self.place, self.level, self.hours, self.track, self.noise, self.bottom)
        return type(self)(*(column[kept] for column in columns))

    @property
    def jump(self) -> Floats:
        """From which change on a step is a jump."""
        return np.maximum(JUMP, JUMP_NOISES * self.noise)

    @property
    def same(self) -> Floats:
        """Up to which difference two levels are the same."""
        return np.maximum(SAME, SAME_NOISES * self.noise)

    @property
    def step(self) -> Floats:
        """The change from each reading to the next; NaN where there is none soon enough."""
        near = beside(self.hours, self.track, 1) - self.hours <= NEIGHBOUR_H
        return np.where(near, beside(self.level, self.track, 1) - self.level, np.nan)


def noise(level: Floats, track: Integers) -> Floats:
    """Estimate the standard deviation of the levels of each track from their steps, whatever jumps there are."""
    step = beside(level, track, 1) - level
    known = ~np.isnan(step)
    count = int(track[-1]) + 1 if len(track) else 0
    typical = quantile_by_track(np.abs(step[known]), track[known], count, 0.5, missing=0.0) / MEDIAN_DIFFERENCE
    enough = np.bincount(track, minlength=count) >= NOISE_READINGS
    return np.where(enough, np.minimum(typical, MOST_NOISE), 0.0)


def bottom(level: Floats, track: Integers) -> Floats:
    """Give the level that an emptied bin shows in each track: 0 where the geometry is right, or little is known."""
    count = int(track[-1]) + 1 if len(track) else 0
    lowest = quantile_by_track(level, track, count, LOWEST_SHARE, missing=0.0)
    enough = np.bincount(track, minlength=count) >= LOWEST_READINGS
    return np.where(enough, np.clip(lowest, 0.0, HIGHEST_BOTTOM), 0.0)


def fixed(believed: Believed) -> Hits:
    """Find the echoes of a rim, a bag or a rod: the level jumps to the same place again and again, and comes back."""
    found = _Episodes.of(believed)
    known = found.where(found.up & found.flat & found.back & ~found.from_bottom)
    if not len(known.entry):
        return np.zeros(len(believed.level), dtype=np.bool_)
    width = believed.same / 2
    # One number a track and level: neighbours in it are the same level of the same track.
    key = believed.track * 64.0 + np.clip(believed.level, -15.0, 15.0)
    keys = np.sort(key[known.entry + 1])
    near = _between(keys, key - width, key + width) >= EPISODES
    begin, end = runs(near, believed.track)
    entered = np.append(np.nan, believed.step)[begin] > believed.jump[begin] / 2
    after = beside(believed.level, believed.track, 1)
    left = (believed.step[end] < -believed.jump[end]) & (after[end] > believed.bottom[end] + NEAR_BOTTOM)
    return _filled(begin, end, entered | left, len(near))


def spikes(believed: Believed) -> Hits:
    """Find one, two or three readings in a row that lie far to one side of those around them, which agree."""
    bad = np.zeros(len(believed.level), dtype=np.bool_)
    for length in range(1, SPIKES_IN_A_ROW + 1):
        rest = believed.where(~bad)
        first = _excursions(rest, length)
        hits = (first[:, None] + np.arange(length)).ravel()
        bad[np.flatnonzero(~bad)[hits]] = True
    return bad


def episodes(believed: Believed) -> Hits:
    """Find readings between a jump and another one back to where the level was.

    Up: whatever the sensor saw, its level did not move, and the bin was not emptied: it is not empty afterwards.
    Down: too short for an emptying, and refilled in one go to where it was.
    """
    found = _Episodes.of(believed)
    up = found.up & found.flat & found.back & ~found.from_bottom
    down = ~found.up & found.back & (found.exit - found.entry <= DIP_READINGS) & (found.lasted_h <= SPIKES_H)
    return _filled(found.entry + 1, found.exit, up | down, len(believed.level))


def newest_jumps(believed: Believed) -> Integers:
    """Give the newest reading of each track that jumped from the one before it: the next will say."""
    last = np.flatnonzero(np.append(np.diff(believed.track) != 0, True)) if len(believed.track) else believed.track
    jumped = np.abs(np.append(np.nan, believed.step)[last]) > believed.jump[last]
    return last[jumped & (beside(believed.track.astype(np.float64), believed.track, -1)[last] >= 0)]


@dataclass(frozen=True, slots=True)
class _Episodes:
    """Pairs of jumps that follow each other in opposite directions; all of shape (n,).

    Attributes:
        entry: last reading before.
        exit: last reading of the episode.
        up: whether the level jumped up.
        flat: whether it stayed where it jumped to.
        back: whether it came back to where it was; after a jump up it may have risen meanwhile.
        from_bottom: whether the bin was as good as empty before: then coming back may be an emptying.
        lasted_h: from before to after.
    """

    entry: Integers
    exit: Integers
    up: Hits
    flat: Hits
    back: Hits
    from_bottom: Hits
    lasted_h: Floats

    @classmethod
    def of(cls, believed: Believed) -> Self:
        step, level, track = believed.step, believed.level, believed.track
        jumps = np.flatnonzero(np.abs(step) > believed.jump)
        pair = (track[jumps[1:]] == track[jumps[:-1]]) & (np.sign(step[jumps[1:]]) == -np.sign(step[jumps[:-1]]))
        entry, end = jumps[:-1][pair], jumps[1:][pair]
        before, after, same = level[entry], level[end + 1], believed.same[entry]
        up = step[entry] > 0
        highest, lowest = _extremes(level, entry + 1, end)
        risen = np.where(up, np.maximum(same, (level[entry + 1] - before) / 2), same)
        return cls(
            entry=entry,
            exit=end,
            up=up,
            flat=highest - lowest <= same,
            back=(after - before >= -same) & (after - before <= risen),
            from_bottom=before <= believed.bottom[entry] + NEAR_BOTTOM,
            lasted_h=believed.hours[end + 1] - believed.hours[entry],
        )

    def where(self, kept: Hits) -> Self:
        columns = (self.entry, self.exit, self.up, self.flat, self.back, self.from_bottom, self.lasted_h)
        return type(self)(*(column[kept] for column in columns))


def _parts(series: Series, geometry: Geometry) -> Integers:
    """Number the stretches of readings that share track and geometry."""
    border = np.zeros(len(series), dtype=np.bool_)
    border[series.starts[:-1][np.diff(series.starts) > 0]] = True
    for values in (geometry.empty_mm, geometry.full_mm):
        border[1:] |= np.diff(np.broadcast_to(values, len(series))) != 0
    parts: Integers = np.cumsum(border) - 1
    return parts


def _excursions(rest: Believed, length: int) -> Integers:
    """Give the first of `length` readings that lie apart from the one before and the one after them."""
    start = np.flatnonzero(np.abs(rest.step) > rest.jump)
    start = start[start + length + 1 < len(rest.level)]
    end = start + length + 1
    start, end = start[rest.track[start] == rest.track[end]], end[rest.track[start] == rest.track[end]]
    before, after, jump = rest.level[start], rest.level[end], rest.jump[start]
    side = np.sign(rest.level[start + 1] - before)
    apart = np.ones(len(start), dtype=np.bool_)
    for place in range(1, length + 1):
        inside = rest.level[start + place]
        apart &= (side * (inside - before) > jump) & (side * (inside - after) > jump)
    lowest = np.minimum(np.minimum(before, after), rest.level[start + 1])
    empty = lowest <= rest.bottom[start] + NEAR_BOTTOM
    # A bin that was filled step by step and emptied does not jump.
    apart &= ~empty | (rest.level[start + length] - rest.level[start + 1] <= rest.same[start])
    limit_h = np.where(empty, VISITS_APART_H, SPIKES_H)
    near = (rest.hours[end] - rest.hours[start] <= limit_h) & ~np.isnan(rest.step[end - 1])
    first = start[apart & near & (np.abs(before - after) < jump / 2)] + 1
    # Two that overlap: only the earlier one.
    return first[np.diff(first, prepend=-length) >= length]


def _extremes(level: Floats, begin: Integers, end: Integers) -> tuple[Floats, Floats]:
    """Give the highest and the lowest of `level[begin..end]`, both ends included; the stretches do not overlap."""
    if not len(begin):
        return np.zeros(0), np.zeros(0)
    padded = np.append(level, level[-1])
    borders = np.column_stack([begin, end + 1]).ravel()
    return np.maximum.reduceat(padded, borders)[::2], np.minimum.reduceat(padded, borders)[::2]


def _between(keys: Floats, low: Floats, high: Floats) -> Integers:
    """Count the sorted `keys` from `low` to `high`."""
    return np.searchsorted(keys, high, side="right") - np.searchsorted(keys, low, side="left")


def _filled(begin: Integers, end: Integers, chosen: Hits, count: int) -> Hits:
    """Mark the chosen of the stretches `begin..end`, both ends included."""
    change = np.zeros(count + 1, dtype=np.int64)
    np.add.at(change, begin[chosen], 1)
    np.add.at(change, end[chosen] + 1, -1)
    marked: Hits = np.cumsum(change[:-1]) > 0
    return marked
