"""Who is signed in: a random token in the browser's cookie, its SHA-256 in the table."""

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256

from dashboard.accounts.keys import digest
from dashboard.database import Pool

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Window:
    """A browser's window, as it described itself in cookies.

    Attributes:
        theme: `light` or `dark`.
        width_px: of the page.
        height_px: of the page.
    """

    theme: str = "light"
    width_px: int = 1440
    height_px: int = 900


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person behind a request.

    Attributes:
        name: as signed in.
        role: viewer, manager or admin.
        csrf: what a form or callback of this session has to bring along.
        window: what their browser shows pages in.
    """

    name: str
    role: str
    csrf: str
    window: Window


async def open_session(pool: Pool, user_id: int, hours: int) -> str:
    """Sign somebody in; clear away what has expired.

    Args:
        pool: to the database.
        user_id: whom.
        hours: for how long.

    Returns:
        the token for the cookie.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    query = (
        "insert into sessions (token_sha256, user_id, expires_at) values (%s, %s, now() + make_interval(hours => %s))"
    )
    async with pool.connection() as conn:
        await conn.execute("delete from sessions where expires_at < now()")
        await conn.execute(query, (digest(token), user_id, hours))
    return token


async def find_visitor(pool: Pool, token: str, window: Window) -> Visitor | None:
    """Find who holds this token; None when nobody does, it has expired, or the user is disabled."""
    query = "select users.name, users.role from sessions join users on users.id = sessions.user_id \
             where token_sha256 = %s and expires_at > now() and disabled_at is null"
    async with pool.connection() as conn:
        cursor = await conn.execute(query, (digest(token),))
        row = await cursor.fetchone()
    return Visitor(row[0], row[1], csrf_of(token), window) if row else None


async def close_session(pool: Pool, token: str) -> None:
    """Sign out."""
    async with pool.connection() as conn:
        await conn.execute("delete from sessions where token_sha256 = %s", (digest(token),))


def csrf_of(token: str) -> str:
    """Derive the anti-forgery token of a session: readable by its pages, useless for finding the session's own."""
    return hmac.new(token.encode(), b"csrf", sha256).hexdigest()
