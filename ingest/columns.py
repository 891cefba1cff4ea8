"""Columns of numbers as PostgreSQL's binary arrays: about twice as fast as psycopg's own, and of a fixed type."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from psycopg import AsyncConnection, Connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

NULL = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Integers:
    """Values of an `integer[]`."""

    values: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Bigints:
    """Values of a `bigint[]`."""

    values: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Doubles:
    """Values of a `double precision[]`."""

    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Texts:
    """Values of a `text[]`."""

    values: Sequence[str | None]


class _ArrayDumper(Dumper):
    """Writes one dimension, counted from 1; each element is its length and its bytes."""

    format = Format.BINARY
    element_oid: int
    length: int
    code: str

    def dump(self, obj: Integers | Bigints | Doubles) -> Buffer:
        values = obj.values
        has_nulls = None in values
        head = struct.pack("!iiIii", 1, has_nulls, self.element_oid, len(values), 1)
        if has_nulls:
            pack = struct.Struct("!i" + self.code).pack
            return head + b"".join([NULL if value is None else pack(self.length, value) for value in values])
        # NumPy is three times as fast as `struct` at this, and understands its codes.
        elements = np.empty(len(values), [("length", ">i"), ("value", ">" + self.code)])
        elements["length"] = self.length
        elements["value"] = np.fromiter(values, self.code, len(values))
        return head + elements.tobytes()


class _IntegersDumper(_ArrayDumper):
    oid, element_oid, length, code = 1007, 23, 4, "i"


class _BigintsDumper(_ArrayDumper):
    oid, element_oid, length, code = 1016, 20, 8, "q"


class _DoublesDumper(_ArrayDumper):
    oid, element_oid, length, code = 1022, 701, 8, "d"


class _TextsDumper(Dumper):
    """Writes texts as `_ArrayDumper` writes numbers."""

    format = Format.BINARY
    oid = 1009

    def dump(self, obj: Texts) -> Buffer:
        encoding, length = self.connection.info.encoding if self.connection else "utf-8", struct.Struct("!i").pack
        encoded = [None if value is None else value.encode(encoding) for value in obj.values]
        head = struct.pack("!iiIii", 1, None in encoded, 25, len(encoded), 1)
        return head + b"".join([NULL if value is None else length(len(value)) + value for value in encoded])


def register_columns(connection: AsyncConnection | Connection) -> None:
    """Have a connection understand `Integers`, `Bigints`, `Doubles` and `Texts` as parameters."""
    connection.adapters.register_dumper(Texts, _TextsDumper)
    connection.adapters.register_dumper(Integers, _IntegersDumper)
    connection.adapters.register_dumper(Bigints, _BigintsDumper)
    connection.adapters.register_dumper(Doubles, _DoublesDumper)
