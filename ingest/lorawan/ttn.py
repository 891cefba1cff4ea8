"""Uplinks as The Things Stack v3 publishes them (The Things Network is one). Pure; called by `network`."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ingest.lorawan.uplink import DevEui, Moment, Port, Uplink, UplinkError, milliseconds

# The open source edition has no tenants.
TOPIC = re.compile(r"v3/([^/@]+)(?:@[^/]+)?/devices/([^/]+)/up")


class ApplicationIds(Struct, frozen=True):
    """`application_ids`."""

    application_id: str


class DeviceIds(Struct, frozen=True):
    """`end_device_ids`; `device_id` is a name that the application's owner chose."""

    device_id: str
    application_ids: ApplicationIds
    dev_eui: DevEui


class Gateway(Struct, frozen=True):
    """One of `rx_metadata`."""

    rssi: Annotated[float, Meta(ge=-1000, le=1000)] | None = None


class UplinkMessage(Struct, frozen=True):
    """`uplink_message`; what is empty or 0 the network server leaves out.

    Attributes:
        received_at: when the network server received it; the one beside `uplink_message` is the application server's.
    """

    received_at: Moment
    f_port: Port = 0
    frm_payload: bytes = b""
    rx_metadata: list[Gateway] = []


class Message(Struct, frozen=True):
    """The whole message; `simulated` is true for what somebody typed into the console."""

    end_device_ids: DeviceIds
    uplink_message: UplinkMessage
    simulated: bool = False


MESSAGE = msgspec.json.Decoder(Message)


def read_uplink(topic: str, payload: bytes) -> Uplink | None:
    """Read a message of The Things Stack; None where the topic is not one of its uplinks.

    Raises:
        UplinkError: it names another device than the topic, or was simulated.
        DecodeError: it is not JSON, or (ValidationError) a field is missing or wrong.
    """
    match = TOPIC.fullmatch(topic)
    if match is None:
        return None
    message = MESSAGE.decode(payload)
    ids, uplink = message.end_device_ids, message.uplink_message
    if (ids.application_ids.application_id, ids.device_id) != match.groups():
        named = f"{ids.device_id[:64]!r} of {ids.application_ids.application_id[:64]!r}"
        raise UplinkError("identity", f"the payload names device {named}")
    if message.simulated:
        raise UplinkError("schema", "simulated: nobody measured this")
    heard = [gateway.rssi for gateway in uplink.rx_metadata if gateway.rssi is not None]
    return Uplink(
        ids.dev_eui.lower(),
        uplink.f_port,
        uplink.frm_payload,
        milliseconds(uplink.received_at),
        round(max(heard)) if heard else None,
    )
