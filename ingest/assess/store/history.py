"""The readings of many bins at once, out of the database and into arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import Connection

from ingest.assess.levels.readings import Floats, Geometry, Series, instant
from ingest.assess.levels.tracks import tracks
from ingest.assess.memory.anchor import Anchor
from ingest.assess.memory.ragged import Rows
from ingest.assess.memory.tail import READING
from ingest.binary import gather, moments

EVER = datetime(1970, 1, 1, tzinfo=UTC)

# `offset 0` keeps the planner at one index scan a fitting, however little it knows of a table that just grew.
_READINGS = """
select
    wanted.bin_id, fittings.device_id, readings.epoch, readings.seq, readings.measured_at, readings.received_at,
    fittings.empty_mm::float4, fittings.full_mm::float4,
    coalesce(readings.distance_mm::float4, 'NaN') as distance_mm,
    coalesce(readings.spread_mm::float4, 'NaN') as spread_mm,
    coalesce(readings.valid_count::float4, 'NaN') as valid_count,
    coalesce(readings.temperature_c, 'NaN') as temperature_c,
    coalesce(readings.tilt_deg::float4, 'NaN') as tilt_deg, readings.flags,
    fittings.id as fitting_id
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
"""
_COLUMNS = {
    "bin_id": ">i4",
    "device_id": ">i4",
    "epoch": ">i8",
    "seq": ">i8",
    "measured_at": ">i8",
    "received_at": ">i8",
    "empty_mm": ">f4",
    "full_mm": ">f4",
    "distance_mm": ">f4",
    "spread_mm": ">f4",
    "valid_count": ">f4",
    "temperature_c": ">f4",
    "tilt_deg": ">f4",
    "flags": ">i4",
    "fitting_id": ">i4",
}
_ANCHORS = """
select wanted.bin_id, anchor.not_before, anchor.emptied_at
from unnest(%s::int[], %s::timestamptz[]) as wanted (bin_id, since)
cross join lateral (
    select emptyings.not_before, emptyings.emptied_at from emptyings
    where emptyings.bin_id = wanted.bin_id and emptyings.emptied_at < wanted.since and emptyings.source = 'sensor'
    order by emptyings.emptied_at desc
    limit 1 offset 1
) as anchor
where exists (select from cycles where cycles.bin_id = wanted.bin_id)
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Readings of one sensor, or of one after another in its place, with the geometry of each."""

    series: Series
    geometry: Geometry


def load_histories(connection: Connection, since: Mapping[int, datetime]) -> dict[int, tuple[Part, ...]]:
    """Load the readings of bins, whichever devices sat in them.

    A reading that has the identity of an earlier received one, but another time, is left out.

    Args:
        connection: read only.
        since: by bin id, the time of the first reading to load; aware.

    Returns:
        By bin id, a part for each of its sensors; bins without a reading are missing.
    """
    return {bin_id: _parts(rows) for bin_id, rows in _by(_load_once(connection, since), "bin_id")}


def load_fittings(connection: Connection, since: Mapping[int, datetime]) -> dict[int, Part]:
    """Load the readings of bins, those of each fitting apart; otherwise like `load_histories`.

    Returns:
        By the id of the fitting; those without a reading are missing.
    """
    return {fitting_id: _part(rows) for fitting_id, rows in _by(_load_once(connection, since), "fitting_id")}


def load_readings(connection: Connection, since: Mapping[int, datetime]) -> Rows:
    """Load the readings of bins, whichever devices sat in them, in the order in which they were received.

    Args:
        connection: read only.
        since: by bin id, the time of the first reading to load; aware.

    Returns:
        Of the kind `tail.READING`.
    """
    loaded = _load(connection, since)
    order = np.argsort(loaded["received_at"], kind="stable")
    rows = np.zeros(len(order), dtype=READING)
    for name in READING.names or ():
        column = loaded[name][order]
        rows[name] = moments(column) if name == "measured_at" else column
    return rows


def load_anchors(connection: Connection, since: Mapping[int, datetime]) -> dict[int, Anchor]:
    """Find the emptying before the last one that bins' sensors saw before a time: no news since then changes it.

    Args:
        connection: read only.
        since: by bin id; aware.

    Returns:
        By bin id; a bin of which not so much is on record, or no cycles, is missing: all of its readings count.
    """
    rows = connection.execute(_ANCHORS, (list(since), list(since.values())))
    return {bin_id: Anchor(instant(not_before), instant(emptied_at)) for bin_id, not_before, emptied_at in rows}


def _load(connection: Connection, since: Mapping[int, datetime]) -> dict[str, npt.NDArray[Any]]:
    return gather(connection, _READINGS, _COLUMNS, {"bin_ids": list(since), "since": list(since.values())})


def _load_once(connection: Connection, since: Mapping[int, datetime]) -> Rows:
    """Load readings oldest first, each once."""
    columns = _load(connection, since)
    rows = np.zeros(len(columns["bin_id"]), dtype=[*_COLUMNS.items()])
    for name, values in columns.items():
        rows[name] = values
    rows = rows[~_doubles(rows)]
    # The distance decides between sensors that measured at the same instant, so that no order of arrival matters.
    return rows[np.lexsort((rows["seq"], rows["device_id"], rows["distance_mm"], rows["measured_at"]))]


def _by(rows: Rows, name: str) -> Iterator[tuple[int, Rows]]:
    """Split rows by the value of a column; their order stays."""
    rows = rows[np.argsort(rows[name], kind="stable")]
    starts = np.flatnonzero(np.diff(rows[name], prepend=-1))
    for one in np.split(rows, starts)[1:]:
        yield int(one[name][0]), one


def _doubles(rows: Rows) -> npt.NDArray[np.bool_]:
    """Mark readings whose identity an earlier received reading of another time has."""
    order = np.lexsort((rows["received_at"], rows["seq"], rows["epoch"], rows["device_id"], rows["bin_id"]))
    same = np.zeros(len(rows), dtype=np.bool_)
    if len(rows):
        keys = [rows[name][order] for name in ("bin_id", "device_id", "epoch", "seq")]
        same[order[1:]] = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    return same


def _parts(rows: Rows) -> tuple[Part, ...]:
    places = tracks(rows["fitting_id"].astype(np.int64), moments(rows["measured_at"]))
    return tuple(_part(rows[mine]) for mine in places)


def _part(rows: Rows) -> Part:
    series = Series(
        measured_at=moments(rows["measured_at"]),
        distance_mm=_floats(rows["distance_mm"]),
        spread_mm=_floats(rows["spread_mm"]),
        valid_count=_floats(rows["valid_count"]),
        temperature_c=_floats(rows["temperature_c"]),
        tilt_deg=_floats(rows["tilt_deg"]),
        flags=rows["flags"].astype(np.int64),
    )
    return Part(series, Geometry(_floats(rows["empty_mm"]), _floats(rows["full_mm"])))


def _floats(column: npt.NDArray[np.float32]) -> Floats:
    return column.astype(np.float64)
