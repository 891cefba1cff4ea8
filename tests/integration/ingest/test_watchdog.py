"""A broker that takes what we publish and never answers: devices would never be told, and nobody would know."""

import asyncio
import ssl
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Self

import cbor2
import pytest
from structlog.testing import capture_logs

from ingest.health import Health
from ingest.link import Link
from ingest.metrics import Metrics
from ingest.send import Sender

CONNECT, PUBLISH, PINGREQ = 1, 3, 12


class MuteBroker:
    """As much of an MQTT 3.1.1 broker as a sender sees; answers PUBLISH only when it is told to.

    Attributes:
        heard: the payloads that it has answered.
        answers: whether it does, on links made from then on.
    """

    def __init__(self, certificates: Path) -> None:
        self.certificates = certificates
        self.heard: list[bytes] = []
        self.answers = False

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.certificates / "ca.pem")
        context.load_cert_chain(self.certificates / "server.pem", self.certificates / "server.key")
        context.verify_mode = ssl.CERT_REQUIRED
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def link(self) -> Link:
        """Where it listens."""
        return Link("127.0.0.1", self._server.sockets[0].getsockname()[1], self.certificates)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What one link is denied, it never gets.
        answers = self.answers
        try:
            while True:
                kind, body = await _packet(reader)
                if kind == CONNECT:
                    writer.write(b"\x20\x02\x00\x00")
                elif kind == PINGREQ:
                    writer.write(b"\xd0\x00")
                elif kind == PUBLISH and answers:
                    (topic_length,) = struct.unpack_from(">H", body)
                    self.heard.append(body[topic_length + 4 :])
                    writer.write(b"\x40\x02" + body[topic_length + 2 : topic_length + 4])
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    (first,) = await reader.readexactly(1)
    length = shift = 0
    while True:
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return first >> 4, await reader.readexactly(length)


@pytest.mark.anyio
async def test_stuck_acknowledgements_are_said_once_and_sent_over_a_new_link(authority: Path) -> None:
    health, metrics = Health(), Metrics()
    with capture_logs() as logged:
        async with MuteBroker(authority) as broker:
            sender = Sender(broker.link, health, metrics, stuck_s=2)
            sending = asyncio.create_task(sender.run())
            for number in range(150):
                sender.acknowledge({f"d-{number}": [(1, number, number)]})
            await until(lambda: figure(metrics, "reconnects_total", link="brimwatch-send") >= 2)
            problem = dict(health.problems)
            broker.answers = True
            await until(lambda: len(broker.heard) == 150)
            await until(lambda: not health.problems)
            sending.cancel()
            await asyncio.wait((sending,))

    said = [line["event"] for line in logged if line["log_level"] in {"error", "warning"}]
    assert len(said) == 1
    assert said[0].startswith(f"{problem['send']}; connecting again")
    assert problem == {"send": "Readings are stored, but no acknowledgement was taken by the broker for 2 s"}
    assert figure(metrics, "acknowledgements_stuck_total") == 1
    assert sorted(cbor2.loads(payload)[2][0][1] for payload in broker.heard) == list(range(150))


@pytest.mark.anyio
async def test_link_with_nothing_to_acknowledge_is_left_alone(authority: Path) -> None:
    health, metrics = Health({"send": "Not connected yet"}), Metrics()
    async with MuteBroker(authority) as broker:
        broker.answers = True
        sender = Sender(broker.link, health, metrics, stuck_s=1)
        sending = asyncio.create_task(sender.run())
        sender.acknowledge({"d-1": [(1, 1, 1)]})
        await until(lambda: len(broker.heard) == 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(sending), 1.5)
        sender.acknowledge({"d-1": [(1, 2, 2)]})
        await until(lambda: len(broker.heard) == 2)
        sending.cancel()
        await asyncio.wait((sending,))

    assert figure(metrics, "acknowledgements_stuck_total") == 0
    assert figure(metrics, "reconnects_total", link="brimwatch-send") == 0


def figure(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(f"brimwatch_{name}", labels) or 0.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)
