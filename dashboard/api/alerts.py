"""`/alerts`: what is or was wrong at the bins, and who looks after it."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from dashboard import cursor as cursors
from dashboard import queries
from dashboard.api.answers import page_answer
from dashboard.api.bins import Depot
from dashboard.api.models import AlertList, AlertState, AlertType
from dashboard.api.request import Cursor, Limit, PoolOf, keys_of

router = APIRouter(prefix="/alerts", tags=["alerts"])


@router.get("", response_model=AlertList)
async def list_alerts(
    *,
    pool: PoolOf,
    limit: Limit = 100,
    cursor: Cursor = None,
    state: AlertState | None = None,
    depot: Depot = None,
    type_: Annotated[AlertType | None, Query(alias="type")] = None,
) -> Response:
    """List alerts, newest first."""
    (before,) = keys_of(cursor, "alerts", int) or (2**63 - 1,)
    rows = await queries.list_alerts(pool, limit=limit + 1, before=before, state=state, depot=depot, type_=type_)
    following = cursors.encode("alerts", rows[limit - 1].id) if len(rows) > limit else None
    return page_answer([asdict(row) for row in rows[:limit]], following)
