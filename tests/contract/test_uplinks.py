"""Messages of LoRaWAN network servers, as they publish them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import decode
from ingest.lorawan.uplink import Uplink
from tests.contract.golden import NOW_MS, load, named

UPLINKS = load("v1/uplinks")
TTN, CHIRPSTACK = UPLINKS[0], UPLINKS[2]
Change = Callable[[dict[str, Any]], object]


def refusals(
    example: dict[str, Any], change: Change = dict, *, topic: str = "", retain: bool = False
) -> list[tuple[str, str]]:
    message = json.loads(json.dumps(example["message"]))
    change(message)
    payload = json.dumps(message).encode()
    decoded = decode(topic or example["topic"], payload, retain=retain, now_ms=NOW_MS)
    assert all(refusal.payload == payload for refusal in decoded.refusals)
    assert (decoded.uplink is None) == bool(decoded.refusals)
    return [(refusal.reason, refusal.detail) for refusal in decoded.refusals]


@pytest.mark.parametrize("example", **named(UPLINKS))
def test_uplink_is_read(example: dict[str, Any]) -> None:
    expected = Uplink(**{**example["uplink"], "payload": bytes.fromhex(example["uplink"]["payload"])})

    decoded = decode(example["topic"], json.dumps(example["message"]).encode(), retain=False, now_ms=NOW_MS)

    assert (decoded.uplink, decoded.device, decoded.refusals) == (expected, expected.dev_eui, [])


@pytest.mark.parametrize(
    ("example", "topic"),
    [
        (TTN, "v3/litter-bins@ttn/devices/bin-0043/up"),
        (TTN, "v3/lamps@ttn/devices/bin-0042/up"),
        (CHIRPSTACK, CHIRPSTACK["topic"].replace("012345", "012346")),
        (CHIRPSTACK, CHIRPSTACK["topic"].replace("17c82e96", "17c82e97")),
    ],
)
def test_message_that_names_another_device_than_its_topic_is_refused(example: dict[str, Any], topic: str) -> None:
    assert [reason for reason, _ in refusals(example, topic=topic)] == ["identity"]


@pytest.mark.parametrize(
    ("example", "change", "fault"),
    [
        (TTN, lambda sent: sent["end_device_ids"].pop("dev_eui"), ("schema", None)),
        (TTN, lambda sent: sent["end_device_ids"].update(dev_eui="24E1"), ("schema", None)),
        (TTN, lambda sent: sent["uplink_message"].pop("received_at"), ("schema", None)),
        (TTN, lambda sent: sent["uplink_message"].update(received_at="2026-03-01T12:00:00"), ("schema", None)),
        (TTN, lambda sent: sent["uplink_message"].update(frm_payload="%%%"), ("schema", None)),
        (TTN, lambda sent: sent["uplink_message"].update(f_port=256), ("range", None)),
        (TTN, lambda sent: sent.update(simulated=True), ("schema", "simulated: nobody measured this")),
        (TTN, lambda sent: sent.pop("uplink_message"), ("schema", None)),  # a message about joining
        (CHIRPSTACK, lambda sent: sent.pop("deviceInfo"), ("schema", None)),
        (CHIRPSTACK, lambda sent: sent["deviceInfo"].update(devEui="bin-0042"), ("schema", None)),
        (CHIRPSTACK, lambda sent: sent.pop("time"), ("schema", None)),
        (CHIRPSTACK, lambda sent: sent.update(data=7), ("schema", None)),
        (CHIRPSTACK, lambda sent: sent.update(padding=" " * 65_536), ("oversize", None)),
    ],
)  # fmt: skip
def test_bad_message_is_refused_with_its_reason(
    example: dict[str, Any], change: Change, fault: tuple[str, str | None]
) -> None:
    [(reason, detail)] = refusals(example, change)

    assert (reason, detail if fault[1] else None) == fault


@pytest.mark.parametrize("example", [TTN, CHIRPSTACK])
def test_retained_message_is_refused(example: dict[str, Any]) -> None:
    assert refusals(example, retain=True) == [("retained", "published with retain")]


@pytest.mark.parametrize("topic", ["v3/a/devices/b/join", "application/a/device/24e124136b012345/event/join", "v3/up"])
def test_other_topics_of_network_servers_are_none_of_ours(topic: str) -> None:
    assert refusals(TTN, topic=topic) == [("topic", "not a topic of the contract")]


@given(st.sampled_from([TTN["topic"], CHIRPSTACK["topic"]]), st.binary(max_size=300))
def test_no_bytes_raise(topic: str, payload: bytes) -> None:
    decoded = decode(topic, payload, retain=False, now_ms=NOW_MS)

    assert [refusal.reason for refusal in decoded.refusals] in (["parse"], ["schema"])
    assert "cannot be read" not in decoded.refusals[0].detail
