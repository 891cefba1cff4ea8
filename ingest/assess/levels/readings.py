"""The readings of one bin or of many as numpy arrays, and the geometry that turns a distance into a level."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]
Integers = npt.NDArray[np.int64]

# Bits of `flags` (docs/contract.md).
LID_OPEN = 1
TIME_ESTIMATED = 2
BLIND_ZONE = 4
TILTED = 8

# More readings than a device takes in one life.
EPOCH = 2.0**32
# Where an unsigned byte, and unsigned tenths in two bytes, begin again; what a bin's sensor can measure, and what it
# says before it has.
BYTE_C, TENTHS_C = 256.0, 6553.6
COLDEST_C, HOTTEST_C = -40.0, 150.0
NOT_MEASURED_C = 85.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - numpy's datetimes are naive


@dataclass(frozen=True, slots=True)
class Geometry:
    """What a bin's sensor measures from its face, millimetres; `full_mm` is less than `empty_mm`.

    Each is one number, or an array with one number per reading: a bin that got another sensor has had two geometries.

    Attributes:
        empty_mm: to the bottom of the empty bin.
        full_mm: to the waste of a full bin.
    """

    empty_mm: float | Floats
    full_mm: float | Floats

    @property
    def depth_mm(self) -> float | Floats:
        """From the full mark to the bottom."""
        return self.empty_mm - self.full_mm

    def part(self, places: slice) -> "Geometry":
        """Give the geometry of some readings; that of all stays as it is."""
        numbers = (self.empty_mm, self.full_mm)
        return Geometry(*(one[places] if isinstance(one, np.ndarray) and one.ndim else one for one in numbers))

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, object]]) -> Self:
        """Take the geometry of each row of the view `bin_readings`, in the order that `Series.from_rows` gives them."""
        ordered = sorted(rows, key=order)
        return cls(_floats(ordered, "empty_mm"), _floats(ordered, "full_mm"))

    @classmethod
    def joined(cls, parts: Sequence[tuple[Self, int]]) -> Self:
        """Lay the geometries of several tracks one after another, as `Series.joined` does with their readings.

        Args:
            parts: of each track, its geometry and how many readings it has.
        """
        return cls(_laid([(one.empty_mm, n) for one, n in parts]), _laid([(one.full_mm, n) for one, n in parts]))


@dataclass(frozen=True, slots=True)
class Series:
    """The readings of one or many tracks, one track after another, each oldest first.

    A track is what one sensor, or one after another in its place, measured in one bin. All arrays but `starts` have the
    shape (n,), and NaN means unknown.

    Attributes:
        measured_at: datetime64[us], UTC.
        distance_mm: from the sensor to the waste; NaN when no echo came back.
        spread_mm: largest less smallest valid echo.
        valid_count: echoes that the distance was taken from.
        temperature_c: degrees Celsius.
        tilt_deg: degrees from upright.
        flags: bits as in docs/contract.md.
        starts: shape (tracks + 1,), ascending from 0 to n: the readings of track i are `starts[i]:starts[i + 1]`; not
            given, all readings are of one track.
        number: by which its device counts each reading, see `number_of`; NaN, as where not given, means unknown.
    """

    measured_at: Times
    distance_mm: Floats
    spread_mm: Floats
    valid_count: Floats
    temperature_c: Floats
    tilt_deg: Floats
    flags: Integers
    starts: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    number: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if len(self.number) != len(self.measured_at):
            object.__setattr__(self, "number", np.full(len(self.measured_at), np.nan))
        if not len(self.starts):
            object.__setattr__(self, "starts", np.array([0, len(self.measured_at)]))

    def __len__(self) -> int:
        return len(self.measured_at)

    @property
    def track_count(self) -> int:
        """How many tracks there are, empty ones included."""
        return len(self.starts) - 1

    @property
    def track(self) -> Integers:
        """The track of each reading, shape (n,)."""
        return np.repeat(np.arange(self.track_count), np.diff(self.starts))

    def portions(self, readings: int) -> Iterator[tuple[int, int]]:
        """Part the tracks, as first and end, so that none has many more readings than given; a track stays whole."""
        first = 0
        while first < self.track_count:
            end = int(np.searchsorted(self.starts, self.starts[first] + readings, side="right")) - 1
            end = max(end, first + 1)
            yield first, end
            first = end

    def part(self, first: int, end: int) -> Self:
        """Give the tracks `first` up to `end`."""
        here = slice(int(self.starts[first]), int(self.starts[end]))
        columns = {column.name: getattr(self, column.name)[here] for column in fields(self) if column.name != "starts"}
        return replace(self, **columns, starts=self.starts[first : end + 1] - self.starts[first])

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, object]]) -> Self:
        """Build the series of one track from rows with the column names of the view `bin_readings`, in any order.

        Args:
            rows: `measured_at` (aware datetime) and `distance_mm` are required; a missing other one is unknown.
        """
        ordered = sorted(rows, key=order)
        return cls(
            measured_at=np.array([instant(row["measured_at"]) for row in ordered], dtype="datetime64[us]"),
            distance_mm=_floats(ordered, "distance_mm"),
            spread_mm=_floats(ordered, "spread_mm"),
            valid_count=_floats(ordered, "valid_count"),
            temperature_c=_floats(ordered, "temperature_c"),
            tilt_deg=_floats(ordered, "tilt_deg"),
            flags=np.array([row.get("flags") or 0 for row in ordered], dtype=np.int64),
            number=number_of(_floats(ordered, "epoch"), _floats(ordered, "seq")),
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Lay several series one after another: the tracks of the first, then those of the second, and so on."""
        if not parts:
            return replace(cls.empty(), starts=np.zeros(1, dtype=np.int64))
        lengths = [np.diff(part.starts) for part in parts]
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in (column.name for column in fields(cls))
            if name != "starts"
        }
        return cls(**columns, starts=np.concatenate([[0], np.cumsum(np.concatenate(lengths))]))

    @classmethod
    def empty(cls) -> Self:
        """Give the series of a bin that was never measured."""
        return cls.from_rows([])


def number_of(epoch: npt.NDArray[Any], seq: npt.NDArray[Any]) -> Floats:
    """Give one number for what a device counts its readings by: its life and the place within it (docs/contract.md)."""
    number: Floats = epoch.astype(np.float64) * EPOCH + seq
    return number


def believable_c(temperature_c: Floats) -> Floats:
    """Give temperatures as they were meant.

    Some makers' decoders read a signed number as an unsigned one, so that -1 becomes 255, or 6552.6 in tenths: what no
    sensor can measure, so it is undone. 85 is what a DS18B20 says that has not measured yet (its data sheet).

    Args:
        temperature_c: degrees Celsius as reported, any shape.

    Returns:
        Degrees Celsius; NaN where unknown or impossible.
    """
    meant = temperature_c.copy()
    wrapped = temperature_c >= BYTE_C + COLDEST_C
    high = temperature_c[wrapped]
    byte = (high < BYTE_C) & (high == np.floor(high))
    tenths = (high >= TENTHS_C + COLDEST_C) & (high < TENTHS_C)
    meant[wrapped] = high - np.where(byte, BYTE_C, 0.0) - np.where(tenths, TENTHS_C, 0.0)
    return np.where((np.abs(meant) <= HOTTEST_C) & (meant != NOT_MEASURED_C), meant, np.nan)


def instant(moment: Any) -> np.datetime64:  # noqa: ANN401 - rows come from the database driver, untyped
    """Turn an aware datetime into datetime64[us], UTC."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise TypeError(f"expected a datetime with a time zone, got {moment!r}")
    return np.datetime64(int(moment.timestamp() * 1_000_000 + 0.5), "us")


def moment(instant: np.datetime64) -> datetime:
    """Turn datetime64[us], UTC, into an aware datetime."""
    naive: Any = instant.item()
    # To add is many times as fast as to replace the time zone, and `moments` is faster still.
    aware: datetime = _EPOCH + (naive - _NAIVE_EPOCH)
    return aware


def moments(instants: Times) -> list[datetime | None]:
    """Turn datetime64[us], UTC, into aware datetimes; None for NaT."""
    since = instants.view("timedelta64[us]").tolist()
    return [None if one is None else _EPOCH + one for one in since]


def order(row: Mapping[str, object]) -> tuple[object, ...]:
    """Give the sort key of a row of the view `bin_readings`: the time first.

    Two sensors may have measured at the same instant: the other columns decide, so that no order of arrival matters.
    """
    distance = row.get("distance_mm")
    return (row["measured_at"], distance is None, distance, str(row.get("device")), row.get("epoch"), row.get("seq"))


def _floats(rows: Sequence[Mapping[str, Any]], name: str) -> Floats:
    values = (row.get(name) for row in rows)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _laid(parts: Sequence[tuple[float | Floats, int]]) -> Floats:
    return np.concatenate([np.zeros(0), *(np.broadcast_to(np.asarray(value), n) for value, n in parts)])
