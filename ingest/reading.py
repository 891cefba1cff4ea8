"""What a message becomes at the edge: readings that can be stored, and refusals that are kept. Made by `decode`."""

from msgspec import Struct, ValidationError

from ingest.lorawan.uplink import Uplink

# A reading's identity within its device: (epoch, seq).
Identity = tuple[int, int]
# Readings that follow one another: (epoch, first seq, last seq).
Range = tuple[int, int, int]

EARLIEST_S = 1_577_836_800  # 2020-01-01T00:00:00Z
AHEAD_S = 300  # how far a device's clock may be ahead of ours
LARGEST_ROWS = 200
# Of a message with more rows than that, still so many are acknowledged; looking at more would cost us too much.
MOST_NAMED = 2000
LID_OPEN = 1
TIME_ESTIMATED = 2
BLIND_ZONE = 4
TILTED = 8


class Reading(Struct, frozen=True, gc=False):
    """One measurement that keeps the contract; None is "not known".

    Attributes:
        epoch: of the device's counter, 0..4294967295.
        seq: within the epoch; milliseconds since 1970 where the sender counts nothing.
        measured_ms: milliseconds since 1970, UTC.
        distance_mm: sensor to waste; None for no valid echo.
        temperature_c: degrees Celsius, to a tenth.
        flags: bit 0 lid open, bit 1 time estimated, bit 2 blind zone, bit 3 tilted.
    """

    epoch: int
    seq: int
    measured_ms: int
    distance_mm: int | None
    spread_mm: int | None
    valid_count: int | None
    temperature_c: float | None
    battery_mv: int | None
    tilt_deg: int | None
    flags: int


class Refusal(Struct, frozen=True, gc=False):
    """A message, or one reading of it, that is not stored as a reading, and why.

    Attributes:
        reason: one word of docs/contract.md.
        detail: what exactly is wrong.
        payload: the message that was refused; for one row of many, a message with this row alone.
        identities: of the readings in it, as far as they can be read: what may be acknowledged.
    """

    reason: str
    detail: str
    payload: bytes
    identities: tuple[Identity, ...] = ()


class Decoded(Struct, gc=False):
    """All that one message holds.

    Attributes:
        device: as the topic names it; None where the topic is not ours.
        readings: rows that keep the contract.
        refusals: rows that do not, or the whole message.
        next_report_s: seconds until the device's next report, as it promised.
        status: what the device says of itself, as JSON text that PostgreSQL's jsonb accepts; None for other messages.
        battery_mv: of a status message.
        uplink: of a LoRaWAN device, unread: what it means only the device's model says (`batch`).
    """

    device: str | None
    readings: list[Reading]
    refusals: list[Refusal]
    next_report_s: int | None = None
    status: bytes | None = None
    battery_mv: int | None = None
    uplink: Uplink | None = None

    def identities(self) -> tuple[Identity, ...]:
        """List the readings of this message, stored or refused, as far as their identity can be read."""
        known = [(reading.epoch, reading.seq) for reading in self.readings]
        for refusal in self.refusals:
            known += refusal.identities
        return tuple(known)

    def ranges(self) -> list[Range]:
        """List the same, readings that follow one another as one range."""
        ranges: list[Range] = []
        epoch, first, last = -1, -1, -1
        for reading in self.readings:
            if reading.seq == last + 1 and reading.epoch == epoch:
                last += 1
                continue
            if epoch >= 0:
                ranges.append((epoch, first, last))
            epoch, first, last = reading.epoch, reading.seq, reading.seq
        if epoch >= 0:
            ranges.append((epoch, first, last))
        ranges += [(epoch, seq, seq) for refusal in self.refusals for epoch, seq in refusal.identities]
        return ranges


def refuse(*, reason: str, detail: str, payload: bytes, identities: tuple[Identity, ...] = ()) -> Decoded:
    """Refuse a whole message."""
    return Decoded(None, [], [Refusal(reason, detail, payload, identities)])


def fault_of(error: ValidationError, columns: tuple[str, ...] = ()) -> tuple[str, str]:
    """Say in the contract's words what msgspec found wrong.

    Args:
        error: raised while a value was converted.
        columns: names of the places where the value is an array.

    Returns:
        (`schema` or `range`, one sentence that names the field).
    """
    fault, _, place = str(error).partition(" - at `")
    where = place.rstrip("`").removeprefix("$").lstrip(".")
    if columns and where.startswith("["):
        where = columns[int(where[1 : where.index("]")])]
    reason = "range" if any(sign in fault for sign in (">=", "<=", "out of range")) else "schema"
    return reason, f"{where}: {fault}" if where else fault


def time_fault(seconds: float, now_ms: int) -> str | None:
    """Say what is wrong with the time of a measurement; None when it can be believed.

    Args:
        seconds: since 1970, UTC.
        now_ms: the server's time, milliseconds since 1970.
    """
    if seconds < EARLIEST_S:
        return f"measured_at {seconds} is before 2020"
    if seconds * 1000 > now_ms + AHEAD_S * 1000:
        return f"measured_at {seconds} is more than 5 minutes ahead of the server"
    return None
