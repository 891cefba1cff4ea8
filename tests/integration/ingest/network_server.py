"""A LoRaWAN network server that publishes what its devices sent, for tests."""

import base64
import json
import secrets
from pathlib import Path
from typing import Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from simulator.stack.broker import Broker
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import rows, until

APPLICATION = "17c82e96-be03-4f38-aef3-f83d48582d97"


class NetworkServer:
    """Something with a network server's certificate; `with` connects it."""

    def __init__(self, name: str, authority: Path, broker: Broker) -> None:
        self._broker = broker
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name)
        files = (authority / file for file in ("ca.pem", f"{name}.pem", f"{name}.key"))
        self._client.tls_set(*(str(file) for file in files))

    def __enter__(self) -> Self:
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        until(self._client.is_connected, "the network server is connected")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, message: str, qos: int = 1) -> None:
        """Publish and wait until the broker has it, or (QoS 0) until it is on its way."""
        self._client.publish(topic, message, qos=qos).wait_for_publish(60)


def new_dev_eui() -> str:
    """Give a DevEUI that no other test uses: all share one broker."""
    return secrets.token_hex(8)


def from_chirpstack(dev_eui: str, payload: str, at: str = "2026-03-01T12:00:00.448+00:00") -> tuple[str, str]:
    """Give topic and message of an uplink, its payload as hex."""
    event = {
        "time": at,
        "deviceInfo": {"applicationId": APPLICATION, "devEui": dev_eui},
        "fPort": 85,
        "data": base64.b64encode(bytes.fromhex(payload)).decode(),
    }
    return f"application/{APPLICATION}/device/{dev_eui}/event/up", json.dumps(event)


def from_ttn(dev_eui: str, payload: str, at: str = "2026-03-01T12:00:00.448Z") -> tuple[str, str]:
    """Give the same as The Things Stack publishes it."""
    name = f"eui-{dev_eui}"
    message = {
        "end_device_ids": {
            "device_id": name,
            "application_ids": {"application_id": "litter-bins"},
            "dev_eui": dev_eui.upper(),
        },
        "uplink_message": {
            "f_port": 6,
            "frm_payload": base64.b64encode(bytes.fromhex(payload)).decode(),
            "received_at": at,
        },
    }
    return f"v3/litter-bins@ttn/devices/{name}/up", json.dumps(message)


def stored(database: MigratedDatabase, dev_eui: str) -> list[tuple[object, ...]]:
    """Give epoch, seq, distance, temperature, battery, tilt and flags of what a device has in the database."""
    query = """
select epoch, seq, distance_mm, temperature_c::float8, battery_mv, tilt_deg, flags
from readings
join devices on devices.id = readings.device_id
where devices.ref = %s
order by seq
"""
    return rows(database, query, dev_eui)
