"""A database, a broker and an ingester of a run's own, which may be killed: never those that the environment names."""

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psycopg

from simulator.stack.broker import Broker, open_broker
from simulator.stack.database import Database, open_database
from simulator.stack.errors import StackError
from simulator.stack.place import find_place
from simulator.stack.process import Child
from tests.chaos.device import Bundle
from tests.conftest import conninfo, run_module

ROOT = Path(__file__).parents[2]


class Stack:
    """The servers, ready for devices to be enrolled; `with` starts and ends them, and removes what they wrote.

    Attributes:
        folder: for whatever the run wants to keep.
        database: the server.
        broker: the other one.
    """

    def __init__(self) -> None:
        self.folder = find_place().scratch("chaos")
        self._stack = contextlib.ExitStack()
        self._ingest_password = secrets.token_urlsafe(16)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, self.folder)
            server = open_database(self.folder / "database", {})
            if not isinstance(server, Database):
                raise StackError("The local stack has no database of its own to kill.")
            self.database = stack.enter_context(server)
            run_module("ingest", "migrate", env={**server.env(), "BRIMWATCH_INGEST_PASSWORD": self._ingest_password})
            hosts = ("--host", "localhost", "--host", "127.0.0.1")
            run_module("ingest", "certificates", "init", "--dir", str(self._certificates), *hosts)
            self.broker = stack.enter_context(open_broker(self.folder / "broker", self._certificates, os.environ))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def enrol(self, *refs: str) -> list[Bundle]:
        """Let devices publish."""
        out = self.folder / "bundles"
        env = {**self.database.env(), **self._broker_env()}
        run_module("ingest", "devices", "enrol", *refs, "--out", str(out), env=env)
        return [Bundle(out / ref, self.broker.host, self.broker.port) for ref in refs]

    def ingest_env(self) -> dict[str, str]:
        """Give what the ingester's environment adds to ours."""
        writer = {"PGUSER": "brimwatch_ingest", "PGPASSWORD": self._ingest_password}
        return {**self.database.env(), **writer, **self._broker_env()}

    def start_ingester(self, settings: Mapping[str, str]) -> Child:
        """Start an ingester that nobody starts again."""
        return Child(
            [sys.executable, "-m", "ingest", "serve"],
            name="ingester",
            log=self.ingester_log,
            env={**self.ingest_env(), **settings},
            cwd=ROOT,
        )

    @property
    def ingester_log(self) -> Path:
        """What ingesters of this stack say."""
        return self.folder / "ingester.log"

    def connect(self) -> psycopg.Connection:
        """Open a connection of the database's owner, which does not wait for a server that is away."""
        return psycopg.connect(conninfo(self.database.env()), autocommit=True, connect_timeout=20)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with self.connect() as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def lose_sessions(self) -> None:
        """Kill the broker and start it again without anything that it knew."""
        self.broker.kill()
        self.delete_sessions()
        self.broker.start()

    def delete_sessions(self) -> None:
        """Delete all that the broker, which does not run, would remember."""
        for path in (self.broker.folder / "data").iterdir():
            path.unlink()

    @property
    def _certificates(self) -> Path:
        return self.folder / "certificates"

    def _broker_env(self) -> dict[str, str]:
        env = {"BRIMWATCH_CERTIFICATES": str(self._certificates)}
        broker: Broker | None = getattr(self, "broker", None)
        if broker:
            env |= {"BRIMWATCH_MQTT_HOST": broker.host, "BRIMWATCH_MQTT_PORT": str(broker.port)}
        return env
