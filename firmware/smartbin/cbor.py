"""The part of CBOR (RFC 8949, definite lengths) that our messages need, for CPython and MicroPython alike."""

# ruff: noqa: PLR2004 - the numbers are those of RFC 8949, section 3

import struct

MAX_DEPTH = 8  # deeper nesting is rubbish, and would exhaust the device's stack
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


def encode(value: object) -> bytes:
    """Encode None, booleans, integers, text, bytes, lists, tuples and dicts of them.

    Integers take the shortest form. A dict keeps its own order, which MicroPython does not define.

    Raises:
        ValueError: the value, or one inside it, is of another type or beyond 64 bits.
    """
    out = bytearray()
    _append(out, value)
    return bytes(out)


def decode(data: bytes) -> object:
    """Decode one item that must fill `data` exactly; a tag is dropped and its content kept.

    Raises:
        ValueError: truncated, trailing bytes, indefinite length, too deep, or a reserved form.
    """
    value, end = _item(data, 0, 0)
    if end != len(data):
        raise ValueError("CBOR: bytes after the end")
    return value


def _append(out: bytearray, value: object) -> None:
    if value is None:
        out.append(0xF6)
    elif value is True or value is False:
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        _append_head(out, 0x00 if value >= 0 else 0x20, value if value >= 0 else -1 - value)
    elif isinstance(value, str):
        text = value.encode()
        _append_head(out, 0x60, len(text))
        out.extend(text)
    elif isinstance(value, (bytes, bytearray)):
        _append_head(out, 0x40, len(value))
        out.extend(value)
    elif isinstance(value, (list, tuple)):
        _append_head(out, 0x80, len(value))
        for item in value:
            _append(out, item)
    elif isinstance(value, dict):
        _append_head(out, 0xA0, len(value))
        for key, item in value.items():
            _append(out, key)
            _append(out, item)
    else:
        raise ValueError("CBOR: cannot encode " + type(value).__name__)


def _append_head(out: bytearray, major: int, number: int) -> None:
    if number < 24:
        out.append(major | number)
    elif number <= 0xFF:
        out.extend(bytes((major | 24, number)))
    elif number <= 0xFFFF:
        out.extend(struct.pack(">BH", major | 25, number))
    elif number <= 0xFFFFFFFF:
        out.extend(struct.pack(">BI", major | 26, number))
    elif number >> 64 == 0:
        out.extend(struct.pack(">BQ", major | 27, number))
    else:
        raise ValueError("CBOR: integer beyond 64 bits")  # struct would wrap it silently on MicroPython


def _take(data: bytes, at: int, count: int) -> "tuple[bytes, int]":
    if count > len(data) - at:
        raise ValueError("CBOR: truncated")
    return data[at : at + count], at + count


def _argument(data: bytes, at: int, info: int) -> "tuple[int, int]":
    if info < 24:
        return info, at
    if info > 27:
        raise ValueError("CBOR: indefinite or reserved length")
    raw, at = _take(data, at, 1 << (info - 24))
    return int.from_bytes(raw, "big"), at


def _item(data: bytes, at: int, depth: int) -> "tuple[object, int]":
    if depth > MAX_DEPTH:
        raise ValueError("CBOR: nested too deeply")
    head, at = _take(data, at, 1)
    major, info = head[0] >> 5, head[0] & 31
    if major == 7:
        return _simple(data, at, info)
    number, at = _argument(data, at, info)
    if major < 2:
        return (-1 - number if major else number), at
    if major == 2:
        return _take(data, at, number)
    if major == 3:
        return _text(data, at, number)
    if major == 6:
        return _item(data, at, depth + 1)
    return _nested(data, at, depth + 1, (major, number))


def _nested(data: bytes, at: int, depth: int, head: "tuple[int, int]") -> "tuple[object, int]":
    major, number = head
    if number > len(data) - at:
        raise ValueError("CBOR: truncated")  # each item takes a byte; MicroPython's range() refuses huge counts
    if major == 4:
        return _array(data, at, depth, number)
    return _map(data, at, depth, number)


def _text(data: bytes, at: int, count: int) -> "tuple[str, int]":
    raw, at = _take(data, at, count)
    try:
        return str(raw, "utf-8"), at
    except UnicodeError:
        raise ValueError("CBOR: text is not UTF-8") from None


def _array(data: bytes, at: int, depth: int, count: int) -> "tuple[list[object], int]":
    items = []
    for _ in range(count):
        value, at = _item(data, at, depth)
        items.append(value)
    return items, at


def _map(data: bytes, at: int, depth: int, count: int) -> "tuple[dict[str | int, object], int]":
    pairs: "dict[str | int, object]" = {}
    for _ in range(count):
        key, at = _item(data, at, depth)
        if not isinstance(key, (str, int)):
            raise ValueError("CBOR: a map's key is neither text nor integer")  # noqa: TRY004 - callers catch one kind
        pairs[key], at = _item(data, at, depth)
    return pairs, at


def _simple(data: bytes, at: int, info: int) -> "tuple[object, int]":
    if info in _SIMPLE:
        return _SIMPLE[info], at
    if info == 25:
        raw, at = _take(data, at, 2)
        return _half(int.from_bytes(raw, "big")), at
    if info in (26, 27):
        raw, at = _take(data, at, 4 if info == 26 else 8)
        return struct.unpack(">f" if info == 26 else ">d", raw)[0], at
    raise ValueError("CBOR: reserved simple value")


def _half(bits: int) -> float:
    # MicroPython's struct has no half precision.
    exponent, fraction = bits >> 10 & 31, bits & 1023
    if exponent == 31:
        size = float("nan") if fraction else float("inf")
    elif exponent == 0:
        size = fraction / 16777216
    else:
        size = (1024 + fraction) * 2.0 ** (exponent - 25)
    return -size if bits >> 15 else size
