"""The hours of a town's clocks: which local day and hour of the week an instant lies in, summer time included. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.readings import Integers, Times

HOUR_S = 3600
DAY_HOURS = 24
WEEK_HOURS = 168
# 1970-01-01 was a Thursday.
_THURSDAY = 3


@dataclass(frozen=True, slots=True)
class Hours:
    """A row of hours without a gap, on the clocks of a town.

    The hour that the clocks show twice in autumn is there twice, the one that they leave out in spring is not there.

    Attributes:
        begin_s: when the first one begins, seconds since 1970, UTC.
        day: local day of each, datetime64[D], shape (h,), ascending.
        hour: 0..23 on the clocks, shape (h,).
    """

    begin_s: int
    day: npt.NDArray[np.datetime64]
    hour: Integers

    @property
    def hour_of_week(self) -> Integers:
        """Hours since Monday 00:00 on the clocks, 0..167, shape (h,)."""
        weekday = (self.day.astype(np.int64) + _THURSDAY) % 7
        return weekday * DAY_HOURS + self.hour

    @classmethod
    def between(cls, first: np.datetime64, last: np.datetime64, zone: ZoneInfo) -> "Hours":
        """Give the hours from the one that holds `first` to the one that holds `last`.

        Args:
            first: datetime64, UTC.
            last: not before `first`.
            zone: of the town. Its clocks' distance from UTC may change by whole hours only.
        """
        first_s, last_s = (int(one.astype("datetime64[s]").astype(np.int64)) for one in (first, last))
        part_s = _offset_s(first_s, zone) % HOUR_S
        begin_s = (first_s + part_s) // HOUR_S * HOUR_S - part_s
        begins = np.arange(begin_s, last_s + 1, HOUR_S)
        local = (begins + _offsets_s(begins, zone)) // HOUR_S
        return cls(begin_s, (local // DAY_HOURS).astype("datetime64[D]"), local % DAY_HOURS)


def local_days(moments: Times, zone: ZoneInfo) -> npt.NDArray[np.datetime64]:
    """Give the local day of each instant (datetime64, UTC), as datetime64[D]."""
    seconds = moments.astype("datetime64[s]").astype(np.int64)
    offsets = np.array([_offset_s(one, zone) for one in seconds.tolist()], dtype=np.int64)
    return ((seconds + offsets) // (DAY_HOURS * HOUR_S)).astype("datetime64[D]")


def _offsets_s(begins: Integers, zone: ZoneInfo) -> Integers:
    """Give how far the clocks are ahead of UTC at each hour's beginning; asked once a day where they do not change."""
    blocks = np.append(begins[::DAY_HOURS], begins[-1] + HOUR_S)
    ahead = np.array([_offset_s(one, zone) for one in blocks.tolist()])
    offsets = np.repeat(ahead[:-1], DAY_HOURS)[: len(begins)]
    for block in np.flatnonzero(np.diff(ahead)).tolist():
        places = slice(block * DAY_HOURS, (block + 1) * DAY_HOURS)
        offsets[places] = [_offset_s(one, zone) for one in begins[places].tolist()]
    return offsets


def _offset_s(second: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
