"""All addresses below /api, and their OpenAPI description."""

from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.openapi.utils import get_openapi

from dashboard.api import alerts, bins, due, fleet
from dashboard.api.answers import error_answer, json_answer
from dashboard.api.models import Problem
from dashboard.api.request import refuse_unknown_parameters, require_key

BASE = "/api/v1"
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "A parameter is wrong"},
    401: {"model": Problem, "description": "No valid key"},
    422: {"model": Problem, "description": "A parameter is outside its range"},
    503: {"model": Problem, "description": "The database does not answer"},
}


def add_routes(server: FastAPI) -> None:
    """Add the API to the server; its description is public, its data needs a key."""
    protected = APIRouter(
        prefix=BASE, dependencies=[Depends(require_key), Depends(refuse_unknown_parameters)], responses=ERRORS
    )
    for router in (bins.router, due.router, alerts.router, fleet.router):
        protected.include_router(router)
    server.include_router(protected)

    @server.get(f"{BASE}/openapi.json", include_in_schema=False)
    async def describe() -> Response:
        return json_answer(describe_api(server))


def add_dead_end(server: FastAPI) -> None:
    """Answer what is below /api and not there in JSON; Dash would answer it with its page. Comes after the API."""

    @server.get("/api", include_in_schema=False)
    @server.get("/api/{rest:path}", include_in_schema=False)
    async def nothing_here(rest: str = "") -> Response:
        return error_answer(404, f"There is nothing at /api/{rest[:100]}; see {BASE}/openapi.json.")


def describe_api(server: FastAPI) -> dict[str, Any]:
    """Describe the API in OpenAPI 3.1."""
    description = get_openapi(
        title="Brimwatch",
        version="1",
        summary="Which litter bins stand where, how full they are, and which are due.",
        routes=server.routes,
    )
    description["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    description["security"] = [{"key": []}]
    return description
