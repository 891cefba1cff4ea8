"""`/bins`: where they stand, how they are, what their sensors measured, when they were emptied."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.exceptions import HTTPException

from dashboard import cursor as cursors
from dashboard import queries
from dashboard.api.answers import feature_answer, page_answer
from dashboard.api.items import bin_item, emptying_item, reading_item
from dashboard.api.models import BinItem, BinList, EmptyingList, Problem, ReadingList, Reason, Stream
from dashboard.api.request import Cursor, Geojson, Limit, Moment, PoolOf, aware, keys_of, known_ref
from dashboard.database import Pool
from dashboard.readings import read_page

FIRST = datetime(1970, 1, 2, tzinfo=UTC)
LAST = datetime(9999, 12, 30, tzinfo=UTC)
UNKNOWN = "There is no bin with this reference."

router = APIRouter(prefix="/bins", tags=["bins"], responses={404: {"model": Problem}})

Depot = Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z0-9._-]+$", description="reference of a depot")]


@router.get("", response_model=BinList)
async def list_bins(
    *,
    pool: PoolOf,
    geojson: Geojson,
    limit: Limit = 100,
    cursor: Cursor = None,
    stream: Stream | None = None,
    depot: Depot = None,
    reason: Reason | None = None,
    due: Annotated[bool | None, Query(description="true: only those that are due; false: only the others")] = None,
) -> Response:
    """List the bins that stand, in a stable order."""
    (after,) = keys_of(cursor, "bins", int) or (0,)
    rows = await queries.list_bins(
        pool, limit=limit + 1, after=after, stream=stream, depot=depot, reason=reason, due=due
    )
    following = cursors.encode("bins", rows[limit - 1].id) if len(rows) > limit else None
    return page_answer([bin_item(row) for row in rows[:limit]], following, geojson=geojson)


@router.get("/{ref}", response_model=BinItem)
async def show_bin(ref: str, pool: PoolOf, geojson: Geojson) -> Response:
    """Show one bin."""
    row = await queries.find_bin(pool, known_ref(ref))
    if row is None:
        raise HTTPException(404, UNKNOWN)
    return feature_answer(bin_item(row), geojson=geojson)


@router.get("/{ref}/readings", response_model=ReadingList)
async def list_readings(
    *,
    ref: str,
    pool: PoolOf,
    limit: Limit = 100,
    cursor: Cursor = None,
    since: Annotated[Moment, Query(alias="from")] = None,
    until: Annotated[Moment, Query(alias="to")] = None,
) -> Response:
    """List a bin's readings, newest first, each with its quality and level."""
    bin_id = await _bin_id(pool, ref)
    newest, oldest = aware(until, "to", LAST), aware(since, "from", FIRST)
    last = None
    if keys := keys_of(cursor, "readings", datetime, str, int, int):
        newest, last = min(newest, keys[0]), (keys[1], keys[2], keys[3])
    page = await read_page(pool, bin_id, since=oldest, until=newest, limit=limit, last=last)
    following = None
    if page.more:
        raw = page.readings[-1].raw
        following = cursors.encode("readings", raw.measured_at, raw.device, raw.epoch, raw.seq)
    return page_answer([reading_item(reading) for reading in page.readings], following)


@router.get("/{ref}/emptyings", response_model=EmptyingList)
async def list_emptyings(ref: str, pool: PoolOf, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """List a bin's emptyings, newest first."""
    bin_id = await _bin_id(pool, ref)
    keys = keys_of(cursor, "emptyings", datetime, str)
    rows = await queries.list_emptyings(pool, bin_id, limit=limit + 1, last=(keys[0], keys[1]) if keys else None)
    following = None
    if len(rows) > limit:
        following = cursors.encode("emptyings", rows[limit - 1].emptied_at, rows[limit - 1].source)
    return page_answer([emptying_item(row) for row in rows[:limit]], following)


async def _bin_id(pool: Pool, ref: str) -> int:
    bin_id = await queries.find_bin_id(pool, known_ref(ref))
    if bin_id is None:
        raise HTTPException(404, UNKNOWN)
    return bin_id
