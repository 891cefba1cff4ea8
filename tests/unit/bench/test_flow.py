"""The bench publishes what the contract says, and finds a reading's message again."""

import struct

from ingest.decode import decode
from tests.bench.flow import Flow

FLOW = Flow(40, first_s=1_772_366_400, devices=10, rows=2, step_s=60, per_s=2000, first_seq=96)


def published(packet: bytes) -> tuple[str, int, bytes]:
    """Take a packet of less than 16 KB apart: topic, packet id, payload."""
    assert packet[0] == 0x32
    start = 2 if packet[1] < 128 else 3
    length = packet[1] % 128 + (packet[2] * 128 if start == 3 else 0)
    assert len(packet) == start + length
    (size,) = struct.unpack_from("!H", packet, start)
    (packet_id,) = struct.unpack_from("!H", packet, start + 2 + size)
    return packet[start + 2 : start + 2 + size].decode(), packet_id, packet[start + 4 + size :]


def test_every_message_keeps_the_contract_and_says_which_it_is() -> None:
    for number in range(FLOW.messages):
        topic, packet_id, payload = published(FLOW.packet(number))

        decoded = decode(topic, payload, retain=False, now_ms=1000 * FLOW.measured_s(200))

        assert (decoded.refusals, len(decoded.readings), packet_id) == ([], FLOW.rows, number + 1)
        assert decoded.device == f"bench-{number % 10:03}"
        assert {FLOW.number(reading.epoch, reading.seq) for reading in decoded.readings} == {number}
        assert [reading.measured_ms for reading in decoded.readings] == [
            1000 * FLOW.measured_s(reading.seq) for reading in decoded.readings
        ]


def test_no_reading_comes_twice() -> None:
    seen = [
        (reading.epoch, reading.seq)
        for number in range(FLOW.messages)
        for reading in decode(
            *published(FLOW.packet(number))[::2], retain=False, now_ms=1000 * FLOW.measured_s(200)
        ).readings
    ]

    assert len(set(seen)) == FLOW.readings


def test_a_burst_is_sent_at_once_and_bursts_a_millisecond_apart() -> None:
    assert [FLOW.planned_s(number) for number in range(5)] == [0, 0, 0.001, 0.001, 0.002]
