"""A virtual device: hands its readings over like the firmware does, through a paho-mqtt client of its own."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware.smartbin import codec
from simulator.ledger import Ledger
from simulator.sensor import Row

FRESH_S = 3600
"""What is older goes to the backlog topic, so that it never holds up what is fresh."""
KEEPALIVE_S = 30
CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker listens."""

    host: str
    port: int


class Device:
    """One virtual device with a certificate of its own and a ledger.

    Args:
        ref: its name, the certificate's common name.
        bundle: folder with ca.pem, device.pem and device.key.pem.
        ledger: what it has not handed over yet.
    """

    def __init__(self, ref: str, bundle: Path, ledger: Ledger) -> None:
        self.ref = ref
        self.ledger = ledger
        self._bundle = bundle

    def hand_over(self, broker: BrokerAddress, *, next_report_s: int, timeout_s: float, stop: threading.Event) -> bool:
        """Connect, send everything that waits, and stay until it is acknowledged or the time is up.

        Args:
            broker: where to.
            next_report_s: what to promise.
            timeout_s: how long to wait for acknowledgements; what has none stays in the ledger.
            stop: ends the wait early.

        Returns:
            Whether nothing waits any more.
        """
        client = self._client()
        try:
            client.connect(broker.host, broker.port, keepalive=KEEPALIVE_S)
            self._talk(client, next_report_s)
            self._listen(client, time.monotonic() + timeout_s, stop)
            client.disconnect()
        except OSError:
            # No link this time; the readings stay in the ledger.
            return False
        return not len(self.ledger)

    def _client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=self.ref, clean_session=False, reconnect_on_failure=False
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(50)
        folder = self._bundle
        client.tls_set(str(folder / "ca.pem"), str(folder / "device.pem"), str(folder / "device.key.pem"))
        client.on_message = self._on_message
        return client

    def _talk(self, client: mqtt.Client, next_report_s: int) -> None:
        client.subscribe(codec.topic(self.ref, "down/ack"), qos=1)
        for epoch, rows in self.ledger.messages():
            for name, part in by_age(rows, time.time()).items():
                payload = codec.encode_readings(epoch, next_report_s, part)
                client.publish(codec.topic(self.ref, name), payload, qos=1)

    def _listen(self, client: mqtt.Client, deadline: float, stop: threading.Event) -> None:
        while len(self.ledger) and time.monotonic() < deadline and not stop.is_set():
            if client.loop(timeout=0.5) is not mqtt.MQTT_ERR_SUCCESS:
                raise ConnectionError("the broker closed the connection")

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            _, ranges = codec.decode_ack(bytes(message.payload))
        except ValueError:
            # Rubbish acknowledges nothing.
            return
        self.ledger.acknowledge(ranges)


def by_age(rows: list[Row], now_s: float) -> dict[str, list[Row]]:
    """Sort readings by the topic that they belong to.

    Args:
        rows: readings of one epoch.
        now_s: Unix seconds.

    Returns:
        For each topic that is needed, its readings in their order.
    """
    parts: dict[str, list[Row]] = {}
    for row in rows:
        fresh = (row[1] or 0) > now_s - FRESH_S
        parts.setdefault("up/readings" if fresh else "up/backlog", []).append(row)
    return parts
