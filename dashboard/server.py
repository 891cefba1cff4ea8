"""The server: API and pages in one process, or each in its own, from one code base."""

import errno
import logging
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from zoneinfo import ZoneInfo

import psycopg
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from dashboard.accounts.gate import Gate
from dashboard.accounts.login import make_login_router
from dashboard.api.answers import answer_http_error, answer_validation_error, error_answer
from dashboard.api.routes import add_dead_end, add_routes
from dashboard.database import make_pool, reason_of
from dashboard.errors import DashboardError
from dashboard.headers import SecurityHeaders, content_policy
from dashboard.health import make_health_router
from dashboard.settings import Settings
from dashboard.uses import Uses

# Level 4 costs a quarter of level 9 and saves nearly as much.
GZIP_LEVEL = 4

_log = logging.getLogger(__name__)


def create_server(settings: Settings, *, api: bool = True, pages: bool = True) -> FastAPI:
    """Wire a server; it connects to the database when it is started.

    Args:
        settings: how to serve.
        api: serve the API.
        pages: serve pages and sign-in.
    """
    pool = make_pool()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    server = FastAPI(title="Brimwatch", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    server.state.pool = pool
    server.state.uses = Uses(pool, ZoneInfo(settings.time_zone), time.monotonic)
    server.include_router(make_health_router(pool))
    _add_error_handlers(server)
    if api:
        add_routes(server)
    add_dead_end(server)
    policy = cache(lambda: "default-src 'none'; frame-ancestors 'none'")
    if pages:
        # Importing Dash costs a second, which an API process need not spend.
        from dashboard.pages.site import make_site  # noqa: PLC0415

        server.include_router(make_login_router(pool, settings.session_hours))
        site = make_site(server, pool, settings)
        server.add_middleware(Gate, pool=pool)
        policy = cache(lambda: content_policy(list(site.csp_hashes()), settings.tile_origin))
    server.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=GZIP_LEVEL)
    server.add_middleware(SecurityHeaders, policy=policy)
    return server


def run(settings: Settings, *, api: bool, pages: bool) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        DashboardError: another program has the port.
    """
    _check_port(settings.http_host, settings.http_port)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("psycopg.pool").addFilter(_say_in_one_sentence)
    uvicorn.run(
        create_server(settings, api=api, pages=pages),
        host=settings.http_host,
        port=settings.http_port,
        log_level="warning",
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=5,
    )


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise DashboardError(
            f"Port {port} is taken by another program; set BRIMWATCH_HTTP_PORT to a free one."
        ) from error


def _say_in_one_sentence(record: logging.LogRecord) -> bool:
    # The pool's own words bring libpq's hints over several lines.
    errors = [item for item in record.args or () if isinstance(item, psycopg.Error)]
    if errors:
        record.msg, record.args = "The database does not answer: %s.", (reason_of(errors[0]),)
    return True


def _add_error_handlers(server: FastAPI) -> None:
    server.add_exception_handler(RequestValidationError, answer_validation_error)
    server.add_exception_handler(HTTPException, answer_http_error)
    for lost in (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout):
        server.add_exception_handler(lost, _answer_lost_database)
    server.add_exception_handler(Exception, _answer_fault)


def _answer_lost_database(_: Request, error: Exception) -> Response:
    _log.warning("the database does not answer: %s", error)
    return error_answer(503, "The database does not answer.", {"Retry-After": "5"})


def _answer_fault(request: Request, error: Exception) -> Response:
    _log.exception("fault at %s", request.url.path, exc_info=error)
    return error_answer(500, "Brimwatch made a mistake here; its log says more.")
