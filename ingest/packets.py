"""The packets of MQTT 5 that a receiver sends, and what those say that it gets (OASIS MQTT 5.0, chapter 3). Pure."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from msgspec import Struct

# The broker never sends us more; 65,536 bytes of payload are all that the contract allows.
LARGEST_PACKET = 1024 * 1024
PING = b"\xc0\x00"
# QoS 1; the retain flag as it was published, so that junk is told apart; retained messages not at every reconnection.
SUBSCRIBE_OPTIONS = 0x01 | 0x08 | 0x10


class Reason(IntEnum):
    """Why we end a connection, in MQTT's codes."""

    NORMAL = 0x00
    MALFORMED = 0x81
    PROTOCOL = 0x82
    TOPIC_ALIAS = 0x94
    TOO_LARGE = 0x95
    QOS = 0x9B


SESSION_TAKEN_OVER = 0x8E
# 0x01 is how a broker of MQTT 3.1.1 answers, whose packets are otherwise alike.
WORDS = {
    0x00: "it does not acknowledge",
    0x01: "it does not speak MQTT 5",
    0x81: "it could not read what we sent",
    0x82: "it did not expect what we sent",
    0x83: "it cannot work with what we sent",
    0x84: "it does not speak MQTT 5",
    0x85: "it does not take our client id",
    0x86: "it does not know us",
    0x87: "we are not allowed to",
    0x88: "it is not available",
    0x89: "it is busy",
    0x8A: "we are banned",
    0x8B: "it is shutting down",
    0x8D: "it heard nothing from us for too long",
    0x8E: "another program connected under our name",
    0x8F: "it does not take this topic filter",
    0x93: "we sent too much at once",
    0x95: "a packet was too large",
    0x97: "a quota is used up",
    0x98: "an administrator ended it",
    0x9C: "another server is to be used",
    0x9D: "the server has moved",
    0x9F: "we connect too often",
    0xA2: "it does not allow wildcards",
}


class PacketError(Exception):
    """Raised when the broker sends what MQTT 5 does not allow; the text completes "it sent ...".

    Attributes:
        reason: what we tell it.
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Message(Struct, frozen=True, gc=False):
    """What a device published.

    Attributes:
        packet_id: 0 for QoS 0, which nobody acknowledges.
    """

    topic: str
    payload: bytes
    retain: bool
    packet_id: int


@dataclass(frozen=True, slots=True)
class Connected:
    """CONNACK.

    Attributes:
        reason: 0, or why not.
        text: what the broker says beside the reason, else "".
        keepalive_s: what the broker wants instead of what we asked for; None for that.
    """

    reason: int
    text: str
    keepalive_s: int | None


@dataclass(frozen=True, slots=True)
class Subscribed:
    """SUBACK: for each topic the granted QoS, or why not."""

    packet_id: int
    reasons: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pong:
    """PINGRESP."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """DISCONNECT: the broker is about to end the connection."""

    reason: int
    text: str


Answer = Connected | Subscribed | Pong | Disconnected


def connect(name: str, *, keepalive_s: int, session_expiry_s: int, window: int) -> bytes:
    """Make a CONNECT that goes on with the session of this client id.

    Args:
        name: client id.
        keepalive_s: the broker gives us up after one and a half of these without a packet, 0..65535.
        session_expiry_s: how long the broker keeps the session after the connection.
        window: Receive Maximum, 1..65535: the most messages that may be unacknowledged.
    """
    properties = struct.pack("!BIBHBI", 0x11, session_expiry_s, 0x21, window, 0x27, LARGEST_PACKET)
    clean_start_and_all_other_flags = 0
    head = struct.pack("!BBH", 5, clean_start_and_all_other_flags, keepalive_s)
    return _packet(0x10, _text("MQTT") + head + _length(len(properties)) + properties + _text(name))


def subscribe(packet_id: int, topics: tuple[str, ...]) -> bytes:
    """Make a SUBSCRIBE for QoS 1."""
    filters = b"".join(_text(topic) + bytes((SUBSCRIBE_OPTIONS,)) for topic in topics)
    return _packet(0x82, struct.pack("!HB", packet_id, 0) + filters)


def acknowledgements(packet_ids: list[int]) -> bytes:
    """Make one PUBACK for each, in this order: type, length 2, packet id."""
    numbers = [0x4002] * (2 * len(packet_ids))
    numbers[1::2] = packet_ids
    return struct.pack(f"!{len(numbers)}H", *numbers)


def disconnect(reason: Reason) -> bytes:
    """Make a DISCONNECT; the session stays."""
    return b"\xe0\x00" if reason is Reason.NORMAL else bytes((0xE0, 1, reason))


def say(reason: int, text: str) -> str:
    """Say what a reason code of the broker means, with its own words if it has some."""
    words = WORDS.get(reason, f"reason 0x{reason:02X}")
    return f"{words}: {text}" if text else words


def _packet(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + _length(len(body)) + body


def _length(number: int) -> bytes:
    encoded = bytearray()
    while True:
        number, digit = number >> 7, number & 0x7F
        encoded.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("!H", len(encoded)) + encoded
