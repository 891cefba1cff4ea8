"""Brings the database to the schema that this version needs. Run by `python -m ingest migrate`, as the owner."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from pydantic import SecretStr

from ingest.database import first_line, lost
from ingest.errors import DatabaseLostError, MigrationError
from ingest.settings import MigrateSettings

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number that nothing else uses: whoever holds it migrates, everybody else waits.
MIGRATE_LOCK = 4_202_601

LEDGER = """
create table if not exists schema_migrations (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
)
"""


def migrate(settings: MigrateSettings, folder: Path = MIGRATIONS) -> list[str]:
    """Apply what was not applied yet, re-create the views, and set the roles' passwords.

    Args:
        settings: the passwords to set, if any.
        folder: numbered files, and views/ below it.

    Returns:
        Names of the files that were applied now, in order.

    Raises:
        DatabaseLostError: the database does not answer.
        MigrationError: an applied file was changed, TimescaleDB is missing, or a statement failed.
    """
    with _connection() as connection:
        connection.execute("select pg_advisory_lock(%s)", (MIGRATE_LOCK,))
        _require_timescaledb(connection)
        connection.execute(LEDGER)
        applied = _apply_numbered(connection, sorted(folder.glob("[0-9]*.sql")))
        _create_views(connection, sorted(folder.glob("views/*.sql")))
        set_password(connection, "brimwatch_ingest", settings.ingest_password)
        set_password(connection, "brimwatch_dashboard", settings.dashboard_password)
    return applied


@contextmanager
def _connection() -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(autocommit=True, connect_timeout=10, application_name="brimwatch migrate") as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise DatabaseLostError(f"{lost(error)}.") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationError(
            f"This role may not migrate: {first_line(error)}. Use the role that owns the database."
        ) from error


def _require_timescaledb(connection: psycopg.Connection) -> None:
    query = "select 1 from pg_available_extensions where name = 'timescaledb'"
    if connection.execute(query).fetchone() is None:
        raise MigrationError(
            "This PostgreSQL server has no TimescaleDB: install the TimescaleDB extension on it, then try again."
        )


def _apply_numbered(connection: psycopg.Connection, files: list[Path]) -> list[str]:
    rows = connection.execute("select name, sha256 from schema_migrations").fetchall()
    known: dict[str, str] = dict(rows)
    applied = []
    for file in files:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if file.name in known:
            _require_unchanged(file.name, known[file.name], digest)
            continue
        with _failure_names(file), connection.transaction():
            connection.execute(file.read_bytes())
            connection.execute("insert into schema_migrations (name, sha256) values (%s, %s)", (file.name, digest))
        applied.append(file.name)
    return applied


def _require_unchanged(name: str, before: str, now: str) -> None:
    if before != now:
        raise MigrationError(
            f"The migration {name} was changed after this database had applied it: restore the file as it was, "
            "and put the change into a new file."
        )


def _create_views(connection: psycopg.Connection, files: list[Path]) -> None:
    """Drop and create all views in one transaction: readers see the old ones or the new ones."""
    if not files:
        return
    # One statement for all, so that they may depend on each other; not cascade, which would take others' views along.
    names = sql.SQL(", ").join(sql.Identifier(file.stem) for file in files)
    with connection.transaction():
        with _failure_names(files[0].parent):
            connection.execute("set local lock_timeout = '30s'")
            connection.execute("set local client_min_messages = warning")
            connection.execute(sql.SQL("drop view if exists {}").format(names))
        for file in files:
            with _failure_names(file):
                connection.execute(file.read_bytes())


@contextmanager
def _failure_names(path: Path) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if "preload" in str(error):
            raise MigrationError(
                "TimescaleDB is installed but not loaded: add timescaledb to shared_preload_libraries "
                "in postgresql.conf and restart PostgreSQL."
            ) from error
        words = "; ".join([first_line(error), *(error.diag.message_detail or "").splitlines()])
        raise MigrationError(f"The migration {path.name} failed: {words}.") from error


def set_password(connection: psycopg.Connection, role: str, password: SecretStr | None) -> None:
    """Let a role log in with this password; None leaves it as it is."""
    if password is None:
        return
    secret = password.get_secret_value().encode()
    # Hashed here, so that the password itself is in no statement and in no log of the server.
    scrambled = connection.pgconn.encrypt_password(secret, role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("alter role {} with login password {}").format(sql.Identifier(role), sql.Literal(scrambled))
    connection.execute(statement)
