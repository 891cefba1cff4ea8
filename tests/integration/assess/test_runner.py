"""The assess process as it is started: how fast it is, and how it lives through what happens around it."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.conftest import TESTS, MigratedDatabase, run_module
from tests.integration.assess.town import HOUR, NOW, add_bins, hourly, query, store

PATIENCE_S = 60.0


@contextmanager
def running(database: MigratedDatabase, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The runner at work."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest", "assess"],
            env={**os.environ, **database.ingest_env},
            cwd=TESTS.parent,
            stderr=errors,
        )
    try:
        until(lambda: "assess started" in log.read_text())
        yield process
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def until(condition: Callable[[], bool]) -> float:
    """Poll until it holds; give how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE_S, f"not within {PATIENCE_S} s"
        time.sleep(0.02)
    return time.monotonic() - began


def children_cpu_s() -> float:
    """Give the processor time of all that was run and has ended: however busy the machine is, it is the same."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def reason(database: MigratedDatabase) -> str:
    return str(query(database, "select reason from bin_status where ref = 'B1'")[0][0])


def percent(database: MigratedDatabase, number: int) -> object:
    return dict(query(database, "select ref, round(100 * fill_level) from bin_status"))[f"B{number}"]


def rests(database: MigratedDatabase) -> bool:
    """Say whether the runner has asked the database nothing for a moment, and so waits for news."""
    idle = (
        "select bool_and(state = 'idle' and state_change < clock_timestamp() - interval '0.3 s')"
        " from pg_stat_activity where datname = current_database() and application_name = 'brimwatch assess'"
    )
    return query(database, idle) == [(True,)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "assess.log"


def test_reading_is_visible_within_a_second(database: MigratedDatabase, log: Path) -> None:
    add_bins(database, 50)
    with running(database, log):
        until(lambda: query(database, "select count(*) from bin_state") == [(50,)])
        for number in range(1, 11):
            store(database, hourly([0.9], until=NOW - HOUR), f"D{number}")

        def visible_s(number: int) -> float:
            until(lambda: rests(database))
            store(database, hourly([0.92]), f"D{number}")
            return until(lambda: percent(database, number) == 92)

        # A machine that is busy with something else is late now and then.
        assert any(visible_s(number) < 1 for number in range(1, 11))


def test_runner_checks_calibrations_and_does_what_people_say(database: MigratedDatabase, log: Path) -> None:
    add_bins(database)
    # Each day from the bottom up, which lies 110 mm below where it was said to lie.
    store(database, hourly([place % 24 * 0.025 - 0.11 for place in range(24 * 12)]))

    with running(database, log):
        until(lambda: query(database, "select empty_mm from bin_proposals") == [(1310,)])
        assert query(database, "select empty_mm from fittings") == [(1200,)]
        with psycopg.connect(database.conninfo) as owner:
            owner.execute("update calibration_checks set answer = 'accept', answered_by = 'anna'")
        until(lambda: query(database, "select empty_mm from fittings") == [(1310,)])


def test_runner_outlives_its_connections(database: MigratedDatabase, log: Path) -> None:
    add_bins(database)
    with running(database, log) as process:
        with psycopg.connect(database.conninfo) as owner:
            owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        store(database, hourly([0.9, 0.92]))
        until(lambda: reason(database) == "FULLNESS")

        assert process.poll() is None
    assert "trying again" in log.read_text()


def test_runner_stops_at_once(database: MigratedDatabase, log: Path) -> None:
    with running(database, log) as process:
        process.terminate()

        # Docker waits for ten.
        assert process.wait(timeout=8) == 0


def test_second_runner_takes_over(database: MigratedDatabase, log: Path, tmp_path: Path) -> None:
    add_bins(database)
    second_log = tmp_path / "second.log"
    with second_log.open("wb") as errors, running(database, log):
        second = subprocess.Popen(
            [sys.executable, "-m", "ingest", "assess"],
            env={**os.environ, **database.ingest_env},
            cwd=TESTS.parent,
            stderr=errors,
        )
        until(lambda: "waiting for it to end" in second_log.read_text())
    try:
        until(lambda: "assess started" in second_log.read_text())
    finally:
        second.terminate()
        second.wait(timeout=PATIENCE_S)


def test_once_assesses_what_waits(database: MigratedDatabase) -> None:
    add_bins(database)
    store(database, hourly([0.9, 0.92]))

    run_module("ingest", "assess", "--once", env=database.ingest_env)

    assert reason(database) == "FULLNESS"


def test_backlog_of_many_bins_is_assessed_in_seconds(database: MigratedDatabase) -> None:
    add_bins(database, 100)
    with psycopg.connect(database.conninfo) as connection:
        connection.execute(
            "insert into readings (device_id, epoch, seq, measured_at, distance_mm)"
            " select devices.id, 1, n, %s - n * interval '1 hour', 1200 - 40 * ((671 - n) %% 24)"
            " from devices, generate_series(0, 671) as n",
            (NOW,),
        )
        connection.execute("insert into assess_queue select id, %s from devices", (NOW - 672 * HOUR,))

    before_s = children_cpu_s()
    run_module("ingest", "assess", "--once", env=database.ingest_env)

    assert children_cpu_s() - before_s < 6
    assert query(database, "select count(*), count(distinct bin_id) from emptyings") == [(2700, 100)]
