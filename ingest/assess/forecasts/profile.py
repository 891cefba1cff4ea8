"""When waste comes: how busy each hour of the week is, and the clock of use that runs by it. Pure.

By day a bin fills and at night it rests. Measured on a clock that runs fast in busy hours and slowly in quiet ones, a
bin fills evenly, so what took a past cycle eight hours of an afternoon can be compared with a night.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.readings import Floats, Integers, Times

HOURS = 168
HOUR_S = 3600.0
_HOUR = np.timedelta64(1, "h")
# Even the quietest hour counts a little: the clock never stands still.
QUIETEST = 0.1
# What is known before anything was measured: a pool's hours are equal until each was seen this many hours long.
PRIOR_HOURS = 24.0
# A rise over more hours than this says nothing about the single hour.
LONGEST_STEP_H = 26
# A level that falls by less than this settled, or was measured a little differently.
FALL_NOISE = 0.1


@dataclass(frozen=True, slots=True)
class Tally:
    """What came in each hour of the week, Monday 00:00 local time first; both have the shape (pools, HOURS).

    Attributes:
        gained: levels gained, in bins.
        hours: hours that bins were watched.
    """

    gained: Floats
    hours: Floats

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.gained + other.gained, self.hours + other.hours)

    def weights(self) -> Floats:
        """Say how busy each hour is against the mean hour, shape (pools, HOURS); each pool's mean is 1."""
        mean = self.gained.sum(axis=1, keepdims=True) / np.maximum(self.hours.sum(axis=1, keepdims=True), 1.0)
        expected = np.where(mean > 0, mean, 1.0)
        rate = (self.gained + PRIOR_HOURS * expected) / (self.hours + PRIOR_HOURS)
        busy = np.maximum(rate / rate.mean(axis=1, keepdims=True), QUIETEST)
        weights: Floats = busy / busy.mean(axis=1, keepdims=True)
        return weights


def tally(measured_at: Times, levels: Floats, track_pool: Integers, starts: Integers, *, zone: ZoneInfo) -> Tally:
    """Count in which hours of the week bins fill.

    A rise between two readings is shared out evenly over the hours between them; a fall beyond noise is an emptying.

    Args:
        measured_at: of the readings of many tracks, one track after another, each oldest first, shape (n,).
        levels: 0..1, NaN where rejected, shape (n,).
        track_pool: the pool of each track, 0 and up, shape (tracks,).
        starts: `starts[i]:starts[i + 1]` are track i's readings, shape (tracks + 1,).
        zone: whose clocks people live by.
    """
    pools = int(track_pool.max(initial=0)) + 1
    nothing = np.zeros((pools, HOURS))
    believed = np.flatnonzero(~np.isnan(levels))
    track = np.repeat(np.arange(len(track_pool)), np.diff(starts))[believed]
    times, known = measured_at[believed], levels[believed]
    rise, step = np.diff(known), np.diff(times) / _HOUR
    used = np.flatnonzero((track[1:] == track[:-1]) & (step > 0) & (step <= LONGEST_STEP_H) & (rise > -FALL_NOISE))
    if not len(used):
        return Tally(nothing, nothing)
    first = times[used].astype("datetime64[h]")
    hour = hour_of_week(first, zone)
    start = (times[used] - first) / _HOUR
    gained, hours = np.zeros(pools * HOURS), np.zeros(pools * HOURS)
    base = track_pool[track[used]] * HOURS
    for later in range(int(np.ceil((start + step[used]).max()))):
        inside = np.clip(np.minimum(start + step[used], later + 1) - np.maximum(start, later), 0.0, None)
        place = base + (hour + later) % HOURS
        gained += np.bincount(place, inside / step[used] * rise[used], pools * HOURS)
        hours += np.bincount(place, inside, pools * HOURS)
    return Tally(np.maximum(gained, 0.0).reshape(pools, HOURS), hours.reshape(pools, HOURS))


def hour_of_week(hours: Times, zone: ZoneInfo) -> Integers:
    """Count the hours since Monday 00:00 on the clocks of `zone`; `hours` are UTC, any precision."""
    since = hours.astype("datetime64[h]").astype(np.int64)
    known, places = np.unique(since, return_inverse=True)
    local = [datetime.fromtimestamp(int(hour) * 3600, UTC).astimezone(zone) for hour in known]
    return np.array([moment.weekday() * 24 + moment.hour for moment in local], dtype=np.int64)[places]


class Clock:
    """The clock of use of each pool: it runs at the pace of the hour's weight, over a span of time.

    Args:
        weights: of each hour of the week, mean 1, shape (pools, HOURS).
        zone: whose clocks people live by.
        first: the span begins here; before it, and after `last`, every hour counts 1.
        last: the span ends here.
    """

    def __init__(self, weights: Floats, zone: ZoneInfo, first: np.datetime64, last: np.datetime64) -> None:
        self._origin = first.astype("datetime64[h]")
        self._hours = np.arange(self._origin, last.astype("datetime64[h]") + _HOUR)
        self._set(np.concatenate([weights[:, hour_of_week(self._hours, zone)], np.ones((len(weights), 1))], axis=1))

    def _set(self, pace: Floats) -> None:
        self._pace = pace
        past = np.cumsum(pace[:, :-1], axis=1)
        self._use_h = np.concatenate([np.zeros((len(pace), 1)), past], axis=1)

    def paced(self, factors: Floats, first: np.datetime64) -> "Clock":
        """Give a clock that runs faster or slower on some days.

        Args:
            factors: of each day, shape (pools, days); the last one holds for all later days.
            first: the first day; before it nothing changes.
        """
        days = ((self._hours - first) // np.timedelta64(24, "h")).astype(np.int64)
        paced = object.__new__(Clock)
        paced._origin, paced._hours = self._origin, self._hours
        by_hour = np.where(days < 0, 1.0, factors[:, np.clip(days, 0, factors.shape[1] - 1)])
        paced._set(np.concatenate([self._pace[:, :-1] * by_hour, factors[:, -1:]], axis=1))
        return paced

    @property
    def pools(self) -> int:
        """How many pools it has a clock for."""
        return len(self._pace)

    def use_s(self, times: Times, pool: Integers) -> Floats:
        """Read the clock: seconds of use from the span's beginning to `times`; NaN for NaT. Shapes broadcast."""
        hours = (times - self._origin) / _HOUR
        known = np.where(np.isnan(hours), 0.0, hours)
        width = self._pace.shape[1]
        place = np.clip(known, 0, width - 1).astype(np.int64)
        cell = pool * width + place
        pace = np.where(known < 0, 1.0, self._pace.take(cell))
        use_s: Floats = (self._use_h.take(cell) + (hours - place) * pace) * HOUR_S
        return use_s

    def when(self, use_s: Floats, pool: Integers) -> Times:
        """Give the instant at which the clock shows `use_s`, datetime64[us]; NaT for NaN. Shapes broadcast."""
        use_h, pool = np.broadcast_arrays(use_s / HOUR_S, pool)
        hours = np.array(use_h)
        for one in range(self.pools):
            mine = pool == one
            place = np.clip(np.searchsorted(self._use_h[one], use_h[mine], side="right") - 1, 0, None)
            pace = np.where(use_h[mine] < 0, 1.0, self._pace[one, place])
            hours[mine] = place + (use_h[mine] - self._use_h[one, place]) / pace
        instants: Times = self._origin + microseconds(hours * HOUR_S)
        return instants


def microseconds(seconds: Floats) -> npt.NDArray[np.timedelta64]:
    """Turn seconds into timedelta64[us], to the whole second; NaT for NaN."""
    unknown = np.isnan(seconds)
    spans = np.round(np.where(unknown, 0.0, seconds)).astype(np.int64) * 1_000_000
    return np.where(unknown, np.timedelta64("NaT", "us"), spans.view("timedelta64[us]"))
