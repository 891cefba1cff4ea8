"""Tells the registry of the town's bins and sensors, and the dashboard of its user, where they do not know them yet."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import conninfo

from simulator.city import City
from simulator.mapfiles import write_bins, write_city, write_devices
from simulator.memory import Memory
from simulator.roles import Roles
from simulator.stack.commands import Commands, ask
from simulator.stack.environment import Environment
from simulator.stack.errors import StackError
from simulator.stack.home import Home

USER = "demo"
SPARE_FITTED_BEFORE = timedelta(days=330)
"""Whoever tries the spare sensor out may send what was measured at nearly any time of the last year."""
SPARE_MAX_AGE_DAYS = 366
"""Until then it is silent, and yet it should not head the due list."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database holds already."""

    bins: int
    fittings: int
    has_user: bool
    has_key: bool


class Registration:
    """The registry's part of a start.

    Args:
        home: the demo's folder.
        environment: for the commands.
        city: the town.
        roles: who plays which sensor.
    """

    def __init__(self, home: Home, environment: Environment, city: City, roles: Roles) -> None:
        self._home, self._environment, self._city, self._roles = home, environment, city, roles

    def run(self, *, own_database: bool) -> None:
        """Make what is missing.

        Args:
            own_database: whether the database is the demo's alone.

        Raises:
            StackError: somebody else's database holds other bins, or a command failed.
        """
        stored = self._stored()
        if stored.bins and not own_database and "registered" not in self._home.notes():
            name = self._environment.database["PGDATABASE"]
            raise StackError(f"The database {name} holds bins already; set PGDATABASE to a new name for the demo.")
        if not stored.bins:
            # A new database begins a new past.
            self._home.memory.unlink(missing_ok=True)
        memory = Memory(self._home.memory, int(time.time()))
        memory.save(waiting=0)
        town = self._write_town(datetime.fromtimestamp(memory.history_from, UTC))
        complete = stored.bins >= len(self._city.bins) and stored.fittings >= len(self._city.fitted)
        with Commands(self._home.logs) as commands:
            if complete and self._home.notes().get("registered") == town:
                self._make_accounts(stored)
            else:
                self._register(commands, stored)
        self._home.note(registered=town)

    def _register(self, commands: Commands, stored: Stored) -> None:
        env = self._environment.ingest()
        bins, devices = (str(self._home.town / name) for name in ("bins.csv", "devices.csv"))
        out = str(self._home.bundles)
        enrolled = commands.start("ingest", "devices", "enrol", "--from", devices, "--out", out, env=env)
        imported = commands.start("ingest", "bins", "import", bins, env=env)
        imported.finish()
        self._make_accounts(stored)
        enrolled.finish()
        commands.start("ingest", "devices", "fit", "--from", devices, env=env).finish()

    def _make_accounts(self, stored: Stored) -> None:
        env, notes = self._environment.dashboard(), self._home.notes()
        if not stored.has_user:
            words = ("dashboard", "users", "add", USER, "--role", "admin", "--password-stdin")
            ask(words, env=env, told=f"{notes['password']}\n")
        if not stored.has_key or "api_key" not in notes:
            self._home.note(api_key=ask(("dashboard", "keys", "add", "demo"), env=env))

    def _write_town(self, since: datetime) -> str:
        """Write the registry's tables and the basemap, and give a fingerprint of what the registry has to know."""
        town, spare = self._home.town, self._roles.spare
        write_city(self._city, town, since)
        bins = (
            replace(place, max_age_days=SPARE_MAX_AGE_DAYS) if place == spare else place for place in self._city.bins
        )
        write_bins(town / "bins.csv", bins)
        fittings = ((place, since - SPARE_FITTED_BEFORE if place == spare else since) for place in self._city.fitted)
        write_devices(town / "devices.csv", fittings)
        told = [(town / name).read_bytes() for name in ("bins.csv", "devices.csv")]
        # Bundles name the broker's port.
        return hashlib.sha256(b"\0".join([*told, str(self._environment.mqtt_port).encode()])).hexdigest()

    def _stored(self) -> Stored:
        query = (
            "select (select count(*) from bins), (select count(*) from fittings where removed_at is null),"
            " exists (select from users where name = %s), exists (select from api_keys where revoked_at is null)"
        )
        with psycopg.connect(_connection_string(self._environment.database)) as conn:
            row = conn.execute(query, [USER]).fetchone()
        return Stored(*row) if row else Stored(0, 0, has_user=False, has_key=False)


def _connection_string(variables: Mapping[str, str]) -> str:
    names = {"PGHOST": "host", "PGHOSTADDR": "hostaddr", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password",
             "PGDATABASE": "dbname", "PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert", "PGSSLCERT": "sslcert",
             "PGSSLKEY": "sslkey"}  # fmt: skip
    return conninfo.make_conninfo("", **{names[name]: value for name, value in variables.items()})
