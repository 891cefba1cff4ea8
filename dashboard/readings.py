"""A bin's readings with their quality and level, which are derived whenever they are read (`ingest.assess`)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np

from dashboard import queries
from dashboard.database import Pool
from dashboard.rows import RawReading
from ingest.assess.levels.level import fill_levels
from ingest.assess.levels.quality import judge
from ingest.assess.levels.readings import Geometry, Series, order

# Readings on both sides of a page that the ones at its ends are judged by: some days of them.
CONTEXT = 96


@dataclass(frozen=True, slots=True)
class Reading:
    """A stored reading and what it means.

    Attributes:
        raw: as stored.
        fill_level: 0..1; None where the reading was rejected.
        quality: LwM2M 6042, 0..4.
        quality_reason: in words; empty for an accepted one.
    """

    raw: RawReading
    fill_level: float | None
    quality: int
    quality_reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a bin's readings, newest first; `more` says whether older ones follow."""

    readings: tuple[Reading, ...]
    more: bool


async def read_page(
    pool: Pool,
    bin_id: int,
    *,
    since: datetime,
    until: datetime,
    limit: int,
    last: tuple[str, int, int] | None = None,
) -> Page:
    """Read a bin's readings from `since` to `until`, newest first, each judged among its neighbours.

    Args:
        pool: to the database.
        bin_id: of the bin.
        since: oldest time wanted.
        until: newest time wanted.
        limit: at most so many.
        last: (device, epoch, seq) of the reading at `until` to go on after.
    """
    rows = await queries.list_readings(pool, bin_id, until=until, limit=limit + 1 + CONTEXT, last=last)
    wanted = [row for row in rows if row.measured_at >= since]
    after = await queries.list_readings_after(pool, bin_id, wanted[0], CONTEXT) if wanted else []
    judged = derive([*rows, *after])
    page = tuple(judged[identity(row)] for row in wanted[:limit])
    return Page(page, more=len(wanted) > limit)


def derive(rows: Sequence[RawReading]) -> dict[tuple[str, int, int, datetime], Reading]:
    """Judge one bin's readings together and derive their levels.

    Args:
        rows: in any order.

    Returns:
        the readings by `identity`.
    """
    by_time = sorted(((row, asdict(row)) for row in rows), key=lambda pair: order(pair[1]))
    plain = [values for _, values in by_time]
    series, geometry = Series.from_rows(plain), Geometry.from_rows(plain)
    judgement = judge(series, geometry)
    levels = fill_levels(series, judgement, geometry)
    return {
        identity(row): Reading(row, None if np.isnan(level) else round(level, 4), code, reason)
        for (row, _), level, code, reason in zip(
            by_time, levels.tolist(), judgement.codes.tolist(), judgement.reasons, strict=True
        )
    }


def identity(row: RawReading) -> tuple[str, int, int, datetime]:
    """Give what tells a reading from all others."""
    return row.device, row.epoch, row.seq, row.measured_at
