"""What every request to the API is checked for, and the parameters that its lists share."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from starlette.exceptions import HTTPException

from dashboard import cursor as cursors
from dashboard.accounts.keys import key_is_valid
from dashboard.api.answers import GEOJSON
from dashboard.database import Pool
from dashboard.errors import BadCursorError

BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Limit = Annotated[int, Query(ge=1, le=1000, description="items a page")]
Cursor = Annotated[str | None, Query(description="`next` of the page before")]
Moment = Annotated[datetime | None, Query(description="RFC 3339 with an offset, such as 2026-03-01T12:00:00Z")]


def pool_of(request: Request) -> Pool:
    """Give the server's connections."""
    pool: Pool = request.app.state.pool
    return pool


PoolOf = Annotated[Pool, Depends(pool_of)]


async def require_key(request: Request, pool: PoolOf) -> None:
    """Let nobody in without a key.

    Raises:
        HTTPException: 401.
    """
    match = BEARER.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        sentence = "Give an API key: Authorization: Bearer KEY."
        raise HTTPException(401, sentence, headers={"WWW-Authenticate": 'Bearer realm="brimwatch"'})
    if not await key_is_valid(pool, match[1]):
        challenge = 'Bearer realm="brimwatch", error="invalid_token"'
        raise HTTPException(401, "This API key is unknown or revoked.", headers={"WWW-Authenticate": challenge})


def refuse_unknown_parameters(request: Request) -> None:
    """Refuse a parameter that would silently do nothing, such as a misspelt filter.

    Raises:
        HTTPException: 400.
    """
    dependant = request.scope["route"].dependant
    known = {parameter.alias for parameter in dependant.query_params}
    for dependency in dependant.dependencies:
        known |= {parameter.alias for parameter in dependency.query_params}
    for name in request.query_params:
        if name not in known:
            takes = ", ".join(sorted(known)) or "none"
            raise HTTPException(400, f"{name[:60]}: no such parameter here; this address takes: {takes}.")


def wants_geojson(
    request: Request,
    format: Annotated[  # noqa: A002 - the parameter's name in the address
        str | None, Query(pattern="^(json|geojson)$", description="`geojson` for a FeatureCollection")
    ] = None,
) -> bool:
    """Say whether GeoJSON was asked for, by parameter or by the Accept header."""
    if format is not None:
        return format == "geojson"
    return GEOJSON in request.headers.get("accept", "")


Geojson = Annotated[bool, Depends(wants_geojson)]


def keys_of(cursor: str | None, kind: str, *types: type[str | int | datetime]) -> list[Any] | None:
    """Take a cursor apart; None without one.

    Raises:
        HTTPException: 400, it is not one that this list gave.
    """
    if cursor is None:
        return None
    try:
        return cursors.decode(cursor, kind, *types)
    except BadCursorError as error:
        raise HTTPException(400, "cursor: not one that this list gave; start again without it.") from error


def aware(moment: datetime | None, name: str, default: datetime) -> datetime:
    """Take a time from a parameter.

    Raises:
        HTTPException: 400, it has no offset from UTC.
    """
    if moment is None:
        return default
    if moment.tzinfo is None:
        raise HTTPException(400, f"{name}: give an offset from UTC, as in 2026-03-01T12:00:00Z.")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise HTTPException(400, f"{name}: this time is out of range.") from error


def known_ref(ref: str) -> str:
    """Take a reference from the address.

    Raises:
        HTTPException: 404, no reference looks like this.
    """
    if not REF.fullmatch(ref):
        raise HTTPException(404, "There is no bin with this reference.")
    return ref
