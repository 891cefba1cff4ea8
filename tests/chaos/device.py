"""A virtual device that keeps a ledger of its own on disk: what it measured, whatever became of it on the way.

`python -m tests.chaos.device` is one device as a process of its own, to be killed at any moment.
"""

import argparse
import json
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from firmware.smartbin import codec

Row = tuple[int | None, ...]
EPOCH = 1
RESEND_S = 1.5
LARGEST_MESSAGE = 24
RECORD_BYTES = 96
"""All records of the ledger are of one length: its size says how many there are, also while it grows."""


class Ledger:
    """Every reading that a device ever made, and what was acknowledged: two files that only ever grow.

    Args:
        folder: survives the device's process.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._made, self._acknowledged = folder / "made", folder / "acknowledged"

    @property
    def count(self) -> int:
        """How many readings were made."""
        return self._made.stat().st_size // RECORD_BYTES if self._made.exists() else 0

    def rows(self) -> list[Row]:
        """Give the readings, in the order of their seq, which counts from 0."""
        if not self._made.exists():
            return []
        # A killed device leaves at most one torn record, which it never sent.
        return [tuple(json.loads(line)) for line in self._made.read_bytes().splitlines(keepends=True) if _whole(line)]

    def acknowledged(self) -> set[int]:
        """Give the seqs that may be forgotten."""
        if not self._acknowledged.exists():
            return set()
        lines = self._acknowledged.read_text().splitlines(keepends=True)
        ranges = [map(int, line.split()) for line in lines if line.endswith("\n")]
        return {seq for first, last in ranges for seq in range(first, last + 1)}

    def record(self, rows: list[Row]) -> None:
        """Keep readings, before anybody hears of them."""
        _append(self._made, "".join(json.dumps(row).ljust(RECORD_BYTES - 1) + "\n" for row in rows))

    def acknowledge(self, first: int, last: int) -> None:
        """Note an acknowledgement."""
        _append(self._acknowledged, f"{first} {last}\n")

    def mend(self) -> None:
        """Cut off what a power cut left half written."""
        if self._made.exists():
            os.truncate(self._made, self.count * RECORD_BYTES)
        if self._acknowledged.exists():
            os.truncate(self._acknowledged, self._acknowledged.read_bytes().rfind(b"\n") + 1)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What lets a device in.

    Attributes:
        folder: with its certificates, as `ingest devices enrol` made it; its name is the device's.
        host: of the broker.
        port: of the broker.
    """

    folder: Path
    host: str
    port: int


class Device:
    """Measures, keeps, sends, and forgets what was acknowledged; nothing else it hears makes it forget.

    Args:
        bundle: what lets it in.
        ledger: its memory, which it takes up where it was left.
        message_rows: the most readings in one message.
        resend_s: seconds after which it sends again what was not acknowledged.
    """

    def __init__(
        self, bundle: Bundle, ledger: Ledger, message_rows: int = LARGEST_MESSAGE, resend_s: float = RESEND_S
    ) -> None:
        self.ref = bundle.folder.name
        self._resend_s = resend_s
        ledger.mend()
        self._bundle, self._ledger, self._message_rows = bundle, ledger, message_rows
        rows, known = ledger.rows(), ledger.acknowledged()
        self._count = len(rows)
        self._kept = {seq: row for seq, row in enumerate(rows) if seq not in known}
        self._sent_at: dict[int, float] = {}
        self._lock = threading.Lock()
        self._client = self._make_client()

    def __enter__(self) -> Self:
        """Connect; it connects again by itself."""
        self._client.connect_async(self._bundle.host, self._bundle.port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._client.is_connected()

    @property
    def kept(self) -> int:
        """Readings that wait for their acknowledgement."""
        return len(self._kept)

    def measure(self, count: int = 1) -> None:
        """Make readings that no others are equal to."""
        rows = [_reading(seq) for seq in range(self._count, self._count + count)]
        self._count += count
        self._ledger.record(rows)
        with self._lock:
            self._kept.update((seq, row) for row in rows if (seq := row[0]) is not None)

    def send(self) -> None:
        """Send what was not sent, or not acknowledged for a while."""
        if not self.connected:
            return
        now = time.monotonic()
        with self._lock:
            since = now - self._resend_s
            due = [row for seq, row in self._kept.items() if self._sent_at.get(seq, float("-inf")) < since]
            self._sent_at.update((seq, now) for row in due if (seq := row[0]) is not None)
        for start in range(0, len(due), self._message_rows):
            rows = due[start : start + self._message_rows]
            # What had to wait is history: it takes the other of the two ways in.
            kind = "up/backlog" if len(rows) == LARGEST_MESSAGE else "up/readings"
            self._client.publish(codec.topic(self.ref, kind), codec.encode_readings(EPOCH, 3600, rows), qos=1)

    def _make_client(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=self.ref, clean_session=False)
        folder = self._bundle.folder
        client.tls_set(str(folder / "ca.pem"), str(folder / "device.pem"), str(folder / "device.key.pem"))
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda *_: self._on_connect()
        client.on_message = lambda _client, _userdata, message: self._on_message(message)
        return client

    def _on_connect(self) -> None:
        self._client.subscribe(codec.topic(self.ref, "down/ack"), qos=1)
        with self._lock:
            # What was on its way when the connection ended may be lost.
            self._sent_at.clear()

    def _on_message(self, message: MQTTMessage) -> None:
        _, ranges = codec.decode_ack(message.payload)
        with self._lock:
            for epoch, first, last in ranges:
                if epoch != EPOCH or not 0 <= first <= last < self._count:
                    raise ValueError(f"{self.ref} never made {epoch}: {first} to {last}")
                self._ledger.acknowledge(first, last)
                for seq in range(first, last + 1):
                    self._kept.pop(seq, None)


def _reading(seq: int) -> Row:
    distance_mm = None if seq % 50 == 49 else 100 + (seq * 37) % 1000
    return (seq, int(time.time()), distance_mm, seq % 9, 9, -50 + seq % 300, 3600 - seq % 500, seq % 5, seq % 2)


def _whole(line: bytes) -> bool:
    return len(line) == RECORD_BYTES and line.endswith(b"\n")


def _append(path: Path, text: str) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(text.encode())


def main() -> None:
    """Measure and send until killed; measure no more once there is a file named `drain` in the folder."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("bundle", type=Path, help="folder made by `ingest devices enrol`")
    parser.add_argument("folder", type=Path, help="for its ledger")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--every", type=float, default=0.1, help="seconds between two turns")
    parser.add_argument("--readings", type=int, default=2, help="in each turn")
    given = parser.parse_args()
    drain = given.folder.with_name("drain")
    with Device(Bundle(given.bundle, given.host, given.port), Ledger(given.folder)) as device:
        while True:
            if not drain.exists():
                device.measure(given.readings)
            device.send()
            time.sleep(given.every)


if __name__ == "__main__":
    main()
