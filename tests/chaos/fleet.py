"""Virtual devices that keep a ledger of their own: what they measured, whatever became of it on the way."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from firmware.smartbin import codec
from simulator.stack.broker import Broker

Row = tuple[int | None, ...]
RESEND_S = 2.0
LARGEST_MESSAGE = 24


@dataclass(slots=True)
class Kept:
    """A reading that the device may not forget yet."""

    row: Row
    sent_at: float = float("-inf")


@dataclass(slots=True)
class Device:
    """Measures, keeps, sends, and forgets what was acknowledged; nothing else it hears makes it forget.

    Attributes:
        ref: its name.
        epoch: of its counter.
        ledger: every reading that it ever made, by seq: never touched by anything that comes from outside.
        kept: readings that were not acknowledged, by seq.
    """

    ref: str
    client: Client
    epoch: int = 1
    ledger: dict[int, Row] = field(default_factory=dict)
    kept: dict[int, Kept] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def measure(self, now_s: int) -> None:
        """Make a reading that no other is equal to."""
        seq = len(self.ledger)
        distance_mm = None if seq % 50 == 49 else 100 + (seq * 37) % 1000
        row = (seq, now_s, distance_mm, seq % 9, 9, -50 + seq % 300, 3600 - seq % 500, seq % 5, seq % 2)
        self.ledger[seq] = row
        with self.lock:
            self.kept[seq] = Kept(row)

    def send(self) -> None:
        """Send what was not sent, or not acknowledged for a while."""
        if not self.client.is_connected():
            return
        now = time.monotonic()
        with self.lock:
            due = [kept for kept in self.kept.values() if now - kept.sent_at > RESEND_S][:LARGEST_MESSAGE]
            for kept in due:
                kept.sent_at = now
        if due:
            payload = codec.encode_readings(self.epoch, 3600, [kept.row for kept in due])
            kind = "up/readings" if len(due) < LARGEST_MESSAGE else "up/backlog"
            self.client.publish(codec.topic(self.ref, kind), payload, qos=1)

    def hear(self, payload: bytes) -> None:
        """Forget what is acknowledged."""
        _, ranges = codec.decode_ack(payload)
        with self.lock:
            for epoch, first, last in ranges:
                for seq in range(first, last + 1) if epoch == self.epoch else ():
                    assert seq in self.ledger, f"{self.ref} never made {seq}"
                    self.kept.pop(seq, None)

    def forget_sending(self) -> None:
        """Send everything again: what was on its way when the connection ended may be lost."""
        with self.lock:
            for kept in self.kept.values():
                kept.sent_at = float("-inf")


def make_device(bundles: Path, ref: str, broker: Broker) -> Device:
    """Connect a device, with its own certificate; it connects again by itself."""
    folder = bundles / ref
    client = Client(CallbackAPIVersion.VERSION2, client_id=ref, clean_session=False)
    client.tls_set(str(folder / "ca.pem"), str(folder / "device.pem"), str(folder / "device.key.pem"))
    client.reconnect_delay_set(1, 1)
    device = Device(ref, client)

    def on_connect(*_: object) -> None:
        client.subscribe(codec.topic(ref, "down/ack"), qos=1)
        device.forget_sending()

    def on_message(_client: Client, _userdata: object, message: MQTTMessage) -> None:
        device.hear(message.payload)

    client.on_connect = on_connect
    client.on_message = on_message
    client.connect(broker.host, broker.port)
    client.loop_start()
    return device


class Fleet:
    """Devices that measure and send all the time, in a thread of their own, until told to stop measuring."""

    def __init__(self, devices: list[Device], every_s: float) -> None:
        self.devices = devices
        self._every_s = every_s
        self._measuring = True
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet")
        self._thread.start()

    @property
    def measured(self) -> int:
        """Readings in all ledgers."""
        return sum(len(device.ledger) for device in self.devices)

    @property
    def kept(self) -> int:
        """Readings that wait for their acknowledgement."""
        return sum(len(device.kept) for device in self.devices)

    def stop_measuring(self) -> None:
        """From now on only send what is left."""
        self._measuring = False

    def close(self) -> None:
        """End it."""
        self._ended.set()
        self._thread.join()
        for device in self.devices:
            device.client.disconnect()
            device.client.loop_stop()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            for device in self.devices:
                if self._measuring:
                    device.measure(int(time.time()))
                device.send()
