"""The gate before every page, callback and websocket: who is not signed in gets no further. Pure ASGI, for all.

The API has its own keys and lies outside; so do the sign-in page, the health check and the program's own scripts and
styles, which hold nothing about the town.
"""

import hmac
import re
from collections.abc import Mapping
from contextvars import ContextVar
from urllib.parse import quote

import psycopg
from psycopg_pool import PoolTimeout
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.accounts.sessions import Visitor, Window, csrf_of, find_visitor
from dashboard.database import Pool

SESSION_COOKIE = "brimwatch_session"
CSRF_COOKIE = "_csrf_token"
THEME_COOKIE = "brimwatch_theme"
SCREEN_COOKIE = "brimwatch_screen"
SCREEN = re.compile(r"([1-9][0-9]{2,3})x([1-9][0-9]{2,3})")
OPEN = re.compile(r"/(login|healthz|assets/.*|_dash-component-suites/.*|_favicon\.ico|favicon\.ico|api(/.*)?)")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_visitor: ContextVar[Visitor | None] = ContextVar("visitor", default=None)


def current_visitor() -> Visitor:
    """Give the person behind the request in hand.

    Raises:
        LookupError: it did not come through the gate.
    """
    visitor = _visitor.get()
    if visitor is None:
        raise LookupError("this request did not come through the gate")
    return visitor


class Gate:
    """Lets requests through that are signed in and not forged.

    Args:
        app: what lies behind.
        pool: where sessions are.
    """

    def __init__(self, app: ASGIApp, pool: Pool) -> None:
        self._app = app
        self._pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the ASGI application."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and OPEN.fullmatch(scope["path"])):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        token = connection.cookies.get(SESSION_COOKIE, "")
        try:
            visitor = await find_visitor(self._pool, token, window_of(connection.cookies)) if token else None
        except (psycopg.Error, PoolTimeout):
            await _answer(scope, receive, send, _unavailable(connection))
            return
        refusal = _refusal(connection, visitor, token)
        if refusal:
            await _answer(scope, receive, send, refusal)
            return
        reset = _visitor.set(visitor)
        try:
            await self._app(scope, receive, send)
        finally:
            _visitor.reset(reset)


def window_of(cookies: Mapping[str, str]) -> Window:
    """Take what a browser said of its window; what it did not say, or said wrongly, is the usual."""
    theme = "dark" if cookies.get(THEME_COOKIE) == "dark" else "light"
    size = SCREEN.fullmatch(cookies.get(SCREEN_COOKIE, ""))
    return Window(theme, int(size[1]), int(size[2])) if size else Window(theme)


def _refusal(connection: HTTPConnection, visitor: Visitor | None, token: str) -> Response | None:
    scope = connection.scope
    method = scope.get("method", "GET")
    if visitor is None:
        if method in SAFE_METHODS and "text/html" in connection.headers.get("accept", ""):
            return RedirectResponse(f"/login?next={quote(_here(scope))}", status_code=303)
        return JSONResponse({"error": "Sign in first."}, status_code=401)
    # A form brings its token in its body, which its own handler reads and checks.
    if method not in SAFE_METHODS and scope["path"] != "/logout":
        brought = connection.headers.get("x-csrftoken", "")
        if not hmac.compare_digest(brought.encode(), csrf_of(token).encode()):
            return JSONResponse({"error": "This request did not come from a page of ours; reload it."}, status_code=403)
    return None


def _here(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return str(scope["path"]) + (f"?{query}" if query else "")


def _unavailable(connection: HTTPConnection) -> Response:
    sentence = "The database does not answer."
    if "text/html" in connection.headers.get("accept", ""):
        return Response(
            f"<!doctype html><html lang=en><title>Brimwatch</title><h1>{sentence}</h1>"
            "<p>Nothing is lost; sensors keep their readings. Try again in a minute.</p></html>",
            status_code=503,
            media_type="text/html",
            headers={"Retry-After": "30"},
        )
    return JSONResponse({"error": sentence}, status_code=503, headers={"Retry-After": "5"})


async def _answer(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4401, "reason": "Sign in first."})
        return
    await response(scope, receive, send)
