"""The commands `configuration`: what devices are to be set to, and what they say of it."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from ingest.registry.configurations import configure
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import until
from tests.integration.registry.commands import failure, ingest, rows

HEAD = "device\tversion\tsettings\tchanged_at\treported_version\trefused"


@pytest.fixture
def enrolled(database: MigratedDatabase, authority: Path, tmp_path: Path) -> MigratedDatabase:
    """The devices D1 and D2, and one that is not ours."""
    ingest(database, "devices", "enrol", "D1", "D2", "--out", str(tmp_path), "--certificates", str(authority))
    ingest(database, "devices", "enrol", "24E124136B012345", "--model", "milesight-em400-mud")
    return database


def listed(database: MigratedDatabase, *refs: str) -> list[list[str]]:
    """Give the rows of `configuration list` without the time of the change."""
    head, *lines = ingest(database, "configuration", "list", *refs).rstrip("\n").split("\n")
    assert head == HEAD
    return [[cell for place, cell in enumerate(line.split("\t")) if place != 3] for line in lines]


def test_changes_add_up_and_count(enrolled: MigratedDatabase) -> None:
    first = ingest(
        enrolled, "configuration", "change", "D1", "D2", "--set", "report_interval_s=7200", "--set", "full_mm=250"
    )
    again = ingest(enrolled, "configuration", "change", "D1", "--set", "full_mm=250")
    back = ingest(enrolled, "configuration", "change", "D1", "--unset", "full_mm", "--set", "sample_count=9")

    assert (first, again, back) == (
        "2 changed, 0 unchanged.\n",
        "0 changed, 1 unchanged.\n",
        "1 changed, 0 unchanged.\n",
    )
    assert listed(enrolled) == [
        ["D1", "2", "report_interval_s=7200 sample_count=9", "", ""],
        ["D2", "1", "full_mm=250 report_interval_s=7200", "", ""],
    ]
    assert listed(enrolled, "D2")[0][:2] == ["D2", "1"]
    assert rows(
        enrolled, "select before, after from audit_log where action = 'device.configure' and subject = 'D1' order by id"
    ) == [
        ({"full_mm": None, "report_interval_s": None}, {"full_mm": 250, "report_interval_s": 7200}),
        ({"full_mm": 250, "sample_count": None}, {"full_mm": None, "sample_count": 9}),
    ]


def test_what_a_device_says_stands_beside_what_is_wanted(enrolled: MigratedDatabase) -> None:
    ingest(enrolled, "configuration", "change", "D1", "--set", "full_mm=250")
    with psycopg.connect(enrolled.conninfo) as connection:
        connection.execute(
            "insert into device_state (device_id, last_received_at, status)"
            " select id, now(), %s from devices where ref = 'D1'",
            ('{"config_version": 0, "config_refused": "version 1: full_mm: unknown"}',),
        )

    assert listed(enrolled) == [["D1", "1", "full_mm=250", "0", "version 1: full_mm: unknown"]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["D1"], "Say what to change: --set NAME=NUMBER or --unset NAME."),
        (["D1", "--set", "full_mm"], "--set full_mm: say NAME=NUMBER, such as report_interval_s=3600."),
        (["D1", "--set", "full_mm=low"], "--set full_mm=low: say NAME=NUMBER, such as report_interval_s=3600."),
        (["D1", "--set", "full_mm=9999"], "D1: full_mm must be a whole number from 0 to 4500, not 9999."),
        (
            ["D1", "--set", "measure_interval_s=43200"],
            "D1: measure_interval_s (43200) must not be longer than report_interval_s (21600); set both.",
        ),
        (["D1", "D9", "--set", "full_mm=250"], "No device D9 is enrolled."),
        (
            ["24e124136b012345", "--set", "full_mm=250"],
            "The device 24e124136b012345 came over LoRaWAN: it is configured by its network server.",
        ),
    ],
)
def test_what_cannot_be_is_said_and_nothing_changes(
    enrolled: MigratedDatabase, words: list[str], sentence: str
) -> None:
    assert failure(enrolled, "configuration", "change", *words) == sentence
    assert ingest(enrolled, "configuration", "list") == ""


def test_unknown_setting_names_those_that_there_are(enrolled: MigratedDatabase) -> None:
    for option in ("--set=mqtt_host=1", "--unset=mqtt_host"):
        sentence = failure(enrolled, "configuration", "change", "D1", option)
        assert sentence.startswith("There is no setting 'mqtt_host'; these are: measure_interval_s, report_interval_s,")


def test_retired_device_is_not_configured(enrolled: MigratedDatabase) -> None:
    ingest(enrolled, "configuration", "change", "D1", "--set", "full_mm=250")
    ingest(enrolled, "devices", "retire", "D1")

    assert failure(enrolled, "configuration", "change", "D1", "--unset", "full_mm") == "The device D1 is retired."
    assert ingest(enrolled, "configuration", "list") == ""


def test_two_that_change_at_once_make_two_versions(enrolled: MigratedDatabase) -> None:
    def change(name: str, value: int, connection: psycopg.Connection) -> None:
        configure(connection, ["D1"], {name: value}, now=datetime.now(UTC), actor="somebody")

    def second() -> None:
        with psycopg.connect(enrolled.conninfo) as other:
            change("sample_count", 9, other)

    thread = threading.Thread(target=second)
    with psycopg.connect(enrolled.conninfo) as connection:
        change("full_mm", 250, connection)
        thread.start()
        waiting = (
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        until(lambda: rows(enrolled, waiting) == [(1,)], "the second waits")
    thread.join()

    assert listed(enrolled) == [["D1", "2", "full_mm=250 sample_count=9", "", ""]]
