"""The assess process as it is started: how fast it is, and how it lives through what happens around it."""

import os
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
        until(lambda: "assess started" in log.read_text(), 20)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


def until(condition: Callable[[], bool], seconds: float) -> float:
    """Poll until it holds; give how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


def reason(database: MigratedDatabase) -> str:
    return str(query(database, "select reason from bin_status where ref = 'B1'")[0][0])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "assess.log"


def test_reading_is_visible_within_a_second(database: MigratedDatabase, log: Path) -> None:
    add_bins(database, 50)
    with running(database, log):
        until(lambda: query(database, "select count(*) from bin_state") == [(50,)], 10)
        store(database, hourly([0.9], until=NOW - HOUR))

        store(database, hourly([0.92]))
        took_s = until(lambda: reason(database) == "FULLNESS", 5)

    assert took_s < 1


def test_runner_checks_calibrations_and_does_what_people_say(database: MigratedDatabase, log: Path) -> None:
    add_bins(database)
    # Each day from the bottom up, which lies 110 mm below where it was said to lie.
    store(database, hourly([place % 24 * 0.025 - 0.11 for place in range(24 * 12)]))

    with running(database, log):
        until(lambda: query(database, "select empty_mm from bin_proposals") == [(1310,)], 10)
        assert query(database, "select empty_mm from fittings") == [(1200,)]
        with psycopg.connect(database.conninfo) as owner:
            owner.execute("update calibration_checks set answer = 'accept', answered_by = 'anna'")
        until(lambda: query(database, "select empty_mm from fittings") == [(1310,)], 5)


def test_runner_outlives_its_connections(database: MigratedDatabase, log: Path) -> None:
    add_bins(database)
    with running(database, log) as process:
        with psycopg.connect(database.conninfo) as owner:
            owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        store(database, hourly([0.9, 0.92]))
        until(lambda: reason(database) == "FULLNESS", 15)

        assert process.poll() is None
    assert "trying again" in log.read_text()


def test_runner_stops_at_once(database: MigratedDatabase, log: Path) -> None:
    with running(database, log) as process:
        process.terminate()
        began = time.monotonic()

        assert process.wait(timeout=10) == 0
        assert time.monotonic() - began < 2


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
        until(lambda: "waiting for it to end" in second_log.read_text(), 20)
    try:
        until(lambda: "assess started" in second_log.read_text(), 20)
    finally:
        second.terminate()
        second.wait(timeout=10)


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

    began = time.monotonic()
    run_module("ingest", "assess", "--once", env=database.ingest_env)

    assert time.monotonic() - began < 15
    assert query(database, "select count(*), count(distinct bin_id) from emptyings") == [(2700, 100)]
