"""Puts load on a broker and its ingester: devices that report at a fixed rate, and how soon they are acknowledged."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware.smartbin import codec
from simulator.device import BrokerAddress

CONNECT_TIMEOUT_S = 60.0
LAST_ACKS_S = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a load run found.

    Attributes:
        sent: readings handed to the broker.
        acknowledged: of those, how many the ingester has stored or refused.
        seconds: how long readings were sent.
        waits_s: from sending to acknowledgement, one per acknowledged reading.
    """

    sent: int
    acknowledged: int
    seconds: float
    waits_s: tuple[float, ...]

    def sentence(self) -> str:
        """Say it to people."""
        rate = self.sent / self.seconds
        text = f"{self.sent} readings in {self.seconds:.1f} s ({rate:.0f}/s), {self.acknowledged} acknowledged"
        if not self.waits_s:
            return f"{text}."
        half, nearly_all = np.percentile(self.waits_s, [50, 99])
        return f"{text}, half of them within {1000 * half:.0f} ms, 99% within {1000 * nearly_all:.0f} ms."


class Reporter:
    """One device that stays connected and sends one reading a message.

    Args:
        device: its name.
        bundle: folder with ca.pem, device.pem and device.key.pem.
        epoch: of all its readings; never used before.
    """

    def __init__(self, device: str, bundle: Path, epoch: int) -> None:
        self._device, self._epoch = device, epoch
        self._sent_at: dict[int, float] = {}
        self._seq = 0
        self._lock = threading.Lock()
        self._connected = threading.Event()
        self.waits_s: list[float] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=device, clean_session=True)
        self._client.tls_set(str(bundle / "ca.pem"), str(bundle / "device.pem"), str(bundle / "device.key.pem"))
        self._client.on_subscribe = lambda *_: self._connected.set()
        self._client.on_message = self._on_message

    @property
    def sent(self) -> int:
        """Readings sent so far."""
        return self._seq

    @property
    def waiting(self) -> int:
        """Readings that are not acknowledged yet."""
        return len(self._sent_at)

    def connect(self, broker: BrokerAddress) -> None:
        """Connect and listen for acknowledgements.

        Raises:
            OSError: no connection.
        """
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self._client.subscribe(codec.topic(self._device, "down/ack"), qos=1)
        if not self._connected.wait(CONNECT_TIMEOUT_S):
            raise TimeoutError(f"the broker does not let {self._device} in")

    def send(self) -> None:
        """Send one reading of this moment."""
        with self._lock:
            self._seq += 1
            seq = self._seq
            self._sent_at[seq] = time.monotonic()
        row = (seq, int(time.time()), 400 + seq % 400, 12, 7, 114, 3900, 2, 0)
        payload = codec.encode_readings(self._epoch, None, [row])
        self._client.publish(codec.topic(self._device, "up/readings"), payload, qos=1)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        _, ranges = codec.decode_ack(bytes(message.payload))
        now = time.monotonic()
        with self._lock:
            for epoch, first, last in ranges:
                for seq in [seq for seq in self._sent_at if epoch == self._epoch and first <= seq <= last]:
                    self.waits_s.append(now - self._sent_at.pop(seq))


def run_load(broker: BrokerAddress, bundles: Sequence[Path], *, rate: float, seconds: float) -> Outcome:
    """Let devices report in turn at a steady rate.

    Args:
        broker: where to.
        bundles: one folder per device, named like it.
        rate: readings a second of all together.
        seconds: how long.

    Raises:
        OSError: a device cannot connect.
    """
    epoch = int(time.time())
    reporters = [Reporter(bundle.name, bundle, epoch) for bundle in bundles]
    try:
        for reporter in reporters:
            reporter.connect(broker)
        started = time.monotonic()
        for turn in range(int(rate * seconds)):
            time.sleep(max(0.0, started + turn / rate - time.monotonic()))
            reporters[turn % len(reporters)].send()
        took = time.monotonic() - started
        deadline = time.monotonic() + LAST_ACKS_S
        while any(reporter.waiting for reporter in reporters) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        for reporter in reporters:
            reporter.close()
    waits = tuple(wait for reporter in reporters for wait in reporter.waits_s)
    return Outcome(sum(reporter.sent for reporter in reporters), len(waits), took, waits)
