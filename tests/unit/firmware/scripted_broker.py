"""A broker over mutual TLS that behaves as a test asks: it may confirm nothing, or acknowledge nothing."""

import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import cbor2

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, DISCONNECT = 1, 3, 4, 8, 14


@dataclass(frozen=True, slots=True)
class Message:
    """A PUBLISH as it came."""

    topic: str
    payload: bytes
    is_duplicate: bool
    packet_id: int


@dataclass(slots=True)
class Behaviour:
    """What the broker, and the ingester behind it, do."""

    confirm: bool = True  # PUBACK
    acknowledge: bool = True  # the application's acknowledgement
    ahead_s: int = 0  # how far the server's clock is ahead
    hang_up_on: str = ""  # a topic whose message ends the connection
    config: bytes | None = None  # sent just before each acknowledgement
    config_with: str = "up/"  # the topics whose acknowledgement it precedes


@dataclass(slots=True)
class Session:
    """What a broker remembers of a client."""

    subscriptions: set[str] = field(default_factory=set)
    queue: list[tuple[str, bytes]] = field(default_factory=list)


class ScriptedBroker:
    """Listens on 127.0.0.1; `messages` is all that was published, `stored` what an ingester would have stored.

    Args:
        certificates: folder with ca.pem, server.pem, server.key.
    """

    def __init__(self, certificates: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
        context.load_verify_locations(certificates / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        self._context = context
        self.behaviour = Behaviour()
        self.messages: list[Message] = []
        self.confirmed_by_device: list[int] = []
        self.connections: list[bool] = []  # was the session present
        self.stored: dict[tuple[int, int], tuple[object, ...]] = {}
        self.conflicts: list[tuple[object, ...]] = []
        self.sessions: dict[str, Session] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="scripted broker")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def topics(self) -> list[str]:
        """Last two parts of the topics published on, in order."""
        return ["/".join(message.topic.split("/")[-2:]) for message in self.messages]

    def statuses(self) -> list[dict[str, object]]:
        """All that the device said of itself."""
        return [cbor2.loads(message.payload) for message in self.messages if message.topic.endswith("up/status")]

    def rows(self, topic: str) -> list[list[object]]:
        """All rows that were sent to a topic's last part."""
        return [
            row for message in self.messages if message.topic.endswith(topic) for row in cbor2.loads(message.payload)[3]
        ]

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            try:
                raw.settimeout(20)
                with self._context.wrap_socket(raw, server_side=True) as stream:
                    self._talk(stream)
            except (OSError, EOFError):
                continue
            finally:
                raw.close()

    def _talk(self, stream: ssl.SSLSocket) -> None:
        head, body = _packet(stream)
        assert head >> 4 == CONNECT
        client = body[12 : 12 + struct.unpack_from(">H", body, 10)[0]].decode()
        session = self.sessions.get(client)
        self.connections.append(session is not None)
        stream.sendall(bytes((0x20, 2, session is not None, 0)))
        if session is None:
            session = self.sessions.setdefault(client, Session())
        queue, session.queue = session.queue, []
        for topic, payload in queue:
            self._send(stream, session, topic, payload)
        while True:
            head, body = _packet(stream)
            if head >> 4 == DISCONNECT:
                return
            self._handle(stream, session, head, body)

    def _handle(self, stream: ssl.SSLSocket, session: Session, head: int, body: bytes) -> None:
        if head >> 4 == SUBSCRIBE:
            session.subscriptions.add(body[4:-1].decode())
            stream.sendall(b"\x90\x03" + body[:2] + b"\x01")
        elif head >> 4 == PUBACK:
            self.confirmed_by_device.append(struct.unpack(">H", body)[0])
        elif head >> 4 == PUBLISH:
            end = 2 + struct.unpack_from(">H", body)[0]
            packet_id = struct.unpack_from(">H", body, end)[0]
            message = Message(body[2:end].decode(), body[end + 2 :], bool(head & 8), packet_id)
            if self.behaviour.hang_up_on and message.topic.endswith(self.behaviour.hang_up_on):
                raise EOFError
            self.messages.append(message)
            if self.behaviour.confirm:
                stream.sendall(b"\x40\x02" + body[end : end + 2])
            if not message.topic.endswith("up/status"):
                self._store(stream, session, message)

    def _store(self, stream: ssl.SSLSocket, session: Session, message: Message) -> None:
        if not self.behaviour.acknowledge:
            return
        _, epoch, _, rows = cbor2.loads(message.payload)
        for row in rows:
            if self.stored.setdefault((epoch, row[0]), tuple(row)) != tuple(row):
                self.conflicts.append((epoch, *row))
        ranges = [[epoch, row[0], row[0]] for row in rows]
        acknowledgement = cbor2.dumps([1, int(time.time()) + self.behaviour.ahead_s, ranges])
        down = message.topic.rsplit("/", 2)[0] + "/down/"
        if self.behaviour.config is not None and self.behaviour.config_with in message.topic:
            self._send(stream, session, down + "config", self.behaviour.config)
        self._send(stream, session, down + "ack", acknowledgement)

    def _send(self, stream: ssl.SSLSocket, session: Session, topic: str, payload: bytes) -> None:
        if topic not in session.subscriptions and topic.rsplit("/", 1)[0] + "/+" not in session.subscriptions:
            return
        body = struct.pack(">H", len(topic)) + topic.encode() + b"\x00\x07" + payload
        stream.sendall(b"\x32" + _length(len(body)) + body)


def _packet(stream: ssl.SSLSocket) -> tuple[int, bytes]:
    head = _read(stream, 1)[0]
    size, shift = 0, 0
    while True:
        byte = _read(stream, 1)[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return head, _read(stream, size)


def _read(stream: ssl.SSLSocket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _length(size: int) -> bytes:
    out = bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*out, size))
