"""Messages that many devices send in turn, as MQTT packets."""

import struct
from dataclasses import dataclass

import cbor2

VERSION = 1
NEXT_REPORT_S = 3600
PUBLISH_AT_QOS_1 = 0x32
PACKET_IDS = 65_535


@dataclass(frozen=True, slots=True)
class Flow:
    """Messages number 0 to the last: each is of the next device, and holds that device's next readings.

    Attributes:
        messages: how many.
        first_s: Unix seconds of every device's first reading.
        devices: how many take turns; each has its number as epoch.
        rows: readings in each message.
        kind: last levels of the topic.
        step_s: seconds between a device's readings.
        per_s: messages a second, in bursts of a millisecond; None for as fast as the broker takes them.
        first_seq: of every device's first reading.
    """

    messages: int
    first_s: int
    devices: int = 200
    rows: int = 1
    kind: str = "up/readings"
    step_s: float = 1.0
    per_s: float | None = None
    first_seq: int = 0

    @property
    def readings(self) -> int:
        """Readings in all messages."""
        return self.messages * self.rows

    @property
    def burst(self) -> int:
        """Messages that are sent at once."""
        return 500 if self.per_s is None else max(1, int(self.per_s / 1000))

    def planned_s(self, number: int) -> float:
        """Say when a message is to be sent, seconds from the start."""
        return 0.0 if self.per_s is None else number // self.burst * self.burst / self.per_s

    def number(self, device: int, seq: int) -> int:
        """Say in which message a reading is."""
        return (seq - self.first_seq) // self.rows * self.devices + device

    def measured_s(self, seq: int) -> int:
        """Say when a device measures, Unix seconds."""
        return self.first_s + int((seq - self.first_seq) * self.step_s)

    def packet(self, number: int) -> bytes:
        """Give a message as a PUBLISH packet."""
        turn, device = divmod(number, self.devices)
        first_seq = self.first_seq + turn * self.rows
        payload = cbor2.dumps(
            [VERSION, device, NEXT_REPORT_S, [*map(self.row, range(first_seq, first_seq + self.rows))]]
        )
        topic = f"bins/v1/{ref(device)}/{self.kind}".encode()
        body = struct.pack("!H", len(topic)) + topic + struct.pack("!H", number % PACKET_IDS + 1) + payload
        return bytes((PUBLISH_AT_QOS_1,)) + _length(len(body)) + body

    def row(self, seq: int) -> tuple[int, ...]:
        """Give a reading as the contract has it: of a bin that fills up within 96 readings, with a little noise."""
        distance_mm = 1000 - seq % 96 * 8 + seq * 37 % 9
        return (seq, self.measured_s(seq), distance_mm, seq % 9, 9, 50 + seq % 24 * 5, 3600 - seq % 500, seq % 5, 0)


def ref(device: int) -> str:
    """Give the name of a device by its number."""
    return f"bench-{device:03}"


def _length(size: int) -> bytes:
    """Write a length as MQTT does: seven bits a byte, the least first."""
    written = bytearray()
    while size > 127:
        written.append(size & 127 | 128)
        size >>= 7
    written.append(size)
    return bytes(written)
