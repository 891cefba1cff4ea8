"""A PostgreSQL with TimescaleDB of our own in a folder, or the one the environment names.

Both answer `start`, `stop` and `env`, so whoever uses one need not know which it is.
"""

import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from simulator.stack.errors import StackError
from simulator.stack.given import GivenDatabase
from simulator.stack.native import find_programs, server_given
from simulator.stack.place import Place, can_pass, find_place, give
from simulator.stack.process import Child, free_port, require_free, wait_until

NAME = "brimwatch"
"""The database, and the role that owns it."""

START_TIMEOUT_S = 60.0
BIND_ATTEMPTS = 5
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "jit": "off",  # the private prefix leaves LLVM out
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_worker_processes": "32",  # TimescaleDB keeps one for each database, of which tests make many
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Database:
    """A PostgreSQL server with TimescaleDB, on 127.0.0.1 only, its data kept in a folder.

    Its port stays the same across restarts, so that clients find it again.

    Args:
        folder: for data, password and log; made if absent; the servers' user must be able to reach it.
        programs: folder of `postgres` and `initdb`.
        place: says whom to run as.
        port: None finds a free one at the first start.
    """

    def __init__(self, folder: Path, *, programs: Path, place: Place, port: int | None = None) -> None:
        self.folder = folder
        self._programs = programs
        self._account = place.account
        self._port = port or 0
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id, None when it does not run."""
        return self._child.pid if self._child and self._child.running else None

    def env(self) -> dict[str, str]:
        """Give the variables that let libpq's programs and psycopg reach the database as its owner."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self._port),
            "PGUSER": NAME,
            "PGPASSWORD": self._password,
            "PGDATABASE": NAME,
        }

    def start(self) -> None:
        """Start the server and wait until it answers; after a kill it recovers first.

        Raises:
            StackError: it cannot run; the message says why.
        """
        self._prepare()
        if self._port:
            require_free(self._port, "PGPORT")
        chosen = bool(self._port)
        deadline = time.monotonic() + START_TIMEOUT_S
        attempts = 0
        while True:
            attempts += 1
            self._port = self._port if chosen else free_port()
            try:
                self._start_once(deadline - time.monotonic())
            except StackError as error:
                self.stop()
                # Killed a moment ago, its last children still hold shared memory; or somebody took our free port.
                again = "shared memory" in str(error) or (
                    "could not bind" in str(error) and not chosen and attempts < BIND_ATTEMPTS
                )
                if not again or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                break
        self._create_database()

    def stop(self) -> None:
        """Stop the server, ending open connections; does nothing when it does not run."""
        if self._child:
            self._child.stop(signal_number=signal.SIGINT, timeout_s=30)

    def kill(self) -> None:
        """End the server and its backends at once, as a power cut would."""
        if self._child:
            self._child.kill()

    @property
    def _data(self) -> Path:
        return self.folder / "pgdata"

    @property
    def _password(self) -> str:
        return (self.folder / "password").read_text().strip()

    def _prepare(self) -> None:
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if self._account and not can_pass(self._account, self.folder):
            raise StackError(
                f"The database's user cannot reach {self.folder}; choose a folder under {find_place().root}."
            )
        if not Path("/usr/share/zoneinfo/Europe/London").exists():
            raise StackError("This machine has no time zone data: `apt-get install tzdata`.")
        if not self._data.exists():
            self._initialise()
        made_by = (self._data / "PG_VERSION").read_text().strip()
        told = subprocess.run([self._programs / "postgres", "--version"], capture_output=True, text=True, check=True)
        runs = told.stdout.split()[2].partition(".")[0]
        if made_by != runs:
            raise StackError(
                f"The data in {self.folder} was made by PostgreSQL {made_by}, this is {runs}: `make clean` starts anew."
            )

    def _initialise(self) -> None:
        password = self.folder / "password"
        if not password.exists():
            password.touch(mode=0o600)
            password.write_text(f"{secrets.token_urlsafe(24)}\n")
        # A first start that was interrupted leaves these: the finished folder appears by a rename.
        new, handed = self.folder / "pgdata.new", self.folder / "password.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        give(self._account, new)
        handed.unlink(missing_ok=True)
        handed.touch(mode=0o600)
        handed.write_text(password.read_text())
        give(self._account, handed)
        options = ["-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--username={NAME}"]
        maker = Child(
            [str(self._programs / "initdb"), *options, f"--pwfile={handed}", "-D", str(new)],
            name="initdb",
            log=self.folder / "initdb.log",
            cwd=self.folder,
            account=self._account,
        )
        try:
            code = maker.wait()
        finally:
            # Interrupted, it would leave the server that it runs for a moment.
            maker.kill()
            handed.unlink()
        if code:
            raise StackError(f"PostgreSQL could not make its data folder: {maker.last_words()}")
        new.rename(self._data)

    def _start_once(self, timeout_s: float) -> None:
        log = self.folder / "postgres.log"
        log.unlink(missing_ok=True)
        settings = {**SETTINGS, "port": str(self._port)}
        self._child = Child(
            [
                str(self._programs / "postgres"),
                *("-D", str(self._data)),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            name="PostgreSQL",
            log=log,
            cwd=self.folder,
            account=self._account,
            death_signal="INT",
        )
        wait_until(self._answers, timeout_s=max(timeout_s, 1), what="PostgreSQL did not start", child=self._child)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._maintenance()).close()
        except psycopg.OperationalError:
            return False
        return True

    def _create_database(self) -> None:
        with psycopg.connect(self._maintenance(), autocommit=True) as conn:
            known = conn.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone()
            if not known:
                conn.execute(sql.SQL("create database {}").format(sql.Identifier(NAME)))

    def _maintenance(self) -> str:
        # Every part is given, so that no PG* variable of ours gets in.
        return make_conninfo(
            host="127.0.0.1",
            port=self._port,
            user=NAME,
            password=self._password,
            dbname="postgres",
            connect_timeout=5,
        )


def open_database(folder: Path, environ: Mapping[str, str], *, port: int | None = None) -> Database | GivenDatabase:
    """Give the database to use: the server the environment names, else one of our own in `folder`. Not started.

    Raises:
        StackError: nothing is set up, or the given server cannot be used.
    """
    if server_given(environ):
        return GivenDatabase(environ)
    place = find_place()
    programs = find_programs(place, environ).postgres
    if programs is None:
        raise StackError("The local stack is not set up yet; `make demo` and `make test` do that.")
    return Database(folder, programs=programs, place=place, port=port)
