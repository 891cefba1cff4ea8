"""A publisher that costs next to nothing: one TLS connection, packets made in advance, sent when they are due.

`python -m tests.bench.publisher` is its process; `publishing` starts it and says when it began. Times are of the
monotonic clock, which all processes of a machine share.
"""

import contextlib
import json
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator.stack.place import as_account
from tests.bench.flow import Flow

NAME = "bench-publisher"
CONNACK_BYTES = PUBACK_BYTES = 4
IN_FLIGHT = 20_000
LONGEST_S = 120.0
LEAD_S = 0.2


@dataclass(frozen=True, slots=True)
class Where:
    """The broker, and a folder with the publisher's certificate.

    Attributes:
        host: address.
        port: of TLS.
        bundle: as `ingest devices enrol` makes it.
    """

    host: str
    port: int
    bundle: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What was published; the broker has confirmed all of it.

    Attributes:
        messages: how many.
        late_p99_ms: from when a message was due until it was written, 99% of the messages at most.
    """

    messages: int
    late_p99_ms: float


class Publishing:
    """A publisher at work.

    Attributes:
        began_s: when message 0 is due, monotonic seconds.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout
        self.began_s = float(process.stdout.readline())

    def finish(self, *, now: bool = False) -> Sent:
        """Wait until all is published, or stop at once."""
        if now:
            self._process.send_signal(signal.SIGTERM)
        told, _ = self._process.communicate(timeout=600)
        return Sent(**json.loads(told))


@contextlib.contextmanager
def publishing(where: Where, flow: Flow) -> Iterator[Publishing]:
    """Publish from a process of its own."""
    program = [sys.executable, "-m", "tests.bench.publisher", json.dumps([asdict(where), asdict(flow)])]
    # It ends with us, however we end.
    command = [*as_account(None, death_signal="KILL"), *program]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    try:
        yield Publishing(process)
    finally:
        process.kill()
        process.wait()


class Connection:
    """One MQTT 3.1.1 connection that only publishes.

    Args:
        where: to connect to.
    """

    def __init__(self, where: Where) -> None:
        folder = Path(where.bundle)
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.load_cert_chain(folder / "device.pem", folder / "device.key.pem")
        raw = socket.create_connection((where.host, where.port), timeout=10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = context.wrap_socket(raw, server_hostname=where.host)
        name = NAME.encode()
        hello = b"\0\4MQTT\4\2" + struct.pack("!HH", 0, len(name)) + name
        self._socket.sendall(bytes((0x10, len(hello))) + hello)
        answer = self._socket.recv(CONNACK_BYTES)
        if answer != b"\x20\2\0\0":
            raise ConnectionError(f"the broker answers {answer!r}")
        self._socket.settimeout(0)
        self._heard_bytes = 0

    @property
    def confirmed(self) -> int:
        """Messages that the broker has acknowledged."""
        return self._heard_bytes // PUBACK_BYTES

    def send(self, packets: bytes) -> None:
        """Write packets; returns when the kernel has them."""
        while True:
            try:
                self._socket.send(packets)
            except ssl.SSLWantWriteError:
                self.hear()
                select.select([self._socket], [self._socket], [], LONGEST_S)
            else:
                return

    def hear(self) -> None:
        """Take what the broker has confirmed meanwhile."""
        with contextlib.suppress(ssl.SSLWantReadError):
            while heard := self._socket.recv(65_536):
                self._heard_bytes += len(heard)
            raise ConnectionError("the broker ended the connection")

    def wait_for(self, messages: int) -> None:
        """Wait until so many are confirmed."""
        deadline = time.monotonic() + LONGEST_S
        self.hear()
        while self.confirmed < messages:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the broker confirmed {self.confirmed} of {messages}")
            select.select([self._socket], [], [], 1)
            self.hear()

    def close(self) -> None:
        """Say goodbye."""
        self.send(b"\xe0\0")
        self._socket.close()


def publish_all(where: Where, flow: Flow) -> None:
    """Publish a flow from this process, as fast as the broker takes it."""
    connection = Connection(where)
    for first in range(0, flow.messages, flow.burst):
        last = min(first + flow.burst, flow.messages)
        connection.send(b"".join(map(flow.packet, range(first, last))))
        connection.wait_for(last - IN_FLIGHT)
    connection.wait_for(flow.messages)
    connection.close()


def main(where: Where, flow: Flow) -> None:
    """Publish a flow at its rate; tells when it begins, and afterwards how it went."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    bursts = [
        b"".join(map(flow.packet, range(first, min(first + flow.burst, flow.messages))))
        for first in range(0, flow.messages, flow.burst)
    ]
    connection = Connection(where)
    began_s = time.monotonic() + LEAD_S
    _tell(repr(began_s))
    late_s = []
    for turn, packets in enumerate(bursts):
        due_s = began_s + flow.planned_s(turn * flow.burst)
        connection.hear()
        time.sleep(max(0.0, due_s - time.monotonic()))
        if stopped:
            break
        connection.send(packets)
        late_s.append(time.monotonic() - due_s)
    sent = min(len(late_s) * flow.burst, flow.messages)
    connection.wait_for(sent)
    connection.close()
    _tell(json.dumps(asdict(Sent(sent, 1000 * float(np.percentile(late_s, 99))))))


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    given: list[dict[str, Any]] = json.loads(sys.argv[1])
    main(Where(**given[0]), Flow(**given[1]))
