"""One reading in 19 bytes: how it lies in RTC memory and on flash until the server has it."""

import struct

from .codec import TIME_ESTIMATED

_FORMAT = "<IIHHBhHBB"
SIZE = struct.calcsize(_FORMAT)
UNSYNCED = 0x80  # internal flag: `measured_at` is the clock's own count, before it was ever set
_NO_U16, _NO_U8, _NO_I16 = 0xFFFF, 0xFF, -0x8000
_LOWEST_TEMPERATURE, _HIGHEST_TEMPERATURE, _UPSIDE_DOWN = -1000, 5000, 180


def pack(row: "tuple[int | None, ...]") -> bytes:
    """Pack a row of `codec.ROW_FIELDS`; what lies beyond a field's range becomes its nearest end.

    MicroPython's struct would wrap such a number silently into another, plausible one.
    """
    seq, measured_at, distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags = row
    return struct.pack(
        _FORMAT,
        seq,
        measured_at,
        _fit(distance_mm, 0, _NO_U16 - 1, _NO_U16),
        _fit(spread_mm, 0, _NO_U16 - 1, _NO_U16),
        _fit(valid_count, 0, _NO_U8 - 1, _NO_U8),
        _fit(temperature_c, _LOWEST_TEMPERATURE, _HIGHEST_TEMPERATURE, _NO_I16),
        _fit(battery_mv, 0, _NO_U16 - 1, _NO_U16),
        _fit(tilt_deg, 0, _UPSIDE_DOWN, _NO_U8),
        flags,
    )


def unpack(record: bytes) -> "tuple[int | None, ...]":
    """Give back the row that was packed."""
    seq, measured_at, distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags = struct.unpack(
        _FORMAT, record
    )
    return (
        seq,
        measured_at,
        _or_none(distance_mm, _NO_U16),
        _or_none(spread_mm, _NO_U16),
        _or_none(valid_count, _NO_U8),
        _or_none(temperature_c, _NO_I16),
        _or_none(battery_mv, _NO_U16),
        _or_none(tilt_deg, _NO_U8),
        flags,
    )


def seq_of(record: bytes) -> int:
    """Read only the sequence number."""
    return int(struct.unpack_from("<I", record)[0])


def is_final(record: bytes) -> bool:
    """Say whether `measured_at` is true time, so that the reading may be sent."""
    return not record[SIZE - 1] & UNSYNCED


def correct(record: bytes, offset_s: int) -> bytes:
    """Turn the count of a clock that was never set into true time; a record that is final stays as it is.

    Args:
        record: as packed.
        offset_s: true time less the clock's count, seconds.
    """
    if is_final(record):
        return record
    seq, measured_at = struct.unpack_from("<II", record)
    flags = record[SIZE - 1] & ~UNSYNCED | TIME_ESTIMATED
    return struct.pack("<II", seq, measured_at + offset_s) + record[8 : SIZE - 1] + bytes((flags,))


def _fit(value: "int | None", lowest: int, highest: int, nothing: int) -> int:
    return nothing if value is None else min(max(value, lowest), highest)


def _or_none(value: int, nothing: int) -> "int | None":
    return None if value == nothing else value
