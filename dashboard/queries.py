"""The only module that reads the views: SQL in, frozen rows out. The SQL is in `queries.sql`."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import LiteralString, TypeVar, cast

from psycopg.rows import class_row, scalar_row

from dashboard.database import Pool
from dashboard.rows import (
    Alert,
    Bin,
    BinUse,
    Device,
    Emptying,
    Place,
    RawReading,
    Reject,
    RejectCount,
    UsedPlace,
    UsedWeekday,
)
from ingest.assess.places.placement import FULL

Row = TypeVar("Row")

# A day of which less is known does not count as a day.
WHOLE_DAY_H = 20


@dataclass(frozen=True, slots=True)
class Period:
    """Which use is asked for: local days from `first` to before `end`; None filters nothing."""

    first: date
    end: date
    stream: str | None = None
    depot: str | None = None
    area: str | None = None


async def list_bins(
    pool: Pool,
    *,
    limit: int,
    after: int = 0,
    ref: str | None = None,
    stream: str | None = None,
    depot: str | None = None,
    reason: str | None = None,
    due: bool | None = None,
) -> list[Bin]:
    """List bins that stand, by id, from the one after `after` on; None filters nothing."""
    given = {"after": after, "ref": ref, "stream": stream, "depot": depot, "reason": reason, "due": due}
    return await _fetch(pool, Bin, "list_bins", {**given, "limit": limit})


async def find_bin(pool: Pool, ref: str) -> Bin | None:
    """Find the bin with this reference; None when none stands."""
    found = await list_bins(pool, limit=1, ref=ref)
    return found[0] if found else None


async def find_bin_id(pool: Pool, ref: str) -> int | None:
    """Find the id of the bin with this reference; None when none stands."""
    async with pool.connection() as conn, conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(_sql("find_bin_id"), {"ref": ref})
        return cast("int | None", await cursor.fetchone())


async def list_due(
    pool: Pool,
    *,
    limit: int,
    last: tuple[int, int] | None = None,
    due_class: str | None = None,
    stream: str | None = None,
    depot: str | None = None,
    reason: str | None = None,
    before: datetime | None = None,
) -> list[Bin]:
    """List due bins, most urgent first, from the one after `last` (priority, id) on; None filters nothing.

    With `before` those come last that are not due, but in service and as likely as not to overflow before then.
    """
    priority, after = last or (None, 0)
    given = {"due_class": due_class, "stream": stream, "depot": depot, "reason": reason, "before": before}
    return await _fetch(pool, Bin, "list_due", {**given, "priority": priority, "after": after, "limit": limit})


async def list_places(pool: Pool) -> list[Place]:
    """List every bin that stands, with what the map shows of it."""
    return await _fetch(pool, Place, "list_places", {})


async def sum_up_places(pool: Pool) -> int:
    """Sum up what `list_places` would give in one number: while it stays, nothing changed."""
    async with pool.connection() as conn, conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(_sql("sum_up_places"))
        return cast("int", await cursor.fetchone())


async def list_readings(
    pool: Pool, bin_id: int, *, until: datetime, limit: int, last: tuple[str, int, int] | None = None
) -> list[RawReading]:
    """List a bin's readings at and before `until`, newest first.

    Args:
        pool: to the database.
        bin_id: of the bin.
        until: newest time wanted.
        limit: at most so many.
        last: (device, epoch, seq) of the reading at `until` to go on after; None starts with it.
    """
    device, epoch, seq = last or (None, None, None)
    given = {"bin_id": bin_id, "until": until, "device": device, "epoch": epoch, "seq": seq, "limit": limit}
    return await _fetch(pool, RawReading, "list_readings", given)


async def list_readings_after(pool: Pool, bin_id: int, reading: RawReading, limit: int) -> list[RawReading]:
    """List the readings that follow one, oldest first."""
    identity = {"device": reading.device, "epoch": reading.epoch, "seq": reading.seq}
    given = {"bin_id": bin_id, "moment": reading.measured_at, **identity, "limit": limit}
    return await _fetch(pool, RawReading, "list_readings_after", given)


async def list_emptyings(
    pool: Pool, bin_id: int, *, limit: int, last: tuple[datetime, str] | None = None
) -> list[Emptying]:
    """List a bin's emptyings, newest first, from the one after `last` (time, source) on."""
    until, source = last or (None, None)
    given = {"bin_id": bin_id, "until": until, "source": source, "limit": limit}
    return await _fetch(pool, Emptying, "list_emptyings", given)


async def list_usage(
    pool: Pool, by: str, chosen: Period, *, limit: int, last: tuple[int, str] | None = None
) -> list[UsedPlace]:
    """List what was thrown in, most first, from the place after `last` (millilitres, key) on.

    Args:
        pool: to the database.
        by: `bin`, `street`, `area` or `stream`.
        chosen: which days and bins.
        limit: at most so many.
        last: None starts with the first.
    """
    millilitres, after = last or (None, None)
    given = {"by": by, "millilitres": millilitres, "after": after, "limit": limit}
    return await _fetch(pool, UsedPlace, "list_usage", {**asdict(chosen), **given})


async def list_weeks(pool: Pool, by: str, chosen: Period, keys: list[str] | None = None) -> list[UsedWeekday]:
    """List what was thrown in by weekday and hour, of places as `list_usage` names them; None sums up all of them."""
    return await _fetch(pool, UsedWeekday, "list_weeks", {**asdict(chosen), "by": by, "keys": keys})


async def list_bin_uses(pool: Pool, chosen: Period, zone: str) -> list[BinUse]:
    """List how bins that stand were used and emptied; bins of which nothing is known are left out.

    Args:
        pool: to the database.
        chosen: which days; all bins.
        zone: name of the town's time zone.
    """
    given = {"first": chosen.first, "end": chosen.end, "zone": zone, "whole_day_h": WHOLE_DAY_H, "full": FULL}
    return await _fetch(pool, BinUse, "list_bin_uses", given)


async def list_rejects(pool: Pool, *, limit: int, before: int = 2**63 - 1) -> list[Reject]:
    """List refused messages and readings, newest first, with an id below `before`."""
    return await _fetch(pool, Reject, "list_rejects", {"before": before, "limit": limit})


async def count_rejects(pool: Pool, since: datetime) -> list[RejectCount]:
    """Count what was refused since a moment, by reason, most frequent first."""
    return await _fetch(pool, RejectCount, "count_rejects", {"since": since})


async def list_devices(pool: Pool, *, limit: int, after: str = "") -> list[Device]:
    """List devices in use by reference, from the one after `after` on."""
    return await _fetch(pool, Device, "list_devices", {"after": after, "limit": limit})


async def list_alerts(
    pool: Pool,
    *,
    limit: int,
    before: int = 2**63 - 1,
    state: str | None = None,
    bin_ref: str | None = None,
    depot: str | None = None,
    type_: str | None = None,
    closed_since: datetime | None = None,
) -> list[Alert]:
    """List alerts, newest first, with an id below `before`; None filters nothing."""
    given = {"before": before, "state": state, "bin": bin_ref, "depot": depot, "type": type_}
    return await _fetch(pool, Alert, "list_alerts", {**given, "closed_since": closed_since, "limit": limit})


async def find_oldest_unassessed(pool: Pool, grace_s: int) -> datetime | None:
    """Find since when news of a sensor wait to be assessed; None when none waits longer than `grace_s` seconds."""
    async with pool.connection() as conn, conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(_sql("find_oldest_unassessed"), {"grace_s": grace_s})
        return cast("datetime | None", await cursor.fetchone())


async def _fetch(pool: Pool, row: type[Row], name: str, given: Mapping[str, object]) -> list[Row]:
    async with pool.connection() as conn, conn.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(_sql(name), given)
        return await cursor.fetchall()


@cache
def _blocks() -> dict[str, LiteralString]:
    text = Path(__file__).with_name("queries.sql").read_text(encoding="utf-8")
    _, *parts = re.split(r"^-- (\w+) --$", text, flags=re.MULTILINE)
    # The file is part of the program: as literal as a string in it.
    return dict(zip(parts[::2], cast("list[LiteralString]", parts[1::2]), strict=True))


def _sql(name: str) -> LiteralString:
    return _blocks()[name]
