"""The notifier: tells people of alerts. Run by `python -m ingest notify`; a second one beside it does no harm."""

import signal
import threading
from datetime import UTC, datetime
from types import FrameType
from zoneinfo import ZoneInfo

import psycopg
import structlog
from psycopg import Connection

from ingest.backoff import Backoff, again
from ingest.database import connect_for_long, first_line
from ingest.errors import IngestError
from ingest.notify.letter import Letter, Writer
from ingest.notify.outbox import Postman
from ingest.notify.plan import Planner
from ingest.notify.send import send
from ingest.notify.settings import NotifySettings
from ingest.notify.targets import Directory, read_targets

POLL_S = 2.0


def run(settings: NotifySettings) -> None:
    """Tell people of alerts until SIGTERM or SIGINT; a database that goes away is waited for.

    Raises:
        SettingsError: the file of targets is not usable.
        IngestError: the database was not migrated.
    """
    log = structlog.get_logger("notify")
    directory = read_targets(settings.targets)
    count = sum(1 for _ in directory.all_targets())
    log.info("notify started", targets=count, hint="" if count else "nobody is told: BRIMWATCH_TARGETS names no target")
    stop = _stop_on_signal()
    backoff = Backoff()
    while not stop.is_set():
        try:
            with connect_for_long("notify") as connection:
                backoff.worked()
                _serve(connection, directory, settings, stop)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            delay_s = backoff.delay_s()
            log.warning(again(f"The database is not usable: {first_line(error)}", delay_s))
            stop.wait(delay_s)
        except psycopg.ProgrammingError as error:
            raise IngestError(f"The database is not as this version needs it: {first_line(error)}.") from error
    log.info("notify stopped")


def send_tests(settings: NotifySettings) -> list[tuple[str, str | None]]:
    """Send a letter to every target now.

    Returns:
        The targets' names, each with why it did not work, or None.

    Raises:
        SettingsError: the file of targets is not usable.
    """
    letter = Letter("Brimwatch: a test", "This is a test. Alerts of Brimwatch will come here.")
    key = f"test-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    return [(target.name, send(target, letter, key)) for target in read_targets(settings.targets).all_targets()]


def _serve(connection: Connection, directory: Directory, settings: NotifySettings, stop: threading.Event) -> None:
    planner = Planner(connection, directory, Writer(ZoneInfo(settings.time_zone), settings.public_url))
    postman = Postman(connection, directory, send)
    while not stop.is_set():
        # Between any two letters: a fire does not wait behind a hundred batteries.
        planner.plan(datetime.now(UTC))
        if not postman.deliver_one(datetime.now(UTC)):
            stop.wait(POLL_S)


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return stop
