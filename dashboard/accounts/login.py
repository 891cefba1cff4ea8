"""The sign-in page, signing in, and signing out: plain HTML that needs no script."""

import asyncio
import hmac
import logging
import secrets
import time
from html import escape
from pathlib import Path
from string import Template
from typing import Annotated

import psycopg
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg_pool import PoolTimeout

from dashboard.accounts.gate import CSRF_COOKIE, SESSION_COOKIE
from dashboard.accounts.passwords import LONGEST, password_matches
from dashboard.accounts.sessions import close_session, csrf_of, open_session
from dashboard.accounts.tries import Tries
from dashboard.accounts.users import find_user
from dashboard.database import Pool

FORM_COOKIE = "brimwatch_form"
FORM_COOKIE_S = 3600

_log = logging.getLogger(__name__)


def make_login_router(pool: Pool, session_hours: int) -> APIRouter:
    """Make the routes `/login` and `/logout`.

    Args:
        pool: where users and sessions are.
        session_hours: how long a browser stays signed in.
    """
    router = APIRouter(include_in_schema=False)
    tries = Tries(time.monotonic)

    @router.get("/login")
    async def show(request: Request, next: str = "/") -> Response:  # noqa: A002 - the parameter's name in the address
        return _page(request, next=next)

    @router.post("/login")
    async def sign_in(
        request: Request,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        form: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/",  # noqa: A002 - the field's name in the form
    ) -> Response:
        name = name.strip().lower()
        if not _same(form, request.cookies.get(FORM_COOKIE, "")):
            return _page(request, next=next, name=name, error="The page had expired. Please try again.", status=403)
        names = (f"user {name}", f"source {request.client.host if request.client else ''}")
        if wait_s := tries.wait_s(*names):
            minutes = -(-wait_s // 60)
            error = f"Too many tries. Please wait {minutes} minute{'s' if minutes > 1 else ''}."
            return _page(request, next=next, name=name, error=error, status=429, retry_after_s=wait_s)
        try:
            user_id = await _check(pool, name, password)
        except (psycopg.Error, PoolTimeout):
            return _page(request, next=next, name=name, error="The database does not answer.", status=503)
        if user_id is None:
            tries.fail(*names)
            _log.warning("sign-in refused for %r from %s", name[:100], names[1])
            return _page(request, next=next, name=name, error="Name or password is wrong.", status=401)
        tries.forget(names[0])
        return _signed_in(request, await open_session(pool, user_id, session_hours), next, session_hours)

    @router.post("/logout")
    async def sign_out(request: Request, form: Annotated[str, Form()] = "") -> Response:
        token = request.cookies.get(SESSION_COOKIE, "")
        if not _same(form, csrf_of(token)):
            return RedirectResponse("/", status_code=303)
        await close_session(pool, token)
        response = RedirectResponse("/login", status_code=303)
        response.delete_cookie(SESSION_COOKIE)
        response.delete_cookie(CSRF_COOKIE)
        return response

    return router


async def _check(pool: Pool, name: str, password: str) -> int | None:
    async with pool.connection() as conn:
        user = await find_user(conn, name) if "\x00" not in name else None
    allowed = user if user and user.disabled_at is None else None
    password_hash = allowed.password_hash if allowed else None
    matches = await asyncio.to_thread(password_matches, password_hash, password[: LONGEST + 1])
    return allowed.id if allowed and matches else None


def _signed_in(request: Request, token: str, target: str, hours: int) -> Response:
    response = RedirectResponse(_local(target), status_code=303)
    secure = request.url.scheme == "https"
    age_s = hours * 3600
    response.set_cookie(SESSION_COOKIE, token, max_age=age_s, httponly=True, samesite="lax", secure=secure)
    # Readable by the pages' own script, which sends it back with every callback.
    response.set_cookie(CSRF_COOKIE, csrf_of(token), max_age=age_s, samesite="lax", secure=secure)
    response.delete_cookie(FORM_COOKIE)
    return response


def _page(
    request: Request,
    *,
    next: str,  # noqa: A002 - as in the address
    name: str = "",
    error: str = "",
    status: int = 200,
    retry_after_s: int = 0,
) -> Response:
    form = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    message = f'<p class="login-error" role="alert">{escape(error)}</p>' if error else ""
    template = Template(Path(__file__).with_name("login.html").read_text(encoding="utf-8"))
    html = template.substitute(form=escape(form), next=escape(_local(next)), name=escape(name[:100]), message=message)
    response = HTMLResponse(html, status_code=status)
    if retry_after_s:
        response.headers["Retry-After"] = str(retry_after_s)
    secure = request.url.scheme == "https"
    response.set_cookie(FORM_COOKIE, form, max_age=FORM_COOKIE_S, httponly=True, samesite="lax", secure=secure)
    return response


def _same(one: str, other: str) -> bool:
    return bool(one) and hmac.compare_digest(one.encode(), other.encode())


def _local(target: str) -> str:
    """Keep only a path on this server: nobody is sent elsewhere by a link to the sign-in page."""
    plain = target.startswith("/") and not target.startswith("//")
    return target if plain and "\\" not in target and target.isprintable() else "/"
