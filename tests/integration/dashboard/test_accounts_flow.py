import re

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from dashboard.accounts.tries import TRIES
from dashboard.accounts.users import add_user, disable_user
from dashboard.server import create_server
from dashboard.settings import Settings
from tests.conftest import run_module

pytestmark = pytest.mark.anyio
HTML = {"Accept": "text/html"}
PASSWORD = "correct horse battery"


async def sign_in(client: httpx.AsyncClient, name: str = "ann", password: str = PASSWORD) -> httpx.Response:
    page = await client.get("/login")
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    assert form is not None
    fields = {"name": name, "password": password, "form": form[1], "next": "/due"}
    return await client.post("/login", data=fields)


@pytest.fixture
async def ann(dashboard: FastAPI, stranger: httpx.AsyncClient) -> httpx.AsyncClient:
    """Somebody with an account, signed in."""
    async with dashboard.state.pool.connection() as conn:
        await add_user(conn, "ann", PASSWORD, "viewer")
    answer = await sign_in(stranger)
    assert (answer.status_code, answer.headers["location"]) == (303, "/due")
    return stranger


@pytest.mark.parametrize("path", ["/", "/due", "/bins/B-0001"])
async def test_stranger_is_led_to_sign_in(stranger: httpx.AsyncClient, path: str) -> None:
    answer = await stranger.get(path, headers=HTML)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={path}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_dash-layout"),
        ("GET", "/_dash-dependencies"),
        ("POST", "/_dash-update-component"),
        ("GET", "/basemap/roads.geojson"),
        ("GET", "/due.csv"),
        ("POST", "/logout"),
    ],
)
async def test_stranger_gets_nothing_else(stranger: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await stranger.request(method, path)

    assert answer.status_code == 401


async def test_signed_in_sees_pages(ann: httpx.AsyncClient) -> None:
    page = await ann.get("/", headers=HTML)
    layout = await ann.get("/_dash-layout")

    assert page.status_code == 200
    assert '<html lang="en">' in page.text
    assert "unsafe-eval" not in page.headers["content-security-policy"]
    assert layout.status_code == 200


async def test_session_cookie_is_kept_from_scripts_and_hashed_in_the_table(
    ann: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    token = ann.cookies["brimwatch_session"]
    row = owner.execute("select token_sha256 from sessions").fetchone()

    answer = await sign_in(ann)

    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("brimwatch_session"))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert row is not None
    assert token.encode() not in row[0]


async def test_callback_needs_the_anti_forgery_token(ann: httpx.AsyncClient) -> None:
    without = await ann.post("/_dash-update-component", json={})
    forged = await ann.post("/_dash-update-component", json={}, headers={"X-CSRFToken": "x" * 64})
    brought = await ann.post("/_dash-update-component", json={}, headers={"X-CSRFToken": ann.cookies["_csrf_token"]})

    assert (without.status_code, forged.status_code) == (403, 403)
    assert brought.status_code != 403


async def test_sign_in_form_needs_its_own_token(dashboard: FastAPI, stranger: httpx.AsyncClient) -> None:
    async with dashboard.state.pool.connection() as conn:
        await add_user(conn, "ann", PASSWORD, "viewer")

    answer = await stranger.post("/login", data={"name": "ann", "password": PASSWORD})

    assert answer.status_code == 403
    assert "brimwatch_session" not in stranger.cookies


async def test_sign_out_ends_the_session(ann: httpx.AsyncClient) -> None:
    token = ann.cookies["brimwatch_session"]
    answer = await ann.post("/logout", data={"form": ann.cookies["_csrf_token"]})

    ann.cookies.set("brimwatch_session", token)
    again = await ann.get("/_dash-layout")

    assert answer.headers["location"] == "/login"
    assert again.status_code == 401


async def test_disabled_user_is_out_at_once(ann: httpx.AsyncClient, dashboard: FastAPI) -> None:
    async with dashboard.state.pool.connection() as conn:
        await disable_user(conn, "ann")

    page = await ann.get("/_dash-layout")
    answer = await sign_in(ann)

    assert (page.status_code, answer.status_code) == (401, 401)


async def test_guessing_is_slowed_down(dashboard: FastAPI, stranger: httpx.AsyncClient) -> None:
    async with dashboard.state.pool.connection() as conn:
        await add_user(conn, "ann", PASSWORD, "viewer")
    wrong = [(await sign_in(stranger, password=f"guess {n}")).status_code for n in range(TRIES)]

    right = await sign_in(stranger)

    assert set(wrong) == {401}
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 301


@pytest.mark.parametrize(("api", "pages"), [(True, False), (False, True)])
@pytest.mark.usefixtures("as_dashboard")
async def test_halves_run_apart(*, api: bool, pages: bool) -> None:
    app = create_server(Settings(), api=api, pages=pages)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            health = await client.get("/healthz")
            bins = await client.get("/api/v1/bins")
            login = await client.get("/login")

    assert health.status_code == 200
    assert (bins.status_code, list(bins.json())) == (401 if api else 404, ["error"])
    assert login.status_code == (200 if pages else 404)


async def test_database_that_is_gone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    app = create_server(Settings(), pages=False)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=20) as client:
            health = await client.get("/healthz")
            bins = await client.get("/api/v1/bins", headers={"Authorization": "Bearer x"})

    assert (health.status_code, health.json()["error"]) == (503, "The database does not answer.")
    assert (bins.status_code, bins.json()) == (503, {"error": "The database does not answer."})


@pytest.mark.usefixtures("as_dashboard")
def test_commands_keep_users_and_keys(owner: psycopg.Connection) -> None:
    password = run_module("dashboard", "users", "add", "ann", "--role", "manager").strip()
    key = run_module("dashboard", "keys", "add", "route engine").strip()
    run_module("dashboard", "keys", "revoke", "route engine")
    run_module("dashboard", "users", "disable", "ann")

    actions = [row[0] for row in owner.execute("select action from audit_log order by id")]
    secrets = owner.execute("select users::text || api_keys::text from users, api_keys").fetchone()
    assert len(password) >= 20
    assert "manager" in run_module("dashboard", "users", "list")
    assert "route engine" in run_module("dashboard", "keys", "list")
    assert actions == ["user.add", "key.add", "key.revoke", "user.disable"]
    assert secrets is not None
    assert password not in secrets[0]
    assert key not in secrets[0]
