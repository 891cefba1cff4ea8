"""Publishes as fast as the broker takes it: MQTT 3.1.1 with QoS 1, many messages in one write."""

import socket
import ssl
import struct
from collections.abc import Sequence
from typing import Self

from tests.chaos.device import Bundle

CONNECT, PUBLISH_QOS_1, RETAIN, DISCONNECT = 0x10, 0x32, 0x01, b"\xe0\x00"
CONNACK_BYTES = PUBACK_BYTES = 4
TIMEOUT_S = 30.0
AT_ONCE = 500


class Publisher:
    """A device's connection that only publishes.

    Args:
        bundle: what lets it in.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.ref = bundle.folder.name
        self._bundle = bundle

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            ConnectionError: the broker does not let it in.
        """
        folder = self._bundle.folder
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.load_cert_chain(folder / "device.pem", folder / "device.key.pem")
        plain = socket.create_connection((self._bundle.host, self._bundle.port), TIMEOUT_S)
        self._socket = context.wrap_socket(plain, server_hostname=self._bundle.host)
        hello = _text("MQTT") + bytes((4, 2)) + struct.pack("!H", 0) + _text(self.ref)
        self._socket.sendall(_packet(CONNECT, hello))
        if self._read(CONNACK_BYTES)[3]:
            raise ConnectionError(f"the broker does not let {self.ref} in")
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendall(DISCONNECT)
        self._socket.close()

    def publish(self, messages: Sequence[tuple[str, bytes, bool]]) -> None:
        """Publish (last level of the topic, payload, retain) and wait until the broker has taken all.

        Raises:
            ConnectionError: the broker ended the connection.
        """
        for start in range(0, len(messages), AT_ONCE):
            some = messages[start : start + AT_ONCE]
            packets = [
                _packet(
                    PUBLISH_QOS_1 | RETAIN * retain,
                    _text(f"bins/v1/{self.ref}/up/{kind}") + struct.pack("!H", packet_id) + payload,
                )
                for packet_id, (kind, payload, retain) in enumerate(some, 1)
            ]
            self._socket.sendall(b"".join(packets))
            self._read(PUBACK_BYTES * len(some))

    def _read(self, size: int) -> bytes:
        read = b""
        while len(read) < size:
            more = self._socket.recv(size - len(read))
            if not more:
                raise ConnectionError(f"the broker ended the connection of {self.ref}")
            read += more
        return read


def _packet(kind: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | 0x80 * bool(length))
        if not length:
            return bytes((kind,)) + digits + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("!H", len(encoded)) + encoded
