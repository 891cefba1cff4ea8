"""How the API answers: JSON, GeoJSON, and errors of one sentence."""

from collections.abc import Iterable, Sequence

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from dashboard.api.items import Item

GEOJSON = "application/geo+json"
OPTIONS = orjson.OPT_UTC_Z


def json_answer(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON; times end in Z."""
    return Response(orjson.dumps(content, option=OPTIONS), status, headers, media_type="application/json")


def page_answer(items: Sequence[Item], cursor: str | None, *, geojson: bool = False) -> Response:
    """Answer with a page of a list.

    Args:
        items: of the page.
        cursor: of the next page; None on the last.
        geojson: as a FeatureCollection; the items then have `longitude` and `latitude`.
    """
    if not geojson:
        return json_answer({"items": items, "next": cursor})
    content = {"type": "FeatureCollection", "features": [_feature(item) for item in items], "next": cursor}
    return Response(orjson.dumps(content, option=OPTIONS), media_type=GEOJSON)


def feature_answer(item: Item, *, geojson: bool) -> Response:
    """Answer with one item that has a place."""
    if not geojson:
        return json_answer(item)
    return Response(orjson.dumps(_feature(item), option=OPTIONS), media_type=GEOJSON)


def error_answer(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    """Answer that something went wrong."""
    return json_answer({"error": sentence}, status, headers)


def answer_validation_error(_: Request, error: Exception) -> Response:
    """Name each parameter that is wrong, and how."""
    problems: Iterable[dict[str, object]] = error.errors() if isinstance(error, RequestValidationError) else ()
    return error_answer(422, "; ".join(_problem(problem) for problem in problems) + ".")


def answer_http_error(_: Request, error: Exception) -> Response:
    """Answer what a handler refused."""
    if not isinstance(error, HTTPException):
        raise error
    return error_answer(error.status_code, str(error.detail), dict(error.headers or {}))


def _feature(item: Item) -> Item:
    point = {"type": "Point", "coordinates": [item["longitude"], item["latitude"]]}
    return {"type": "Feature", "id": item["id"], "geometry": point, "properties": item}


def _problem(problem: dict[str, object]) -> str:
    place = problem.get("loc", ())
    name = place[-1] if isinstance(place, tuple) and place else "request"
    message = str(problem.get("msg", "is wrong"))
    return f"{name}: {message[:1].lower()}{message[1:]}"
