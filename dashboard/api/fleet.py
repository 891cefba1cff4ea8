"""`/devices` and `/rejects`: the sensors in use, and what was refused of what they sent."""

from dataclasses import asdict

from fastapi import APIRouter, Response

from dashboard import cursor as cursors
from dashboard import queries
from dashboard.api.answers import page_answer
from dashboard.api.items import reject_item
from dashboard.api.models import DeviceList, RejectList
from dashboard.api.request import Cursor, Limit, PoolOf, keys_of

router = APIRouter(tags=["fleet"])


@router.get("/devices", response_model=DeviceList)
async def list_devices(pool: PoolOf, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """List the sensors in use, by reference."""
    (after,) = keys_of(cursor, "devices", str) or ("",)
    rows = await queries.list_devices(pool, limit=limit + 1, after=after)
    following = cursors.encode("devices", rows[limit - 1].device) if len(rows) > limit else None
    return page_answer([asdict(row) for row in rows[:limit]], following)


@router.get("/rejects", response_model=RejectList)
async def list_rejects(pool: PoolOf, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """List refused messages and readings, newest first."""
    (before,) = keys_of(cursor, "rejects", int) or (2**63 - 1,)
    rows = await queries.list_rejects(pool, limit=limit + 1, before=before)
    following = cursors.encode("rejects", rows[limit - 1].id) if len(rows) > limit else None
    return page_answer([reject_item(row) for row in rows[:limit]], following)
