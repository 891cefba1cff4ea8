"""An ingester as a child process, and devices that talk to it, for tests."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import psycopg
from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client.parser import text_string_to_metric_families

from firmware.smartbin import codec
from simulator.stack.broker import Broker
from tests.conftest import MigratedDatabase, run_module

ROOT = Path(__file__).parents[3]
NOW_S = int(time.time())


def until(condition: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
    """Wait until something is so; fail with what it was that did not happen."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        time.sleep(0.02)


def enrol(database: MigratedDatabase, authority: Path, out: Path, *refs: str) -> None:
    """Let devices publish; their bundles are in `out`, one folder each."""
    run_module(
        "ingest", "devices", "enrol", *refs, "--out", str(out),
        env={**database.env, "BRIMWATCH_CERTIFICATES": str(authority)},
    )  # fmt: skip


def rows(database: MigratedDatabase, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask the database, as its owner."""
    with psycopg.connect(database.conninfo) as connection:
        return connection.execute(query.encode(), values or None).fetchall()


def change(database: MigratedDatabase, statement: str) -> None:
    """Change the database, as its owner."""
    with psycopg.connect(database.conninfo) as connection:
        connection.execute(statement.encode())


class Ingester:
    """`python -m ingest serve`; `with` starts it and ends it."""

    def __init__(self, folder: Path, database: MigratedDatabase, broker: Broker, name: str = "ingester") -> None:
        self.log = folder / f"{name}.log"
        self._env = {
            **os.environ,
            **database.ingest_env,
            "BRIMWATCH_MQTT_HOST": broker.host,
            "BRIMWATCH_MQTT_PORT": str(broker.port),
            "BRIMWATCH_CERTIFICATES": str(broker.certificates),
            "BRIMWATCH_HEALTH_PORT": "0",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        # In order: what it has stored, and not acknowledged to the broker yet, would come to the next test's ingester.
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.terminate()
        self.kill()

    @property
    def text(self) -> str:
        """What it has logged since it was started last."""
        return self.log.read_text()

    def set(self, setting: str, value: str) -> None:
        """Have it start with another setting from now on."""
        self._env[setting] = value

    def start(self) -> None:
        """Start it, and wait until it receives."""
        self.launch()
        until(lambda: self.health()[0] == 200, "the ingester is ready")

    def launch(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "ingest", "serve"]
            self._process = subprocess.Popen(command, env=self._env, cwd=ROOT, stderr=log)

    def health(self) -> tuple[int, dict[str, Any]]:
        """Ask /readyz; (0, {}) while nothing answers."""
        code, body = self.ask("/readyz")
        return code, json.loads(body) if body else {}

    def ask(self, path: str) -> tuple[int, str]:
        """Ask the process about itself; (0, "") while nothing answers."""
        port = re.search(r'event="answering /healthz".* port=(\d+)', self.text)
        if not port:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def figure(self, name: str, **labels: str) -> float:
        """Give one figure of /metrics, 0 where it does not exist yet."""
        families = text_string_to_metric_families(self.ask("/metrics")[1])
        found = [sample for family in families for sample in family.samples if sample.name == f"brimwatch_{name}"]
        return sum(sample.value for sample in found if labels.items() <= sample.labels.items())

    def terminate(self) -> tuple[int, float]:
        """Ask it to end; give its exit code and how many seconds that took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(60)
        return code, time.monotonic() - began

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Peer:
    """Something with a device's certificate that publishes what it is told and hears the acknowledgements."""

    def __init__(self, bundles: Path, ref: str, broker: Broker) -> None:
        self.ref = ref
        self.acknowledged: set[tuple[int, int]] = set()
        self.acks: list[bytes] = []
        self.configurations: list[bytes] = []
        self.heard: list[str] = []
        self._broker = broker
        folder = bundles / ref
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=ref, clean_session=False)
        self._client.tls_set(str(folder / "ca.pem"), str(folder / "device.pem"), str(folder / "device.key.pem"))
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe(f"bins/v1/{ref}/down/+", qos=1)
        self._ready = False
        self._client.on_subscribe = lambda *_: setattr(self, "_ready", True)

    def __enter__(self) -> Self:
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        until(lambda: self._ready, f"{self.ref} is connected")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, payload: bytes | str, kind: str = "readings", *, retain: bool = False) -> None:
        """Publish and wait for the broker's PUBACK."""
        self.send(payload, kind, retain=retain).wait_for_publish(60)

    def publish_to(self, topic: str, payload: bytes | str) -> None:
        """Publish under a topic that need not be its own, and wait for the broker's PUBACK."""
        self._client.publish(topic, payload, qos=1).wait_for_publish(60)

    def send(self, payload: bytes | str, kind: str = "readings", *, retain: bool = False) -> MQTTMessageInfo:
        """Publish and do not wait."""
        return self._client.publish(f"bins/v1/{self.ref}/up/{kind}", payload, qos=1, retain=retain)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.heard.append(message.topic.rpartition("/")[2])
        if self.heard[-1] == "config":
            self.configurations.append(message.payload)
            return
        _, ranges = codec.decode_ack(message.payload)
        self.acks.append(message.payload)
        for epoch, first, last in ranges:
            self.acknowledged.update((epoch, seq) for seq in range(first, last + 1))


def reading(seq: int = 1, distance_mm: int | None = 640) -> tuple[int | None, ...]:
    """Give a row of the contract, an hour old."""
    return (seq, NOW_S - 3600 + seq, distance_mm, 4, 9, 123, 3600, 1, 0)


def stored(database: MigratedDatabase, peer: Peer) -> list[tuple[int, int, int | None]]:
    """Give epoch, seq and distance of what a device has in the database."""
    query = """
select epoch, seq, distance_mm
from readings
join devices on devices.id = readings.device_id
where devices.ref = %s
order by epoch, seq
"""
    return rows(database, query, peer.ref)


def rejects(database: MigratedDatabase, peer: Peer) -> list[tuple[str, bytes]]:
    """Give reason and payload of what of a device was refused."""
    found = rows(database, "select reason, payload from rejects where device = %s order by id", peer.ref)
    return [(reason, bytes(payload)) for reason, payload in found]
