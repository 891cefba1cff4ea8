"""MQTT 5 as its specification writes it (OASIS MQTT 5.0), in whatever pieces it comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    acknowledgements,
    connect,
    disconnect,
    say,
    subscribe,
)
from ingest.reader import Reader

# All that CONNACK may have beside what we use: none of them disturbs.
MANY_PROPERTIES = (
    "11 00000001 21 0014 24 01 25 01 27 00000fff 12 0001 61 22 0000 26 0001 6b 0001 76 28 01 29 01 2a 01"
    "1a 0001 78 1c 0001 79 15 0001 7a"
)
TOPIC = "bins/v1/d-1/up/readings"


def length(number: int) -> bytes:
    """The specification's own algorithm (1.5.5), for an independent opinion."""
    out = b""
    while True:
        digit = number % 128
        number //= 128
        if number == 0:
            return out + bytes([digit])
        out += bytes([digit | 128])


def packet(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + length(len(body)) + body


def publish(message: Message, properties: bytes = b"") -> bytes:
    topic = message.topic.encode()
    qos = 1 if message.packet_id else 0
    number = message.packet_id.to_bytes(2, "big") if qos else b""
    body = len(topic).to_bytes(2, "big") + topic + number + length(len(properties)) + properties + message.payload
    return packet(0x30 | qos << 1 | message.retain, body)


def read(pieces: list[bytes]) -> tuple[list[Message], list[Answer], Reason | None]:
    reader = Reader()
    reason = None
    try:
        for piece in pieces:
            reader.feed(piece)
    except PacketError as error:
        reason = error.reason
    return list(reader.messages), list(reader.answers), reason


def test_connect_goes_on_with_the_session() -> None:
    sent = connect("ab", keepalive_s=20, session_expiry_s=2592000, window=4000)

    assert sent == bytes.fromhex(
        "10 1c"  # CONNECT
        "0004 4d515454 05"  # MQTT, version 5
        "00 0014"  # no clean start, no will, no password; keep alive 20
        "0d 11 00278d00 21 0fa0 27 00100000"  # session expiry, Receive Maximum, Maximum Packet Size
        "0002 6162"
    )


def test_subscribe_asks_for_qos_1_and_the_retain_flag_as_published() -> None:
    assert subscribe(1, ("a/+", "b")) == bytes.fromhex("82 0d 0001 00 0003 612f2b 19 0001 62 19")


def test_acknowledgements_keep_their_order() -> None:
    assert acknowledgements([1, 65535, 2]) == bytes.fromhex("40 02 0001 40 02 ffff 40 02 0002")


def test_no_acknowledgement_is_no_byte() -> None:
    assert acknowledgements([]) == b""


def test_disconnect_says_why() -> None:
    assert disconnect(Reason.NORMAL) == bytes.fromhex("e0 00")
    assert disconnect(Reason.MALFORMED) == bytes.fromhex("e0 01 81")


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        ("20 03 00 00 00", Connected(0, "", None)),
        ("20 03 01 00 00", Connected(0, "", None)),  # session present
        ("20 06 00 00 03 13 000a", Connected(0, "", 10)),  # Server Keep Alive
        ("20 03 00 87 00", Connected(0x87, "", None)),  # not authorised
        ("20 09 00 88 06 1f 0003 6e6f21", Connected(0x88, "no!", None)),  # with a reason string
        ("20 02 00 01", Connected(1, "", None)),  # a broker of MQTT 3.1.1
        (f"20 34 00 00 31 {MANY_PROPERTIES}", Connected(0, "", None)),
        ("90 04 0001 00 01", Subscribed(1, (1,))),
        ("90 05 0001 00 01 87", Subscribed(1, (1, 0x87))),
        ("d0 00", Pong()),
        ("e0 00", Disconnected(0, "")),
        ("e0 01 8e", Disconnected(0x8E, "")),
        ("e0 08 8b 06 1f 0003 627965", Disconnected(0x8B, "bye")),
        ("e0 07 8b 05 1f 0002 410a", Disconnected(0x8B, "A ")),  # what is on its way to a log stays one line
    ],
)
def test_answer_is_understood(sent: str, understood: Answer) -> None:
    assert read([bytes.fromhex(sent)]) == ([], [understood], None)


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        ("30 06 0001 61 00 6869", Message("a", b"hi", retain=False, packet_id=0)),
        ("32 08 0001 61 0102 00 6869", Message("a", b"hi", retain=False, packet_id=0x0102)),
        ("3a 08 0001 61 0102 00 6869", Message("a", b"hi", retain=False, packet_id=0x0102)),  # sent again (DUP)
        ("33 06 0001 61 0001 00", Message("a", b"", retain=True, packet_id=1)),
        # Properties that a publisher may have given: payload format, expiry, content type, user property.
        (
            "32 1b 0001 61 0001 13 01 01 02 0000003c 03 0001 74 26 0002 6b6b 0001 76 6869",
            Message("a", b"hi", retain=False, packet_id=1),
        ),
        (
            "32 0c 0001 61 0001 04 0b 01 0b 05 6869",
            Message("a", b"hi", retain=False, packet_id=1),
        ),  # two subscription identifiers
    ],
)
def test_message_is_understood(sent: str, understood: Message) -> None:
    assert read([bytes.fromhex(sent)]) == ([understood], [], None)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("32 ff ff ff ff 01", Reason.MALFORMED),  # a length of five bytes
        ("32 02 00 05", Reason.MALFORMED),  # a topic that is longer than its packet
        ("32 03 0001 61", Reason.MALFORMED),  # no packet id
        ("32 05 0001 61 0001", Reason.MALFORMED),  # no properties
        ("32 06 0001 61 0000 00", Reason.MALFORMED),  # packet id 0
        ("32 06 0001 ff 0001 00", Reason.MALFORMED),  # a topic that is not UTF-8
        ("32 06 0001 61 0001 7f", Reason.MALFORMED),  # properties that are longer than the packet
        ("32 08 0001 61 0001 02 07 00", Reason.MALFORMED),  # an unknown property
        ("32 08 0001 61 0001 02 02 00", Reason.MALFORMED),  # half a property
        ("32 0a 0001 61 0001 04 01 00 01 00", Reason.PROTOCOL),  # a property twice
        ("32 09 0001 61 0001 03 23 0001", Reason.TOPIC_ALIAS),  # we allow no alias
        ("32 05 0000 0001 00", Reason.PROTOCOL),  # no topic
        ("34 06 0001 61 0001 00", Reason.QOS),  # QoS 2
        ("36 06 0001 61 0001 00", Reason.QOS),  # QoS 3
        ("32 81 80 40", Reason.TOO_LARGE),  # one byte more than we said
        ("00 00", Reason.PROTOCOL),
        ("10 00", Reason.PROTOCOL),  # CONNECT, from a broker
        ("d1 00", Reason.PROTOCOL),  # flags that have to be 0
        ("d0 01 00", Reason.MALFORMED),
        ("20 00", Reason.MALFORMED),
        ("20 03 02 00 00", Reason.MALFORMED),
        ("20 04 00 00 00 00", Reason.MALFORMED),
        ("90 03 0001 00", Reason.MALFORMED),  # no reason
        ("e0 03 8b 00 00", Reason.MALFORMED),
        ("e0 06 8b 04 1f 0001 ff", Reason.MALFORMED),  # a reason string that is not UTF-8
    ],
)
def test_what_mqtt_forbids_ends_the_connection(sent: str, reason: Reason) -> None:
    good = Message(TOPIC, b"before", retain=False, packet_id=1)

    assert read([publish(good) + bytes.fromhex(sent)]) == ([good], [], reason)


def test_largest_packet_is_still_read() -> None:
    message = Message("a", bytes(LARGEST_PACKET - 6), retain=False, packet_id=1)

    assert read([publish(message)]) == ([message], [], None)


def test_reason_is_said_in_words() -> None:
    assert say(0x8E, "") == "another program connected under our name"
    assert say(0x88, "until noon") == "it is not available: until noon"
    assert say(0xB7, "") == "reason 0xB7"


messages = st.builds(
    Message,
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40),
    st.binary(max_size=300),
    st.booleans(),
    st.integers(0, 65535),
)
answers = st.sampled_from([packet(0xD0, b""), bytes.fromhex("90 04 0001 00 01"), bytes.fromhex("20 03 00 00 00")])
streams = st.lists(messages.map(publish) | answers, max_size=12).map(b"".join)


@st.composite
def cut(draw: st.DrawFn, streams: st.SearchStrategy[bytes]) -> tuple[bytes, list[bytes]]:
    stream = draw(streams)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    return stream, [stream[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    stream = bytearray(draw(streams))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(stream) - 1, 0)))
        stream[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(stream)


@given(st.lists(messages, max_size=12))
def test_messages_come_out_as_they_went_in(sent: list[Message]) -> None:
    assert read([b"".join(map(publish, sent))]) == (sent, [], None)


@given(cut(streams))
def test_pieces_make_no_difference(given_: tuple[bytes, list[bytes]]) -> None:
    stream, pieces = given_

    assert read(pieces) == read([stream])


@given(cut(damaged() | st.binary(max_size=400)))
def test_any_bytes_are_messages_or_an_error_whatever_the_pieces(given_: tuple[bytes, list[bytes]]) -> None:
    stream, pieces = given_

    assert read(pieces) == read([stream])


def test_large_packet_in_single_bytes_is_not_slow() -> None:
    message = Message("a", bytes(200_000), retain=False, packet_id=1)
    stream = publish(message)

    assert read([stream[place : place + 1] for place in range(len(stream))]) == ([message], [], None)
