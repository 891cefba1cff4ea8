"""Bad messages made by hand, in CBOR: each way in which a golden example can be wrong, and what has to be said of it.

Each mistake has a name and is made in every example and every field where it is one; those in JSON are in `bad_json`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cbor2

from tests.contract.golden import NOW_MS, load, payload_of

Identities = tuple[tuple[int, int], ...]

NO_NUMBERS: dict[str, object] = {
    "true": True,
    "false": False,
    "text": "640",
    "no text": "",
    "NUL": "\0",
    "bytes": b"640",
    "array": [1],
    "empty array": [],
    "map": {"a": 1},
    "fraction": 1.5,
    "whole float": 2.0,
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "undefined": cbor2.undefined,
    "simple value": cbor2.CBORSimpleValue(99),
}
FAR_OUT = {
    "2**63 - 1": 2**63 - 1,
    "2**63": 2**63,
    "2**64 - 1": 2**64 - 1,
    "-2**63": -(2**63),
    "-2**64": -(2**64),
}
"""Of every whole number that the contract has; times apart."""
TAGGED: dict[str, object] = {
    "2**64": 2**64,
    "2**1000": 2**1000,
    "fraction by tag": cbor2.CBORTag(4, [-2, 640]),
    "date by tag": cbor2.CBORTag(0, "2026-03-01T12:00:00Z"),
    "shared by tag": cbor2.CBORTag(28, [1]),
}
LIMITS = {
    "seq": (0, 4_294_967_295),
    "measured_at": (1_577_836_800, NOW_MS // 1000 + 300),
    "distance_mm": (0, 65_535),
    "spread_mm": (0, 65_535),
    "valid_count": (0, 255),
    "temperature_c": (-1000, 5000),
    "battery_mv": (0, 65_535),
    "tilt_deg": (0, 180),
    "flags": (0, 65_535),
}
FIELDS = tuple(LIMITS)
NEVER_NULL = ("seq", "measured_at", "flags")


@dataclass(frozen=True, slots=True)
class Bad:
    """A message that is wrong in one way.

    Attributes:
        name: the mistake and where it is.
        payload: the message.
        reasons: words of the contract of which one has to be given.
        good: readings in it that nothing is wrong with.
        identities: of the refused readings, as far as they can be read; None where that is a matter of taste.
        kind: last level of the topic.
    """

    name: str
    payload: bytes
    reasons: tuple[str, ...]
    good: int = 0
    identities: Identities | None = ()
    kind: str = "readings"


def bad_cbor() -> Iterator[Bad]:
    """Make those in CBOR."""
    for example in load("v1/readings")["cbor"]:
        yield from _in_rows(example["name"], example["message"])
        yield from _in_heads(example["name"], example["message"])
        yield from _in_bytes(example["name"], payload_of(example))
    for example in load("v1/status"):
        if "cbor" in example:
            yield from _in_bytes(f"status, {example['name']}", payload_of(example), "status")


def _in_rows(name: str, message: list[Any]) -> Iterator[Bad]:
    row, epoch = message[3][0], message[1]
    for place, field in enumerate(FIELDS):
        known = () if field == "seq" else ((epoch, row[0]),)
        for fault, value, reason in _faults(field):
            bad = [*row[:place], value, *row[place + 1 :]]
            yield _with_row(f"{name}: {field} is {fault}", message, bad, reason, known)
        for fault, value in TAGGED.items():
            bad = [*row[:place], value, *row[place + 1 :]]
            payload = cbor2.dumps([*message[:3], [bad, *message[3][1:]]])
            yield Bad(f"{name}: {field} is {fault}", payload, ("parse",))
    for places in range(len(FIELDS)):
        known = ((epoch, row[0]),) if places else ()
        yield _with_row(f"{name}: a row of {places}", message, row[:places], "schema", known)
    for fault, value in (NO_NUMBERS | {"null": None, "a number": 5}).items():
        # A row that is an array of one number is read as far as that goes.
        known = ((epoch, 1),) if value == [1] else ()
        yield _with_row(f"{name}: a row is {fault}", message, value, "schema", known)


def _faults(field: str) -> Iterator[tuple[str, object, str]]:
    """Give (what it is, the value, the reason) for what a field must not be."""
    for fault, value in NO_NUMBERS.items():
        yield fault, value, "schema"
    if field in NEVER_NULL:
        yield "null", None, "schema"
    lowest, highest = LIMITS[field]
    for fault, number in ({"too low": lowest - 1, "too high": highest + 1} | FAR_OUT).items():
        yield fault, number, "time" if field == "measured_at" else "range"


def _with_row(name: str, message: list[Any], row: object, reason: str, known: Identities) -> Bad:
    rows = message[3][1:]
    return Bad(name, cbor2.dumps([*message[:3], [row, *rows]]), (reason,), len(rows), known)


def _in_heads(name: str, message: list[Any]) -> Iterator[Bad]:
    known = tuple((message[1], row[0]) for row in message[3])
    for fault, value in (NO_NUMBERS | {"null": None}).items():
        yield Bad(f"{name}: version is {fault}", cbor2.dumps([value, *message[1:]]), ("schema",))
        yield Bad(f"{name}: epoch is {fault}", cbor2.dumps([1, value, *message[2:]]), ("schema",))
        if value is not None:
            payload = cbor2.dumps([*message[:2], value, message[3]])
            yield Bad(f"{name}: next report is {fault}", payload, ("schema",), 0, known)
        if value != [1]:
            # No reading at all is a matter of how many there may be.
            reason = "range" if value == [] else "schema"
            yield Bad(f"{name}: rows are {fault}", cbor2.dumps([*message[:3], value]), (reason,))
    for number in (0, -1, 2, *FAR_OUT.values()):
        yield Bad(f"{name}: version {number}", cbor2.dumps([number, *message[1:]]), ("version",))
    for number in (-1, 2**32, *FAR_OUT.values()):
        yield Bad(f"{name}: epoch {number}", cbor2.dumps([1, number, *message[2:]]), ("range",))
    for number in (0, -1, 604_801, *FAR_OUT.values()):
        payload = cbor2.dumps([*message[:2], number, message[3]])
        yield Bad(f"{name}: next report {number}", payload, ("range",), 0, known)
    for places in range(4):
        yield Bad(f"{name}: only {places} places", cbor2.dumps(message[:places]), ("schema",))


def _in_bytes(name: str, payload: bytes, kind: str = "readings") -> Iterator[Bad]:
    for length in range(len(payload)):
        yield Bad(f"{name}: only {length} bytes", payload[:length], ("parse",), kind=kind)
    for junk in (b"\0", b"\xff", b" ", b"\n", b"{}", b"\x80", b"\xf6", payload):
        yield Bad(f"{name}: with {junk[:2]!r} behind it", payload + junk, ("parse",), kind=kind)
