"""What an uplink becomes, whatever is in it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.lorawan.models import LARGEST_PAYLOAD, MODELS, decode_uplink
from ingest.lorawan.uplink import Uplink
from ingest.reading import LARGEST_ROWS, Decoded, Reading

RECEIVED_MS = 1_772_370_000_123  # 2026-03-01T13:00:00.123Z
NOW_MS = RECEIVED_MS + 500
TLD = "milesight-em400-tld"
MESSAGE = b"as it came"


def understood(payload: str, model: str = TLD, *, received_ms: int = RECEIVED_MS, rssi: int | None = -97) -> Decoded:
    uplink = Uplink("24e124136b012345", 85, bytes.fromhex(payload), received_ms, rssi)
    return decode_uplink(uplink, model, MESSAGE, NOW_MS)


def refused(decoded: Decoded) -> list[tuple[str, bytes]]:
    return [(refusal.reason, refusal.payload) for refusal in decoded.refusals]


def test_reading_is_named_by_when_the_network_server_had_it() -> None:
    decoded = understood("01755c 0367f6ff 04824408")

    assert decoded.readings == [Reading(0, RECEIVED_MS, RECEIVED_MS, 2116, None, None, -1.0, None, None, 0)]
    assert decoded.device == "24e124136b012345"
    assert msgspec.json.decode(decoded.status or b"") == {"battery_percent": 92, "rssi_dbm": -97}


def test_status_without_a_battery_does_not_replace_one_with_it() -> None:
    assert understood("04824408").status is None


def test_history_is_named_by_its_own_time() -> None:
    decoded = understood("20ce 0037a469 e803 f6ff 0000 00")

    assert decoded.readings == [Reading(0, 1_772_369_664_000, 1_772_369_664_000, 1000, None, None, -1.0, None, None, 0)]


def test_device_that_only_spoke_to_the_network_was_heard() -> None:
    decoded = understood("")

    assert (decoded.readings, decoded.refusals, decoded.device) == ([], [], "24e124136b012345")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("7f0100", "parse"),
        ("0482f6ff", "range"),  # nearer than nothing
        ("0367204e 0482e803", "range"),  # 2000 degrees
        ("20ce 00000000 e803 f6ff 0000 00", "time"),  # a clock that was never set
        ("20ce ffffffff e803 f6ff 0000 00", "time"),
        ("0482e803" * 64, "oversize"),
    ],
)
def test_bad_uplink_is_kept_whole(payload: str, reason: str) -> None:
    decoded = understood(payload)

    assert decoded.readings == []
    assert refused(decoded) == [(reason, MESSAGE)]


def test_bad_record_of_a_history_costs_no_other() -> None:
    decoded = understood("20ce 00000000 e803 f6ff 0000 00 20ce 0037a469 e803 f6ff 0000 00 0482e803")

    assert [reading.measured_ms for reading in decoded.readings] == [1_772_369_664_000, RECEIVED_MS]
    assert refused(decoded) == [("time", MESSAGE)]


def test_clock_of_a_network_server_that_is_ahead_is_not_believed() -> None:
    assert refused(understood("0482e803", received_ms=NOW_MS + 301_000)) == [("time", MESSAGE)]


def test_model_of_a_later_version_is_refused_with_what_to_do() -> None:
    decoded = understood("0482e803", "acme-1")

    assert refused(decoded) == [("unknown_device", MESSAGE)]
    assert decoded.refusals[0].detail.startswith("its model acme-1 is not known to this version: `devices enrol 24e1")


@given(st.sampled_from(sorted(MODELS)), st.integers(0, 255), st.binary(max_size=LARGEST_PAYLOAD + 1))
def test_no_bytes_raise(model: str, port: int, payload: bytes) -> None:
    _is_whole(decode_uplink(Uplink("24e124136b012345", port, payload, RECEIVED_MS), model, MESSAGE, NOW_MS))


FIELDS = st.sampled_from(
    [
        "01755c",
        "0367f6ff",
        "04824408",
        "0482fdff",
        "050001",
        "8482410601",
        "b482640001",
        "20ce0037a469e803f6ff000024",
        "fe02580f",
        "20ce",
    ]
)


@given(st.lists(FIELDS), st.binary(max_size=4))
def test_no_sequence_of_fields_raises(fields: list[str], rest: bytes) -> None:
    payload = bytes.fromhex("".join(fields)) + rest

    _is_whole(decode_uplink(Uplink("24e124136b012345", 85, payload, RECEIVED_MS), TLD, MESSAGE, NOW_MS))


def _is_whole(decoded: Decoded) -> None:
    assert all(refusal.payload == MESSAGE for refusal in decoded.refusals)
    assert len(decoded.readings) <= LARGEST_ROWS
    for reading in decoded.readings:
        assert reading.seq == reading.measured_ms
        assert reading.distance_mm is None or 0 <= reading.distance_mm <= 65_535
        assert reading.temperature_c is None or -100 <= reading.temperature_c <= 500
        assert reading.tilt_deg is None or 0 <= reading.tilt_deg <= 180
