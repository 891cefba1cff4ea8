"""People who may sign in, kept by `python -m dashboard users`."""

import re
from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from dashboard.accounts.audit import note
from dashboard.accounts.passwords import LONGEST, SHORTEST, hash_password
from dashboard.database import Connection
from dashboard.errors import DashboardError

ROLES = ("viewer", "manager", "admin")
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,99}")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in, unless disabled."""

    id: int
    name: str
    password_hash: str
    role: str
    created_at: datetime
    disabled_at: datetime | None


async def add_user(conn: Connection, name: str, password: str, role: str) -> None:
    """Let somebody sign in.

    Args:
        conn: to the database.
        name: lower case, as typed at sign-in.
        password: at least 10 characters.
        role: one of `ROLES`.

    Raises:
        DashboardError: the name is taken or malformed, the password too short, the role unknown.
    """
    if not NAME.fullmatch(name):
        raise DashboardError(f"{name!r} is not a user name: lower-case letters, digits and . _ @ - only, at most 100.")
    if not SHORTEST <= len(password) <= LONGEST:
        raise DashboardError(f"The password must have {SHORTEST} to {LONGEST} characters.")
    if role not in ROLES:
        raise DashboardError(f"{role!r} is not a role: {', '.join(ROLES)}.")
    query = "insert into users (name, password_hash, role) values (%s, %s, %s)"
    try:
        async with conn.transaction():
            await conn.execute(query, (name, hash_password(password), role))
            await note(conn, "user.add", name, after={"role": role})
    except UniqueViolation as error:
        raise DashboardError(f"There is a user {name} already.") from error


async def find_user(conn: Connection, name: str) -> User | None:
    """Find a user by name, disabled or not; None when there is none."""
    query = "select id, name, password_hash, role, created_at, disabled_at from users where name = %s"
    async with conn.cursor(row_factory=class_row(User)) as cursor:
        await cursor.execute(query, (name,))
        return await cursor.fetchone()


async def list_users(conn: Connection) -> list[User]:
    """List all users by name."""
    query = "select id, name, password_hash, role, created_at, disabled_at from users order by name"
    async with conn.cursor(row_factory=class_row(User)) as cursor:
        await cursor.execute(query)
        return await cursor.fetchall()


async def disable_user(conn: Connection, name: str) -> None:
    """Keep somebody out from now on, signed in or not.

    Raises:
        DashboardError: there is no such user.
    """
    query = "update users set disabled_at = coalesce(disabled_at, now()) where name = %s returning id"
    async with conn.transaction():
        cursor = await conn.execute(query, (name,))
        row = await cursor.fetchone()
        if row is None:
            raise DashboardError(f"There is no user {name}.")
        await conn.execute("delete from sessions where user_id = %s", row)
        await note(conn, "user.disable", name)
