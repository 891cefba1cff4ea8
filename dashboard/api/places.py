"""`/usage` and `/places`: what is thrown in where and when, and whether bins stand right for it."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.exceptions import HTTPException

from dashboard import cursor as cursors
from dashboard import queries
from dashboard.api.answers import page_answer
from dashboard.api.bins import Depot
from dashboard.api.items import Item
from dashboard.api.models import Stream
from dashboard.api.request import Cursor, Geojson, Limit, PoolOf, keys_of
from dashboard.api.use_models import AdviceKind, By, PlaceList, UsageList
from dashboard.queries import Period
from dashboard.rows import UsedPlace, UsedWeekday
from dashboard.uses import Advised, Uses, last_days

DEFAULT_DAYS = 28
DAY_HOURS, WEEK_HOURS = 24, 168
_LITRE_PLACES = 3

router = APIRouter(tags=["places"])

Area = Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z0-9._-]+$", description="reference of an area")]
Day = Annotated[date | None, Query(description="local day, such as 2026-03-01")]


def uses_of(request: Request) -> Uses:
    """Give the server's knowledge of bins' use."""
    uses: Uses = request.app.state.uses
    return uses


UsesOf = Annotated[Uses, Depends(uses_of)]


def narrowed_to(stream: Stream | None = None, depot: Depot = None, area: Area = None) -> dict[str, str | None]:
    """Give what bins a request narrows its list to."""
    return {"stream": stream, "depot": depot, "area": area}


NarrowedTo = Annotated[dict[str, str | None], Depends(narrowed_to)]


@router.get("/usage", response_model=UsageList)
async def list_usage(
    *,
    pool: PoolOf,
    uses: UsesOf,
    limit: Limit = 100,
    cursor: Cursor = None,
    by: By = By.BIN,
    since: Annotated[Day, Query(alias="from")] = None,
    until: Annotated[Day, Query(alias="to", description="local day, included")] = None,
    narrowed: NarrowedTo,
    week: Annotated[bool, Query(description="true: also by hour of the week")] = False,
) -> Response:
    """List what was thrown in, the most used places first."""
    days = _period(uses.today(), since, until)
    chosen = replace(days, stream=narrowed["stream"], depot=narrowed["depot"], area=narrowed["area"])
    keys = keys_of(cursor, f"usage-{by}", int, str)
    rows = await queries.list_usage(pool, by, chosen, limit=limit + 1, last=(keys[0], keys[1]) if keys else None)
    following = None
    if len(rows) > limit:
        following = cursors.encode(f"usage-{by}", rows[limit - 1].millilitres, rows[limit - 1].key)
    shown = rows[:limit]
    weeks = await queries.list_weeks(pool, by, chosen, [row.key for row in shown]) if week and shown else []
    return page_answer([_usage_item(row, weeks if week else None) for row in shown], following)


@router.get("/places", response_model=PlaceList)
async def list_places(
    *,
    uses: UsesOf,
    geojson: Geojson,
    limit: Limit = 100,
    cursor: Cursor = None,
    weeks: Annotated[int, Query(ge=2, le=52, description="whole days of so many weeks before today count")] = 4,
    advice: AdviceKind | None = None,
    narrowed: NarrowedTo,
) -> Response:
    """List how bins with a sensor were used and emptied, and what that advises, in a stable order."""
    (after,) = keys_of(cursor, "places", int) or (0,)
    rows = [
        one
        for one in await uses.advised(7 * weeks)
        if one.use.id > after
        and (advice is None or one.advice.kind == advice)
        and all(value is None or getattr(one.use, name) == value for name, value in narrowed.items())
    ]
    following = cursors.encode("places", rows[limit - 1].use.id) if len(rows) > limit else None
    return page_answer([place_item(row) for row in rows[:limit]], following, geojson=geojson)


def place_item(row: Advised) -> Item:
    """Show a bin's use and the advice."""
    item = {name: _rounded(value) for name, value in asdict(row.use).items()}
    # Places are places: an item of a map has all their digits.
    item |= {"longitude": row.use.longitude, "latitude": row.use.latitude}
    advice = row.advice
    return {
        **item,
        "advice": advice.kind,
        "every_days": advice.every_days,
        "weight": _rounded(advice.weight),
        "explanation": advice.sentence,
    }


def _period(today: date, since: date | None, until: date | None) -> Period:
    usual = last_days(DEFAULT_DAYS, today)
    last = usual.end - timedelta(days=1) if until is None else until
    try:
        first = last - timedelta(days=DEFAULT_DAYS - 1) if since is None else since
        end = last + timedelta(days=1)
    except OverflowError as error:
        raise HTTPException(400, "to: this day is out of range.") from error
    if first > last:
        raise HTTPException(400, "from: this day is after `to`.")
    return Period(first, end)


def _usage_item(row: UsedPlace, weeks: Iterable[UsedWeekday] | None) -> Item:
    known_h = row.observed_h + row.spread_h
    item = {name: _rounded(value) for name, value in asdict(row).items() if name != "millilitres"}
    return {
        **item,
        "litres_per_day": _rounded(row.litres / known_h * DAY_HOURS * row.bins) if known_h > 0 else None,
        "week": None if weeks is None else _week([one for one in weeks if one.key == row.key]),
    }


def _week(days: Iterable[UsedWeekday]) -> Item:
    litres, known_h = [0.0] * WEEK_HOURS, [0.0] * WEEK_HOURS
    for one in days:
        hours = slice((one.weekday - 1) * DAY_HOURS, one.weekday * DAY_HOURS)
        litres[hours] = [round(value, _LITRE_PLACES) for value in one.litres]
        known_h[hours] = [round(value, _LITRE_PLACES) for value in one.known_h]
    return {"litres": litres, "known_h": known_h}


def _rounded(value: object) -> object:
    return round(value, _LITRE_PLACES) if isinstance(value, float) else value
