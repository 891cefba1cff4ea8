"""Our receiver against a broker that plays a script, good or bad."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ingest.connection import LARGEST_WAITING_BYTES, READ_BYTES
from ingest.errors import BrokerLostError, SessionTakenError
from ingest.link import Link
from ingest.packets import Message
from ingest.receive import Receiver

TOPIC = "bins/v1/d-1/up/readings"
CONNACK = bytes.fromhex("20 03 00 00 00")
SUBACK = bytes.fromhex("90 04 0001 00 01")
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def publish(packet_id: int, payload: bytes = b"hello") -> bytes:
    topic = TOPIC.encode()
    body = len(topic).to_bytes(2, "big") + topic + packet_id.to_bytes(2, "big") + b"\0" + payload
    return b"\x32" + (len(body) & 0x7F | 0x80).to_bytes(1, "big") + (len(body) >> 7).to_bytes(1, "big") + body


def message(packet_id: int, payload: bytes = b"hello") -> Message:
    return Message(TOPIC, payload, retain=False, packet_id=packet_id)


async def admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer CONNECT and SUBSCRIBE as a good broker does."""
    await read_packet(reader)
    writer.write(CONNACK)
    await read_packet(reader)
    writer.write(SUBACK)


async def read_packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(2)
    return head + await reader.readexactly(head[1])


@asynccontextmanager
async def playing(authority: Path, script: Script) -> AsyncIterator[Link]:
    """A broker that plays a script with each client, and then ends the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield Link("127.0.0.1", server.sockets[0].getsockname()[1], authority)


def make_receiver(link: Link, keepalive_s: int = 20) -> Receiver:
    return Receiver(link, "brimwatch-readings", ("bins/v1/+/up/readings",), 100, keepalive_s=keepalive_s)


async def take_until_lost(link: Link) -> tuple[list[Message], BrokerLostError]:
    taken: list[Message] = []
    try:
        async with asyncio.timeout(60), make_receiver(link) as receiver:
            while True:
                taken += await receiver.take(1000)
    except BrokerLostError as error:
        return taken, error


@pytest.mark.anyio
async def test_server_that_hangs_up_is_a_broker_that_ended_the_connection(authority: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        _, error = await take_until_lost(Link("127.0.0.1", port, authority))

    assert str(error) == f"The broker at 127.0.0.1:{port} does not answer (it ended the connection)"


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["mqtt..example.org", f"{'a' * 64}.example.org", ".example.org"])
async def test_host_that_cannot_be_one_is_a_broker_that_does_not_answer(authority: Path, host: str) -> None:
    _, error = await take_until_lost(Link(host, 8883, authority))

    assert f"The broker at {host}:8883 does not answer" in str(error)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("20 03 00 87 00", "we are not allowed to"),
        ("20 03 00 88 00", "it is not available"),
        ("20 02 00 01", "it does not speak MQTT 5"),
        (
            "20 03 00 00 00 / 90 04 0001 00 87",
            "refuses the subscription to bins/v1/+/up/readings: we are not allowed to",
        ),
        ("20 03 00 00 00 / 90 04 0001 00 00", "it does not acknowledge"),
        ("20 03 00 00 00 / d0 00 90 04 0001 00 01 e0 01 8b", "it is shutting down"),
        ("20 03 00 00 00 / 90 04 0001 00 01 e0 01 8b ff ff", "it is shutting down"),
        ("20 03 00 00 00 / 90 04 0001 00 01", "it ended the connection"),
        ("90 04 0001 00 01", "it sent an answer to something that we did not ask"),
        ("48 00", "it sent a packet that begins with 0x48"),  # not a broker at all
        ("", "it ended the connection"),
    ],
)
async def test_reason_is_one_sentence(authority: Path, answer: str, sentence: str) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in answer.split("/"):
            await read_packet(reader)
            writer.write(bytes.fromhex(part))

    async with playing(authority, script) as link:
        taken, error = await take_until_lost(link)

    assert taken == []
    assert str(error).startswith(f"The broker at 127.0.0.1:{link.port} does not answer (")
    assert sentence in str(error)


@pytest.mark.anyio
async def test_taken_session_is_told_apart(authority: Path) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await admit(reader, writer)
        writer.write(publish(1) + bytes.fromhex("e0 01 8e"))

    async with playing(authority, script) as link:
        taken, error = await take_until_lost(link)

    assert taken == [message(1)]
    assert isinstance(error, SessionTakenError)


@pytest.mark.anyio
async def test_malformed_packet_ends_the_connection_and_the_broker_is_told(authority: Path) -> None:
    heard = asyncio.get_running_loop().create_future()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await admit(reader, writer)
        writer.write(publish(1) + bytes.fromhex("32 02 00 05"))
        heard.set_result(await reader.read())

    async with playing(authority, script) as link:
        taken, error = await take_until_lost(link)

    assert taken == [message(1)]
    assert "it sent a malformed packet" in str(error)
    assert (await heard).endswith(bytes.fromhex("e0 01 81"))


@pytest.mark.anyio
async def test_acknowledgements_follow_the_order_of_arrival(authority: Path) -> None:
    heard = asyncio.get_running_loop().create_future()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await admit(reader, writer)
        writer.write(b"".join(publish(number) for number in (9, 2, 5)))
        await read_packet(reader)  # the first ping
        heard.set_result(await reader.readexactly(12))

    async with playing(authority, script) as link, make_receiver(link) as receiver:
        batch = await receiver.take(10)
        receiver.acknowledge(batch)
        acknowledged = await heard

    assert batch == [message(9), message(2), message(5)]
    assert acknowledged == bytes.fromhex("40 02 0009 40 02 0002 40 02 0005")


@pytest.mark.anyio
async def test_acknowledgement_never_reaches_another_connection(authority: Path) -> None:
    connections = 0
    heard = asyncio.get_running_loop().create_future()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await admit(reader, writer)
        writer.write(publish(1))
        if connections > 1:
            await read_packet(reader)  # the first ping
            heard.set_result(await reader.read())

    async with playing(authority, script) as link:
        async with make_receiver(link) as first:
            batch = await first.take(10)
            with pytest.raises(BrokerLostError):
                await first.take(10)
            async with make_receiver(link) as second:
                await second.take(10)
                first.acknowledge(batch)
        said = await asyncio.wait_for(heard, 60)

    assert said == bytes.fromhex("e0 00")  # only the goodbye


@pytest.mark.anyio
async def test_mute_broker_is_noticed_within_two_keepalives(authority: Path) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await admit(reader, writer)
        while await reader.read(100):
            pass

    async with playing(authority, script) as link, make_receiver(link, keepalive_s=1) as receiver:
        # Asked twice in a keepalive, it has to answer before it is asked again.
        with pytest.raises(BrokerLostError, match=r"silent for 0\.5 s"):
            await asyncio.wait_for(receiver.take(1), 60)


@pytest.mark.anyio
async def test_broker_that_answers_pings_is_kept(authority: Path) -> None:
    pings = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal pings
        await admit(reader, writer)
        while pings < 3:
            assert await read_packet(reader) == b"\xc0\x00"
            pings += 1
            writer.write(b"\xd0\x00")
        writer.write(publish(1))
        await reader.read(100)

    async with playing(authority, script) as link, make_receiver(link, keepalive_s=3) as receiver:
        taken = await asyncio.wait_for(receiver.take(1), 60)

    assert (taken, pings) == ([message(1)], 3)


@pytest.mark.anyio
async def test_flood_that_nobody_takes_stays_with_the_broker(authority: Path) -> None:
    sent = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await admit(reader, writer)
        for _ in range(4000):
            writer.write(publish(1, bytes(10_000)))
            await writer.drain()
            sent += 1

    async with playing(authority, script) as link, make_receiver(link) as receiver:
        before = -1
        while before < sent:
            before = sent
            await asyncio.sleep(0.2)  # what comes in this time shows whether it goes on
        waiting = len(receiver._connection.messages)  # noqa: SLF001 - what is in memory is the point
        count = 0
        while count < 4000:
            count += len(await asyncio.wait_for(receiver.take(1000), 60))

    assert waiting <= (LARGEST_WAITING_BYTES + READ_BYTES) / 10_000
    assert count == 4000


@pytest.mark.anyio
async def test_session_that_holds_more_than_we_have_room_for_is_received(authority: Path) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(CONNACK)
        # A broker sends what waits in the session before it looks at our SUBSCRIBE.
        for _ in range(2 * LARGEST_WAITING_BYTES // 10_000):
            writer.write(publish(1, bytes(10_000)))
            await writer.drain()
        await read_packet(reader)
        writer.write(SUBACK)

    async with playing(authority, script) as link:
        taken, error = await take_until_lost(link)

    assert len(taken) == 2 * LARGEST_WAITING_BYTES // 10_000
    assert "it ended the connection" in str(error)


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(10))
async def test_damaged_streams_end_in_one_sentence(authority: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a sequence to repeat
    good = [message(number, bytes(number)) for number in range(1, 9)]

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = bytearray(CONNACK + SUBACK + b"".join(publish(each.packet_id, each.payload) for each in good))
        for _ in range(chance.randint(1, 5)):
            place = chance.randrange(len(stream))
            stream[place : place + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        while stream:
            size = chance.randint(1, 40)
            writer.write(bytes(stream[:size]))
            del stream[:size]

    async with playing(authority, script) as link:
        for _ in range(20):
            taken, error = await take_until_lost(link)

            assert len(taken) <= len(good) + 1
            assert "\n" not in str(error)
