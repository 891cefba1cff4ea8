"""What a device says of itself: known fields checked, unknown ones kept. Pure; called by `decode`."""

import math
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ingest.decode_cbor import DEEPEST, U16, NotCborError, ReportS, load
from ingest.reading import Decoded, fault_of, refuse

LARGEST_INTEGER = 2**63 - 1
Count = Annotated[int, Meta(ge=0)]


class Known(Struct, frozen=True):
    """The fields of docs/contract.md; every one may be absent or null."""

    device: str | None = None
    firmware: str | None = None
    reset_cause: str | None = None
    boot_count: Count | None = None
    waiting_count: Count | None = None
    dropped_count: Count | None = None
    torn_count: Count | None = None
    rssi_dbm: int | None = None
    battery_mv: U16 | None = None
    battery_percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    next_report_s: ReportS | None = None
    config_version: Count | None = None
    config_refused: str | None = None


class UnusableError(ValueError):
    """Raised when a value has no place in a status; its text says why."""


def decode_status(payload: bytes, device: str) -> Decoded:
    """Read a status message in CBOR or JSON; never raises for what is in it.

    Args:
        payload: the message.
        device: as the topic names it.
    """
    try:
        fields = _parse(payload)
    except (NotCborError, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return refuse(reason="parse", detail=f"neither CBOR nor JSON: {error}", payload=payload)
    if not isinstance(fields, dict):
        return refuse(reason="schema", detail="not a map of fields", payload=payload)
    try:
        plain = _plain(fields, 0)
        known = msgspec.convert(plain, Known)
    except UnusableError as error:
        return refuse(reason="schema", detail=str(error), payload=payload)
    except msgspec.ValidationError as error:
        reason, detail = fault_of(error)
        return refuse(reason=reason, detail=detail, payload=payload)
    if known.device not in {None, device}:
        return refuse(reason="identity", detail="the payload names another device", payload=payload)
    text = msgspec.json.encode(plain)
    return Decoded(None, [], [], known.next_report_s, text, known.battery_mv)


def _parse(payload: bytes) -> Any:  # noqa: ANN401 - whatever was sent
    # JSON's first byte is a brace or white space, which no CBOR map begins with.
    if payload[:1] >= b"\x80":
        return load(payload)
    return msgspec.json.decode(payload)


def _plain(value: object, depth: int) -> object:
    """Turn a value into what PostgreSQL's jsonb takes: no NaN, no NUL, no bytes, text keys only.

    Raises:
        UnusableError: nested too deeply, a key that is no text, a number or kind of value that JSON has no word for.
    """
    if depth > DEEPEST:
        raise UnusableError("nested too deeply")
    if isinstance(value, dict):
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    return _plain_scalar(value)


def _plain_scalar(value: object) -> object:
    match value:
        case int() if abs(value) > LARGEST_INTEGER:
            raise UnusableError("a number has more than 64 bits")
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return _without_nul(value)
        case bytes():
            return value.hex()
    raise UnusableError(f"a value of kind {type(value).__name__} cannot be kept")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise UnusableError("a field's name is not text")
    return _without_nul(key)


def _without_nul(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
