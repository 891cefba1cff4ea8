"""`/due`: what the route engine pulls: the bins that must or may be emptied now, or before long, most urgent first."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from dashboard import cursor as cursors
from dashboard import queries
from dashboard.api.answers import page_answer
from dashboard.api.bins import Depot
from dashboard.api.items import bin_item
from dashboard.api.models import BinList, DueClass, Reason, Stream
from dashboard.api.request import Cursor, Geojson, Limit, Moment, PoolOf, aware, keys_of

router = APIRouter(prefix="/due", tags=["due"])


@router.get("", response_model=BinList)
async def list_due(
    *,
    pool: PoolOf,
    geojson: Geojson,
    limit: Limit = 100,
    cursor: Cursor = None,
    due_class: Annotated[DueClass | None, Query(alias="class")] = None,
    stream: Stream | None = None,
    depot: Depot = None,
    reason: Reason | None = None,
    before: Annotated[Moment, Query(description="also those that are likely to overflow before then")] = None,
) -> Response:
    """List the bins that are due, most urgent first; with `before`, then those that likely overflow before that."""
    keys = keys_of(cursor, "due", int, int)
    rows = await queries.list_due(
        pool,
        limit=limit + 1,
        last=(keys[0], keys[1]) if keys else None,
        due_class=due_class,
        stream=stream,
        depot=depot,
        reason=reason,
        before=None if before is None else aware(before, "before", before),
    )
    following = cursors.encode("due", rows[limit - 1].priority, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer([bin_item(row) for row in rows[:limit]], following, geojson=geojson)
