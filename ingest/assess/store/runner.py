"""The assess runner: keeps `bin_state` and `emptyings` true to the readings. Run by `python -m ingest assess`.

Whoever stores readings queues their device and notifies; the runner looks at the bins concerned at once, and at all
bins once a minute for what time alone changes. Two runners never work at the same time.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType

import psycopg
import structlog
from psycopg import Connection

from ingest.assess.decisions.calendar import Calendar
from ingest.assess.store.proposals import ProposalKeeper
from ingest.assess.store.settings import AssessSettings
from ingest.assess.store.usage_work import REST, UsageKeeper
from ingest.assess.store.work import Assessor, fitted_bins
from ingest.backoff import Backoff, again
from ingest.database import connect_for_long, first_line
from ingest.errors import DatabaseLostError, IngestError
from ingest.registry.proposals import carry_out_answers
from ingest.settings import load

# Any number that nothing else uses: whoever holds it assesses.
ASSESS_LOCK = 4_202_603
POLL_S = 1.0
# The longest rest after a pass.
LONGEST_REST_S = 2.0
# How often all bins are looked at for what time alone changes.
TICK_S = 60.0


class _Stop(KeyboardInterrupt):
    """Raised by SIGTERM and SIGINT, wherever the runner is.

    As a KeyboardInterrupt it makes psycopg cancel the statement that runs; open transactions are rolled back.
    """


def run(settings: AssessSettings | None = None, *, once: bool = False) -> None:
    """Assess until told to stop; a database that goes away is waited for.

    Args:
        settings: None to read them from the environment.
        once: assess what waits and all bins, then return.

    Raises:
        DatabaseLostError: the database does not answer (`once` only).
        IngestError: another runner is at work (`once` only), or the database was not migrated.
    """
    calendar = (settings or load(AssessSettings)).calendar()
    try:
        with _stopped_by_signals():
            if once:
                _run_once(calendar)
            else:
                _run_for_ever(calendar)
    except psycopg.ProgrammingError as error:
        raise IngestError(f"The database is not as this version needs it: {first_line(error)}.") from error


def _run_once(calendar: Calendar) -> None:
    try:
        with connect_for_long("assess") as connection:
            if not _alone(connection):
                raise IngestError("Another assess runner is at work on this database.")
            carry_out_answers(connection, datetime.now(UTC))
            assessor = Assessor(connection, calendar)
            while assessor.take_queue(datetime.now(UTC)):
                pass
            _look_at_all(assessor, connection)
            usage = UsageKeeper(connection, calendar.zone)
            while usage.revise(datetime.now(UTC) + REST):
                pass
            proposals = ProposalKeeper(connection)
            while proposals.check(datetime.now(UTC)):
                pass
    except psycopg.OperationalError as error:
        raise DatabaseLostError(f"The database does not answer: {first_line(error)}.") from error


def _run_for_ever(calendar: Calendar) -> None:
    log = structlog.get_logger("assess")
    backoff = Backoff()
    while True:
        try:
            with connect_for_long("assess") as connection, connect_for_long("assess") as listener:
                listener.execute("listen assess")
                _wait_until_alone(connection)
                log.info("assess started")
                backoff.worked()
                later = UsageKeeper(connection, calendar.zone), ProposalKeeper(connection)
                _serve(Assessor(connection, calendar), later, connection, listener)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            delay_s = backoff.delay_s()
            log.warning(again(f"The database is not usable: {first_line(error)}", delay_s))
            time.sleep(delay_s)


def _serve(
    assessor: Assessor, later: tuple[UsageKeeper, ProposalKeeper], connection: Connection, listener: Connection
) -> None:
    usage, proposals = later
    _look_at_all(assessor, connection)
    ticked_at = time.monotonic()
    while True:
        began_at = time.monotonic()
        carry_out_answers(connection, datetime.now(UTC))
        worked = assessor.take_queue(datetime.now(UTC))
        # While a backlog pours in, every pass has many bins to work on again: leave the ingester half of the time.
        time.sleep(min(time.monotonic() - began_at, LONGEST_REST_S))
        if time.monotonic() - ticked_at >= TICK_S or (not worked and assessor.has_new_bins()):
            assessor.look_at_time(datetime.now(UTC))
            ticked_at = time.monotonic()
            # However busy it is: a little of what can wait.
            usage.revise(datetime.now(UTC))
            proposals.check(datetime.now(UTC))
        if not (worked or usage.revise(datetime.now(UTC)) or proposals.check(datetime.now(UTC))):
            for _ in listener.notifies(timeout=POLL_S, stop_after=1):
                pass


def _look_at_all(assessor: Assessor, connection: Connection) -> None:
    """Start from nothing: what happened while no runner was at work is made up for."""
    now = datetime.now(UTC)
    assessor.assess(dict.fromkeys(fitted_bins(connection), now), now)
    assessor.look_at_time(now)


def _alone(connection: Connection) -> bool:
    row = connection.execute("select pg_try_advisory_lock(%s)", (ASSESS_LOCK,)).fetchone()
    return row is not None and bool(row[0])


def _wait_until_alone(connection: Connection) -> None:
    told = False
    while not _alone(connection):
        if not told:
            structlog.get_logger("assess").warning("another assess runner is at work; waiting for it to end")
            told = True
        time.sleep(POLL_S)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """End the block quietly on SIGTERM or SIGINT."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Stop

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except _Stop:
        structlog.get_logger("assess").info("assess stopped")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
