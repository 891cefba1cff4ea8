"""Many rows at once to and from PostgreSQL, in its binary forms, packed and unpacked by NumPy.

COPY has a header, per row the number of columns and per column its length and value, and a trailer: where no column is
null or of changing length all rows are alike. An array has a header and per element its length and value.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import Connection, sql

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
# Its timestamps are microseconds since 2000.
_EPOCH = np.datetime64("2000-01-01T00:00:00", "us")
# An array has its own header: dimensions, nulls, type of the elements, how many, number of the first.
_REAL_OID = 700
_REALS_HEADER = (1, 0, _REAL_OID)


_ELEMENT = np.dtype([("bytes", ">i4"), ("value", ">f4")])


def row_kind(columns: Sequence[tuple[str, str]]) -> np.dtype[np.void]:
    """Give the NumPy type of a row.

    Args:
        columns: names and NumPy codes in network order, such as `>i4`; `11>f4` is a `real[]` of 11 elements.
    """
    fields: list[tuple[str, object]] = [("columns", ">i2")]
    for name, code in columns:
        count, _, _ = code.partition(">")
        elements = ("elements", _ELEMENT, (int(count or 1),))
        reals = [("header", ">i4", (3,)), ("count", ">i4"), ("lowest", ">i4"), elements]
        fields += [(f"{name}_bytes", ">i4"), (name, reals if count else code)]
    return np.dtype(fields)


def gather(
    connection: Connection, query: str, columns: Mapping[str, str], parameters: Mapping[str, object]
) -> dict[str, npt.NDArray[Any]]:
    """Run a query and give its columns, none of which may hold a null.

    All rows come as one, with an array for each column: psycopg takes its time for each row.

    Args:
        connection: to ask.
        query: a `select` that gives the columns, by these names.
        columns: NumPy codes in network order by name, such as `>i4`. Timestamps are `>i8`, see `moments`.
        parameters: of the query.

    Returns:
        By name, shape (n,); (n, elements) for an array.
    """
    arrays = sql.SQL(", ").join(sql.SQL("array_agg({})").format(sql.Identifier(name)) for name in columns)
    statement = sql.SQL("select {} from ({}) as gathered").format(arrays, sql.SQL(query))
    with connection.cursor(binary=True) as cursor:
        cursor.execute(statement, parameters)
        result = cursor.pgresult
        values = [result.get_value(0, place) if result else None for place in range(len(columns))]
    return {name: _unpack(value, columns[name]) for name, value in zip(columns, values, strict=True)}


def _unpack(array: bytes | None, code: str) -> npt.NDArray[Any]:
    if array is None:
        return np.zeros(0, dtype=code)
    dimensions = int.from_bytes(array[:4], "big")
    shape = np.frombuffer(array, dtype=">i4", count=2 * dimensions, offset=12)[::2]
    elements = np.frombuffer(array, dtype=[("bytes", ">i4"), ("value", code)], offset=12 + 8 * dimensions)
    return elements["value"].reshape(shape)


def copy_in(
    connection: Connection, table: str, columns: Mapping[str, npt.NDArray[Any]], kind: np.dtype[np.void]
) -> None:
    """Add rows to a table.

    Args:
        connection: whose transaction this joins.
        table: its name.
        columns: by name, in the order of `kind`; shape (n,), or (n, elements) for an array. datetime64 becomes
            timestamptz.
        kind: from `row_kind`.
    """
    count = len(next(iter(columns.values())))
    rows = np.zeros(count, dtype=kind)
    rows["columns"] = len(columns)
    for name, values in columns.items():
        target = rows[name]
        rows[f"{name}_bytes"] = target.dtype.itemsize
        if target.dtype.names:
            target["header"], target["count"], target["lowest"] = _REALS_HEADER, values.shape[1], 1
            target["elements"]["bytes"], target["elements"]["value"] = 4, values
        else:
            rows[name] = (values - _EPOCH).astype(np.int64) if values.dtype.kind == "M" else values
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_SIGNATURE + rows.tobytes() + _TRAILER)


def moments(column: npt.NDArray[np.generic]) -> npt.NDArray[np.datetime64]:
    """Turn a column of timestamps into datetime64[us], UTC."""
    times: npt.NDArray[np.datetime64] = _EPOCH + column.astype("timedelta64[us]")
    return times
