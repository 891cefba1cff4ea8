"""From a stream of bytes to messages and answers of MQTT 5 (OASIS MQTT 5.0, chapter 3). Pure; used by `connection`."""

from collections import deque

from ingest.packets import (
    LARGEST_PACKET,
    Answer,
    Connected,
    Disconnected,
    Message,
    PacketError,
    Pong,
    Reason,
    Subscribed,
)

LARGEST_LENGTH_BYTES = 4

# How long the value of a property is, by its identifier; the others tell their length themselves.
SIZES = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
}
LENGTHS = frozenset((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F))
SUBSCRIPTION_IDENTIFIER = 0x0B
USER_PROPERTY = 0x26

Properties = dict[int, bytes]


class Reader:
    """Turns a stream of bytes, however it is cut, into messages and answers.

    Attributes:
        messages: what was published, oldest first; whoever uses them takes them out.
        answers: everything else that came, likewise.
    """

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.answers: deque[Answer] = deque()
        self._pieces: list[bytes] = []
        self._held = 0
        # Only with so many bytes it is worth looking again, or small pieces of a large packet would cost their square.
        self._wanted = 2

    def feed(self, data: bytes) -> None:
        """Read what came.

        Raises:
            PacketError: the rest of the stream is of no use; what came before can be taken.
        """
        self._pieces.append(data)
        self._held += len(data)
        if self._held < self._wanted:
            return
        if len(self._pieces) > 1:
            data = b"".join(self._pieces)
        rest = self._read(data)
        self._pieces = [data[rest:]] if rest < len(data) else []
        self._held = len(data) - rest

    def _read(self, data: bytes) -> int:
        """Read whole packets, and give the place of the first one that is not whole."""
        keep = self.messages.append
        at, end = 0, len(data)
        self._wanted = 2
        while end - at >= 2:  # noqa: PLR2004 - type and length
            kind, length, start = data[at], data[at + 1], at + 2
            if length > 127:  # noqa: PLR2004 - the highest bit says that more follow
                length, start = _read_length(data, at + 1)
                if not start:
                    self._wanted = end - at + 1
                    break
            if length > LARGEST_PACKET:
                raise PacketError(Reason.TOO_LARGE, f"a packet of {length} bytes")
            stop = start + length
            if stop > end:
                self._wanted = stop - at
                break
            try:
                if kind & 0xF0 == 0x30:  # noqa: PLR2004 - PUBLISH
                    keep(_read_message(kind, data[start:stop]))
                else:
                    self.answers.append(_read_answer(kind, data[start:stop]))
            except (IndexError, UnicodeDecodeError) as error:
                raise _malformed() from error
            at = stop
        return at


def _read_message(kind: int, body: bytes) -> Message:
    qos = kind & 0x06
    at = 2 + (body[0] << 8 | body[1])
    topic = body[2:at].decode()
    packet_id = 0
    if qos == 0x02:  # noqa: PLR2004 - the bit of QoS 1
        packet_id = body[at] << 8 | body[at + 1]
        at += 2
        if not packet_id:
            raise _malformed()
    elif qos:
        raise PacketError(Reason.QOS, "a message of a quality of service that we did not subscribe to")
    if body[at]:
        properties, at = _read_properties(body, at)
        if 0x23 in properties:  # noqa: PLR2004 - a topic alias, of which we allow none
            raise PacketError(Reason.TOPIC_ALIAS, "a topic alias")
    else:
        at += 1
    if not topic:
        raise PacketError(Reason.PROTOCOL, "a message without a topic")
    return Message(topic, body[at:], kind & 0x01 != 0, packet_id)


def _read_answer(kind: int, body: bytes) -> Answer:
    match kind:
        case 0x20:
            return _read_connected(body)
        case 0x90:
            _, start = _read_properties(body, 2)
            if start == len(body):
                raise _malformed()
            return Subscribed(body[0] << 8 | body[1], tuple(body[start:]))
        case 0xD0:
            _require_end(body, 0)
            return Pong()
        case 0xE0:
            properties, stop = _read_properties(body, 1) if len(body) > 1 else ({}, len(body))
            _require_end(body, stop)
            return Disconnected(body[0] if body else 0, _reason_text(properties))
    raise PacketError(Reason.PROTOCOL, f"a packet that begins with 0x{kind:02X}")


def _read_connected(body: bytes) -> Connected:
    # A broker of MQTT 3.1.1 sends no properties.
    properties, stop = _read_properties(body, 2) if len(body) != 2 else ({}, 2)  # noqa: PLR2004 - flags and reason
    if body[0] > 1:
        raise _malformed()
    _require_end(body, stop)
    keepalive = properties.get(0x13)
    return Connected(body[1], _reason_text(properties), None if keepalive is None else int.from_bytes(keepalive, "big"))


def _require_end(body: bytes, stop: int) -> None:
    if stop != len(body):
        raise _malformed()


def _read_properties(body: bytes, at: int) -> tuple[Properties, int]:
    """Read the properties that begin at a place, and give their values as they are, and the place after them."""
    length, at = _read_length(body, at)
    end = at + length
    if not at or end > len(body):
        raise _malformed()
    properties: Properties = {}
    while at < end:
        identifier = body[at]
        start, stop = _find_value(body, identifier, at + 1)
        if identifier in properties and identifier not in {USER_PROPERTY, SUBSCRIPTION_IDENTIFIER}:
            raise PacketError(Reason.PROTOCOL, f"the property 0x{identifier:02X} twice")
        properties[identifier] = body[start:stop]
        at = stop
    if at != end:
        raise _malformed()
    return properties, end


def _find_value(body: bytes, identifier: int, at: int) -> tuple[int, int]:
    if identifier in SIZES:
        return at, at + SIZES[identifier]
    if identifier in LENGTHS:
        return at + 2, at + 2 + (body[at] << 8 | body[at + 1])
    if identifier == USER_PROPERTY:
        value = at + 2 + (body[at] << 8 | body[at + 1])
        return at, value + 2 + (body[value] << 8 | body[value + 1])
    if identifier == SUBSCRIPTION_IDENTIFIER:
        _, stop = _read_length(body, at)
        return at, stop or len(body) + 1
    raise PacketError(Reason.MALFORMED, f"the property 0x{identifier:02X}, which does not exist")


def _reason_text(properties: Properties) -> str:
    text = properties.get(0x1F, b"").decode()
    # Of foreign origin, and on its way to a log.
    return "".join(character if character.isprintable() else " " for character in text[:200])


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of one to four bytes; gives it and the place after it, or (0, 0) where the bytes do not suffice."""
    length = 0
    for place in range(LARGEST_LENGTH_BYTES):
        if at + place >= len(data):
            return 0, 0
        byte = data[at + place]
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follow
            return length, at + place + 1
    raise _malformed()


def _malformed() -> PacketError:
    return PacketError(Reason.MALFORMED, "a malformed packet")
