"""Uplinks as ChirpStack v4 publishes them, in JSON. Pure; called by `network`."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ingest.lorawan.uplink import DevEui, Moment, Port, Uplink, UplinkError, milliseconds

TOPIC = re.compile(r"application/([^/]+)/device/([0-9A-Fa-f]{16})/event/up")


class DeviceInfo(Struct, frozen=True, rename="camel"):
    """`deviceInfo`."""

    application_id: str
    dev_eui: DevEui


class Gateway(Struct, frozen=True, rename="camel"):
    """One of `rxInfo`.

    Attributes:
        ns_time: when the network server had it from this gateway; older releases do not say.
    """

    rssi: Annotated[int, Meta(ge=-1000, le=1000)] | None = None
    ns_time: Moment | None = None


class UplinkEvent(Struct, frozen=True, rename="camel"):
    """The event; what is empty or 0 may be left out.

    Attributes:
        time: of a gateway that has a clock of its own, else the network server's.
    """

    device_info: DeviceInfo
    time: Moment
    f_port: Port = 0
    data: bytes = b""
    rx_info: list[Gateway] = []


EVENT = msgspec.json.Decoder(UplinkEvent)


def read_uplink(topic: str, payload: bytes) -> Uplink | None:
    """Read an event of ChirpStack; None where the topic is not one of its uplinks.

    Raises:
        UplinkError: it names another device than the topic.
        DecodeError: it is not JSON, or (ValidationError) a field is missing or wrong.
    """
    match = TOPIC.fullmatch(topic)
    if match is None:
        return None
    event = EVENT.decode(payload)
    application, dev_eui = event.device_info.application_id, event.device_info.dev_eui.lower()
    if (application, dev_eui) != (match[1], match[2].lower()):
        raise UplinkError("identity", f"the payload names device {dev_eui} of application {application[:64]!r}")
    # A gateway's own clock may be wrong, the network server's seldom is.
    received = min((gateway.ns_time for gateway in event.rx_info if gateway.ns_time is not None), default=event.time)
    heard = [gateway.rssi for gateway in event.rx_info if gateway.rssi is not None]
    return Uplink(dev_eui, event.f_port, event.data, milliseconds(received), max(heard, default=None))
