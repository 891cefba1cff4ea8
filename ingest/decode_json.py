"""Readings in JSON: the same fields by name, for everybody who is not our firmware. Pure; called by `decode`."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ingest.decode_cbor import U16, U32, VERSION, ReportS
from ingest.reading import (
    BLIND_ZONE,
    LARGEST_ROWS,
    LID_OPEN,
    MOST_NAMED,
    TILTED,
    TIME_ESTIMATED,
    Decoded,
    Identity,
    Reading,
    Refusal,
    fault_of,
    refuse,
    time_fault,
)

Instant = Annotated[datetime, Meta(tz=True)] | int | float


class JsonRow(Struct, frozen=True):
    """One reading as people and other programs write it."""

    distance_mm: U16 | None
    measured_at: Instant
    seq: U32 | UnsetType = UNSET
    epoch: U32 | UnsetType = UNSET
    spread_mm: U16 | None = None
    valid_count: Annotated[int, Meta(ge=0, le=255)] | None = None
    temperature_c: Annotated[float, Meta(ge=-100, le=500)] | None = None
    battery_mv: U16 | None = None
    tilt_deg: Annotated[int, Meta(ge=0, le=180)] | None = None
    flags: U16 = 0
    lid_open: bool = False
    time_estimated: bool = False
    blind_zone: bool = False
    tilted: bool = False


class JsonMessage(Struct, frozen=True):
    """What stands beside the readings, or beside the fields of the only one."""

    version: int | UnsetType = UNSET
    device: str | UnsetType = UNSET
    epoch: U32 | UnsetType = UNSET
    next_report_s: ReportS | None = None
    readings: list[Raw] | UnsetType = UNSET


class JsonIdentity(Struct, frozen=True):
    """What is needed to acknowledge a reading, whatever else is wrong with it."""

    seq: U32 | UnsetType = UNSET
    epoch: U32 | UnsetType = UNSET
    measured_at: Instant | UnsetType = UNSET


class JsonReadable(Struct, frozen=True):
    """The same for a message that is wrong beside its readings."""

    epoch: U32 | UnsetType = UNSET
    readings: list[Raw] | UnsetType = UNSET


MESSAGE = msgspec.json.Decoder(JsonMessage)
ROW = msgspec.json.Decoder(JsonRow)
IDENTITY = msgspec.json.Decoder(JsonIdentity)
READABLE = msgspec.json.Decoder(JsonReadable)


def decode_readings(payload: bytes, device: str, now_ms: int) -> Decoded:
    """Read a message of readings in JSON; never raises for what is in it.

    Args:
        payload: the message.
        device: as the topic names it.
        now_ms: the server's time, milliseconds since 1970.
    """
    try:
        message = MESSAGE.decode(payload)
    except msgspec.ValidationError as error:
        reason, detail = fault_of(error)
        return refuse(reason=reason, detail=detail, payload=payload, identities=_readable(payload))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return refuse(reason="parse", detail=f"neither CBOR nor JSON: {error}", payload=payload)
    if message.version is not UNSET and message.version != VERSION:
        return refuse(reason="version", detail=f"version {message.version} is not known", payload=payload)
    if message.device is not UNSET and message.device != device:
        detail = f"the payload names device {message.device[:64]!r}"
        return refuse(reason="identity", detail=detail, payload=payload, identities=_readable(payload))
    decoded = Decoded(None, [], [], message.next_report_s)
    rows: list[Raw] | list[bytes] = [payload] if message.readings is UNSET else message.readings
    if len(rows) > LARGEST_ROWS:
        detail = f"{len(rows)} readings"
        return refuse(reason="oversize", detail=detail, payload=payload, identities=_readable(payload))
    for raw in rows:
        text = bytes(raw)
        alone = payload if len(rows) == 1 else _alone(message, text)
        _take(decoded, text, alone, message.epoch, now_ms)
    return decoded


def _take(decoded: Decoded, text: bytes, alone: bytes, epoch: int | UnsetType, now_ms: int) -> None:
    try:
        row = ROW.decode(text)
    except msgspec.ValidationError as error:
        reason, detail = fault_of(error)
        decoded.refusals.append(Refusal(reason, detail, alone, _identity(text, epoch)))
        return
    except RecursionError:
        decoded.refusals.append(Refusal("parse", "nested too deeply", alone))
        return
    seconds = _seconds(row.measured_at)
    identity = _identity_of(row.seq, row.epoch if row.epoch is not UNSET else epoch, seconds)
    fault = time_fault(seconds, now_ms)
    if fault:
        decoded.refusals.append(Refusal("time", fault, alone, (identity,) if identity else ()))
    elif identity is None:
        decoded.refusals.append(Refusal("schema", "epoch without seq", alone))
    else:
        decoded.readings.append(_reading(row, identity, seconds))


def _reading(row: JsonRow, identity: Identity, seconds: float) -> Reading:
    return Reading(
        *identity,
        round(seconds * 1000),
        row.distance_mm,
        row.spread_mm,
        row.valid_count,
        None if row.temperature_c is None else round(row.temperature_c, 1),
        row.battery_mv,
        row.tilt_deg,
        _flags(row),
    )


def _flags(row: JsonRow) -> int:
    named = LID_OPEN * row.lid_open | TIME_ESTIMATED * row.time_estimated | BLIND_ZONE * row.blind_zone
    return row.flags | named | TILTED * row.tilted


def _identity_of(seq: int | UnsetType, epoch: int | UnsetType, seconds: float) -> Identity | None:
    """Name a reading: as the sender counts, or by its time where the sender counts nothing."""
    if seq is not UNSET:
        return (0 if epoch is UNSET else epoch, seq)
    # Beyond 1e15 s it is no time, and a float of milliseconds may even be infinite.
    if epoch is not UNSET or not 0 <= seconds < 1e15:  # noqa: PLR2004 - said above
        return None
    return (0, round(seconds * 1000))


def _seconds(instant: datetime | float) -> float:
    return instant.timestamp() if isinstance(instant, datetime) else instant


def _alone(message: JsonMessage, text: bytes) -> bytes:
    """Make a message of one row, which can be read, and tried again, without its neighbours."""
    epoch = b"" if message.epoch is UNSET else b'"epoch":%d,' % message.epoch
    return b"{" + epoch + b'"readings":[' + text + b"]}"


def _readable(payload: bytes) -> tuple[Identity, ...]:
    try:
        message = READABLE.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        # A wrong field may stand before the place where it ceases to be JSON.
        return ()
    rows = [payload] if message.readings is UNSET else [bytes(raw) for raw in message.readings]
    if len(rows) > MOST_NAMED:
        return ()
    return tuple(identity for text in rows for identity in _identity(text, message.epoch))


def _identity(text: bytes, epoch: int | UnsetType) -> tuple[Identity, ...]:
    try:
        row = IDENTITY.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return ()
    seconds = -1.0 if row.measured_at is UNSET else _seconds(row.measured_at)
    identity = _identity_of(row.seq, row.epoch if row.epoch is not UNSET else epoch, seconds)
    return () if identity is None else (identity,)
