"""How much was thrown into each bin in each hour of the town's clocks, from the levels of all bins at once. Pure.

Use is what rises: the rise of the waste's highest level (`envelope`) between two emptyings, times what the bin holds.
Hours of which nothing is known are unknown, not zero: the litres of an hour stand beside how much of it was known.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingest.assess.forecasts.hours import DAY_HOURS, HOUR_S, Hours, local_days
from ingest.assess.levels.readings import Floats, Integers, Times
from ingest.assess.places.spans import EVER, Measured, Spans, spans_of

# The least that a profile may give an hour, of an average one: somebody is always up.
LEAST_WEIGHT = 0.01
# Litres and hours are kept in so many places.
PLACES = 3
# Before any day.
_NO_DAY = np.datetime64("0001-01-01", "D")

Reals = npt.NDArray[np.float32]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class UsageDays:
    """Use by bin and local day, one row each, by bin and day; r rows, b bins. Hours are 0..23 on the town's clocks.

    Where the clocks show an hour twice, both add up in it; an hour that they leave out stays 0.

    Attributes:
        bin: id, shape (r,).
        day: datetime64[D], shape (r,).
        litres: thrown in, as far as is known, shape (r, 24).
        observed_h: hours of which readings told when something was thrown in, shape (r, 24).
        spread_h: hours between readings further apart, over which their rise was spread, shape (r, 24).
        full_h: hours in which the bin was full and took nothing, shape (r, 24).
        bins: all bins that were looked at, shape (b,).
        since: datetime64[D], shape (b,): from this day on the rows of that bin are all that there are; NaT: no day of
            it is explained by the readings at hand.
    """

    bin: Integers
    day: Days
    litres: Reals
    observed_h: Reals
    spread_h: Reals
    full_h: Reals
    bins: Integers
    since: Days

    def __len__(self) -> int:
        return len(self.day)


def usage_days(measured: Measured, zone: ZoneInfo, profile: Floats | None = None) -> UsageDays:
    """Work out the use of bins by local day and hour.

    Only days are given that the readings explain from their first hour on: of a track that is not whole, those after
    its first emptying. A bin with several sensors is told of, day by day, by the one that knows most of that day.

    Args:
        measured: oldest first.
        zone: of the town's clocks.
        profile: how busy each hour of the week is, from Monday 00:00, in any unit, shape (168,) or one row a track,
            (t, 168); a rise over a gap is spread by it. None for evenly.
    """
    spans = spans_of(measured)
    bins, place = np.unique(measured.bin, return_inverse=True)
    since = _since(spans.whole_from, place, len(bins), zone)
    rows = _rows(spans, measured.bin, zone, profile)
    # NaT compares as false: of such a bin nothing is told.
    told = rows.day >= since[np.searchsorted(bins, rows.bin)]
    # When something was thrown in is worth more than that it was.
    knowledge_h = rows.hours[:, 1].sum(axis=1) + rows.hours[:, 2].sum(axis=1) / 2
    order = np.lexsort((-knowledge_h, rows.day, rows.bin))
    order = order[told[order]]
    best = (np.diff(rows.bin[order], prepend=-1) != 0) | (
        np.diff(rows.day[order], prepend=_NO_DAY) != np.timedelta64(0)
    )
    order = order[best]
    litres, observed_h, spread_h, full_h = rows.hours[order].transpose(1, 0, 2)
    return UsageDays(rows.bin[order], rows.day[order], litres, observed_h, spread_h, full_h, bins, since)


@dataclass(frozen=True, slots=True)
class _Rows:
    """One row per track and day; `hours` holds litres, observed, spread and full hours, shape (r, 4, 24)."""

    bin: Integers
    day: Days
    hours: Reals


def _since(whole_from: Times, place: Integers, count: int, zone: ZoneInfo) -> Days:
    """Give the first day of each bin that the readings explain: that after the beginning of a whole cycle."""
    latest = np.full(count, np.datetime64("NaT"), dtype="datetime64[us]")
    np.fmax.at(latest, place, whole_from)
    days = np.full(count, np.datetime64("NaT"), dtype="datetime64[D]")
    days[latest == EVER] = EVER
    later = latest > EVER
    days[later] = local_days(latest[later], zone) + np.timedelta64(1, "D")
    return days


def _rows(spans: Spans, bin_of: Integers, zone: ZoneInfo, profile: Floats | None) -> _Rows:
    """Cut the spans at the hours of the clocks, and add them up by track, day and hour."""
    if not len(spans.track):
        return _Rows(bin_of[:0], np.array([], dtype="datetime64[D]"), np.zeros((0, 4, DAY_HOURS), dtype=np.float32))
    hours = Hours.between(spans.begin.min(), spans.end.max(), zone)
    pieces = _cut(spans, hours)
    track, day = spans.track[pieces.span], hours.day[pieces.hour]
    new = (np.diff(track, prepend=-1) != 0) | (np.diff(day, prepend=_NO_DAY) != np.timedelta64(0))
    cell = (np.cumsum(new) - 1) * DAY_HOURS + hours.hour[pieces.hour]
    full, spread = spans.full[pieces.span], spans.spread[pieces.span]
    columns = (
        _shares(spans, pieces, hours, profile) * spans.litres[pieces.span],
        pieces.length_h * (~full & ~spread),
        pieces.length_h * (~full & spread),
        pieces.length_h * full,
    )
    size = int(np.count_nonzero(new)) * DAY_HOURS
    sums = [np.bincount(cell, column, size).reshape(-1, DAY_HOURS) for column in columns]
    return _Rows(bin_of[track[new]], day[new], np.stack(sums, axis=1).round(PLACES).astype(np.float32))


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Spans cut at full hours: which span, which of the hours, and how long, in hours; by span and time."""

    span: Integers
    hour: Integers
    length_h: Floats


def _cut(spans: Spans, hours: Hours) -> _Pieces:
    begin_h, end_h = (_hours_after(moments, hours.begin_s) for moments in (spans.begin, spans.end))
    first = np.floor(begin_h).astype(np.int64)
    count = np.ceil(end_h).astype(np.int64) - first
    span = np.repeat(np.arange(len(first)), count)
    hour = first[span] + np.arange(len(span)) - np.repeat(np.cumsum(count) - count, count)
    return _Pieces(span, hour, np.minimum(end_h[span], hour + 1) - np.maximum(begin_h[span], hour))


def _shares(spans: Spans, pieces: _Pieces, hours: Hours, profile: Floats | None) -> Floats:
    """Give which part of its span's rise each piece gets: by its length, in a gap also by how busy its hour is."""
    weight = pieces.length_h.copy()
    if profile is not None:
        week = np.atleast_2d(profile)
        busy = week / np.maximum(week.mean(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        gap = spans.spread[pieces.span]
        row = spans.track[pieces.span[gap]] if len(busy) > 1 else 0
        weight[gap] *= np.maximum(busy[row, hours.hour_of_week[pieces.hour[gap]]], LEAST_WEIGHT)
    begins = np.flatnonzero(np.diff(pieces.span, prepend=-1))
    shares: Floats = weight / np.add.reduceat(weight, begins)[pieces.span]
    return shares


def _hours_after(moments: Times, begin_s: int) -> Floats:
    hours: Floats = (moments.astype(np.int64) - begin_s * 1_000_000) / (HOUR_S * 1e6)
    return hours
