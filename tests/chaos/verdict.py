"""The judge: compares what the devices' ledgers hold with what the database holds. Nothing else has a say."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tests.chaos.device import EPOCH, Row
from tests.chaos.stack import Stack

Identity = tuple[str, int, int]

STORED = """
select
    devices.ref, epoch, seq, extract(epoch from measured_at)::bigint, distance_mm, spread_mm, valid_count,
    round(temperature_c::numeric * 10)::int, battery_mv, tilt_deg, flags
from readings
join devices on devices.id = readings.device_id
where devices.ref = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of readings.

    Attributes:
        readings: in the ledgers.
        lost: in a ledger and not in the database.
        duplicated: stored once more than once.
        altered: stored otherwise than in the ledger, or never made at all.
        rejected: refused; the devices make none that deserves it.
    """

    readings: int
    lost: int
    duplicated: int
    altered: int
    rejected: int

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.duplicated or self.altered or self.rejected)

    def __str__(self) -> str:
        return (
            f"{self.readings} readings: {self.lost} lost, {self.duplicated} duplicated, {self.altered} altered, "
            f"{self.rejected} rejected"
        )


def judge(stack: Stack, ledgers: Mapping[str, list[Row]], boards: Mapping[str, dict[Identity, int | None]]) -> Verdict:
    """Compare.

    Args:
        stack: has the database.
        ledgers: by virtual device, all its readings.
        boards: by device with the real firmware, the distances that it said are safe. It may have been killed before
            it could say so of the last one: what is stored beyond its ledger is not held against it.
    """
    made: dict[Identity, Row] = {(ref, EPOCH, int(row[0] or 0)): row for ref, rows in ledgers.items() for row in rows}
    said = {identity: distance for distances in boards.values() for identity, distance in distances.items()}
    found = stack.rows(STORED, [*ledgers, *boards])
    copies = Counter((ref, epoch, seq) for ref, epoch, seq, *_ in found)
    stored: dict[Identity, Row] = {(ref, epoch, seq): (seq, *values) for ref, epoch, seq, *values in found}
    altered = sum(made.get(identity) != row for identity, row in stored.items() if identity[0] in ledgers)
    altered += sum(stored[identity][2] != distance for identity, distance in said.items() if identity in stored)
    refused = stack.rows("select count(*) from rejects where device = any(%s)", [*ledgers, *boards])
    return Verdict(
        readings=len(made) + len(said),
        lost=len((made.keys() | said.keys()) - stored.keys()),
        duplicated=len(found) - len(copies),
        altered=altered,
        rejected=refused[0][0],
    )
