"""A small MQTT 3.1.1 client: QoS 1, persistent session, everything bounded by one deadline.

Each packet is one write: several small ones cost 40 ms each with Nagle and delayed acknowledgements.
"""

import select
import struct

from .clock import Deadline

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from hardware import Raw, Stream


# ruff: noqa: PLR2004 - the numbers are those of MQTT 3.1.1, section 2.2

_CONNECT, _CONNACK, _PUBLISH, _PUBACK = 0x10, 0x20, 0x30, 0x40
_SUBSCRIBE, _SUBACK, _PINGRESP, _DISCONNECT = 0x82, 0x90, 0xD0, 0xE0
_QOS_1, _DUP, _QOS_BITS = 0x02, 0x08, 0x06
_REFUSED = 0x80
LARGEST_PACKET = 8192  # bytes; the longest acknowledgement that the server sends has 500 ranges in 8,100
_PIECE = 1280  # bytes
_CLOSED = 104


class MqttError(Exception):
    """Raised when the broker refuses us or speaks something else than MQTT 3.1.1."""


class Client:
    """One connection; every call ends by the deadline.

    OSError means that the link failed, MqttError that the broker refused.

    Args:
        raw: the TCP socket, for its timeout.
        stream: what to read and write, the TLS socket over `raw` or `raw` itself.
        deadline: for all of it.
    """

    def __init__(self, raw: "Raw", stream: "Stream", deadline: Deadline) -> None:
        self._raw = raw
        self._stream = stream
        self._deadline = deadline
        self._poll = select.poll()
        self._poll.register(stream, select.POLLIN)
        self._last_id = 0
        self._unconfirmed: "dict[int, bytearray]" = {}
        self._owed = bytearray()
        self._early: "list[tuple[str, bytes]]" = []

    def connect(self, client_id: str, keepalive_s: int) -> bool:
        """Open or resume the persistent session; says whether the broker still has it."""
        self._write(_CONNECT, b"\x00\x04MQTT\x04\x00" + struct.pack(">H", keepalive_s) + _text(client_id))
        head, size = self._packet()
        body = self._body(size)
        if head != _CONNACK or len(body) < 2:
            raise MqttError("no CONNACK")
        if body[1]:
            raise MqttError("connection refused, code %d" % body[1])
        return bool(body[0] & 1)

    def subscribe(self, topic: str) -> None:
        """Subscribe at QoS 1."""
        packet_id = self._next_id()
        self._write(_SUBSCRIBE, struct.pack(">H", packet_id) + _text(topic) + b"\x01")
        while True:
            head, size = self._packet()
            if head == _SUBACK:
                if self._body(size)[-1] == _REFUSED:
                    raise MqttError("subscription refused: " + topic)
                return
            if head & 0xF0 != _PUBLISH:
                raise MqttError("no SUBACK")
            self._early.append(self._message(head, size))  # a resumed session hands over its queue at once

    def publish(self, topic: str, payload: bytes) -> int:
        """Send at QoS 1 and return the packet id; see `is_confirmed`."""
        packet_id = self._next_id()
        body = _text(topic) + struct.pack(">H", packet_id) + payload
        self._unconfirmed[packet_id] = self._write(_PUBLISH | _QOS_1, body)
        return packet_id

    def resend(self) -> None:
        """Send again, marked as duplicates, what the broker has not confirmed."""
        for packet_id in sorted(self._unconfirmed):
            packet = self._unconfirmed[packet_id]
            packet[0] |= _DUP
            self._send(packet)

    def is_confirmed(self, packet_id: int) -> bool:
        """Say whether the broker's PUBACK has come. It is no storage: forget nothing for it."""
        return packet_id not in self._unconfirmed

    def receive(self, wait_ms: int) -> "tuple[str, bytes] | None":
        """Take the next packet; give topic and payload of a message, else None.

        Args:
            wait_ms: how long to wait for its first byte, milliseconds.
        """
        if self._early:
            return self._early.pop(0)
        if not self._poll.poll(min(wait_ms, self._deadline.left_ms())):
            return None
        head, size = self._packet()
        kind = head & 0xF0
        if kind == _PUBLISH:
            return self._message(head, size)
        body = self._body(size)
        if kind == _PUBACK and len(body) >= 2:
            self._unconfirmed.pop(struct.unpack_from(">H", body)[0], None)
            return None
        if kind == _PINGRESP:
            return None
        raise MqttError("unexpected packet %d" % head)

    def disconnect(self) -> None:
        """Say goodbye; the broker keeps the session."""
        self._write(_DISCONNECT, b"")

    def _message(self, head: int, size: int) -> "tuple[str, bytes]":
        # Part by part: there may be no memory for a copy.
        topic_size = struct.unpack(">H", self._read(2))[0]
        id_size = 2 if head & _QOS_BITS else 0
        payload_size = size - 2 - topic_size - id_size
        if payload_size < 0:
            raise MqttError("PUBLISH too short")
        topic = str(self._read(topic_size), "utf-8")
        packet_id = self._read(id_size)
        payload = self._body(payload_size)
        if packet_id:
            # Goes out with the next packet: a small write of its own would make that one wait for TCP.
            self._owed.extend(bytes((_PUBACK, 2)) + packet_id)
        return topic, payload

    def _next_id(self) -> int:
        self._last_id = self._last_id % 0xFFFF + 1
        return self._last_id

    def _write(self, head: int, body: bytes) -> bytearray:
        packet = bytearray((head,))
        size = len(body)
        while size > 0x7F:
            packet.append(size & 0x7F | 0x80)
            size >>= 7
        packet.append(size)
        packet.extend(body)
        self._send(packet)
        return packet

    def _send(self, packet: bytearray) -> None:
        self._raw.settimeout(self._deadline.left_s())
        whole = self._owed + packet
        self._owed = bytearray()
        if self._stream.write(whole) != len(whole):
            raise OSError(_CLOSED)

    def _packet(self) -> "tuple[int, int]":
        """Begin a packet; give its first byte and how many bytes are left of it."""
        head = self._read(1)[0]
        size = shift = 0
        while True:
            byte = self._read(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
            if shift > 21:
                raise MqttError("malformed length")
        return head, size

    def _body(self, size: int) -> bytes:
        """Read what is left of a packet; of one that is too long, or finds no memory, only the beginning is kept."""
        if size <= LARGEST_PACKET:
            try:
                return self._read(size)
            except MemoryError:  # nothing has been read yet
                pass
        # It is confirmed all the same: else the broker would hand it over again in every conversation.
        body = self._read(min(size, _PIECE))
        left = size - len(body)
        while left:
            left -= len(self._read(min(left, _PIECE)))
        return body

    def _read(self, count: int) -> bytes:
        if not count:
            return b""
        self._raw.settimeout(self._deadline.left_s())
        data = self._stream.read(count)
        if not data or len(data) != count:
            raise OSError(_CLOSED)
        return data


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data
