"""From bytes and topic to typed values, once, at the edge (docs/contract.md). Pure, clock passed in."""

import re
from functools import lru_cache

from ingest import decode_cbor, decode_json
from ingest.decode_status import decode_status
from ingest.lorawan.network import decode_uplink_message
from ingest.reading import Decoded, refuse

LARGEST_BYTES = 65_536
# Longer than any of ours, whatever a network server calls its devices; what is remembered of topics is bounded so.
LONGEST_TOPIC = 256
KNOWN_TOPICS = 65_536
TOPIC = re.compile(r"bins/v1/([A-Za-z0-9][A-Za-z0-9._-]{0,63})/up/(readings|backlog|status)")


def decode(topic: str, payload: bytes, *, retain: bool, now_ms: int) -> Decoded:
    """Read one message; whatever is in it, the answer is readings to store and refusals to keep, never an exception.

    Args:
        topic: that it was published on.
        payload: as it came.
        retain: whether it was published with the retain flag.
        now_ms: the server's time, milliseconds since 1970.
    """
    try:
        return _decode(topic, payload, retain, now_ms)
    except Exception as error:  # noqa: BLE001 - a message that we have no answer to must not come again for ever
        return refuse(reason="parse", detail=f"cannot be read: {type(error).__name__}: {error}", payload=payload)


def _decode(topic: str, payload: bytes, retain: bool, now_ms: int) -> Decoded:
    if len(topic) > LONGEST_TOPIC:
        return refuse(reason="topic", detail="not a topic of the contract", payload=payload)
    device, kind = _read_topic(topic)
    if device is None:
        return _decode_uplink(topic, payload, retain)
    if len(payload) > LARGEST_BYTES:
        decoded = _oversize(payload)
    elif kind == "status":
        decoded = decode_status(payload, device)
    else:
        decoded = _decode_readings(payload, device, now_ms)
    if retain:
        decoded = _retained(decoded, payload)
    decoded.device = device
    return decoded


@lru_cache(maxsize=KNOWN_TOPICS)
def _read_topic(topic: str) -> tuple[str, str] | tuple[None, None]:
    match = TOPIC.fullmatch(topic)
    return (match[1], match[2]) if match else (None, None)


def _decode_uplink(topic: str, payload: bytes, retain: bool) -> Decoded:
    decoded = _oversize(payload) if len(payload) > LARGEST_BYTES else decode_uplink_message(topic, payload)
    if decoded is None:
        return refuse(reason="topic", detail="not a topic of the contract", payload=payload)
    return _retained(decoded, payload) if retain else decoded


def _oversize(payload: bytes) -> Decoded:
    return refuse(reason="oversize", detail=f"{len(payload)} bytes", payload=payload)


def _retained(decoded: Decoded, payload: bytes) -> Decoded:
    known = decoded.identities()
    return refuse(reason="retained", detail="published with retain", payload=payload, identities=known)


def _decode_readings(payload: bytes, device: str, now_ms: int) -> Decoded:
    # No JSON text begins with a byte of 0x80 or more, and every CBOR array or map does.
    if payload[:1] >= b"\x80":
        decoded = decode_cbor.decode_readings(payload, now_ms)
    else:
        decoded = decode_json.decode_readings(payload, device, now_ms)
    if not decoded.readings and not decoded.refusals:
        return refuse(reason="range", detail="no reading in the message", payload=payload)
    return decoded
