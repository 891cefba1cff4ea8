"""The models of LoRaWAN sensors that are understood, and what their uplinks become. Pure; used by `batch`."""

from types import MappingProxyType

import msgspec

from ingest.lorawan import milesight, netvox
from ingest.lorawan.uplink import Decoder, Measurement, PayloadError, Said, Uplink
from ingest.reading import Decoded, Reading, Refusal, refuse, time_fault

# As `devices enrol --model` and docs/lorawan.md call them.
MODELS: MappingProxyType[str, Decoder] = MappingProxyType(
    {
        "milesight-em400-mud": milesight.decode,
        "milesight-em400-tld": milesight.decode,
        "milesight-em410-rdl": milesight.decode,
        "netvox-r718pe": netvox.decode,
        "netvox-r718x": netvox.decode,
    }
)
LARGEST_PAYLOAD = 255  # bytes; LoRaWAN carries no more
LARGEST_DISTANCE_MM = 65_535
COLDEST_C, HOTTEST_C = -100, 500


def decode_uplink(uplink: Uplink, model: str, message: bytes, now_ms: int) -> Decoded:
    """Say what an uplink means; never raises for what is in it.

    Args:
        uplink: of an enrolled device.
        model: that the device was enrolled with.
        message: of the network server, which is kept where something is refused.
        now_ms: the server's time, milliseconds since 1970.
    """
    decode = MODELS.get(model)
    if decode is None:
        detail = f"its model {model} is not known to this version{advice(uplink)}"
        decoded = refuse(reason="unknown_device", detail=detail, payload=message)
    elif not uplink.payload:
        decoded = Decoded(None, [], [])
    elif len(uplink.payload) > LARGEST_PAYLOAD:
        decoded = refuse(reason="oversize", detail=f"a payload of {len(uplink.payload)} bytes", payload=message)
    else:
        decoded = _decode(uplink, decode, message, now_ms)
    decoded.device, decoded.uplink = uplink.dev_eui, uplink
    return decoded


def advice(uplink: Uplink) -> str:
    """End a sentence with what makes a LoRaWAN device known."""
    return f": `devices enrol {uplink.dev_eui} --model MODEL` makes it known (docs/lorawan.md)"


def _decode(uplink: Uplink, decode: Decoder, message: bytes, now_ms: int) -> Decoded:
    try:
        said = decode(uplink.f_port, uplink.payload)
    except PayloadError as error:
        return refuse(reason="parse", detail=f"payload {uplink.payload.hex()}: {error}", payload=message)
    except Exception as error:  # noqa: BLE001 - one decoder's mistake must not stop everybody
        detail = f"payload {uplink.payload.hex()} cannot be read: {type(error).__name__}: {error}"
        return refuse(reason="parse", detail=detail, payload=message)
    decoded = Decoded(None, [], [], status=_status(uplink, said))
    for measurement in said.measurements:
        measured_ms = uplink.received_ms if measurement.measured_ms is None else measurement.measured_ms
        fault = time_fault(measured_ms / 1000, now_ms)
        outside = _outside(measurement)
        if fault:
            decoded.refusals.append(Refusal("time", fault, message))
        elif outside:
            decoded.refusals.append(Refusal("range", outside, message))
        else:
            decoded.readings.append(_reading(measurement, measured_ms))
    return decoded


def _status(uplink: Uplink, said: Said) -> bytes | None:
    # A status replaces the one before it: without the battery there would be none known any more.
    if said.battery_percent is None:
        return None
    signal = {} if uplink.rssi_dbm is None else {"rssi_dbm": uplink.rssi_dbm}
    return msgspec.json.encode({"battery_percent": said.battery_percent, **signal})


def _outside(measurement: Measurement) -> str | None:
    distance_mm, temperature_c = measurement.distance_mm, measurement.temperature_c
    if distance_mm is not None and not 0 <= distance_mm <= LARGEST_DISTANCE_MM:
        return f"distance_mm: {distance_mm}"
    if temperature_c is not None and not COLDEST_C <= temperature_c <= HOTTEST_C:
        return f"temperature_c: {temperature_c}"
    return None


def _reading(measurement: Measurement, measured_ms: int) -> Reading:
    return Reading(
        0,
        measured_ms,
        measured_ms,
        measurement.distance_mm,
        None,
        None,
        measurement.temperature_c,
        measurement.battery_mv,
        measurement.tilt_deg,
        measurement.flags,
    )
