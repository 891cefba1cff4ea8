"""What a LoRaWAN network server hands on, and what a sensor's payload says: the same for all networks and makers."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

# A device's number, worldwide; the network servers differ in whether its letters are large.
DevEui = Annotated[str, Meta(pattern=r"\A[0-9A-Fa-f]{16}\Z")]
Port = Annotated[int, Meta(ge=0, le=255)]
Moment = Annotated[datetime, Meta(tz=True)]


class Uplink(Struct, frozen=True, gc=False):
    """One message of a LoRaWAN device, decrypted by its network server.

    Attributes:
        dev_eui: 16 hexadecimal digits, small letters; the reference that the device is enrolled under.
        f_port: LoRaWAN port, 0..255; some makers send other things on another port.
        payload: as the device sent it; empty where it only spoke to the network.
        received_ms: when the network server received it, milliseconds since 1970; the same whenever it is handed on.
        rssi_dbm: at the gateway that heard it best; None where the network server does not say.
    """

    dev_eui: str
    f_port: int
    payload: bytes
    received_ms: int
    rssi_dbm: int | None = None


class Measurement(Struct, frozen=True, gc=False):
    """What a payload says of one moment; None is "not said". Units and ranges are those of docs/contract.md.

    Attributes:
        distance_mm: None also for "no target", "sensor failed" and "too near".
        temperature_c: degrees Celsius, signed.
        flags: as in docs/contract.md.
        measured_ms: milliseconds since 1970; None for "when the uplink was received".
    """

    distance_mm: int | None = None
    temperature_c: float | None = None
    battery_mv: int | None = None
    tilt_deg: int | None = None
    flags: int = 0
    measured_ms: int | None = None


class Said(Struct, frozen=True, gc=False):
    """All that a payload says.

    Attributes:
        measurements: none where the device only spoke of itself.
        battery_percent: 0..100, of devices that know no voltage; None for "not said".
    """

    measurements: tuple[Measurement, ...] = ()
    battery_percent: int | None = None


# From port and payload to what they say; raises `PayloadError`.
Decoder = Callable[[int, bytes], Said]


class UplinkError(Exception):
    """Raised when a network server's message is not an uplink that can be used; the text says why.

    Attributes:
        reason: one word of docs/contract.md.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class PayloadError(Exception):
    """Raised when a payload is not one that its model sends; the text says what is wrong."""


def milliseconds(moment: datetime) -> int:
    """Give a moment as milliseconds since 1970."""
    return round(moment.timestamp() * 1000)
