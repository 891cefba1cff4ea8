"""The times between the readings of a cycle, and what is known of what was thrown in meanwhile. Pure.

What cannot be known is left out and never counted as nothing: the time around an emptying, a long silence, a level that
sank so far that new waste would be hidden below the old mark.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.envelope import envelope, smooth
from ingest.assess.readings import Floats, Geometry, Integers, Times

# Readings so close tell in which hour something was thrown in; between others a rise is spread over the hours.
OBSERVED_STEP = np.timedelta64(150, "m")
# In a longer silence a bin may have been filled and emptied.
LONGEST_GAP = np.timedelta64(48, "h")
# A bin takes no more above this level.
FULL = 0.97
# A level that sank by more than this below what it was hides what is thrown in.
HIDDEN = 0.1
# Before any reading.
EVER = np.datetime64("1970-01-01T00:00:00", "us")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Measured:
    """What the sensors of many bins measured, track after track, each oldest first; t tracks, n readings, e emptyings.

    Attributes:
        bin: id of each track's bin, shape (t,).
        capacity_l: litres that its bin holds, shape (t,).
        whole: whether the track begins with the first reading that there ever was, shape (t,).
        starts: the readings of track i are `starts[i]:starts[i + 1]`, shape (t + 1,).
        measured_at: datetime64[us], UTC, shape (n,).
        levels: 0..1, NaN where the reading was rejected, shape (n,).
        geometry: of each reading, or of all.
        emptied_track: which track saw an emptying, shape (e,).
        not_before: datetime64[us], UTC, of the last reading before it, shape (e,).
        emptied_at: datetime64[us], UTC, of the first reading after it, shape (e,).
    """

    bin: Integers
    capacity_l: Floats
    whole: Flags
    starts: Integers
    measured_at: Times
    levels: Floats
    geometry: Geometry
    emptied_track: Integers
    not_before: Times
    emptied_at: Times


@dataclass(frozen=True, slots=True)
class Spans:
    """The times between believed readings that follow each other in one cycle, shape (s,), by track and time.

    Attributes:
        track: whose readings.
        begin: datetime64[us], UTC.
        end: datetime64[us], UTC, after `begin`.
        litres: thrown in meanwhile.
        spread: the readings lie too far apart to tell when.
        full: the bin was full all the time.
        whole_from: datetime64[us], UTC, of each track, shape (t,): what came later is explained by the readings at
            hand; NaT where nothing is.
    """

    track: Integers
    begin: Times
    end: Times
    litres: Floats
    spread: Flags
    full: Flags
    whole_from: Times


def spans_of(measured: Measured) -> Spans:
    """Find the times of which something is known, and how much was thrown in."""
    kept, track = _believed(measured)
    times, levels = measured.measured_at[kept], measured.levels[kept]
    first = _begins(measured, kept, track)
    height, level = envelope(levels, first), smooth(levels, first)
    at = np.flatnonzero(~first[1:] & (height[1:] - level[1:] <= HIDDEN))
    return Spans(
        track=track[at],
        begin=times[at],
        end=times[at + 1],
        litres=(height[at + 1] - height[at]) * measured.capacity_l[track[at]],
        spread=times[at + 1] - times[at] > OBSERVED_STEP,
        full=np.minimum(level[at], level[at + 1]) >= FULL,
        whole_from=_whole_from(measured, times, track, first),
    )


def _believed(measured: Measured) -> tuple[Integers, Integers]:
    """Give the readings that count, one at most at an instant and none while a crew worked, and the track of each."""
    kept = np.flatnonzero(~np.isnan(measured.levels))
    track = np.searchsorted(measured.starts, kept, side="right") - 1
    key = _key(track, measured.measured_at[kept], measured)
    before = np.searchsorted(key, _key(measured.emptied_track, measured.not_before, measured), side="right")
    after = np.searchsorted(key, _key(measured.emptied_track, measured.emptied_at, measured))
    working = np.zeros(len(kept) + 1, dtype=np.int64)
    np.add.at(working, before, 1)
    np.add.at(working, np.maximum(before, after), -1)
    counts = (np.cumsum(working[:-1]) == 0) & (np.diff(key, prepend=-1) > 0)
    return kept[counts], track[counts]


def _begins(measured: Measured, kept: Integers, track: Integers) -> Flags:
    """Mark the readings that begin a cycle: the first of a track, after an emptying, a refit or a long silence."""
    times = measured.measured_at[kept]
    first = np.ones(len(kept), dtype=np.bool_)
    first[1:] = (np.diff(track) != 0) | (np.diff(times) > LONGEST_GAP)
    for side in (measured.geometry.empty_mm, measured.geometry.full_mm):
        first[1:] |= np.diff(np.broadcast_to(side, len(measured.levels))[kept]) != 0
    emptied = _key(measured.emptied_track, measured.emptied_at, measured)
    places = np.searchsorted(_key(track, times, measured), emptied)
    seen = places < len(kept)
    places, by = places[seen], measured.emptied_track[seen]
    first[places[track[places] == by]] = True
    return first


def _whole_from(measured: Measured, times: Times, track: Integers, first: Flags) -> Times:
    """Give, by track, when its first whole cycle begins."""
    begins = np.full(len(measured.bin), np.datetime64("NaT"), dtype="datetime64[us]")
    inner = np.flatnonzero(first & (np.diff(track, prepend=-1) == 0))[::-1]
    begins[track[inner]] = times[inner]
    begins[measured.whole] = EVER
    return begins


def _key(track: Integers, times: Times, measured: Measured) -> Integers:
    """Give numbers that ascend by track and time: milliseconds, with room for each track."""
    if not len(measured.measured_at):
        return track
    begin, end = measured.measured_at.min(), measured.measured_at.max()
    room = int((end - begin).astype("timedelta64[ms]").astype(np.int64)) + 2
    key: Integers = track * room + np.clip((times - begin).astype("timedelta64[ms]").astype(np.int64), 0, room - 1)
    return key
