"""The contract, row by row: what is stored, what is refused and why, and that nothing else can happen."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import cbor2
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware.smartbin import codec
from ingest.decode import decode
from ingest.decode_cbor import END, NotCborError, load, load_or_say_why_not
from ingest.reading import Decoded, Reading

NOW_S = 1_772_370_000  # 2026-03-01T13:00:00Z
READINGS = "bins/v1/d-1/up/readings"
STATUS = "bins/v1/d-1/up/status"
CONTRACT = Path(__file__).parents[3] / "docs" / "contract.md"
REASONS = set(
    re.findall(r"^\| `([a-z_]+)` \|", CONTRACT.read_text(encoding="utf-8").split("## What is refused")[1], re.MULTILINE)
)
ROW = [17, 1_772_366_400, 640, 4, 9, 123, 3600, 1, 0]
READING = Reading(3, 17, 1_772_366_400_000, 640, 4, 9, 12.3, 3600, 1, 0)


def read(payload: bytes | str, topic: str = READINGS, *, retain: bool = False) -> Decoded:
    text = payload.encode() if isinstance(payload, str) else payload
    return decode(topic, text, retain=retain, now_ms=NOW_S * 1000)


def message(*rows: object, epoch: object = 3, next_report_s: object = 3600) -> bytes:
    return cbor2.dumps([1, epoch, next_report_s, list(rows)])


def with_place(place: int, value: object) -> list[object]:
    return [*ROW[:place], value, *ROW[place + 1 :]]


def reading(**changes: object) -> Reading:
    return msgspec.structs.replace(READING, **changes)


def hand_written(**fields: object) -> str:
    return json.dumps({"distance_mm": 640, "measured_at": 1_772_366_400, **fields})


def test_message_of_the_firmware_is_read_whole() -> None:
    payload = codec.encode_readings(3, 3600, [tuple(ROW), (18, NOW_S, None, None, None, None, None, None, 3)])

    decoded = read(payload)

    late = Reading(3, 18, NOW_S * 1000, None, None, None, None, None, None, 3)
    assert decoded == Decoded("d-1", [READING, late], [], 3600)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, 0),  # the first of an epoch
        (0, 4_294_967_295),  # the last that can be counted
        (1, 1_577_836_800),  # the first second of 2020
        (1, NOW_S + 300),  # a clock that is 5 minutes ahead
        (2, None),  # no valid echo
        (2, 65_535),
        (3, 0),
        (4, 255),
        (5, -1000),  # -100.0 degrees
        (5, 5000),
        (6, 65_535),
        (7, 180),  # upside down
        (8, 65_535),  # flags of a later version
    ],
)
def test_row_at_the_edge_of_its_range_is_stored(place: int, value: object) -> None:
    decoded = read(message(with_place(place, value)))

    assert (len(decoded.readings), decoded.refusals) == (1, [])


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, -1, "range"),
        (0, 4_294_967_296, "range"),
        (0, 2**64 - 1, "range"),  # more than 63 bits
        (0, True, "schema"),  # true is not 1
        (0, None, "schema"),
        (1, 1_577_836_799, "time"),  # before 2020: a clock that was never set
        (1, 0, "time"),
        (1, -1, "time"),
        (1, NOW_S + 301, "time"),  # more than 5 minutes ahead
        (1, 2**64 - 1, "time"),
        (1, 1_772_366_400.5, "schema"),  # CBOR rows carry whole seconds
        (1, None, "schema"),
        (2, -1, "range"),
        (2, 65_536, "range"),
        (2, 640.0, "schema"),
        (2, float("nan"), "schema"),
        (2, "640", "schema"),
        (2, False, "schema"),
        (2, b"640", "schema"),
        (2, [640], "schema"),
        (3, 65_536, "range"),
        (4, 256, "range"),
        (5, -1001, "range"),
        (5, 5001, "range"),
        (6, 65_536, "range"),
        (7, 181, "range"),
        (8, 65_536, "range"),
        (8, None, "schema"),  # the only field beside seq and time that is never null
    ],
)
def test_bad_row_is_refused_alone(place: int, value: object, reason: str) -> None:
    good = with_place(0, 18)

    decoded = read(message(with_place(place, value), good))

    assert [refusal.reason for refusal in decoded.refusals] == [reason]
    assert decoded.readings == [reading(seq=18)]
    kept = cbor2.loads(decoded.refusals[0].payload)
    assert repr(kept) == repr([1, 3, 3600, [with_place(place, value)]])


def test_bad_row_is_acknowledged_by_its_identity() -> None:
    decoded = read(message(with_place(2, 99_999), with_place(0, "?"), [5], "row", []))

    assert [refusal.identities for refusal in decoded.refusals] == [((3, 17),), (), ((3, 5),), (), ()]


def test_refusal_names_the_field() -> None:
    decoded = read(message(with_place(5, 5001)))

    assert decoded.refusals[0].detail == "temperature_c: Expected `int` <= 5000"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "parse"),
        (b"\xff\xfe\x00", "parse"),
        (b"hello", "parse"),
        (b"\x84\x01\x03", "parse"),  # cut short
        (message(ROW) + b"\x00", "parse"),  # something follows
        (b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "parse"),  # an array that claims 2**63 places
        (b"\x81" * 1000, "parse"),  # nested too deeply
        (b"\x81\xc2\x59\x10\x00" + b"\xff" * 4096, "parse"),  # a number of 32,768 bits
        (b"\xd8\x1c\x81\xd8\x1d\x00", "parse"),  # an array that holds itself
        (b"\x84\x01\x03\xc5\x82\x1a\x05\xf5\xe1\x00\x01\x80", "parse"),  # 2 to the power of 100 million
        (cbor2.dumps({"distance_mm": 640}), "schema"),  # a map where an array belongs
        (cbor2.dumps([]), "schema"),
        (cbor2.dumps([1]), "schema"),
        (cbor2.dumps([1, 3, 3600]), "schema"),
        (cbor2.dumps([1, 3, 3600, 5]), "schema"),
        (cbor2.dumps([True, 3, 3600, [ROW]]), "schema"),
        (cbor2.dumps(["1", 3, 3600, [ROW]]), "schema"),
        (cbor2.dumps([2, 3, 3600, [ROW]]), "version"),
        (cbor2.dumps([0, 3, 3600, [ROW]]), "version"),
        (message(), "range"),  # no reading
        (message(ROW, epoch=-1), "range"),
        (message(ROW, epoch=2**32), "range"),
        (message(ROW, epoch=None), "schema"),
        (message(ROW, next_report_s=0), "range"),
        (message(ROW, next_report_s=604_801), "range"),
        (message(ROW, next_report_s="soon"), "schema"),
        (b"[" * 60_000, "schema"),  # JSON, but no object
        (b'{"x":' * 10_000, "parse"),  # nested too deeply
        (b"5", "schema"),
        (b"null", "schema"),
        (b'{"distance_mm": NaN, "measured_at": 1}', "parse"),
        (b'\xef\xbb\xbf{"distance_mm": 640, "measured_at": 1772366400}', "parse"),  # a byte order mark
        (b'{"distance_mm": 640, "measured_at": 1772366400} x', "parse"),
        (hand_written(version=2), "version"),
        (hand_written(device="d-2"), "identity"),
        (hand_written(device=5), "schema"),
        (hand_written(epoch=2**32, seq=1), "range"),
        (hand_written(epoch=3), "schema"),  # epoch without seq
        (hand_written(next_report_s=0), "range"),
        (hand_written(seq=-1), "range"),
        (hand_written(seq="1"), "schema"),
        (hand_written(distance_mm="640"), "schema"),
        (hand_written(distance_mm=True), "schema"),
        (hand_written(distance_mm=640.5), "schema"),
        (hand_written(distance_mm=10**30), "range"),
        (hand_written(temperature_c=-100.1), "range"),
        (hand_written(temperature_c=501), "range"),
        (hand_written(temperature_c="mild"), "schema"),
        (b'{"distance_mm": 640, "measured_at": 1772366400, "temperature_c": 1e400}', "range"),
        (hand_written(lid_open=1), "schema"),
        (hand_written(measured_at=True), "schema"),
        (hand_written(measured_at="2026-03-01T12:00:00"), "schema"),  # no offset
        (hand_written(measured_at="yesterday"), "schema"),
        (hand_written(measured_at=None), "schema"),
        (hand_written(measured_at="2019-12-31T23:59:59Z"), "time"),
        (hand_written(measured_at="0001-01-01T00:00:00+23:59"), "time"),
        (hand_written(measured_at="9999-12-31T23:59:59-23:59"), "time"),
        (hand_written(measured_at=NOW_S + 301), "time"),
        (hand_written(measured_at=1e307), "time"),
        (b'{"distance_mm": 640}', "schema"),
        (b'{"measured_at": 1772366400}', "schema"),
        (b'{"readings": []}', "range"),
        (b'{"readings": [5]}', "schema"),
        (b'{"readings": 5}', "schema"),
    ],
)
def test_bad_message_is_refused_whole(payload: bytes | str, reason: str) -> None:
    decoded = read(payload)

    assert [refusal.reason for refusal in decoded.refusals] == [reason]
    assert decoded.readings == []
    assert decoded.refusals[0].payload == (payload.encode() if isinstance(payload, str) else payload)


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({}, {}),
        ({"measured_at": "2026-03-01T12:00:00Z"}, {}),
        ({"measured_at": "2026-03-01T13:00:00+01:00"}, {}),  # the same instant
        ({"measured_at": "2026-03-01T12:00:00.1239Z"}, {"seq": 1_772_366_400_124, "measured_ms": 1_772_366_400_124}),
        ({"measured_at": 1_772_366_400.25}, {"seq": 1_772_366_400_250, "measured_ms": 1_772_366_400_250}),
        ({"seq": 5}, {"seq": 5}),
        ({"seq": 5, "epoch": 2}, {"seq": 5, "epoch": 2}),
        ({"distance_mm": None}, {"distance_mm": None}),
        ({"temperature_c": 12.34}, {"temperature_c": 12.3}),
        ({"temperature_c": -5}, {"temperature_c": -5.0}),
        ({"battery_mv": 3600, "tilt_deg": 3, "spread_mm": 1, "valid_count": 9},
         {"battery_mv": 3600, "tilt_deg": 3, "spread_mm": 1, "valid_count": 9}),
        ({"flags": 2}, {"flags": 2}),
        ({"lid_open": True}, {"flags": 1}),
        ({"lid_open": True, "time_estimated": True}, {"flags": 3}),
        ({"device": "d-1", "version": 1, "colour": "green"}, {}),  # its own name, and names of a later version
    ],
)  # fmt: skip
def test_reading_by_hand_is_read(fields: dict[str, object], changes: dict[str, object]) -> None:
    decoded = read(hand_written(**fields))

    plain = Reading(0, 1_772_366_400_000, 1_772_366_400_000, 640, None, None, None, None, None, 0)
    assert decoded == Decoded("d-1", [msgspec.structs.replace(plain, **changes)], [])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"next_report_s": 0, "epoch": 3]', "range"),  # found by `make prove PROOF=fuzz`
        (b'{"device": [d-1", "distance_mm": 640}', "schema"),
        (b'{"epoch": {}, "device": "\xff"}', "schema"),
        (b'{"epoch": {}, "readings": ' + b"[" * 60_000, "schema"),
    ],
)
def test_wrong_field_before_broken_json_is_refused_for_the_field(payload: bytes, reason: str) -> None:
    decoded = read(payload)

    assert [(refusal.reason, refusal.payload) for refusal in decoded.refusals] == [(reason, payload)]
    assert decoded.device == "d-1"


def test_many_readings_by_hand_share_epoch_and_report() -> None:
    rows = [{"seq": 17, "distance_mm": 640, "measured_at": NOW_S}, {"seq": 18, "distance_mm": -1, "measured_at": NOW_S}]

    decoded = read(json.dumps({"epoch": 3, "next_report_s": 3600, "readings": rows}))

    assert decoded.readings == [Reading(3, 17, NOW_S * 1000, 640, None, None, None, None, None, 0)]
    assert decoded.next_report_s == 3600
    assert decoded.refusals[0].identities == ((3, 18),)
    assert json.loads(decoded.refusals[0].payload) == {"epoch": 3, "readings": [rows[1]]}


def test_refused_row_can_be_read_again_alone() -> None:
    ahead = [with_place(1, NOW_S + 3600), ROW]

    refused = read(message(*ahead)).refusals[0]
    later = decode(READINGS, refused.payload, retain=False, now_ms=(NOW_S + 3600) * 1000)

    assert later.readings == [reading(measured_ms=(NOW_S + 3600) * 1000)]


def test_later_minor_version_is_read_as_far_as_it_is_known() -> None:
    decoded = read(cbor2.dumps([1, 3, 3600, [[*ROW, 99, "new"]], {"more": 1}]))

    assert decoded == Decoded("d-1", [READING], [], 3600)


@pytest.mark.parametrize(
    "topic",
    [
        "bins/v1/d-1/up/other",  # no such message
        "bins/v2/d-1/up/readings",
        "bins/v1/-d/up/readings",  # begins with no letter or digit
        "bins/v1/" + "d" * 65 + "/up/readings",  # too long
        "bins/v1//up/readings",
        "bins/v1/d-1/up/readings/more",
        "bins/v1/d\u00fc/up/readings",
        "bins/v1/d-1/up/readings\n",
        "",
    ],
)
def test_foreign_topic_is_refused_without_a_device(topic: str) -> None:
    decoded = read(message(ROW), topic)

    assert [(refusal.reason, refusal.payload) for refusal in decoded.refusals] == [("topic", message(ROW))]
    assert decoded.device is None


def test_retained_message_is_refused_and_acknowledged() -> None:
    decoded = read(message(ROW, with_place(0, 18)), retain=True)

    assert [refusal.reason for refusal in decoded.refusals] == ["retained"]
    assert decoded.identities() == ((3, 17), (3, 18))


def test_message_of_too_many_bytes_is_refused_unread() -> None:
    decoded = read(message(ROW) + bytes(65_536))

    assert [refusal.reason for refusal in decoded.refusals] == ["oversize"]


@pytest.mark.parametrize(("count", "refused"), [(200, []), (201, ["oversize"])])
def test_message_of_too_many_readings_is_refused_and_acknowledged(count: int, refused: list[str]) -> None:
    decoded = read(message(*[with_place(0, seq) for seq in range(count)]))

    assert [refusal.reason for refusal in decoded.refusals] == refused
    assert len(decoded.identities()) == count


@pytest.mark.parametrize("many", [cbor2.dumps([1, 0, None, [0] * 60_000]), b'{"readings":[' + b"0," * 30_000 + b"0]}"])
def test_rows_beyond_all_bounds_are_not_looked_at(many: bytes) -> None:
    decoded = read(many)

    assert [(refusal.reason, refusal.payload) for refusal in decoded.refusals] == [("oversize", many)]
    assert decoded.identities() == ()


def test_endless_topic_is_refused_and_not_remembered() -> None:
    decoded = read(message(ROW), f"v3/{'a' * 60_000}/devices/d/up")

    assert [refusal.reason for refusal in decoded.refusals] == ["topic"]


@pytest.mark.parametrize("encode", [cbor2.dumps, lambda said: json.dumps(said).encode()], ids=["cbor", "json"])
def test_status_is_kept_whole(encode: Callable[[object], bytes]) -> None:
    said = {"firmware": "1.2.3", "battery_mv": 3500, "next_report_s": 900, "odd": {"a": [1, None, "\u20ac"]}}

    decoded = read(encode(said), STATUS)

    assert decoded.status is not None
    assert json.loads(decoded.status) == said
    assert (decoded.next_report_s, decoded.battery_mv, decoded.refusals) == (900, 3500, [])


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"a": float("nan"), "b": float("-inf")}, {"a": None, "b": None}),  # jsonb has no such numbers
        ({"a": "x\0y", "b\0": 1}, {"a": "x\ufffdy", "b\ufffd": 1}),  # nor NUL
        ({"a": b"\x01\xff"}, {"a": "01ff"}),
        ({}, {}),
    ],
)
def test_status_is_made_fit_for_jsonb(said: object, kept: object) -> None:
    decoded = read(cbor2.dumps(said), STATUS)

    assert decoded.status is not None
    assert json.loads(decoded.status) == kept


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "parse"),
        (b"\xa1\x61", "parse"),
        (b"[1]", "schema"),
        (cbor2.dumps([1]), "schema"),
        (cbor2.dumps({1: 2}), "schema"),  # a name that is no text
        (cbor2.dumps({"a": cbor2.undefined}), "schema"),
        (cbor2.dumps({"a": 2**64 - 1}), "schema"),  # more than 63 bits
        (b'{"a":' * 20 + b"1" + b"}" * 20, "schema"),  # nested too deeply
        (cbor2.dumps({"battery_mv": "full"}), "schema"),
        (cbor2.dumps({"battery_mv": 65_536}), "range"),
        (cbor2.dumps({"next_report_s": 0}), "range"),
        (cbor2.dumps({"boot_count": -1}), "range"),
        (cbor2.dumps({"battery_percent": 101}), "range"),
        (cbor2.dumps({"device": "d-2"}), "identity"),
    ],
)
def test_bad_status_is_refused_whole(payload: bytes, reason: str) -> None:
    decoded = read(payload, STATUS)

    assert [(refusal.reason, refusal.payload) for refusal in decoded.refusals] == [(reason, payload)]
    assert decoded.status is None


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text()
    | st.binary(max_size=8)
    | st.sampled_from([1, 3, 1_772_366_400]),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=30,
)
ROWS = st.lists(st.lists(VALUES, max_size=10) | st.just(ROW), max_size=5)
PAYLOADS = (
    st.binary(max_size=300)
    | VALUES.map(cbor2.dumps)
    | ROWS.map(lambda rows: cbor2.dumps([1, 3, 3600, rows]))
    | VALUES.map(lambda value: json.dumps(value, default=repr).encode("utf-8", "replace"))
    | st.dictionaries(
        st.sampled_from(["distance_mm", "measured_at", "seq", "epoch", "readings", "device", "flags"]), VALUES
    ).map(lambda value: json.dumps(value, default=repr).encode("utf-8", "replace"))
)


@settings(max_examples=100, deadline=None)
@given(payload=PAYLOADS, topic=st.sampled_from([READINGS, STATUS, "bins/v1/?"]), retain=st.booleans())
@example(payload=b"\x84\x01\x03\xf6\x81" + b"\x81" * 10, topic=READINGS, retain=False)
def test_whatever_comes_is_stored_or_refused_with_a_reason(payload: bytes, topic: str, retain: bool) -> None:
    decoded = read(payload, topic, retain=retain)

    assert decoded.readings or decoded.refusals or decoded.status is not None
    assert {refusal.reason for refusal in decoded.refusals} <= REASONS
    for kept in decoded.readings:
        assert 1_577_836_800_000 <= kept.measured_ms <= (NOW_S + 300) * 1000
        assert 0 <= kept.seq < 2**63
    for epoch, seq in decoded.identities():
        assert 0 <= epoch < 2**32
        assert 0 <= seq < 2**63


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_good_message_with_flipped_bytes_never_raises(data: st.DataObject) -> None:
    payload = bytearray(message(ROW, with_place(0, 18), with_place(2, None)))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))

    decoded = read(bytes(payload))

    assert {refusal.reason for refusal in decoded.refusals} <= REASONS
    assert decoded.readings or decoded.refusals


@pytest.mark.parametrize(
    "payload",
    [
        message(ROW) + b"\0",  # something follows
        message(ROW) + END,  # even this
        message(ROW) + message(ROW),
        message(ROW)[:-1],  # something is missing
        b"\x83" + message(ROW),  # an array that goes on
    ],
)
def test_message_is_one_item_and_nothing_else(payload: bytes) -> None:
    decoded = read(payload)

    assert [(refusal.reason, refusal.payload) for refusal in decoded.refusals] == [("parse", payload)]
    assert decoded.readings == []


@given(st.binary(max_size=40) | st.binary(max_size=20).map(lambda junk: message(ROW) + junk))
def test_quick_look_at_cbor_finds_what_the_slow_one_finds(payload: bytes) -> None:
    assert _outcome(load, payload) == _outcome(load_or_say_why_not, payload)


def _outcome(read_item: Callable[[bytes], object], payload: bytes) -> str:
    try:
        return repr(read_item(payload))
    except NotCborError as error:
        return str(error)
