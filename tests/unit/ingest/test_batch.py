"""Which device a message is counted for, and what is kept of readings that the database refuses."""

from datetime import UTC, datetime

import pytest
from msgspec import json

from firmware.smartbin import codec
from ingest.batch import Batch, Incoming, Row, conflict_reject, database_reject, sort_out
from ingest.decode import decode

TOPIC = "bins/v1/dev-1/up/backlog"
NOW_MS = 1_772_370_000_000
ROWS = [
    (17, 1772366400, 640, 4, 9, -125, 3600, 2, 1),
    (18, 1772366460, None, None, None, None, None, None, 0),
]
JSON = json.encode({"epoch": 3, "readings": [{"seq": 7, "measured_at": 1772366400.123, "distance_mm": 1}] * 2})
UNCOUNTED = json.encode({"readings": [{"measured_at": 1772366400.123, "distance_mm": 1}] * 2})


def incoming(payload: bytes) -> Incoming:
    return Incoming(TOPIC, payload, decode(TOPIC, payload, retain=False, now_ms=NOW_MS))


@pytest.mark.parametrize("payload", [codec.encode_readings(3, 3600, ROWS), JSON, UNCOUNTED])
def test_conflict_of_many_rows_keeps_each_row_alone(payload: bytes) -> None:
    message = incoming(payload)

    for reading in message.decoded.readings:
        reject = conflict_reject(Row(1, reading, message), [None] * 7)

        assert decode(TOPIC, reject.payload, retain=False, now_ms=NOW_MS).readings == [reading]


def test_refused_single_row_keeps_its_message_as_it_came() -> None:
    message = incoming(codec.encode_readings(3, 3600, ROWS[:1]))

    reject = database_reject(Row(1, message.decoded.readings[0], message), ValueError("no"))

    assert reject.payload == message.payload


DEV_EUI = "24e124136b012345"
UPLINK_TOPIC = f"application/bins/device/{DEV_EUI}/event/up"
UPLINK = json.encode({
    "time": "2026-03-01T12:00:00Z",
    "deviceInfo": {"applicationId": "bins", "devEui": DEV_EUI},
    "fPort": 85,
    "data": bytes.fromhex("04824408"),
})  # fmt: skip


def sorted_uplink(device_ids: dict[str, int], models: dict[int, str]) -> Batch:
    message = Incoming(UPLINK_TOPIC, UPLINK, decode(UPLINK_TOPIC, UPLINK, retain=False, now_ms=NOW_MS))
    return sort_out([message], device_ids, models, datetime.fromtimestamp(NOW_MS / 1000, UTC))


def test_uplink_is_read_by_the_model_of_its_device() -> None:
    batch = sorted_uplink({DEV_EUI: 7}, {7: "milesight-em400-tld", 8: "netvox-r718x"})

    assert [(row.device_id, row.reading.distance_mm) for row in batch.rows] == [(7, 2116)]
    assert batch.heard[7].measured_ms == 1_772_366_400_000


@pytest.mark.parametrize(
    ("device_ids", "words"),
    [({}, "not enrolled, or retired: `devices enrol"), ({DEV_EUI: 7}, "enrolled without a model: `devices enrol")],
)
def test_network_server_is_not_believed_about_a_device_without_a_model(device_ids: dict[str, int], words: str) -> None:
    batch = sorted_uplink(device_ids, {8: "netvox-r718x"})

    assert [(reject.reason, reject.payload) for reject in batch.rejects] == [("unknown_device", UPLINK)]
    assert batch.rejects[0].detail.startswith(words)
    # A dead sensor of ours must not seem alive because somebody else spoke in its name.
    assert (batch.rows, batch.heard) == ([], {})
