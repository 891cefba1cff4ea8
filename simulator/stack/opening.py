"""Opens the demo: servers, registry, our processes, the town's past; and knows where everything is afterwards."""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from simulator.city import City, make_city
from simulator.roles import Roles, assign_roles
from simulator.stack.answers import Api, firmware_missing, is_healthy, town_answers
from simulator.stack.broker import open_broker
from simulator.stack.commands import Commands
from simulator.stack.database import open_database
from simulator.stack.environment import HOST, Environment
from simulator.stack.errors import StackError
from simulator.stack.given import GivenDatabase
from simulator.stack.home import Home
from simulator.stack.process import free_port, require_free
from simulator.stack.registration import USER, Registration
from simulator.stack.services import Process, Server, Supervisor
from simulator.stack.wishes import Wishes

SEED = 1
PROCESS_TIMEOUT_S = 120.0
READY_TIMEOUT_S = 300.0
LOOK_EVERY_S = 0.4


class Opening:
    """One start of the demo, step by step.

    Args:
        wishes: its size.
        home: its folder, open.
        environ: may name a database server to use.
        supervisor: gets all that runs.
        step: takes the name of each step that is done.
    """

    def __init__(
        self,
        wishes: Wishes,
        home: Home,
        environ: Mapping[str, str],
        *,
        supervisor: Supervisor,
        step: Callable[[str], None],
    ) -> None:
        self._wishes, self._home, self._supervisor, self._step = wishes, home, supervisor, step
        self._database = open_database(home.folder / "database", environ, port=free_port())
        self._broker = open_broker(home.folder / "broker", home.certificates, environ, port=_broker_port(home))
        self._http_port = wishes.port or free_port()
        self._health_port = free_port()
        self._city: City
        self._roles: Roles

    def run(self) -> None:
        """Start everything and wait until all of it answers.

        Raises:
            StackError: something does not work; one sentence says what, and where its log is.
        """
        self._start_servers()
        processes = self._start_processes()
        registration = Registration(self._home, self._environment, self._city, self._roles)
        registration.run(own_database=not isinstance(self._database, GivenDatabase))
        self._step(f"{len(self._city.bins)} bins and {len(self._city.fitted)} sensors registered")
        for process in processes:
            process.wait_ready(PROCESS_TIMEOUT_S)
        self._step("ingester, assessment, dashboard and API")
        self._start_fleet()
        self._await_answers()

    @property
    def dashboard(self) -> str:
        """Address of the pages."""
        return f"http://{HOST}:{self._http_port}/"

    def description(self) -> dict[str, object]:
        """Say where everything is, for programs: the content of demo.json."""
        notes = self._home.notes()
        bundle = self._home.bundles / str(self._roles.spare_device)
        mqtt = {
            "host": HOST,
            "port": self._broker.port,
            "ca": str(bundle / "ca.pem"),
            "cert": str(bundle / "device.pem"),
            "key": str(bundle / "device.key.pem"),
            "device": self._roles.spare_device,
            "bin": self._roles.spare.ref if self._roles.spare else None,
        }
        return {
            "dashboard": self.dashboard,
            "api": f"{self.dashboard}api/v1",
            "user": USER,
            "password": notes["password"],
            "api_key": notes["api_key"],
            "mqtt": mqtt,
            "bins": len(self._city.bins),
            "firmware": list(self._roles.firmware_devices),
            "database": _for_programs(self._database.env()),
            "logs": str(self._home.logs),
        }

    @property
    def _environment(self) -> Environment:
        database = self._database.env()
        return Environment(self._home, database, self._broker.port, self._http_port, self._health_port)

    def _start_servers(self) -> None:
        home = self._home
        # The thread makes the town and nothing else: children die with the thread that started them.
        with ThreadPoolExecutor(1) as pool, Commands(home.logs) as commands:
            town = pool.submit(make_city, self._wishes.bins, SEED)
            words = ("ingest", "certificates", "init", "--dir", str(home.certificates), "--host", HOST)
            certificates = commands.start(*words, "--host", "localhost", env={})
            self._supervisor.add(Server("The database", self._database, home.folder / "database/postgres.log"))
            self._database.start()
            self._step("TimescaleDB")
            migrated = commands.start("ingest", "migrate", env=self._environment.owner())
            certificates.finish()
            self._supervisor.add(Server("The broker", self._broker, self._broker.log))
            self._broker.start()
            home.note(mqtt_port=str(self._broker.port))
            self._step("Mosquitto")
            self._city = town.result()
            self._roles = assign_roles(self._city, self._wishes.firmware)
            migrated.finish()
            self._step("schema")

    def _start_processes(self) -> list[Process]:
        (self._home.town / "basemap").mkdir(parents=True, exist_ok=True)
        ingest, dashboard, logs = self._environment.ingest(), self._environment.dashboard(), self._home.logs
        health, pages = f"http://{HOST}:{self._health_port}", self.dashboard.rstrip("/")
        serve, assess, notify = ("ingest", "serve"), ("ingest", "assess"), ("ingest", "notify")
        processes = [
            Process("The ingester", serve, env=ingest, log=logs / "ingest.log",
                    ready=lambda: is_healthy(health, "/readyz")),
            Process("The assessment", assess, env=ingest, log=logs / "assess.log", ready=None),
            Process("The notifier", notify, env=ingest, log=logs / "notify.log", ready=None),
            Process("The dashboard", ("dashboard", "serve"), env=dashboard, log=logs / "dashboard.log",
                    ready=lambda: is_healthy(pages)),
        ]  # fmt: skip
        for process in processes:
            self._supervisor.add(process)
            process.start()
        return processes

    def _start_fleet(self) -> None:
        home, wishes = self._home, self._wishes
        home.boards.mkdir(exist_ok=True)
        words = [
            *("simulator", "fleet", "--bins", str(wishes.bins), "--seed", str(SEED)),
            *("--firmware", str(len(self._roles.firmware)), "--boards", str(home.boards)),
            *("--bundles", str(home.bundles), "--memory", str(home.memory)),
            *("--host", HOST, "--port", str(self._broker.port), "--leave-spare"),
        ]
        fleet = Process("The fleet of sensors", words, env={}, log=home.logs / "fleet.log", ready=None)
        self._supervisor.add(fleet)
        fleet.start()

    def _await_answers(self) -> None:
        api = Api(f"{self.dashboard}api/v1", self._home.notes()["api_key"])
        deadline = time.monotonic() + READY_TIMEOUT_S
        self._until(self._past_is_in, deadline, "The sensors could not hand over their past")
        self._step("28 days of readings, through MQTT")
        self._until(lambda: town_answers(api, len(self._city.bins)), deadline, "The API does not show the whole town")
        self._step("levels and due list")
        missing = {(place.device or "", place.ref) for place in self._roles.firmware}

        def all_there() -> bool:
            missing.intersection_update(firmware_missing(api, missing))
            return not missing

        self._until(all_there, deadline, "Readings of the devices with the real firmware do not appear")
        self._step(f"{len(self._roles.firmware)} devices with the real firmware in MicroPython")

    def _past_is_in(self) -> bool:
        kept = json.loads(self._home.memory.read_text())
        return bool(kept["settled"]) and kept["waiting"] == 0

    def _until(self, condition: Callable[[], bool], deadline: float, complaint: str) -> None:
        while not condition():
            if time.monotonic() > deadline:
                raise StackError(f"{complaint} within {READY_TIMEOUT_S:g} s; the logs are in {self._home.logs}.")
            self._supervisor.heal()
            time.sleep(LOOK_EVERY_S)


def _broker_port(home: Home) -> int:
    """Choose the broker's port: that of the last time where nobody has taken it, for the bundles name it."""
    last = int(home.notes().get("mqtt_port", "0"))
    try:
        if last:
            require_free(last, "the broker's port")
    except StackError:
        last = 0
    return last or free_port()


def _for_programs(variables: Mapping[str, str]) -> dict[str, str | int | None]:
    return {
        "host": variables.get("PGHOST"),
        "port": int(variables.get("PGPORT", "5432")),
        "dbname": variables["PGDATABASE"],
        "user": variables.get("PGUSER"),
        "password": variables.get("PGPASSWORD"),
    }
