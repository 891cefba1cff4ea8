"""Bad messages made by hand, in JSON, as text: numbers, escapes and mistakes of it have no other form."""

import json
from collections.abc import Iterator

from tests.contract.bad import Bad, Identities, bad_cbor
from tests.contract.golden import load, payload_of

NO_NUMBERS = ("true", "false", '"640"', '""', '"\\u0000"', "[1]", "[]", "{}", '{"a":1}')
TOO_FAR = (
    "-1e9", "-4294967296", "4294967296", "18446744073709551615", "-9223372036854775809", "1" + "0" * 400, "1e400",
)  # fmt: skip
NOT_JSON = (
    "NaN", "Infinity", "-Infinity", "nan", "undefined", "None", "True", "0x10", "012", "+1", "1.", ".5", "1e", "--1",
    "'640'", '"\\x41"', '"\\u12"', '"\\ud800"', '"\x01"', '"', "[", "{", "[1,]", '{"a"}', "{1:2}", "//", "",
    "1 2", "1_0",
)  # fmt: skip
NOT_UTF8 = (b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xfe\xff")
NO_TIMES = (
    '"yesterday"', '""', '"2026-03-01"', '"2026-03-01T12:00:00"', '"2026-13-01T12:00:00Z"', '"2026-02-30T12:00:00Z"',
    '"2026-03-01T25:00:00Z"', '"1772366400"', '"2026-03-01T12:00:00+25:00"', '"20260301T120000Z"', "true", "null", "[]",
)  # fmt: skip
WRONG_TIMES = (
    "0", "-1", "1577836799", "1577836799.999", "4102444801", "1e18", "-1e300", "1e300", "9223372036854775807",
    '"1970-01-01T00:00:00Z"', '"2019-12-31T23:59:59Z"', '"2099-01-01T00:00:00Z"', '"0001-01-01T00:00:00+23:59"',
)  # fmt: skip
WHOLE_NUMBERS = ("distance_mm", "spread_mm", "valid_count", "battery_mv", "tilt_deg", "flags")
READING = {"distance_mm": "640", "measured_at": "1772366400", "seq": "7", "epoch": "3"}
KNOWN: Identities = ((3, 7),)
MISTAKES: tuple[tuple[str, tuple[str, ...], str, Identities | None], ...] = (
    *((field, (*NO_NUMBERS, "1.5"), "schema", KNOWN) for field in WHOLE_NUMBERS),
    *((field, TOO_FAR, "range schema", KNOWN) for field in WHOLE_NUMBERS),
    ("temperature_c", NO_NUMBERS, "schema", KNOWN),
    ("temperature_c", ("-100.1", "500.1", *TOO_FAR), "range", KNOWN),
    *((field, ("0", "1", "null", '"true"', "[]"), "schema", KNOWN) for field in ("lid_open", "time_estimated")),
    # What cannot be read is not told apart from what it is to be named by.
    ("measured_at", NO_TIMES, "schema", None),
    ("measured_at", WRONG_TIMES, "time", KNOWN),
    *((field, (*NO_NUMBERS, "null", "1.5"), "schema", ()) for field in ("seq", "epoch")),
    *((field, TOO_FAR, "range schema", ()) for field in ("seq", "epoch")),
)
"""Field, what it must not be, words of which one is given, identities that are read nevertheless."""
LARGEST = 65_536


def handmade() -> list[Bad]:
    """Make all, in CBOR and in JSON; no two payloads of a kind of message are equal."""
    made: dict[tuple[str, bytes], Bad] = {}
    for bad in (*bad_cbor(), *_in_fields(), *_in_text(), *_in_status(), *_monsters()):
        made.setdefault((bad.kind, bad.payload), bad)
    return list(made.values())


def _in_fields() -> Iterator[Bad]:
    for shape in ("alone", "listed"):
        for field, values, reasons, known in MISTAKES:
            for value in values:
                bad = _text(shape, READING | {field: value})
                yield Bad(f"{shape}: {field} is {value[:30]}", bad, tuple(reasons.split()), 0, known)
        for field in ("distance_mm", "measured_at"):
            rest = {name: value for name, value in READING.items() if name != field}
            yield Bad(f"{shape} without {field}", _text(shape, rest), ("schema",), 0, KNOWN)
    for value in ("0", "2", "-1", "4294967296"):
        yield Bad(f"version {value}", _text("alone", READING | {"version": value}), ("version",))
    for value in ('"d-2"', '""', '"D-1"', '"d-1 "', '"\\u0000"'):
        yield Bad(f"device {value}", _text("alone", READING | {"device": value}), ("identity",), 0, KNOWN)


def _text(shape: str, fields: dict[str, str]) -> bytes:
    row = "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"
    return (row if shape == "alone" else f'{{"readings": [{row}]}}').encode()


def _in_text() -> Iterator[Bad]:
    for example in load("v1/readings")["json"]:
        payload = payload_of(example)
        for length in range(len(payload)):
            yield Bad(f"{example['name']}: only {length} bytes", payload[:length], ("parse",))
        for junk in (b"x", b",", b"{}", b"]", b"\0", b"//", payload):
            yield Bad(f"{example['name']}: with {junk[:2]!r} behind it", payload + junk, ("parse",))
        for mark in (b"\xef\xbb\xbf", b"\0", b"\x0b", b"#", b"=", b"'"):
            yield Bad(f"{example['name']}: with {mark!r} before it", mark + payload, ("parse",))
    for field in (*READING, "anything"):
        for value in NOT_JSON:
            yield Bad(f"{field} is {value!r}", _text("alone", READING | {field: value}), ("parse", "schema"))
    for junk in NOT_UTF8:
        yield Bad(f"{junk!r} in a text", b'{"device": "' + junk + b'"}', ("parse",))
        yield Bad(f"{junk!r} as a message", junk, ("parse",))
    for value in ("null", "true", "5", '"text"', "[]", "[{}]", "1e5"):
        yield Bad(f"no object but {value}", value.encode(), ("schema",))
    for value in (*NO_NUMBERS[:6], "null", "5", "{}"):
        yield Bad(f"readings are {value}", f'{{"readings": {value}}}'.encode(), ("schema",))
        yield Bad(f"a reading is {value}", f'{{"readings": [{value}]}}'.encode(), ("schema",))
    yield Bad("no reading", b'{"readings": []}', ("range",))


def _in_status() -> Iterator[Bad]:
    for field in ("boot_count", "waiting_count", "dropped_count", "torn_count", "rssi_dbm", "battery_mv"):
        for value in (*NO_NUMBERS, "1.5", "18446744073709551615", "-9223372036854775809"):
            yield Bad(f"{field} is {value}", f'{{"{field}": {value}}}'.encode(), ("schema", "range"), kind="status")
    for value in ("5", "true", "[]", "{}"):
        yield Bad(f"firmware is {value}", f'{{"firmware": {value}}}'.encode(), ("schema",), kind="status")
    for value in ('"d-2"', '""'):
        yield Bad(f"device is {value}", f'{{"device": {value}}}'.encode(), ("identity",), kind="status")
    for value in NOT_JSON:
        yield Bad(f"status of {value!r}", f'{{"a": {value}}}'.encode(), ("parse",), kind="status")


def _monsters() -> Iterator[Bad]:
    """What is large or deep."""
    for depth in (17, 100, 1000, 60_000):
        yield Bad(f"CBOR {depth} deep", b"\x81" * depth + b"\x00", ("parse",))
        yield Bad(f"CBOR without end {depth} deep", b"\x9f" * depth, ("parse",))
        yield Bad(f"maps {depth} deep", b"\xa1\x61a" * (depth // 3) + b"\x00", ("parse", "schema"))
        yield Bad(
            f"JSON {depth} deep", b'{"readings":' + b"[" * depth + b"]" * depth + b"}", ("parse", "schema", "oversize")
        )
    for digits in (5_000, 60_000, 1_000_000):
        payload = _text("alone", READING | {"distance_mm": "9" * digits})
        taste = () if len(payload) > LARGEST else None
        yield Bad(f"{digits} digits", payload, ("range", "schema", "parse", "oversize"), 0, taste)
    for claimed in (
        b"\x9b\x7f" + b"\xff" * 7,
        b"\x81\x5b\x7f" + b"\xff" * 7,
        b"\xbb" + b"\xff" * 8,
        b"\x9a\xff\xff\xff\xff",
    ):
        yield Bad(f"claims to be endless: {claimed.hex()}", claimed, ("parse",))
    for count in (201, 1000):
        rows = [{"seq": seq, "distance_mm": 640, "measured_at": 1772366400} for seq in range(count)]
        payload = json.dumps({"epoch": 3, "readings": rows}).encode()
        known: Identities = () if len(payload) > LARGEST else tuple((3, seq) for seq in range(count))
        yield Bad(f"{count} readings", payload, ("oversize",), 0, known)
    yield Bad("one byte too large", bytes(LARGEST + 1), ("oversize",))
