"""What bins did between two emptyings: when they passed each tenth of fill, and what ended it. Pure.

Forecasts and evaluations learn from cycles alone. What a cycle did not reach before it ended is censored there: nobody
knows when it would have.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.readings import Floats, Integers, Times

Levels = npt.NDArray[np.float32]
Truths = npt.NDArray[np.bool_]

MARKS = 11
"""A cycle says when its level reached 0, 0.1 ... 1.0."""
EMPTIED, GAP, OPEN = 0, 1, 2
"""What ended a cycle: an emptying, a silence after which nobody knows, or nothing yet."""

# After a silence this long the bin may have been emptied and filled again unseen.
LONGEST_SILENCE = np.timedelta64(48, "h")
# A level this little below a mark has reached it.
ROUNDING = 1e-6
# Waste that settles or is pressed down falls by no more; a reading further above the next one was another thing.
SETTLES = 0.2


@dataclass(frozen=True, slots=True)
class Cycles:
    """Cycles of many bins, sorted by bin and then by their end; all arrays have one row a cycle, shape (n,).

    Attributes:
        bin: whose cycle it is, a number of the caller's.
        began_at: datetime64[us], UTC: the emptying, or the first reading where none is known.
        ended_at: datetime64[us], UTC: the emptying, or the last reading.
        passed_s: seconds from `began_at` until the level first reached each mark, float32, shape (n, MARKS); NaN where
            it did not, or where only the level at the end is known.
        level_first: level 0..1 that the cycle began with; NaN unknown.
        level_last: level 0..1 that it ended with; NaN unknown.
        after_emptying: whether an emptying began it; else its age is not known.
        ended_by: EMPTIED, GAP or OPEN, int8.
    """

    bin: Integers
    began_at: Times
    ended_at: Times
    passed_s: Levels
    level_first: Levels
    level_last: Levels
    after_emptying: Truths
    ended_by: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.bin)

    def __getitem__(self, which: Truths | Integers | slice) -> Self:
        """Take some of the cycles, in their order."""
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put cycles of several sources together, sorted; one part at least."""
        columns = [np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)]
        together = cls(*columns)
        return together[np.lexsort((together.ended_at, together.bin))]

    @classmethod
    def empty(cls) -> "Cycles":
        """Give no cycle at all."""
        return reported(np.zeros(0, np.int64), np.zeros(0, "datetime64[us]"), np.zeros(0))

    def starts(self, bins: Integers) -> Integers:
        """Give the place of the first cycle of each of `bins`, where it stands or would stand."""
        return np.searchsorted(self.bin, bins).astype(np.int64)

    def before(self, bins: Integers, now: Times) -> Integers:
        """Count, for each of `bins`, the cycles that had ended at its `now`: places `starts` up to `starts` + count."""
        first = self.starts(bins)
        low, high = first.copy(), self.starts(bins + 1)
        while np.any(low < high):
            middle = (low + high) // 2
            ended = (low < high) & (self.ended_at[np.minimum(middle, len(self) - 1)] <= now)
            low, high = np.where(ended, middle + 1, low), np.where(ended, high, np.minimum(middle, high))
        return low - first


def as_of(cycles: Cycles, now: np.datetime64) -> Cycles:
    """Give cycles as they were known at an instant: those that had not ended by then still run.

    Of these only the last tenth that they had passed is known, so they count as halfway to the next.

    Args:
        cycles: all of which had begun.
        now: datetime64, UTC.
    """
    age_s = (now - cycles.began_at) / np.timedelta64(1, "s")
    runs = cycles.ended_at > now
    passed_s = np.where(runs[:, None] & (cycles.passed_s > age_s[:, None]), np.nan, cycles.passed_s)
    passed = np.count_nonzero(~np.isnan(passed_s), axis=1)
    level = np.where(passed > 0, np.minimum((passed - 0.5) / (MARKS - 1), 1.0), np.nan)
    return replace(
        cycles,
        ended_at=np.where(runs, now.astype("datetime64[us]"), cycles.ended_at),
        passed_s=passed_s.astype(np.float32),
        level_last=np.where(runs, level, cycles.level_last).astype(np.float32),
        ended_by=np.where(runs, OPEN, cycles.ended_by).astype(np.int8),
    )


def reported(bins: Integers, emptied_at: Times, fill_before: Floats) -> Cycles:
    """Make cycles of emptyings alone: a bin without a sensor, whose crews say how full they found it.

    Args:
        bins: whose emptying it was, shape (n,), any order.
        emptied_at: shape (n,).
        fill_before: level 0..1 as found, NaN unknown, shape (n,).

    Returns:
        A cycle from each emptying of a bin to its next.
    """
    order = np.lexsort((emptied_at, bins))
    bins, emptied_at, fill_before = bins[order], emptied_at[order], fill_before[order]
    later = np.flatnonzero(bins[1:] == bins[:-1]) + 1
    count = len(later)
    return Cycles(
        bin=bins[later].astype(np.int64),
        began_at=emptied_at[later - 1].astype("datetime64[us]"),
        ended_at=emptied_at[later].astype("datetime64[us]"),
        passed_s=np.full((count, MARKS), np.nan, dtype=np.float32),
        level_first=np.zeros(count, dtype=np.float32),
        level_last=fill_before[later].astype(np.float32),
        after_emptying=np.ones(count, dtype=np.bool_),
        ended_by=np.full(count, EMPTIED, dtype=np.int8),
    )


def cut(
    measured_at: Times,
    levels: Floats,
    starts: Integers,
    *,
    bins: Integers,
    emptied_track: Integers,
    emptied_at: Times,
    longest_silence: np.timedelta64 = LONGEST_SILENCE,
) -> Cycles:
    """Cut the levels of many tracks into cycles.

    Args:
        measured_at: of the readings of all tracks, one track after another, each oldest first, shape (n,).
        levels: 0..1, NaN where rejected, shape (n,).
        starts: `starts[i]:starts[i + 1]` are track i's readings, shape (tracks + 1,).
        bins: whose track it is, shape (tracks,).
        emptied_track: the track of each known emptying, shape (emptyings,).
        emptied_at: when it was, as the first reading after it or as the crew said, shape (emptyings,).
        longest_silence: after which a cycle counts as ended by a gap.

    Returns:
        All cycles with at least one believed level, sorted.
    """
    believed = np.flatnonzero(~np.isnan(levels))
    if not len(believed):
        return Cycles.empty()
    track = np.repeat(np.arange(len(bins)), np.diff(starts))[believed]
    times, known = measured_at[believed].astype("datetime64[us]"), levels[believed]
    emptied, closed = _emptied_before(track, times, emptied_track, emptied_at, len(bins))
    silent = np.diff(times, prepend=times[0]) > longest_silence
    begins = np.flatnonzero((np.diff(track, prepend=-1) != 0) | silent | ~np.isnat(emptied))
    ends = np.append(begins[1:], len(times)) - 1
    began_at = np.where(np.isnat(emptied[begins]), times[begins], emptied[begins])
    following = np.append(emptied[begins[1:]], np.datetime64("NaT"))
    cycles = Cycles(
        bin=bins[track[begins]].astype(np.int64),
        began_at=began_at,
        ended_at=times[ends],
        passed_s=_passed_s(times, known, begins, began_at),
        level_first=known[begins].astype(np.float32),
        level_last=known[ends].astype(np.float32),
        after_emptying=~np.isnat(emptied[begins]),
        ended_by=_ended_by(track[ends], times[ends], following, closed, longest_silence),
    )
    return cycles[np.lexsort((cycles.ended_at, cycles.bin))]


def _emptied_before(
    track: Integers, times: Times, emptied_track: Integers, emptied_at: Times, tracks: int
) -> tuple[Times, Truths]:
    """Say which reading is the first after an emptying, and when that was; and which tracks end with an emptying."""
    readings, moments = (one.astype("datetime64[ms]").astype(np.int64) for one in (times, emptied_at))
    first = min(readings.min(), moments.min(initial=readings.min()))
    span = max(readings.max(), moments.max(initial=readings.max())) - first + 1
    places = np.searchsorted(track * span + (readings - first), emptied_track * span + (moments - first))
    last = np.searchsorted(track, emptied_track, side="right")
    emptied, closed = np.full(len(times), np.datetime64("NaT", "us")), np.zeros(tracks, dtype=np.bool_)
    order = np.argsort(emptied_at, kind="stable")
    order = order[places[order] < last[order]]
    emptied[places[order]] = emptied_at[order]
    closed[emptied_track[places >= last]] = True
    return emptied, closed


def _passed_s(times: Times, levels: Floats, begins: Integers, began_at: Times) -> Levels:
    """Give the seconds until each mark was first reached; a reading that the next one denies does not count in full."""
    count = len(begins)
    cycle = np.repeat(np.arange(count), np.diff(np.append(begins, len(times))))
    following = np.append(levels[1:], levels[-1])
    last = np.append(cycle[1:] != cycle[:-1], True)
    sure = np.where(last, levels, np.minimum(levels, following + SETTLES))
    # Rounded, so that it does not matter what else is cut at the same time.
    highest = np.round(np.maximum.accumulate(sure + 2.0 * cycle) - 2.0 * cycle, 6)
    tenth = np.clip(np.floor(highest * (MARKS - 1) + ROUNDING * 10), 0, MARKS - 1).astype(np.int64)
    wanted = np.arange(count)[:, None] * MARKS + np.arange(MARKS)
    places = np.searchsorted(cycle * MARKS + tenth, wanted)
    reached = (places < len(times)) & (cycle[np.minimum(places, len(times) - 1)] == np.arange(count)[:, None])
    places = np.minimum(places, len(times) - 1)
    # Between two readings the level rose evenly; before the first of a cycle nobody knows.
    before = np.maximum(places - 1, begins[:, None])
    rise = np.maximum(highest[places] - highest[before], ROUNDING)
    share = np.clip((highest[places] - np.arange(MARKS) / (MARKS - 1)) / rise, 0.0, 1.0)
    second = np.timedelta64(1, "s")
    passed = (times[places] - began_at[:, None]) / second - share * ((times[places] - times[before]) / second)
    return np.where(reached, np.maximum(np.round(passed), 0.0), np.nan).astype(np.float32)


def _ended_by(
    track: Integers, ended_at: Times, emptied_at: Times, closed: Truths, longest_silence: np.timedelta64
) -> npt.NDArray[np.int8]:
    """Say what ended each cycle; `emptied_at` is the emptying that began the cycle after it, NaT where none did."""
    newest = np.append(track[1:] != track[:-1], True)
    by_emptying = np.where(newest, closed[track], emptied_at - ended_at <= longest_silence)
    return np.where(by_emptying, EMPTIED, np.where(newest, OPEN, GAP)).astype(np.int8)
