"""The readings of many bins at once, out of the database and into arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from psycopg import Connection

from ingest.assess.readings import Floats, Geometry, Series, Times
from ingest.assess.tracks import tracks

EVER = datetime(1970, 1, 1, tzinfo=UTC)

# `offset 0` keeps the planner at one index scan a fitting, however little it knows of a table that just grew.
_COPY = """
copy (
    select
        wanted.bin_id, fittings.device_id, readings.epoch, readings.seq, readings.measured_at, readings.received_at,
        fittings.empty_mm::float4, fittings.full_mm::float4,
        coalesce(readings.distance_mm::float4, 'NaN'), coalesce(readings.spread_mm::float4, 'NaN'),
        coalesce(readings.valid_count::float4, 'NaN'), coalesce(readings.temperature_c, 'NaN'),
        coalesce(readings.tilt_deg::float4, 'NaN'), readings.flags,
        fittings.id, (fittings.removed_at is null)::int
    from unnest(%(bin_ids)s::int[], %(since)s::timestamptz[]) as wanted (bin_id, since)
    join fittings on fittings.bin_id = wanted.bin_id
    cross join lateral (
        select epoch, seq, measured_at, received_at, distance_mm, spread_mm, valid_count, temperature_c, tilt_deg, flags
        from readings
        where readings.device_id = fittings.device_id
            and readings.measured_at >= greatest(wanted.since, fittings.fitted_at)
            and readings.measured_at < coalesce(fittings.removed_at, 'infinity')
        offset 0
    ) as readings
) to stdout (format binary)
"""
_COLUMNS = (
    ("bin_id", ">i4"),
    ("device_id", ">i4"),
    ("epoch", ">i8"),
    ("seq", ">i8"),
    ("measured_at", ">i8"),
    ("received_at", ">i8"),
    ("empty_mm", ">f4"),
    ("full_mm", ">f4"),
    ("distance_mm", ">f4"),
    ("spread_mm", ">f4"),
    ("valid_count", ">f4"),
    ("temperature_c", ">f4"),
    ("tilt_deg", ">f4"),
    ("flags", ">i4"),
    ("fitting_id", ">i4"),
    ("running", ">i4"),
)
# PostgreSQL's binary COPY: a header, per row the number of columns and per column its length and value, a trailer.
# No column is null, so every row has the same length and numpy reads all of them at once.
_HEADER_BYTES, _TRAILER_BYTES = 19, 2
_ROW = np.dtype(
    [("columns", ">i2"), *((f for name, kind in _COLUMNS for f in ((f"{name}_bytes", ">i4"), (name, kind))))]
)
# Its timestamps are microseconds since 2000.
_EPOCH = np.datetime64("2000-01-01T00:00:00", "us")


@dataclass(frozen=True, slots=True)
class Part:
    """Readings of one sensor, or of one after another in its place, with the geometry of each.

    `running` while the last of them still sits in the bin.
    """

    series: Series
    geometry: Geometry
    running: bool


@dataclass(frozen=True, slots=True)
class History:
    """One bin's readings, a part for each of its sensors.

    `double_count` readings had a taken identity and another time.
    """

    parts: tuple[Part, ...]
    double_count: int = 0


def load_histories(connection: Connection, since: Mapping[int, datetime]) -> dict[int, History]:
    """Load the readings of bins, whichever devices sat in them.

    A reading that has the identity of an earlier received one, but another time, is left out.

    Args:
        connection: read only.
        since: by bin id, the time of the first reading to load; aware.

    Returns:
        By bin id; bins without a reading are missing.
    """
    parameters = {"bin_ids": list(since), "since": list(since.values())}
    with connection.cursor() as cursor, cursor.copy(_COPY, parameters) as copy:
        content = b"".join(copy)
    rows = np.frombuffer(content[_HEADER_BYTES:-_TRAILER_BYTES], dtype=_ROW)
    doubles = _doubles(rows)
    # The distance decides between sensors that measured at the same instant, so that no order of arrival matters.
    order = np.lexsort((rows["seq"], rows["device_id"], rows["distance_mm"], rows["measured_at"], rows["bin_id"]))
    rows, doubles = rows[order], doubles[order]
    starts = np.flatnonzero(np.diff(rows["bin_id"], prepend=-1))
    parts = zip(np.split(rows, starts)[1:], np.split(doubles, starts)[1:], strict=True)
    return {int(part["bin_id"][0]): _history(part, double) for part, double in parts}


def _doubles(rows: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
    """Mark readings whose identity an earlier received reading of another time has."""
    order = np.lexsort((rows["received_at"], rows["seq"], rows["epoch"], rows["device_id"], rows["bin_id"]))
    same = np.zeros(len(rows), dtype=np.bool_)
    if len(rows):
        keys = [rows[name][order] for name in ("bin_id", "device_id", "epoch", "seq")]
        same[order[1:]] = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    return same


def _history(rows: npt.NDArray[np.void], doubles: npt.NDArray[np.bool_]) -> History:
    kept = rows[~doubles]
    parts = tracks(kept["fitting_id"].astype(np.int64), _times(kept))
    return History(tuple(_part(kept[places]) for places in parts), int(np.count_nonzero(doubles)))


def _part(rows: npt.NDArray[np.void]) -> Part:
    series = Series(
        measured_at=_times(rows),
        distance_mm=_floats(rows["distance_mm"]),
        spread_mm=_floats(rows["spread_mm"]),
        valid_count=_floats(rows["valid_count"]),
        temperature_c=_floats(rows["temperature_c"]),
        tilt_deg=_floats(rows["tilt_deg"]),
        flags=rows["flags"].astype(np.int64),
    )
    return Part(series, Geometry(_floats(rows["empty_mm"]), _floats(rows["full_mm"])), bool(rows["running"][-1]))


def _times(rows: npt.NDArray[np.void]) -> Times:
    times: Times = _EPOCH + rows["measured_at"].astype("timedelta64[us]")
    return times


def _floats(column: npt.NDArray[np.float32]) -> Floats:
    return column.astype(np.float64)
