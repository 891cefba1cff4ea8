"""What is kept of readings that the database refuses."""

import pytest
from msgspec import json

from firmware.smartbin import codec
from ingest.batch import Incoming, Row, conflict_reject, database_reject
from ingest.decode import decode

TOPIC = "bins/v1/dev-1/up/backlog"
NOW_MS = 1_772_370_000_000
ROWS = [
    (17, 1772366400, 640, 4, 9, -125, 3600, 2, 1),
    (18, 1772366460, None, None, None, None, None, None, 0),
]
JSON = json.encode({"epoch": 3, "readings": [{"seq": 7, "measured_at": 1772366400.123, "distance_mm": 1}] * 2})


def incoming(payload: bytes) -> Incoming:
    return Incoming(TOPIC, payload, decode(TOPIC, payload, retain=False, now_ms=NOW_MS))


@pytest.mark.parametrize("payload", [codec.encode_readings(3, 3600, ROWS), JSON])
def test_conflict_of_many_rows_keeps_each_row_alone(payload: bytes) -> None:
    message = incoming(payload)

    for reading in message.decoded.readings:
        reject = conflict_reject(Row(1, reading, message), [None] * 7)

        assert decode(TOPIC, reject.payload, retain=False, now_ms=NOW_MS).readings == [reading]


def test_refused_single_row_keeps_its_message_as_it_came() -> None:
    message = incoming(codec.encode_readings(3, 3600, ROWS[:1]))

    reject = database_reject(Row(1, message.decoded.readings[0], message), ValueError("no"))

    assert reject.payload == message.payload
