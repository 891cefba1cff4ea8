"""A batch of messages, sorted out for the tables that it goes to. Pure; used by `store`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct, json

from ingest.columns import Bigints, Doubles, Integers
from ingest.decode_cbor import LARGEST_U32
from ingest.lorawan.models import advice, decode_uplink
from ingest.reading import Decoded, Reading

LONGEST_DETAIL = 1000
VALUES = ("distance_mm", "spread_mm", "valid_count", "temperature_c", "battery_mv", "tilt_deg", "flags")


class Incoming(Struct, frozen=True, gc=False):
    """A message as it came, and what it holds."""

    topic: str
    payload: bytes
    decoded: Decoded


class Row(Struct, frozen=True, gc=False):
    """A reading on its way, with the message that it came in."""

    device_id: int
    reading: Reading
    message: Incoming


class Reject(Struct, frozen=True, gc=False):
    """Something that goes to `rejects`."""

    message: Incoming
    reason: str
    detail: str
    payload: bytes


@dataclass(slots=True)
class Heard:
    """What a batch says of one device."""

    device: str
    measured_ms: int | None = None
    battery_mv: int | None = None
    next_report_s: int | None = None
    status: bytes | None = None


@dataclass(slots=True)
class Batch:
    """A batch, sorted out for the tables that it goes to."""

    received_at: datetime
    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    heard: dict[int, Heard] = field(default_factory=dict)


def sort_out(
    messages: Sequence[Incoming], device_ids: Mapping[str, int], models: Mapping[int, str], received_at: datetime
) -> Batch:
    """Say what of a batch goes where.

    Args:
        messages: in the order of arrival.
        device_ids: of the enrolled devices by their references; whoever is not in it is refused.
        models: of those of other makers, by id.
        received_at: UTC.
    """
    batch = Batch(received_at)
    for arrived in messages:
        message, decoded = arrived, arrived.decoded
        device_id = device_ids.get(decoded.device) if decoded.device else None
        if decoded.device and device_id is None:
            detail = "not enrolled, or retired" + ("" if decoded.uplink is None else advice(decoded.uplink))
            batch.rejects.append(Reject(message, "unknown_device", detail, message.payload))
            continue
        if decoded.uplink is not None and device_id is not None:
            model = models.get(device_id)
            if model is None:
                # A network server must not make a device of ours seem alive.
                detail = f"enrolled without a model{advice(decoded.uplink)}"
                batch.rejects.append(Reject(message, "unknown_device", detail, message.payload))
                continue
            decoded = decode_uplink(decoded.uplink, model, message.payload, int(received_at.timestamp() * 1000))
            message = Incoming(message.topic, message.payload, decoded)
        for bad in decoded.refusals:
            batch.rejects.append(Reject(message, bad.reason, bad.detail, bad.payload))
        if device_id is not None:
            for reading in decoded.readings:
                batch.rows.append(Row(device_id, reading, message))
            if device_id not in batch.heard:
                batch.heard[device_id] = Heard(decoded.device or "")
            _hear(batch.heard[device_id], decoded)
    return batch


def _hear(heard: Heard, decoded: Decoded) -> None:
    if decoded.next_report_s is not None:
        heard.next_report_s = decoded.next_report_s
    if decoded.status is not None:
        heard.status = decoded.status
    if decoded.battery_mv is not None:
        heard.battery_mv = decoded.battery_mv
    for reading in decoded.readings:
        if heard.measured_ms is None or reading.measured_ms >= heard.measured_ms:
            heard.measured_ms = reading.measured_ms
            heard.battery_mv = heard.battery_mv if reading.battery_mv is None else reading.battery_mv


def reading_columns(rows: list[Row]) -> dict[str, object]:
    """Turn rows into the parameters of a statement that unnests them."""
    readings = [row.reading for row in rows]
    return {
        "device_ids": Integers([row.device_id for row in rows]),
        "epochs": Bigints([reading.epoch for reading in readings]),
        "seqs": Bigints([reading.seq for reading in readings]),
        "measured_ms": Bigints([reading.measured_ms for reading in readings]),
        "distance_mm": Integers([reading.distance_mm for reading in readings]),
        "spread_mm": Integers([reading.spread_mm for reading in readings]),
        "valid_count": Integers([reading.valid_count for reading in readings]),
        "temperature_c": Doubles([reading.temperature_c for reading in readings]),
        "battery_mv": Integers([reading.battery_mv for reading in readings]),
        "tilt_deg": Integers([reading.tilt_deg for reading in readings]),
        "flags": Integers([reading.flags for reading in readings]),
    }


def reject_columns(batch: Batch) -> dict[str, object]:
    """Turn a batch's rejects into the parameters of a statement that unnests them."""
    return {
        "received_at": batch.received_at,
        "topics": [_storable(reject.message.topic) for reject in batch.rejects],
        "devices": [reject.message.decoded.device for reject in batch.rejects],
        "reasons": [reject.reason for reject in batch.rejects],
        "details": [_storable(reject.detail) for reject in batch.rejects],
        "payloads": [reject.payload for reject in batch.rejects],
    }


def _storable(text: str) -> str:
    """Make a text of foreign origin one that PostgreSQL takes: valid UTF-8, no NUL, not endless."""
    return text[:LONGEST_DETAIL].encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def conflict_reject(row: Row, stored: list[object]) -> Reject:
    """Refuse a row whose identity is stored with other values.

    Args:
        row: as it was sent.
        stored: what the database holds, in the order of `VALUES`.
    """
    sent = [getattr(row.reading, name) for name in VALUES]
    others = [
        f"{name} {new} instead of {old}" for name, new, old in zip(VALUES, sent, stored, strict=True) if new != old
    ]
    return Reject(row.message, "conflict", f"{_name(row)}: {', '.join(others)}", _alone(row))


def database_reject(row: Row, error: Exception) -> Reject:
    """Refuse a row that the database does not take, with its own words."""
    words = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return Reject(row.message, "database", f"{_name(row)}: {words}", _alone(row))


def _alone(row: Row) -> bytes:
    """Give the message of this row alone: a message of 200 conflicts would else be kept 200 times."""
    decoded = row.message.decoded
    # What came over LoRaWAN can only be tried again as its network server sent it.
    if len(decoded.readings) + len(decoded.refusals) == 1 or decoded.uplink is not None:
        return row.message.payload
    reading = row.reading
    values = {name: value for name in VALUES if (value := getattr(reading, name)) is not None or name == "distance_mm"}
    fields = {"measured_at": reading.measured_ms / 1000, **values}
    # Where the sender counts nothing its time is its name, which is larger than a `seq` that is sent may be.
    if reading.seq > LARGEST_U32:
        return json.encode({"readings": [fields]})
    return json.encode({"epoch": reading.epoch, "readings": [{"seq": reading.seq, **fields}]})


def _name(row: Row) -> str:
    return f"epoch {row.reading.epoch}, seq {row.reading.seq}"
