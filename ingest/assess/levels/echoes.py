"""Echoes of something else than the waste: what the other readings of a track say of each.

Waste rises slowly and falls when somebody empties the bin. A level that jumps up and comes back to where it was, or
that falls and comes back, was never there. What it takes grows with the track's own noise: a rough sensor is not a
broken one.
"""

import numpy as np

from ingest.assess.levels.believed import Believed, Hits
from ingest.assess.levels.episodes import NEAR_BOTTOM, Episodes
from ingest.assess.levels.neighbours import beside, runs
from ingest.assess.levels.readings import Integers

# So many readings in a row may be spikes. Between two visits of a crew to a bin lie more hours than these.
SPIKES_IN_A_ROW = 3
SPIKES_H = 12.0
VISITS_APART_H = 4.0
# What rises step by step, by no more than this between readings, is waste: it was filled, and emptied.
RAMP = 0.2
# A level of not more than this is that of an emptied bin.
EMPTIED = 0.05
# A fall that comes back after more readings than this was an emptying, and something large was thrown in.
DIP_READINGS = 5
REFILLED_AT_ONCE = 0.3
# An echo from so many episodes is one of a fixed thing, and so are others at its distance soon before or after.
# From an empty bin it takes more of them: it may have been filled and emptied.
EPISODES, EPISODES_FROM_BOTTOM = 1, 3
SEEN_BEFORE_H, SEEN_AFTER_H = 48.0, 6.0
# A place from which so many came in the last weeks, and this part of all, is one of a fixed thing, too.
KNOWN_H, KNOWN_EPISODES, KNOWN_SHARE = 30 * 24.0, 4, 0.2
# So far below the bottom no soft bag lets a sensor see so often.
BELOW_BOTTOM, BELOW_READINGS = 0.06, 4
# A sensor that sees a full bin says the same whatever lies before it.
FULL = 0.97
# More places than an echo can come from, and more hours than there are.
SHELVES, HOURS = 1024, 1_000_000.0


def fixed(believed: Believed) -> Hits:
    """Find the echoes of a rim, a bag or a rod: the level jumps to the same place again and again, and comes back.

    Waste may lie at that height, too; then the level does not jump there.
    """
    found = Episodes.of(believed)
    narrow = found.up & (found.height <= 2 * believed.fixed_width[found.entry])
    sure = narrow & found.back & ~found.from_bottom
    near = _seen(believed, found, sure) >= EPISODES
    near |= _known(believed, found, narrow & found.brief & (believed.level[found.entry + 1] < FULL))
    empty = narrow & found.from_bottom & (believed.level[found.entry + 1] < FULL)
    near |= _seen(believed, found, empty) >= EPISODES_FROM_BOTTOM
    if not near.any():
        return near
    begin, end = runs(near, believed.track)
    step = believed.step
    entry = np.append(np.nan, step)[begin]
    jumped = np.abs(entry) > believed.jump[begin] / 2
    # How it began is not known: then how it ended must tell.
    jumped |= np.isnan(entry) & (step[end] < -believed.jump[end])
    return _filled(begin, end, jumped, len(near))


def spikes(believed: Believed) -> Hits:
    """Find one, two or three readings in a row that lie far to one side of those around them, which agree.

    Where a reading lies above its neighbours and they lie below theirs, it is the stranger: sensors see a rim or a bag
    before the waste far more often than something behind it.
    """
    bad = np.zeros(len(believed.level), dtype=np.bool_)
    rest, places = believed, np.arange(len(bad))
    for length in range(1, SPIKES_IN_A_ROW + 1):
        kept = np.ones(len(places), dtype=np.bool_)
        above, below, mixed = (_excursions(rest, length, side) for side in (1, -1, 0))
        kept[above[:, None] + np.arange(length)] = False
        kept[mixed[:, None] + np.arange(length)] = False
        below = below[kept[below[:, None] + np.arange(-1, length + 1)].all(axis=1)]
        kept[below[:, None] + np.arange(length)] = False
        if not kept.all():
            bad[places[~kept]] = True
            rest, places = rest.where(kept), places[kept]
    return bad


def came_back(believed: Believed) -> Hits:
    """Find readings between a jump and another one back to where the level was.

    Up: whatever the sensor saw, its level did not move, and the bin was not emptied: it is not empty afterwards.
    Down: too short for an emptying, and refilled in one go to where it was.
    """
    found = Episodes.of(believed)
    up = found.up & found.still & found.back & ~found.from_bottom
    short = (found.exit - found.entry <= DIP_READINGS) & (found.lasted_h <= SPIKES_H)
    rise = believed.step[found.exit]
    down = ~found.up & found.still & found.back & short & found.stays & (rise >= REFILLED_AT_ONCE)
    return _filled(found.entry + 1, found.exit, up | down, len(believed.level))


def below_bottom(believed: Believed) -> Hits:
    """Find readings in a row that lie below the bottom: the sensor was knocked, or its calibration is wrong."""
    begin, end = runs(believed.level < -BELOW_BOTTOM, believed.track)
    return _filled(begin, end, end - begin + 1 >= BELOW_READINGS, len(believed.level))


def newest_jumps(believed: Believed) -> Integers:
    """Give the newest reading of each track that jumped from the one before it: the next will say."""
    last = np.flatnonzero(np.append(np.diff(believed.track) != 0, True)) if len(believed.track) else believed.track
    jumped = np.abs(np.append(np.nan, believed.step)[last]) > believed.jump[last]
    newest: Integers = last[jumped & (beside(believed.track.astype(np.float64), believed.track, -1)[last] >= 0)]
    return newest


def _excursions(rest: Believed, length: int, side: int) -> Integers:
    """Give the first of `length` readings that lie far from the one before and the one after.

    Args:
        rest: where to look.
        length: how many.
        side: all of them above (1) or below (-1), or below at first and then above (0): the other way round it may have
            been filled, emptied and filled again.
    """
    start = rest.jumps[(rest.step[rest.jumps] > 0) == (side == 1)]
    start = start[start + length + 1 < len(rest.level)]
    end = start + length + 1
    start, end = start[rest.track[start] == rest.track[end]], end[rest.track[start] == rest.track[end]]
    before, after, jump = rest.level[start], rest.level[end], rest.jump[start]
    apart, above = np.ones(len(start), dtype=np.bool_), np.zeros(len(start), dtype=np.int64)
    for place in range(1, length + 1):
        inside = rest.level[start + place]
        higher = inside > before
        apart &= (np.abs(inside - before) > jump) & (np.abs(inside - after) > jump) & (higher == (inside > after))
        above += higher
    apart &= np.isin(above, {1: (length,), -1: (0,), 0: range(1, length)}[side])
    lowest = np.minimum(np.minimum(before, after), rest.level[start + 1])
    empty = lowest <= NEAR_BOTTOM
    # A bin that was filled step by step and emptied does not jump.
    last_step = rest.level[start + length] - rest.level[start + 1]
    apart &= ~empty | (last_step <= rest.same[start])
    if side == 1 and length > 1:
        apart &= ~((rest.step[start] <= RAMP) & (last_step > rest.same[start]) & (last_step <= (length - 1) * RAMP))
    if side == -1 and length > 1:
        # A bin that held little, was emptied and filled again.
        apart &= (rest.level[start + 1] > EMPTIED) | (after - rest.level[start + length] > RAMP)
    limit_h = np.where(empty, VISITS_APART_H, SPIKES_H)
    near = (rest.hours[end] - rest.hours[start] <= limit_h) & ~np.isnan(rest.step[end - 1])
    first = start[apart & near & (np.abs(before - after) < jump / 2)] + 1
    # Two that overlap: only the earlier one.
    apart_enough: Integers = first[np.diff(first, prepend=-length) >= length]
    return apart_enough


def _known(believed: Believed, found: Episodes, sure: Hits) -> Hits:
    """Find the readings at places of which the last weeks have shown that something fixed is there."""
    at_place = _seen(believed, found, sure, KNOWN_H)
    known: Hits = at_place >= KNOWN_EPISODES
    if known.any():
        # Where there are many spikes, some of them are at one place.
        ended = np.sort((believed.track * HOURS + believed.hours)[found.exit[sure] + 1])
        now = believed.track * HOURS + believed.hours
        count = np.searchsorted(ended, now + SEEN_AFTER_H) - np.searchsorted(ended, now - KNOWN_H)
        known &= at_place >= KNOWN_SHARE * count
    return known


def _seen(believed: Believed, found: Episodes, chosen: Hits, before_h: float = SEEN_BEFORE_H) -> Integers:
    """Count for each reading the chosen episodes at its own place in its track that ended soon before or after it."""
    count = np.zeros(len(believed.level), dtype=np.int64)
    if not chosen.any():
        return count
    tracks = np.zeros(int(believed.track[-1]) + 1, dtype=np.bool_)
    tracks[believed.track[found.entry[chosen]]] = True
    looked = np.flatnonzero(tracks[believed.track])
    # Places are counted by the width of a fixed echo, and one number holds track, place and time.
    place = np.clip(np.rint(believed.level / believed.fixed_width), 1 - SHELVES // 2, SHELVES // 2)
    now = (believed.track * SHELVES + place) * HOURS
    ended = np.sort(now[found.entry[chosen] + 1] + believed.hours[found.exit[chosen] + 1])
    now = now[looked] + believed.hours[looked]
    for next_to in (-HOURS, 0.0, HOURS):
        last = np.searchsorted(ended, now + next_to + SEEN_AFTER_H)
        count[looked] += last - np.searchsorted(ended, now + next_to - before_h)
    return count


def _filled(begin: Integers, end: Integers, chosen: Hits, count: int) -> Hits:
    """Mark the chosen of the stretches `begin..end`, both ends included."""
    change = np.zeros(count + 1, dtype=np.int64)
    np.add.at(change, begin[chosen], 1)
    np.add.at(change, end[chosen] + 1, -1)
    marked: Hits = np.cumsum(change[:-1]) > 0
    return marked
