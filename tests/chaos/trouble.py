"""Troubles of database and broker: each is a block, at whose end it ends."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator

import psycopg

from simulator.stack.place import find_place, give
from simulator.stack.process import descendants, wait_until
from tests.chaos.disk import data_folder, filled
from tests.chaos.endurance import LIMIT_S, Endurance, in_background
from tests.chaos.stack import Stack

HELD_S, LET_GO_S = 2.0, 0.1
"""Of a database that is slow: nothing goes on for the first, everything for the second."""


@contextlib.contextmanager
def killed_database(endurance: Endurance) -> Iterator[None]:
    """Kill the database; it is started again at once."""
    endurance.stack.database.kill()
    yield


@contextlib.contextmanager
def stopped_database(endurance: Endurance) -> Iterator[None]:
    """Stop the database in an orderly way, and start it at the end."""
    with endurance.left_alone():
        endurance.stack.database.stop()
        yield
        endurance.stack.database.start()


@contextlib.contextmanager
def doubly_killed(endurance: Endurance) -> Iterator[None]:
    """Stop the database, and kill the ingester, too, before it is started: with it goes what it could not commit."""
    with stopped_database(endurance):
        yield
        endurance.restart_ingester()


@contextlib.contextmanager
def failing_over(endurance: Endurance) -> Iterator[None]:
    """Kill the database, start another from the same data on the same address, which is promoted only at the end.

    As with a shared disk: until then the new server is a standby, which reads and does not write.
    """
    database = endurance.stack.database
    with endurance.left_alone():
        database.kill()
        standby = data_folder(database, "standby.signal")
        standby.touch()
        give(find_place().account, standby)
        database.start()
        yield
        endurance.stack.rows("select pg_promote()")


@contextlib.contextmanager
def held_commits(endurance: Endurance) -> Iterator[None]:
    """Let each commit wait for a synchronous standby that does not exist."""

    def change(statement: str) -> None:
        _execute(endurance.stack, statement, "select pg_reload_conf()")

    with _in_turns(
        lambda: change("alter system set synchronous_standby_names = 'nobody'"),
        lambda: change("alter system reset synchronous_standby_names"),
    ):
        yield


@contextlib.contextmanager
def slow_database(endurance: Endurance) -> Iterator[None]:
    """Stop all processes of the database, and let them work for a moment now and then."""

    def tell(number: signal.Signals) -> None:
        _signal_family(endurance.stack.database.pid, number)

    with _in_turns(lambda: tell(signal.SIGSTOP), lambda: tell(signal.SIGCONT)):
        yield


@contextlib.contextmanager
def locked_readings(endurance: Endurance) -> Iterator[None]:
    """Let another session hold the table."""
    with endurance.stack.connect() as other, other.transaction():
        other.execute("lock table readings in access exclusive mode")
        yield


@contextlib.contextmanager
def read_only_database(endurance: Endurance) -> Iterator[None]:
    """Let new sessions read only, and end the ingester's."""
    setting = "alter database brimwatch {} default_transaction_read_only {}"
    end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'brimwatch %'"
    _execute(endurance.stack, setting.format("set", "= on"), end)
    yield
    _execute(endurance.stack, "set default_transaction_read_only = off", setting.format("reset", ""))


@contextlib.contextmanager
def full_data_disk(endurance: Endurance) -> Iterator[None]:
    """Leave no space where the tables are."""
    with filled(data_folder(endurance.stack.database, "base")):
        yield


@contextlib.contextmanager
def full_log_disk(endurance: Endurance) -> Iterator[None]:
    """Leave no space for the write-ahead log: the server ends itself, and cannot be started."""
    database = endurance.stack.database

    def ended() -> bool:
        with contextlib.suppress(psycopg.Error):
            _execute(endurance.stack, "select pg_switch_wal()")
        return database.pid is None

    with filled(data_folder(database, "pg_wal")):
        wait_until(ended, timeout_s=LIMIT_S, what="The server with a full log did not end")
        yield


@contextlib.contextmanager
def killed_broker(endurance: Endurance) -> Iterator[None]:
    """Kill the broker; it is started again at once."""
    endurance.stack.broker.kill()
    yield


@contextlib.contextmanager
def forgetful_broker(endurance: Endurance) -> Iterator[None]:
    """Kill the broker, and delete all that it knew before it is started again."""
    with endurance.left_alone():
        endurance.stack.broker.kill()
        endurance.stack.delete_sessions()
    yield


@contextlib.contextmanager
def frozen_broker(endurance: Endurance) -> Iterator[None]:
    """Stop the broker's process: its connections stay, and nobody answers."""
    _signal_family(endurance.stack.broker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal_family(endurance.stack.broker.pid, signal.SIGCONT)


def _in_turns(hold: Callable[[], None], let_go: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
    """Do one and the other until the end of the block, the other last."""

    def take_turns(ended: threading.Event) -> None:
        while not ended.is_set():
            hold()
            ended.wait(HELD_S)
            let_go()
            ended.wait(LET_GO_S)

    return in_background(take_turns)


def _execute(stack: Stack, *statements: str) -> None:
    with stack.connect() as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _signal_family(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        for member in (pid, *descendants(pid)):
            # One that ended meanwhile needs no signal.
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, number)
