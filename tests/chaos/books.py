"""What has to become of messages, kept beside the ingester, and what became of them in the database."""

from collections import Counter, defaultdict
from hashlib import sha256
from typing import Any

from ingest.reading import Decoded
from tests.chaos.stack import Stack

Key = tuple[str, int, int, int]
Values = tuple[float | None, ...]

READINGS = """
select
    devices.ref, epoch, seq, (extract(epoch from measured_at) * 1000)::bigint,
    distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags
from readings
join devices on devices.id = readings.device_id
where devices.ref = any(%s)
"""
REJECTS = """
select reason, count(*), sum(('x' || encode(substr(sha256(payload), 1, 4), 'hex'))::bit(32)::bigint)
from rejects
where device = any(%s)
group by reason
"""


class Books:
    """Every message is stored or refused: which of the two the decoder says, which is pure.

    A million refused payloads are compared by how many there are and by the sum of their hashes, for each reason.

    Args:
        refs: of the devices whose messages are booked.
    """

    def __init__(self, refs: list[str]) -> None:
        self._refs = refs
        self._offered: defaultdict[Key, Counter[Values]] = defaultdict(Counter)
        self._refused: Counter[str] = Counter()
        self._hashes: Counter[str] = Counter()

    def book(self, decoded: Decoded) -> None:
        """Note a message."""
        for reading in decoded.readings:
            key = (decoded.device or "", reading.epoch, reading.seq, reading.measured_ms)
            values = (
                reading.distance_mm, reading.spread_mm, reading.valid_count, reading.temperature_c,
                reading.battery_mv, reading.tilt_deg, reading.flags,
            )  # fmt: skip
            self._offered[key][values] += 1
        for refusal in decoded.refusals:
            self._refused[refusal.reason] += 1
            self._hashes[refusal.reason] += int.from_bytes(sha256(refusal.payload).digest()[:4])

    def differences(self, stack: Stack) -> list[str]:
        """Say what is otherwise in the database than it has to be; nothing is as it should be."""
        stored: dict[Key, Values] = {}
        for row in stack.rows(READINGS, self._refs):
            stored[row[0], row[1], row[2], row[3]] = row[4:]
        found = [f"{len(self._offered.keys() - stored.keys())} readings are missing"] * (
            not self._offered.keys() <= stored.keys()
        )
        found += [f"{key} was never sent" for key in stored.keys() - self._offered.keys()]
        found += [f"{key} was sent as {self._offered[key]} and is stored as {values}"
                  for key, values in stored.items() if values not in self._offered[key]]  # fmt: skip
        # Whichever of two different values came first stays; each of the others is a conflict.
        conflicts = sum(
            count
            for key, offered in self._offered.items()
            for values, count in offered.items()
            if values != stored.get(key)
        )
        expected: dict[str, tuple[int, Any]] = {
            reason: (count, self._hashes[reason]) for reason, count in self._refused.items()
        }
        refused = {reason: (count, total) for reason, count, total in stack.rows(REJECTS, self._refs)}
        if refused.pop("conflict", (0, 0))[0] != conflicts:
            found.append(f"{conflicts} conflicts were not all reported")
        for reason in sorted(refused.keys() | expected.keys()):
            if refused.get(reason) != expected.get(reason):
                found.append(
                    f"{reason}: {refused.get(reason)} instead of {expected.get(reason)} (number, sum of hashes)"
                )
        return found
