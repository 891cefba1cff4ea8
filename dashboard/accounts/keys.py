"""Keys for programs that use the API, kept by `python -m dashboard keys`."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from psycopg.rows import class_row

from dashboard.accounts.audit import note
from dashboard.database import Connection, Pool
from dashboard.errors import DashboardError

PREFIX = "bw_"
KEY_BYTES = 32
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A program's key without its secret."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


async def add_key(conn: Connection, name: str) -> str:
    """Make a key for a program, and give it: it is kept as a hash and can be shown only now.

    Raises:
        DashboardError: the name is empty, too long, or in use.
    """
    if not 1 <= len(name) <= LONGEST_NAME:
        raise DashboardError(f"A key's name has 1 to {LONGEST_NAME} characters.")
    if any(key.name == name and key.revoked_at is None for key in await list_keys(conn)):
        raise DashboardError(f"There is a key {name} already; revoke it first or choose another name.")
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    async with conn.transaction():
        await conn.execute("insert into api_keys (name, key_sha256) values (%s, %s)", (name, digest(key)))
        await note(conn, "key.add", name)
    return key


async def list_keys(conn: Connection) -> list[ApiKey]:
    """List all keys, revoked ones too, oldest first."""
    query = "select id, name, created_at, last_used_at, revoked_at from api_keys order by id"
    async with conn.cursor(row_factory=class_row(ApiKey)) as cursor:
        await cursor.execute(query)
        return await cursor.fetchall()


async def revoke_key(conn: Connection, name: str) -> None:
    """End a key; the next request with it is refused.

    Raises:
        DashboardError: no key of that name is in use.
    """
    query = "update api_keys set revoked_at = now() where name = %s and revoked_at is null returning id"
    async with conn.transaction():
        cursor = await conn.execute(query, (name,))
        if await cursor.fetchone() is None:
            raise DashboardError(f"There is no key {name} in use.")
        await note(conn, "key.revoke", name)


async def key_is_valid(pool: Pool, key: str) -> bool:
    """Say whether a program may use the API with this key, and note once a minute that it did."""
    find = "select id, last_used_at < now() - interval '1 minute' is not false from api_keys \
            where key_sha256 = %s and revoked_at is null"
    async with pool.connection() as conn:
        cursor = await conn.execute(find, (digest(key),))
        row = await cursor.fetchone()
        if row is None:
            return False
        if row[1]:
            await conn.execute("update api_keys set last_used_at = now() where id = %s", (row[0],))
    return True


def digest(secret: str) -> bytes:
    """Hash a secret of enough randomness (no need to be slow): what tables keep of it."""
    return sha256(secret.encode()).digest()
