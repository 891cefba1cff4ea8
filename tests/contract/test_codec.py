"""Every golden example, read by the ingester, and written and read by the firmware under both interpreters."""

import ast
import json
from pathlib import Path
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.smartbin import codec
from ingest.decode import decode
from ingest.owed import join
from tests.contract.golden import NOW_MS, load, named, payload_of
from tests.unit.firmware.device import run_micropython

READINGS = load("v1/readings")
FLAGS = load("v1/flags")
TOPIC = "bins/v1/d-0001/up/readings"
REASONS_OF_THE_DATABASE = {"unknown_device", "conflict", "database"}
ENCODE = """
from smartbin import codec
for message in {messages!r}:
    print(codec.encode_readings(message[1], message[2], [tuple(row) for row in message[3]]).hex())
"""


@pytest.mark.parametrize("example", **named(READINGS["cbor"] + READINGS["json"] + FLAGS["json"]))
def test_ingester_reads_the_readings(example: dict[str, Any]) -> None:
    decoded = decode(TOPIC, payload_of(example), retain=False, now_ms=NOW_MS)

    assert decoded.refusals == []
    assert [msgspec.structs.asdict(reading) for reading in decoded.readings] == example["readings"]
    assert decoded.next_report_s == (example["message"][2] if "message" in example else example["next_report_s"])


@pytest.mark.parametrize("example", **named(READINGS["cbor"]))
def test_firmware_writes_the_readings(example: dict[str, Any]) -> None:
    _, epoch, next_report_s, rows = example["message"]

    encoded = codec.encode_readings(epoch, next_report_s, [tuple(row) for row in rows])

    assert encoded.hex() == example["cbor"]


def test_firmware_writes_the_readings_in_micropython(tmp_path: Path) -> None:
    messages = [example["message"] for example in READINGS["cbor"]]

    printed = run_micropython(ENCODE.format(messages=messages), folder=tmp_path)

    assert printed.split() == [example["cbor"] for example in READINGS["cbor"]]


@pytest.mark.parametrize("example", **named(load("v1/acks")))
def test_firmware_reads_the_acknowledgement(example: dict[str, Any]) -> None:
    server_time, ranges = codec.decode_ack(payload_of(example))

    assert (server_time, [list(item) for item in ranges]) == (example["server_time"], example["ranges"])


def test_firmware_reads_the_acknowledgements_in_micropython(tmp_path: Path) -> None:
    examples = load("v1/acks")
    script = f"""
from smartbin import codec
print([codec.decode_ack(bytes.fromhex(ack)) for ack in {[example["cbor"] for example in examples]!r}])
"""

    printed = ast.literal_eval(run_micropython(script, folder=tmp_path))

    assert printed == [(example["server_time"], [tuple(item) for item in example["ranges"]]) for example in examples]


@pytest.mark.parametrize("example", **named(load("v1/config")))
def test_firmware_reads_the_configuration(example: dict[str, Any]) -> None:
    assert codec.decode_config(payload_of(example)) == (example["config_version"], example["settings"])


def test_firmware_reads_the_configurations_in_micropython(tmp_path: Path) -> None:
    examples = load("v1/config")
    script = f"""
from smartbin import codec
print([codec.decode_config(bytes.fromhex(config)) for config in {[example["cbor"] for example in examples]!r}])
"""

    printed = ast.literal_eval(run_micropython(script, folder=tmp_path))

    assert printed == [(example["config_version"], example["settings"]) for example in examples]


@pytest.mark.parametrize("example", **named(load("v1/status")))
def test_ingester_reads_the_status(example: dict[str, Any]) -> None:
    decoded = decode("bins/v1/d-0001/up/status", payload_of(example), retain=False, now_ms=NOW_MS)

    assert decoded.refusals == []
    assert json.loads(decoded.status or b"") == example["fields"]


def test_ingester_reads_the_status_that_micropython_wrote(tmp_path: Path) -> None:
    fields = load("v1/status")[0]["fields"]
    script = f"from smartbin import codec\nprint(codec.encode_status({fields!r}).hex())"

    payload = bytes.fromhex(run_micropython(script, folder=tmp_path))

    decoded = decode("bins/v1/d-0001/up/status", payload, retain=False, now_ms=NOW_MS)
    assert json.loads(decoded.status or b"") == fields


@pytest.mark.parametrize("example", **named(load("v1/refused")))
def test_ingester_refuses_and_acknowledges(example: dict[str, Any]) -> None:
    decoded = decode(example["topic"], payload_of(example), retain=example["retain"], now_ms=NOW_MS)

    assert {refusal.reason for refusal in decoded.refusals} == {example["reason"]}
    assert len(decoded.readings) == example["stored"]
    assert sorted(map(list, decoded.identities())) == example["acknowledged"]


def test_every_reason_that_a_message_can_have_has_an_example() -> None:
    documented = (Path(__file__).parents[2] / "docs/contract.md").read_text()

    examples = {example["reason"] for example in load("v1/refused")}

    assert examples | REASONS_OF_THE_DATABASE == _reasons(documented)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**32 - 1),
            st.integers(1577836800, NOW_MS // 1000),
            st.none() | st.integers(0, 65535),
            st.none() | st.integers(0, 65535),
            st.none() | st.integers(0, 255),
            st.none() | st.integers(-1000, 5000),
            st.none() | st.integers(0, 65535),
            st.none() | st.integers(0, 180),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=24,
    ),
    st.integers(0, 2**32 - 1),
)
def test_what_the_firmware_writes_the_ingester_reads(rows: list[tuple[int | None, ...]], epoch: int) -> None:
    decoded = decode(TOPIC, codec.encode_readings(epoch, 3600, rows), retain=False, now_ms=NOW_MS)

    assert decoded.refusals == []
    assert [
        (
            reading.seq,
            reading.measured_ms // 1000,
            reading.distance_mm,
            reading.spread_mm,
            reading.valid_count,
            None if reading.temperature_c is None else round(reading.temperature_c * 10),
            reading.battery_mv,
            reading.tilt_deg,
            reading.flags,
        )
        for reading in decoded.readings
    ] == rows


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=60))
def test_what_the_ingester_acknowledges_the_firmware_forgets_and_nothing_else(
    identities: list[tuple[int, int]],
) -> None:
    _, ranges = codec.decode_ack(cbor2.dumps([1, NOW_MS // 1000, join((epoch, seq, seq) for epoch, seq in identities)]))

    forgotten = {(epoch, seq) for epoch, first, last in ranges for seq in range(first, last + 1)}

    assert forgotten == set(identities)


def _reasons(documented: str) -> set[str]:
    table = documented.partition("| reason | when |")[2].partition("\n\n")[0]
    return {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
