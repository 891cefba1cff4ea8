"""`/healthz`: whether this process can answer, for whoever restarts or routes around it."""

import psycopg
from fastapi import APIRouter, Response
from psycopg_pool import PoolTimeout

from dashboard.api.answers import json_answer
from dashboard.database import Pool


def make_health_router(pool: Pool) -> APIRouter:
    """Make the route `/healthz`: 200, or 503 with what is wrong; needs no key."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz() -> Response:
        wrong = await _wrong(pool)
        if wrong:
            return json_answer({"status": "unhealthy", "error": wrong}, 503)
        return json_answer({"status": "ok"})

    return router


async def _wrong(pool: Pool) -> str:
    try:
        async with pool.connection() as conn:
            await conn.execute("select from bin_status limit 1")
    except psycopg.errors.UndefinedTable:
        return "The database has no Brimwatch schema: `python -m ingest migrate`."
    except (psycopg.Error, PoolTimeout):
        return "The database does not answer."
    return ""
