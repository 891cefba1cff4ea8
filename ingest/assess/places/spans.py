"""The times between the readings of a cycle, and what is known of what was thrown in meanwhile. Pure.

What cannot be known is left out and never counted as nothing: the time around an emptying, a long silence, a level that
sank so far that new waste would be hidden below the old mark.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.emptying import Emptyings
from ingest.assess.levels.readings import Floats, Geometry, Integers, Series, Times
from ingest.assess.places.envelope import envelope, smooth

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
    """What the sensors of many bins measured, and what it means; of n readings in t tracks.

    Attributes:
        bin: id of each track's bin, shape (t,).
        capacity_l: litres that its bin holds, shape (t,).
        whole: whether the track begins with the first reading that there ever was, shape (t,).
        series: the readings.
        levels: of them, 0..1, NaN where rejected, shape (n,).
        geometry: of each reading, or of all.
        emptyings: seen in them.
    """

    bin: Integers
    capacity_l: Floats
    whole: Flags
    series: Series
    levels: Floats
    geometry: Geometry
    emptyings: Emptyings


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
    kept = _believed(measured)
    track, times, levels = measured.series.track[kept], measured.series.measured_at[kept], measured.levels[kept]
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


def _believed(measured: Measured) -> Integers:
    """Give the places of the readings that count: one at most at an instant, and none while a crew worked."""
    working = np.zeros(len(measured.series) + 1, dtype=np.int64)
    np.add.at(working, measured.emptyings.before + 1, 1)
    np.add.at(working, measured.emptyings.after, -1)
    kept = np.flatnonzero(~np.isnan(measured.levels) & (np.cumsum(working[:-1]) == 0))
    track, times = measured.series.track[kept], measured.series.measured_at[kept]
    again = (np.diff(track, prepend=-1) == 0) & (np.diff(times, prepend=EVER) == np.timedelta64(0))
    return kept[np.flatnonzero(~again)]


def _begins(measured: Measured, kept: Integers, track: Integers) -> Flags:
    """Mark the readings that begin a cycle: the first of a track, after an emptying, a refit or a long silence."""
    emptied = np.zeros(len(measured.series), dtype=np.int64)
    np.add.at(emptied, measured.emptyings.after, 1)
    first = np.ones(len(kept), dtype=np.bool_)
    first[1:] = (np.diff(track) != 0) | (np.diff(measured.series.measured_at[kept]) > LONGEST_GAP)
    first[1:] |= np.diff(np.cumsum(emptied)[kept]) > 0
    for side in (measured.geometry.empty_mm, measured.geometry.full_mm):
        first[1:] |= np.diff(np.broadcast_to(side, len(measured.series))[kept]) != 0
    return first


def _whole_from(measured: Measured, times: Times, track: Integers, first: Flags) -> Times:
    """Give, by track, when its first whole cycle begins."""
    begins = np.full(len(measured.bin), np.datetime64("NaT"), dtype="datetime64[us]")
    inner = np.flatnonzero(first & (np.diff(track, prepend=-1) == 0))[::-1]
    begins[track[inner]] = times[inner]
    begins[measured.whole] = EVER
    return begins
