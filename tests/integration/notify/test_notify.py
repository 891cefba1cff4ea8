"""From an alert in the database to somebody who is told, with real receivers and the rights of the ingester's role."""

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from pydantic import SecretStr

from ingest.notify.acknowledge import acknowledge
from ingest.notify.letter import Letter, Writer
from ingest.notify.outbox import GIVE_UP_AFTER, Postman
from ingest.notify.plan import Planner
from ingest.notify.send import send
from ingest.notify.targets import Depot, Directory, Target
from tests.conftest import TESTS, MigratedDatabase, conninfo
from tests.integration.assess.town import query
from tests.integration.notify.receivers import SECRET, Hook, mailbox, webhook
from tests.integration.registry.commands import failure, ingest

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WRITER = Writer(ZoneInfo("Europe/London"))


@pytest.fixture
def connection(database: MigratedDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo(database.ingest_env), autocommit=True) as connection:
        connection.execute("insert into depots (ref, name) values ('north', 'North'), ('south', 'South')")
        yield connection


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as hook:
        yield hook


def open_alerts(connection: psycopg.Connection, type_: str, count: int = 1, *, depot: str = "north") -> list[int]:
    """Open alerts of new bins, and give their ids."""
    query = """
        with bin as (
            insert into bins (ref, name, longitude, latitude, depot_id)
            select %s || '-' || gen_random_uuid(), 'Mill Lane', -4.9, 54, (select id from depots where ref = %s)
            from generate_series(1, %s)
            returning id
        )
        insert into alerts (bin_id, type, text, since, opened_at, observed_at)
        select id, %s, 'It is wrong.', %s, %s, %s from bin
        returning id
    """
    rows = connection.execute(query, (type_, depot, count, type_, NOW, NOW, NOW))
    return [row[0] for row in rows]


def told(hook: Hook, **other: object) -> Directory:
    """Tell the hook of the depot north."""
    depot = Depot.model_validate({"first": (SecretStr(hook.url),), **other})
    return Directory(depots={"north": depot})


def deliver(connection: psycopg.Connection, directory: Directory, now: datetime = NOW) -> None:
    """Let a notifier do all that it can do now."""
    Planner(connection, directory, WRITER).plan(now)
    postman = Postman(connection, directory, send)
    while postman.deliver_one(now):
        pass


def test_alert_is_told_once_by_webhook_and_by_mail(connection: psycopg.Connection, hook: Hook) -> None:
    (alert,) = open_alerts(connection, "tilt")
    open_alerts(connection, "tilt", depot="south")
    with mailbox() as box:
        directory = told(hook, first=(SecretStr(hook.url), SecretStr(box.url)))

        for step in range(3):
            deliver(connection, directory, NOW + step * HOUR)

    (letter,) = hook.letters
    assert letter["title"].startswith("Bin on its side: Mill Lane (tilt-")
    assert "It is wrong.\nSince Tue 3 Mar 2026, 12:00." in letter["message"]
    assert letter["key"] == f"alert-{alert}-north-first-1"
    (mail,) = box.mails
    message = message_from_string(mail)
    assert message["To"] == "depot@example.org"
    assert message["Subject"] == letter["title"]
    assert message["Idempotency-Key"] == f"alert-{alert}-north-first-2"
    assert connection.execute("select notice from alert_list order by id").fetchall() == [("sent",), ("none",)]


def test_budget_makes_one_letter_of_many_and_lets_fires_through(connection: psycopg.Connection, hook: Hook) -> None:
    directory = told(hook, budget_per_day=2)
    open_alerts(connection, "silent", 5)
    deliver(connection, directory)
    assert [subject.split(":")[0] for subject in hook.subjects] == ["Sensor silent"] * 2 + ["3 alerts of north"]
    hook.letters.clear()

    open_alerts(connection, "battery", 4)
    open_alerts(connection, "fire")
    deliver(connection, directory, NOW + HOUR)
    assert [subject.split(":")[0] for subject in hook.subjects] == ["Fire"]
    hook.letters.clear()

    deliver(connection, directory, NOW + 3 * HOUR)
    assert hook.subjects == ["4 alerts of north"]
    hook.letters.clear()

    open_alerts(connection, "silent")
    deliver(connection, directory, NOW + 24 * HOUR)
    assert [subject.split(":")[0] for subject in hook.subjects] == ["Sensor silent"]


def test_alert_that_nobody_acknowledges_goes_to_the_second_once(connection: psycopg.Connection, hook: Hook) -> None:
    with webhook() as second:
        directory = told(hook, second=(SecretStr(second.url),))
        (fire,) = open_alerts(connection, "fire")
        (seen,) = open_alerts(connection, "fire")
        open_alerts(connection, "battery", 3)
        deliver(connection, directory)
        acknowledge(connection, [seen], "anna")

        deliver(connection, directory, NOW + 14 * MINUTE)
        assert second.subjects == []
        for minutes in (15, 16, 24 * 60, 24 * 60 + 1):
            deliver(connection, directory, NOW + minutes * MINUTE)

        assert [subject.split(" (")[0] for subject in second.subjects] == [
            "Nobody acknowledged: Fire: Mill Lane",
            "Nobody acknowledged: 3 alerts of north",
        ]
        assert second.letters[0]["key"] == f"escalation-{fire}-north-second-1"


def test_nobody_is_told_of_what_is_settled(connection: psycopg.Connection, hook: Hook) -> None:
    closed, acknowledged = open_alerts(connection, "silent", 2)
    connection.execute("update alerts set closed_at = opened_at where id = %s", (closed,))
    acknowledge(connection, [acknowledged], "anna")

    deliver(connection, told(hook))

    assert hook.letters == []


def test_letter_is_tried_again_and_then_given_up_for_all_to_see(
    database: MigratedDatabase, connection: psycopg.Connection, hook: Hook
) -> None:
    directory = told(hook)
    hook.status = 503
    open_alerts(connection, "silent")
    deliver(connection, directory)
    deliver(connection, directory, NOW + 29 * timedelta(seconds=1))
    assert len(hook.letters) == 1
    deliver(connection, directory, NOW + 31 * timedelta(seconds=1))
    assert len(hook.letters) == 2
    assert connection.execute("select notice from alert_list").fetchall() == [("waiting",)]

    deliver(connection, directory, NOW + GIVE_UP_AFTER)

    assert connection.execute("select notice from alert_list").fetchall() == [("failed",)]
    (error,) = connection.execute("select error from outbox").fetchone() or ("",)
    assert "503" in error
    assert SECRET not in error
    assert "given up" in ingest(database, "notify", "failures")
    hook.status = 200
    deliver(connection, directory, NOW + 2 * GIVE_UP_AFTER)
    assert len(hook.letters) == 3


def test_letter_to_a_target_that_was_taken_out_is_given_up(connection: psycopg.Connection, hook: Hook) -> None:
    open_alerts(connection, "silent")
    Planner(connection, told(hook), WRITER).plan(NOW)

    Postman(connection, Directory(), send).deliver_one(NOW)

    assert connection.execute("select error from outbox where failed_at is not null").fetchall() == [
        ("The file of targets does not name it any more.",)
    ]


def test_two_notifiers_send_no_letter_twice(
    database: MigratedDatabase, connection: psycopg.Connection, hook: Hook
) -> None:
    directory = told(hook)
    open_alerts(connection, "silent", 2)
    sent: list[str] = []
    with psycopg.connect(conninfo(database.ingest_env), autocommit=True) as other:

        def let_the_other_work(target: Target, letter: Letter, key: str) -> str | None:
            """While one letter is on its way, another notifier does all it can."""
            sent.append(key)
            if len(sent) == 1:
                deliver(other, directory)
            return send(target, letter, key)

        Planner(connection, directory, WRITER).plan(NOW)
        postman = Postman(connection, directory, let_the_other_work)
        while postman.deliver_one(NOW):
            pass

    assert len(hook.letters) == len({letter["key"] for letter in hook.letters}) == 2
    assert len(sent) == 1


def targets_file(folder: Path, hook: Hook) -> dict[str, str]:
    """Write the file, and give the setting that names it."""
    path = folder / "targets.toml"
    path.touch(mode=0o600)
    path.write_text(f'[default]\nfirst = ["{hook.url}"]\n')
    return {"BRIMWATCH_TARGETS": str(path), "BRIMWATCH_PUBLIC_URL": "https://bins.example.org"}


def start(database: MigratedDatabase, settings: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ingest", "notify"]
    with log.open("ab") as file:
        return subprocess.Popen(
            command, env={**os.environ, **database.ingest_env, **settings}, cwd=TESTS.parent, stderr=file
        )


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_letter_is_not_lost_with_a_notifier_that_dies_while_it_sends(
    database: MigratedDatabase, connection: psycopg.Connection, hook: Hook, tmp_path: Path
) -> None:
    settings, log = targets_file(tmp_path, hook), tmp_path / "log"
    open_alerts(connection, "fire")
    started: queue.Queue[subprocess.Popen[bytes]] = queue.Queue()
    hook.before_answer = lambda: started.get().kill()
    process = start(database, settings, log)
    started.put(process)
    process.wait(60)
    hook.before_answer = lambda: None

    process = start(database, settings, log)
    until(lambda: query(database, "select notice from alert_list") == [("sent",)])
    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == 0
    first, again = hook.letters
    assert first == again
    assert "https://bins.example.org/bins/fire-" in first["message"]
    assert SECRET not in log.read_text()


def test_notifier_without_targets_idles_quietly(database: MigratedDatabase, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start(database, {}, log)
    until(lambda: "notify started" in log.read_text())
    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == 0
    assert [line for line in log.read_text().splitlines() if "level=info" not in line] == []


def test_commands_list_and_acknowledge(database: MigratedDatabase, connection: psycopg.Connection) -> None:
    first, second = open_alerts(connection, "silent", 2)

    assert "1 acknowledged" in ingest(database, "alerts", "acknowledge", str(first))
    listed = ingest(database, "alerts", "list").splitlines()

    assert [line.split("\t")[0] for line in listed] == ["id", str(second), str(first)]
    assert "command line: " in listed[2]
    assert query(database, "select action, subject from audit_log") == [("alert.acknowledge", str(first))]
    assert failure(database, "alerts", "acknowledge", str(second), "999") == "There is no alert 999."
    assert query(database, "select count(*) from alerts where acknowledged_at is not null") == [(1,)]


def test_test_letter_reaches_every_target(
    database: MigratedDatabase, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in targets_file(tmp_path, hook).items():
        monkeypatch.setenv(name, value)

    assert ingest(database, "notify", "test") == "(default) first 1: sent\n"
    hook.status = 401
    assert failure(database, "notify", "test") == "Not everybody could be reached."

    assert hook.subjects == ["Brimwatch: a test"] * 2
