"""Writes readings that are long past, without the ingester."""

from collections.abc import Iterable, Iterator
from itertools import islice

import psycopg

from simulator.sensor import Row

AT_ONCE = 1000  # the database in WebAssembly takes no larger statements
INSERT = """
insert into readings (
    device_id, epoch, seq, measured_at, received_at,
    distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags
)
select
    device_id, epoch, seq, to_timestamp(measured_s), to_timestamp(measured_s + 2),
    distance_mm, spread_mm, valid_count, temperature / 10.0, battery_mv, tilt_deg, flags
from unnest(
    %s::integer[], %s::bigint[], %s::bigint[], %s::bigint[], %s::integer[], %s::integer[], %s::integer[],
    %s::integer[], %s::integer[], %s::integer[], %s::integer[]
) as past (
    device_id, epoch, seq, measured_s, distance_mm, spread_mm, valid_count, temperature, battery_mv, tilt_deg, flags
)
"""
Past = tuple[int, int, Row]
"""The id of a device, an epoch, and a reading as the contract has it."""


def write_readings(connection: psycopg.Connection, past: Iterable[Past]) -> None:
    """Write readings, received two seconds after they were measured."""
    rows = ((device_id, epoch, *row) for device_id, epoch, row in past)
    for chunk in _chunks(rows):
        connection.execute(INSERT, [list(column) for column in zip(*chunk, strict=True)])


def device_ids(connection: psycopg.Connection) -> dict[str, int]:
    """Give the devices' ids by their names."""
    return dict(connection.execute("select ref, id from devices").fetchall())


def _chunks(rows: Iterator[tuple[int | None, ...]]) -> Iterator[list[tuple[int | None, ...]]]:
    while chunk := [*islice(rows, AT_ONCE)]:
        yield chunk
