"""A database server that somebody else runs, named by PGHOST or DATABASE_URL."""

from collections.abc import Mapping
from typing import Self

import psycopg
from psycopg import conninfo, sql

from simulator.stack.errors import StackError

NAME = "brimwatch"
VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


class GivenDatabase:
    """A server we only use: `start` checks it, `stop` leaves it alone.

    Args:
        environ: holds libpq's variables, or DATABASE_URL.

    Raises:
        StackError: DATABASE_URL cannot be read.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._env = {name: environ[name] for name in VARIABLES.values() if name in environ}
        if not self._env.get("PGHOST"):
            try:
                parts = conninfo.conninfo_to_dict(environ["DATABASE_URL"])
            except psycopg.ProgrammingError as error:
                raise StackError(f"DATABASE_URL cannot be read: {str(error).strip()}") from None
            self._env = {VARIABLES[name]: str(value) for name, value in parts.items() if name in VARIABLES}
        self._env.setdefault("PGDATABASE", NAME)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def env(self) -> dict[str, str]:
        """Give the variables that let libpq's programs and psycopg reach the database."""
        return dict(self._env)

    def start(self) -> None:
        """Check that the server answers and has TimescaleDB, and make the database if it is absent.

        Raises:
            StackError: it does not answer, or has no TimescaleDB.
        """
        parameters = {name: self._env[variable] for name, variable in VARIABLES.items() if variable in self._env}
        where = f"{parameters.get('host', '')}:{parameters.get('port', '5432')}"
        server = conninfo.make_conninfo("", **{"connect_timeout": "10", **parameters, "dbname": "postgres"})
        try:
            with psycopg.connect(server, autocommit=True) as conn:
                _require_timescaledb(conn, where)
                _create_database(conn, parameters["dbname"])
        except psycopg.OperationalError as error:
            said = str(error).strip().splitlines()[0]
            raise StackError(f"The database server {where} (PGHOST or DATABASE_URL) cannot be used: {said}") from None

    def stop(self) -> None:
        """Leave the server running: it is not ours."""


def _require_timescaledb(conn: psycopg.Connection, where: str) -> None:
    query = "select 1 from pg_available_extensions where name = 'timescaledb'"
    if not conn.execute(query).fetchone():
        raise StackError(
            f"The PostgreSQL server {where} has no TimescaleDB: install it there, or unset PGHOST and DATABASE_URL."
        )


def _create_database(conn: psycopg.Connection, name: str) -> None:
    if conn.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
        return
    try:
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege:
        raise StackError(
            f"The database {name} does not exist and this role may not make it: ask the server's owner."
        ) from None
