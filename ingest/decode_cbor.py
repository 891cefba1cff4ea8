"""Readings in CBOR: arrays of our own firmware (docs/contract.md). Pure; called by `decode`."""

from io import BytesIO
from typing import Annotated, Any, NoReturn

import cbor2
import msgspec
from msgspec import Meta, Struct

from ingest.reading import (
    EARLIEST_S,
    LARGEST_ROWS,
    MOST_NAMED,
    Decoded,
    Identity,
    Reading,
    Refusal,
    fault_of,
    refuse,
    time_fault,
)

VERSION = 1
LARGEST_U32 = 4_294_967_295
U32 = Annotated[int, Meta(ge=0, le=LARGEST_U32)]
U16 = Annotated[int, Meta(ge=0, le=65_535)]
ReportS = Annotated[int, Meta(ge=1, le=604_800)]
DEEPEST = 16
ROWS_AT = 3
PAIR = b"\x82"  # an array of two items
END = b"\x48brimwatc"  # a byte string of eight


class CborRow(Struct, array_like=True, frozen=True, gc=False):
    """One reading as it travels; further places are of a later minor version and ignored."""

    seq: U32
    measured_at: int
    distance_mm: U16 | None
    spread_mm: U16 | None
    valid_count: Annotated[int, Meta(ge=0, le=255)] | None
    temperature_c: Annotated[int, Meta(ge=-1000, le=5000)] | None
    battery_mv: U16 | None
    tilt_deg: Annotated[int, Meta(ge=0, le=180)] | None
    flags: U16


class CborMessage(Struct, array_like=True, frozen=True):
    """The whole message, every row good."""

    version: int
    epoch: U32
    next_report_s: ReportS | None
    rows: list[CborRow]


class CborEnvelope(Struct, array_like=True, frozen=True):
    """The message with its rows unread, for when one of them is bad."""

    version: int
    epoch: U32
    next_report_s: ReportS | None
    rows: list[Any]


class Untagged(dict[int, Any]):
    """Decoders of CBOR tags: none. Tags can stand for numbers of any length, cycles and patterns, and we use none."""

    def __missing__(self, tag: int) -> NoReturn:
        raise ValueError(f"tag {tag} is not part of the contract")


NO_TAGS = Untagged()


class NotCborError(ValueError):
    """Raised when bytes are not one CBOR item of the plain kinds."""


def load(payload: bytes) -> Any:  # noqa: ANN401 - whatever CBOR holds
    """Read one CBOR item, and nothing after it.

    Raises:
        NotCborError: the bytes are something else.
    """
    # Four times as fast as asking a decoder how far it came: as the first of two items, the second of which we know.
    try:
        both = cbor2.loads(PAIR + payload + END, max_depth=DEEPEST + 1, semantic_decoders=NO_TAGS)
    except (cbor2.CBORError, ValueError, OverflowError, TypeError):
        return load_or_say_why_not(payload)
    if both[1] != END[1:] or payload.endswith(END):
        return load_or_say_why_not(payload)
    return both[0]


def load_or_say_why_not(payload: bytes) -> Any:  # noqa: ANN401 - whatever CBOR holds
    """Do the same step by step, and find out what is wrong.

    Raises:
        NotCborError: the bytes are something else.
    """
    stream = BytesIO(payload)
    try:
        decoder = cbor2.CBORDecoder(stream, max_depth=DEEPEST, semantic_decoders=NO_TAGS)
        item = decoder.decode()
    except (cbor2.CBORError, ValueError, OverflowError, TypeError) as error:
        raise NotCborError(str(error) or type(error).__name__) from None
    if stream.tell() != len(payload):
        raise NotCborError(f"{len(payload) - stream.tell()} bytes follow the message")
    return item


def decode_readings(payload: bytes, now_ms: int) -> Decoded:
    """Read a message of readings in CBOR; never raises for what is in it."""
    try:
        message = load(payload)
    except NotCborError as error:
        return refuse(reason="parse", detail=f"not CBOR: {error}", payload=payload)
    if type(message) is not list or not message or type(message[0]) is not int:
        return refuse(reason="schema", detail="not an array that begins with a version", payload=payload)
    if message[0] != VERSION:
        return refuse(reason="version", detail=f"version {message[0]} is not known", payload=payload)
    if len(message) > ROWS_AT and type(message[ROWS_AT]) is list and len(message[ROWS_AT]) > LARGEST_ROWS:
        detail = f"{len(message[ROWS_AT])} readings"
        return refuse(reason="oversize", detail=detail, payload=payload, identities=_readable(message))
    try:
        whole = msgspec.convert(message, CborMessage)
    except msgspec.ValidationError:
        return _row_by_row(message, payload, now_ms)
    decoded = Decoded(None, [], [], whole.next_report_s)
    for place, row in enumerate(whole.rows):
        _take(decoded, whole.epoch, row, now_ms, message, place, payload)
    return decoded


def _row_by_row(message: list[Any], payload: bytes, now_ms: int) -> Decoded:
    try:
        envelope = msgspec.convert(message, CborEnvelope)
    except msgspec.ValidationError as error:
        reason, detail = fault_of(error, CborEnvelope.__struct_fields__)
        return refuse(reason=reason, detail=detail, payload=payload, identities=_readable(message))
    decoded = Decoded(None, [], [], envelope.next_report_s)
    for place, values in enumerate(envelope.rows):
        try:
            row = msgspec.convert(values, CborRow)
        except msgspec.ValidationError as error:
            reason, detail = fault_of(error, CborRow.__struct_fields__)
            known = _readable([*message[:3], [values]])
            decoded.refusals.append(Refusal(reason, detail, _alone(message, place, payload), known))
        else:
            _take(decoded, envelope.epoch, row, now_ms, message, place, payload)
    return decoded


def _take(  # noqa: PLR0917 - the hot path passes by position
    decoded: Decoded, epoch: int, row: CborRow, now_ms: int, message: list[Any], place: int, payload: bytes
) -> None:
    measured_at = row.measured_at
    if measured_at < EARLIEST_S or measured_at * 1000 > now_ms:
        fault = time_fault(measured_at, now_ms)
        if fault:
            alone = _alone(message, place, payload)
            decoded.refusals.append(Refusal("time", fault, alone, ((epoch, row.seq),)))
            return
    tenths = row.temperature_c
    decoded.readings.append(
        Reading(
            epoch,
            row.seq,
            measured_at * 1000,
            row.distance_mm,
            row.spread_mm,
            row.valid_count,
            None if tenths is None else tenths / 10,
            row.battery_mv,
            row.tilt_deg,
            row.flags,
        )
    )


def _alone(message: list[Any], place: int, payload: bytes) -> bytes:
    """Make a message of one row, which can be read, and tried again, without its neighbours."""
    if len(message[3]) == 1:
        return payload
    return cbor2.dumps([*message[:3], [message[3][place]]])


def _readable(message: list[Any]) -> tuple[Identity, ...]:
    if len(message) <= ROWS_AT or type(message[ROWS_AT]) is not list:
        return ()
    epoch, rows = message[1], message[ROWS_AT]
    if not _is_u32(epoch) or len(rows) > MOST_NAMED:
        return ()
    return tuple((epoch, row[0]) for row in rows if type(row) is list and row and _is_u32(row[0]))


def _is_u32(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_U32
