"""What is tried again after it was refused, and what is deleted."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from ingest.__main__ import app
from ingest.batch import Incoming
from ingest.database import connect
from ingest.decode import decode
from ingest.replay import Replayed, replay
from ingest.store import Store
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import change, rows
from tests.integration.registry.commands import failure, ingest

MEASURED_S = 1_772_366_400


@pytest.fixture(autouse=True)
def as_ingester(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in database.ingest_env.items():
        monkeypatch.setenv(name, value)


def arrive(*payloads: str, device: str = "late", kind: str = "readings", at: datetime | None = None) -> None:
    """Have messages stored or refused as the ingester does."""
    topic, when = f"bins/v1/{device}/up/{kind}", at or datetime.now(UTC)

    async def write() -> None:
        async with await connect("test") as connection:
            for payload in payloads:
                decoded = decode(topic, payload.encode(), retain=False, now_ms=int(when.timestamp() * 1000))
                await Store(connection).write([Incoming(topic, payload.encode(), decoded)], when)

    asyncio.run(write())


def message(*seqs: int, distance_mm: int = 640, ahead_s: int = 0) -> str:
    readings = [{"seq": seq, "distance_mm": distance_mm, "measured_at": MEASURED_S + ahead_s} for seq in seqs]
    return json.dumps({"epoch": 1, "readings": readings})


def enrol(database: MigratedDatabase) -> None:
    change(database, "insert into devices (ref) values ('late')")


def stored_seqs(database: MigratedDatabase) -> list[int]:
    return [seq for (seq,) in rows(database, "select seq from readings order by seq")]


def test_device_enrolled_late_gets_its_readings(database: MigratedDatabase) -> None:
    arrive(message(1), message(2, 3), at=datetime.now(UTC) - timedelta(days=2))
    enrol(database)

    first = ingest(database, "rejects", "replay", "--reason", "unknown_device")
    again = ingest(database, "rejects", "replay")

    assert first == "2 replayed, 3 readings stored.\n"
    assert again == "0 replayed, 0 readings stored.\n"
    assert stored_seqs(database) == [1, 2, 3]
    assert rows(database, "select id from rejects") == []
    assert rows(database, "select max(received_at) < now() - interval '1 day' from readings") == [(True,)]
    assert rows(database, "select count(*) from assess_queue") == [(1,)]
    audited = rows(database, "select subject, before ->> 'reason', after -> 'stored' from audit_log order by id")
    assert audited == [("late", "unknown_device", 1), ("late", "unknown_device", 2)]


def test_what_is_still_wrong_stays_as_it_was(database: MigratedDatabase) -> None:
    enrol(database)
    arrive("nonsense", message(1, distance_mm=99_999), message(2, ahead_s=10 * 366 * 86_400))
    arrive(message(3), device="nobody")
    before = rows(database, "select id, received_at, reason, detail, payload from rejects order by id")

    printed = ingest(database, "rejects", "replay")

    assert printed == "0 replayed, 0 readings stored.\nStill refused: 1 parse, 1 range, 1 time, 1 unknown_device.\n"
    assert rows(database, "select id, received_at, reason, detail, payload from rejects order by id") == before
    assert stored_seqs(database) == []
    assert rows(database, "select id from audit_log") == []


def test_bad_reading_of_a_replayed_message_becomes_a_reject_of_its_own(database: MigratedDatabase) -> None:
    bad = {"seq": 2, "distance_mm": 99_999, "measured_at": MEASURED_S}
    mixed = json.loads(message(1, 3))
    mixed["readings"].insert(1, bad)
    arrive(json.dumps(mixed))
    enrol(database)

    ingest(database, "rejects", "replay")

    assert stored_seqs(database) == [1, 3]
    assert rows(database, "select reason from rejects") == [("range",)]


def test_reading_of_a_clock_that_was_ahead_does_not_become_true_by_waiting(database: MigratedDatabase) -> None:
    enrol(database)
    arrive(message(1), at=datetime.fromtimestamp(MEASURED_S - 3600, UTC))

    printed = ingest(database, "rejects", "replay")

    assert "Still refused: 1 time." in printed
    assert stored_seqs(database) == []


def test_what_was_refused_because_the_servers_clock_was_behind_can_be_stored(database: MigratedDatabase) -> None:
    enrol(database)
    wrong = datetime.fromtimestamp(MEASURED_S - 900, UTC)
    arrive(message(1), at=wrong)
    arrive(message(2, ahead_s=86_400), at=wrong)

    without = ingest(database, "rejects", "replay", "--reason", "time")
    told = ingest(database, "rejects", "replay", "--reason", "time", "--clock-behind", "900")

    assert without == "0 replayed, 0 readings stored.\nStill refused: 2 time.\n"
    assert told == "1 replayed, 1 readings stored.\nStill refused: 1 time.\n"
    assert rows(database, "select seq, extract(epoch from received_at)::bigint from readings") == [(1, MEASURED_S)]
    assert rows(
        database, "select extract(epoch from (after ->> 'received_at')::timestamptz)::bigint from audit_log"
    ) == [(MEASURED_S,)]


def test_row_that_the_database_refused_is_stored_after_it_was_put_right(database: MigratedDatabase) -> None:
    enrol(database)
    change(database, "alter table readings add constraint unlucky check (distance_mm <> 666)")
    arrive(message(1, distance_mm=666), message(2))
    change(database, "alter table readings drop constraint unlucky")

    ingest(database, "rejects", "replay", "--reason", "database")

    assert stored_seqs(database) == [1, 2]
    assert rows(database, "select id from rejects") == []


def test_replayed_status_does_not_replace_a_newer_one(database: MigratedDatabase) -> None:
    arrive('{"firmware": "1.0", "next_report_s": 60}', kind="status", at=datetime.now(UTC) - timedelta(days=1))
    enrol(database)
    arrive('{"firmware": "2.0", "next_report_s": 3600}', kind="status")

    ingest(database, "rejects", "replay")

    assert rows(database, "select status ->> 'firmware', next_report_s from device_state") == [("2.0", 3600)]
    assert rows(database, "select id from rejects") == []


def test_two_that_replay_at_once_store_nothing_twice(database: MigratedDatabase) -> None:
    arrive(*(message(seq) for seq in range(100)))
    enrol(database)

    async def both() -> list[Replayed]:
        return await asyncio.gather(replay(None, [], "one"), replay(None, [], "two"))

    results = asyncio.run(both())

    assert sum(result.left for result in results) == 100
    assert sum(result.readings for result in results) == 100
    assert stored_seqs(database) == list(range(100))
    assert rows(database, "select count(*) from audit_log") == [(100,)]


def test_only_the_named_ones_are_replayed(database: MigratedDatabase) -> None:
    arrive(message(1), message(2))
    enrol(database)
    (first, second) = (reject_id for (reject_id,) in rows(database, "select id from rejects order by id"))

    ingest(database, "rejects", "replay", str(second))
    sentence = failure(database, "rejects", "replay", str(first), str(second))

    assert stored_seqs(database) == [2]
    assert sentence == f"There is no refused message {second}."


def test_purge_asks_and_deletes_only_what_is_old(database: MigratedDatabase) -> None:
    enrol(database)
    arrive("old", at=datetime.now(UTC) - timedelta(days=40))
    arrive(message(1), device="nobody", at=datetime.now(UTC) - timedelta(days=40))
    arrive("new")

    purge = ("rejects", "purge", "--older-than", "30", "--reason", "parse")
    refused = CliRunner().invoke(app, purge, input="n\n", env=database.ingest_env)
    kept = rows(database, "select count(*) from rejects")
    done = CliRunner().invoke(app, purge, input="y\n", env=database.ingest_env)
    nothing = ingest(database, *purge, "--yes")

    assert (refused.exit_code, kept) == (1, [(3,)]), refused.output
    assert "Delete 1 refused messages" in done.output
    assert done.output.endswith("1 deleted.\n")
    assert nothing == "There is nothing to delete.\n"
    assert rows(database, "select reason from rejects order by id") == [("unknown_device",), ("parse",)]
    audited = rows(database, "select action, subject, before -> 'count' from audit_log")
    assert audited == [("rejects.purge", "parse", 1)]


def test_list_and_count_tell_reasons_apart(database: MigratedDatabase) -> None:
    enrol(database)
    arrive("nonsense", "more nonsense", message(1, distance_mm=99_999))

    counts = [line.split("│")[1:3] for line in ingest(database, "rejects", "count").splitlines() if "│" in line]
    listed = ingest(database, "rejects", "list", "--reason", "range")

    assert [(reason.strip(), count.strip()) for reason, count in counts] == [("parse", "2"), ("range", "1")]
    assert "range" in listed
    assert "parse" not in listed
