"""Netvox R718X and R718PE, ultrasonic: fixed places, highest byte first. Pure.

What they report is version (1), the kind of device, the kind of report, and its fields. The fill level that they reckon
themselves is left alone: the distance says it better, and the fitting says what it means.
"""

from ingest.lorawan.uplink import Measurement, PayloadError, Said

REPORTS, SETTINGS = 6, 7  # ports
VERSION, STATUS = 0, 1  # kinds of report
R718X, R718PE = 0x34, 0xB1
LENGTHS = {R718X: 11, R718PE: 8}
NO_DISTANCE = 0xFFFF
LARGEST_TILT_DEG = 180


def decode(f_port: int, payload: bytes) -> Said:
    """Read a payload.

    Raises:
        PayloadError: another port, device or report than these two send, or too few bytes.
    """
    if f_port == SETTINGS:
        return Said()
    if f_port != REPORTS:
        raise PayloadError(f"nothing is known of port {f_port}")
    if len(payload) < 3 or payload[1] not in LENGTHS:  # noqa: PLR2004 - the head
        raise PayloadError(f"not a report of an R718X or R718PE: it begins with {payload[:3].hex()}")
    device, report = payload[1:3]
    if report == VERSION:
        return Said()
    if report != STATUS:
        raise PayloadError(f"a report of kind {report} is not known")
    if len(payload) < LENGTHS[device]:
        raise PayloadError(f"cut short: {len(payload)} bytes of {LENGTHS[device]}")
    # The highest bit says that the battery is low.
    battery_mv = (payload[3] & 0x7F) * 100
    distance = int.from_bytes(payload[5:7], "big")
    distance_mm = None if distance == NO_DISTANCE else distance
    if device == R718PE:
        return Said((Measurement(distance_mm, battery_mv=battery_mv),))
    temperature_c = int.from_bytes(payload[7:9], "big", signed=True) / 10
    tilt_deg = payload[10] if payload[10] <= LARGEST_TILT_DEG else None
    return Said((Measurement(distance_mm, temperature_c, battery_mv, tilt_deg),))
