"""The registry's commands against the real database, with the rights that the ingester's role has."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ingest.registry.fittings import Fit, fit
from simulator.stack.database import Database
from simulator.stack.given import GivenDatabase
from tests.conftest import TESTS, MigratedDatabase, conninfo, empty_database
from tests.integration.registry.commands import failure, ingest, rows, save

EDINBURGH = TESTS.parents[1] / "shared" / "data" / "edinburgh" / "litter_bins.csv"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
BINS = "ref,name,latitude,longitude\nB1,First,55.95,-3.19\nB2,Second,55.96,-3.2\n"


@pytest.fixture
def fitted(database: MigratedDatabase, authority: Path, tmp_path: Path) -> MigratedDatabase:
    """Two bins and the enrolled device D1, fitted nowhere."""
    ingest(database, "bins", "import", save(tmp_path, "bins.csv", BINS))
    ingest(database, "devices", "enrol", "D1", "--out", str(tmp_path / "out"), "--certificates", str(authority))
    return database


@pytest.mark.skipif(not EDINBURGH.exists(), reason="Edinburgh's file of bins is not beside this checkout.")
def test_import_of_edinburghs_file_as_published(database: MigratedDatabase, tmp_path: Path) -> None:
    refused = (
        "Refused line 2060 (Seafield Street): longitude -7.55716, latitude 49.76682 is outside the council's area."
    )

    would = ingest(database, "bins", "import", str(EDINBURGH), "--dry-run")
    assert would.startswith("Nothing was changed. It would be 3217 added")
    assert rows(database, "select count(*) from bins") == [(0,)]

    first = ingest(database, "bins", "import", str(EDINBURGH))
    second = ingest(database, "bins", "import", str(EDINBURGH))
    ingest(database, "bins", "export", str(tmp_path / "export.csv"))
    back = ingest(database, "bins", "import", str(tmp_path / "export.csv"))

    assert first.splitlines() == ["3217 added, 0 changed, 0 unchanged, 1 refused.", refused]
    assert second.splitlines() == ["0 added, 0 changed, 3217 unchanged, 1 refused.", refused]
    assert back.splitlines() == ["0 added, 0 changed, 3217 unchanged, 0 refused."]
    assert rows(database, "select count(*), count(distinct subject) from audit_log") == [(3217, 3217)]


def test_import_changes_only_what_the_file_says(database: MigratedDatabase, tmp_path: Path) -> None:
    full = (
        "ref,name,location,depot,stream,model,capacity_l,longitude,latitude,position_source,position_licence,threshold,"
        "max_age_days,service_time_s,out_of_service_until\r\n"
        "B1,'=First,Gate,north,glass,Topsy,110.1,-3.19,55.95,survey,OGL v3,0.7,3.3,90,2027-01-01T00:00:00+00:00\r\n"
    )
    ingest(database, "bins", "import", save(tmp_path, "bins.csv", full))

    said = ingest(database, "bins", "import", save(tmp_path, "bins.csv", "ref,name,lat,lon\nB1,Premier,55.95,-3.19\n"))

    assert said == "0 added, 1 changed, 0 unchanged, 0 refused.\n"
    exported = next(csv.DictReader(io.StringIO(ingest(database, "bins", "export"))))
    assert exported["name"] == "Premier"
    assert [exported[name] for name in ("depot", "stream", "capacity_l", "threshold", "max_age_days")] == [
        "north",
        "glass",
        "110.1",
        "0.7",
        "3.3",
    ]
    assert rows(database, "select before, after from audit_log where action = 'bin.change'") == [
        ({"name": "=First"}, {"name": "Premier"})
    ]


def test_export_survives_the_round_trip(database: MigratedDatabase, tmp_path: Path) -> None:
    ingest(database, "bins", "import", save(tmp_path, "bins.csv", BINS.replace("First", '"\'=cmd, ""x"""')))
    text = ingest(database, "bins", "export")

    said = ingest(database, "bins", "import", save(tmp_path, "export.csv", text))

    assert said == "0 added, 0 changed, 2 unchanged, 0 refused.\n"
    assert rows(database, "select name from bins where ref = 'B1'") == [('=cmd, "x"',)]


def test_failure_is_one_sentence_and_exit_code_1(database: MigratedDatabase) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "bins", "import", "missing.csv"],
        env={**os.environ, **database.ingest_env},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Cannot read missing.csv: No such file or directory.\n"


def test_import_with_nothing_usable_fails(database: MigratedDatabase, tmp_path: Path) -> None:
    file = save(tmp_path, "bins.csv", "name,lat,lon\nA,0,0\n")

    assert failure(database, "bins", "import", file) == f"{file} has no bin that can be imported."


def test_command_says_when_the_database_is_away(database: MigratedDatabase) -> None:
    nowhere = MigratedDatabase(database.name, {}, {**database.ingest_env, "PGHOST": "127.0.0.1", "PGPORT": "1"}, {})

    assert failure(nowhere, "bins", "list").startswith("The database does not answer")


@pytest.mark.parametrize("command", [("bins", "list"), ("rejects", "list"), ("rejects", "replay")])
def test_command_names_a_database_server_that_cannot_be_found(
    database: MigratedDatabase, command: tuple[str, ...]
) -> None:
    nowhere = MigratedDatabase(database.name, {}, {**database.ingest_env, "PGHOST": "no host"}, {})

    assert "failed to resolve host 'no host'" in failure(nowhere, *command)


@pytest.mark.parametrize("command", [("bins", "list"), ("rejects", "list"), ("rejects", "replay")])
def test_command_says_when_the_database_was_not_migrated(
    server: Database | GivenDatabase, database: MigratedDatabase, command: tuple[str, ...]
) -> None:
    with empty_database(server) as env:
        empty = MigratedDatabase(database.name, {}, env, {})

        assert failure(empty, *command) == (
            "The database lacks tables of this version: run `python -m ingest migrate` first."
        )


def test_enrol_makes_a_bundle_and_keeps_it(fitted: MigratedDatabase, authority: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "out" / "D1"
    arguments = ("devices", "enrol", "--out", str(tmp_path / "out"), "--certificates", str(authority))
    key = (bundle / "device.key.der").read_bytes()

    again = ingest(fitted, *arguments, "--from", save(tmp_path, "devices.csv", "device\nD1\nD2\n"))

    assert again == "1 enrolled, 0 renewed, 1 unchanged.\n"
    assert (bundle / "device.key.der").read_bytes() == key
    assert json.loads((bundle / "config.json").read_text()) == {
        "device": "D1",
        "mqtt_host": "localhost",
        "mqtt_port": 8883,
    }


def test_enrol_without_its_bundle_renews(fitted: MigratedDatabase, authority: Path, tmp_path: Path) -> None:
    [(before,)] = rows(fitted, "select certificate_serial from devices")

    said = ingest(
        fitted, "devices", "enrol", "D1", "--out", str(tmp_path / "elsewhere"), "--certificates", str(authority)
    )

    assert said == "0 enrolled, 1 renewed, 0 unchanged.\n"
    assert rows(fitted, "select certificate_serial from devices") != [(before,)]
    assert rows(fitted, "select action, subject from audit_log where action like 'device%' order by id") == [
        ("device.enrol", "D1"),
        ("device.renew", "D1"),
    ]


@pytest.mark.parametrize("ref", ["brimwatch-readings", "a/b", "+", "-x", "x" * 65])
def test_enrol_refuses_names(database: MigratedDatabase, authority: Path, tmp_path: Path, ref: str) -> None:
    sentence = failure(
        database, "devices", "enrol", "--out", str(tmp_path), "--certificates", str(authority), "--", ref
    )

    assert "cannot name a device" in sentence


def test_fit_moves_a_device_and_queues_it(fitted: MigratedDatabase) -> None:
    with psycopg.connect(conninfo(fitted.ingest_env)) as connection:
        fits = [Fit("D1", "B1", 1200, 150, NOW - 9 * DAY), Fit("D1", "B2", 1000, 150, NOW - 2 * DAY)]

        first = fit(connection, fits, now=NOW, actor="test")
        second = fit(connection, fits, now=NOW, actor="test")

        assert (first.fitted, first.unchanged, first.refused) == (2, 0, [])
        assert (second.fitted, second.unchanged, second.refused) == (0, 2, [])
    assert rows(
        fitted, "select bins.ref, fitted_at, fittings.removed_at from fittings join bins on bins.id = bin_id order by 2"
    ) == [("B1", NOW - 9 * DAY, NOW - 2 * DAY), ("B2", NOW - 2 * DAY, None)]
    assert rows(fitted, "select from_measured_at from assess_queue") == [(NOW - 9 * DAY,)]


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Fit("D9", "B1", 1200, 150), "No device D9 is enrolled."),
        (Fit("D1", "B9", 1200, 150), "There is no bin B9."),
        (Fit("D1", "B1", 150, 150), "must be less than the empty one"),
        (Fit("D1", "B1", 20, 10), "must be 50 to 10,000 mm"),
        (Fit("D1", "B1", 1200, 150, NOW + DAY), "is in the future"),
        (Fit("D1", "B2", 1200, 150, NOW - 4 * DAY), "would overlap"),
    ],
)
def test_fit_refuses(fitted: MigratedDatabase, wanted: Fit, reason: str) -> None:
    with psycopg.connect(conninfo(fitted.ingest_env)) as connection:
        fit(connection, [Fit("D1", "B1", 1200, 150, NOW - 3 * DAY)], now=NOW, actor="test")

        result = fit(connection, [wanted], now=NOW, actor="test")

        assert result.fitted == 0
        assert reason in result.refused[0].reason


def test_fit_corrects_the_distances(fitted: MigratedDatabase) -> None:
    with psycopg.connect(conninfo(fitted.ingest_env)) as connection:
        at = NOW - 3 * DAY
        fit(connection, [Fit("D1", "B1", 1200, 150, at)], now=NOW, actor="test")

        fit(connection, [Fit("D1", "B1", 1100, 100, at)], now=NOW, actor="test")

    assert rows(fitted, "select fitted_at, removed_at, empty_mm, full_mm from fittings") == [(at, None, 1100, 100)]


def test_fit_from_a_file_lists_what_it_refuses(fitted: MigratedDatabase, tmp_path: Path) -> None:
    text = "device,bin,empty_mm,full_mm,fitted_at\nD1,B1,1200,150,2026-03-01T07:00\nD1,B9,1,1,\nD1,B1,x,1,\n,B1,9,1,\n"

    said = ingest(fitted, "devices", "fit", "--from", save(tmp_path, "fits.csv", text))

    assert said.splitlines() == [
        "1 fitted, 0 unchanged, 3 refused.",
        "Refused line 3: There is no bin B9.",
        "Refused line 4: empty_mm 'x' is not a whole number of millimetres.",
        "Refused line 5: it has no device.",
    ]


def test_retired_device_leaves_its_bin_and_may_come_back(
    fitted: MigratedDatabase, authority: Path, tmp_path: Path
) -> None:
    ingest(fitted, "devices", "fit", "D1", "B1", "--empty-mm", "1200")

    ingest(fitted, "devices", "retire", "D1")

    assert rows(fitted, "select count(*) from device_status") == [(0,)]
    assert rows(fitted, "select removed_at is null from fittings") == [(False,)]
    changed = "select action, before ->> 'bin' from audit_log where subject = 'D1' order by id desc limit 2"
    assert rows(fitted, changed) == [("device.unfit", "B1"), ("device.retire", None)]
    assert failure(fitted, "devices", "fit", "D1", "B2", "--empty-mm", "1200") == "No device D1 is enrolled."
    ingest(fitted, "devices", "enrol", "D1", "--out", str(tmp_path / "out"), "--certificates", str(authority))
    assert ingest(fitted, "devices", "list").splitlines()[1].startswith("D1\t\t")
