"""Milesight EM400-TLD (laser), EM400-MUD (ultrasonic) and EM410-RDL (radar): fields one after the other. Pure.

A field is its channel, its type and so many bytes, lowest first. Distances are signed: the radar's may be calibrated to
less than nothing, and none of the three measures as far as 32 m.
"""

from collections.abc import Iterator

from msgspec import Struct

from ingest.lorawan.uplink import Measurement, PayloadError, Said
from ingest.reading import BLIND_ZONE, TILTED

BATTERY, TEMPERATURE, DISTANCE, POSITION = 0x0175, 0x0367, 0x0482, 0x0500
# With a last byte that says whether the alarm began or was released; the value is a measurement in both cases.
TEMPERATURE_ALARM, DISTANCE_ALARM, MUTATION_ALARM = 0x8367, 0x8482, 0x9482
EXCEPTION, HISTORY = 0xB482, 0x20CE

LENGTHS = {
    0xFF01: 1, 0xFF09: 2, 0xFF0A: 2, 0xFF0B: 1, 0xFF0F: 1, 0xFF16: 8, 0xFFFE: 1, 0xFFFF: 2,  # what it says as it joins
    BATTERY: 1, TEMPERATURE: 2, DISTANCE: 2, POSITION: 1,
    0x01B9: 2, 0x06C7: 2,  # voltage and strength of the radar's echo
    0x0688: 9, 0x8800: 1,  # place; was taken off
    TEMPERATURE_ALARM: 3, DISTANCE_ALARM: 3, MUTATION_ALARM: 5, EXCEPTION: 3, HISTORY: 11,
}  # fmt: skip
# A radar of the newest firmware keeps nothing but the distance in its history.
SHORT_HISTORY = {**LENGTHS, HISTORY: 6}
# Answers to a setting, by type, on the channels FE and FF; on F8 (with one byte more: whether it was taken) and F9.
ANSWERS = {
    0x02: 2, 0x03: 2, 0x06: 9, 0x10: 1, 0x13: 1, 0x1B: 5, 0x1C: 2, 0x27: 1, 0x28: 1, 0x2A: 1, 0x3E: 1, 0x4A: 1, 0x56: 1,
    0x68: 1, 0x69: 1, 0x6A: 3, 0x70: 2, 0x71: 1, 0x77: 2, 0x8E: 3, 0xA1: 1, 0xA2: 2, 0xA3: 1, 0xA4: 1, 0xAB: 3, 0xBD: 2,
    0xF2: 2,
}  # fmt: skip
LONG_ANSWERS = {0x0D: 3, 0x12: 1, 0x13: 1, 0x14: 2, 0x15: 2, 0x16: 1, 0x39: 2, 0xC8: 6}
LENGTHS_OF_ANSWERS = {
    **{channel << 8 | kind: length for channel in (0xFE, 0xFF) for kind, length in ANSWERS.items()},
    **{0xF800 | kind: length + 1 for kind, length in LONG_ANSWERS.items()},
    **{0xF900 | kind: length for kind, length in LONG_ANSWERS.items()},
}

# No target, switched off, sensor failed; written as a distance.
NO_DISTANCE = (0xFFFD, 0xFFFE, 0xFFFF)
# Only in the history, where they hide -0.2 and -0.1 degrees.
NO_TEMPERATURE = (0xFFFE, 0xFFFF)
RELEASED, TOO_NEAR = 0, 1
TOO_NEAR_EVENT, TILT_EVENT = 0x04, 0x20


class Now(Struct):
    """What the uplink says of the moment that it was sent at, while it is read."""

    distance_mm: int | None = None
    temperature_c: float | None = None
    flags: int = 0
    measured: bool = False


def decode(_f_port: int, payload: bytes) -> Said:
    """Read a payload; the port is a setting of the sensor and says nothing.

    Raises:
        PayloadError: a field is not known, or cut short.
    """
    try:
        fields = list(_fields(payload, LENGTHS))
    except PayloadError as error:
        try:
            fields = list(_fields(payload, SHORT_HISTORY))
        except PayloadError:
            raise error from None
    now, battery_percent, history = Now(), None, []
    for kind, data in fields:
        if kind == BATTERY:
            battery_percent = data[0] if data[0] <= 100 else None  # noqa: PLR2004 - percent
        elif kind == HISTORY:
            history.append(_past(data))
        else:
            _take(now, kind, data)
    if now.flags & BLIND_ZONE:
        now.distance_mm = None
    present = [Measurement(now.distance_mm, now.temperature_c, flags=now.flags)] if now.measured else []
    return Said((*history, *present), battery_percent)


def _fields(payload: bytes, lengths: dict[int, int]) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(payload):
        kind = int.from_bytes(payload[at : at + 2], "big")
        length = lengths.get(kind) or LENGTHS_OF_ANSWERS.get(kind)
        if length is None:
            raise PayloadError(f"byte {at}: a field {payload[at : at + 2].hex()} is not known")
        at += 2 + length
        if at > len(payload):
            raise PayloadError(f"the field {kind:04x} is cut short")
        yield kind, payload[at - length : at]


def _take(now: Now, kind: int, data: bytes) -> None:
    if kind in {TEMPERATURE, TEMPERATURE_ALARM}:
        now.temperature_c = int.from_bytes(data[:2], "little", signed=True) / 10
    elif kind in {DISTANCE, DISTANCE_ALARM, MUTATION_ALARM}:
        now.distance_mm = _distance_mm(data[:2])
    elif kind == EXCEPTION:
        now.distance_mm = _distance_mm(data[:2]) if data[2] == RELEASED else None
        now.flags |= BLIND_ZONE if data[2] == TOO_NEAR else 0
    elif kind == POSITION:
        now.flags |= TILTED if data[0] else 0
    else:
        return
    now.measured = True


def _past(data: bytes) -> Measurement:
    moment_s, distance_mm = int.from_bytes(data[:4], "little"), _distance_mm(data[4:6])
    if len(data) < LENGTHS[HISTORY]:
        return Measurement(distance_mm, measured_ms=moment_s * 1000)
    temperature, events = int.from_bytes(data[6:8], "little"), data[10]
    signed = int.from_bytes(data[6:8], "little", signed=True)
    return Measurement(
        None if events & TOO_NEAR_EVENT else distance_mm,
        None if temperature in NO_TEMPERATURE else signed / 10,
        flags=(BLIND_ZONE if events & TOO_NEAR_EVENT else 0) | (TILTED if events & TILT_EVENT else 0),
        measured_ms=moment_s * 1000,
    )


def _distance_mm(data: bytes) -> int | None:
    if int.from_bytes(data, "little") in NO_DISTANCE:
        return None
    return int.from_bytes(data, "little", signed=True)
