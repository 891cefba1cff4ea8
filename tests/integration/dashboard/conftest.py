"""The dashboard's server in this process, as its own database role, with a town."""

from collections.abc import AsyncIterator, Iterator

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from dashboard.accounts.keys import add_key
from dashboard.server import create_server
from dashboard.settings import Settings
from tests.conftest import MigratedDatabase


@pytest.fixture
def owner(database: MigratedDatabase) -> Iterator[psycopg.Connection]:
    """The database's owner: seeds what ingest would have written."""
    with psycopg.connect(database.conninfo, autocommit=True) as conn:
        yield conn


@pytest.fixture
def as_dashboard(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let libpq connect as the role that may only read views and keep accounts."""
    for name, value in database.dashboard_env.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def dashboard(as_dashboard: None) -> AsyncIterator[FastAPI]:  # noqa: ARG001 - a fixture cannot use `usefixtures`
    """The whole server, started."""
    app = create_server(Settings(basemap=None))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def stranger(dashboard: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without key or session."""
    transport = httpx.ASGITransport(app=dashboard, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
async def api(dashboard: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A route engine with a key."""
    async with dashboard.state.pool.connection() as conn:
        key = await add_key(conn, "route engine")
    transport = httpx.ASGITransport(app=dashboard, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", headers=headers) as client:
        yield client
