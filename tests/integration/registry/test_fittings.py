"""Devices in bins: moved, taken out, calibrated, several at once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ingest.registry.errors import RegistryError
from ingest.registry.fittings import Fit, fit
from ingest.registry.removals import unfit
from tests.conftest import MigratedDatabase, conninfo
from tests.integration.registry.commands import failure, ingest, rows, save

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def fitted(database: MigratedDatabase, authority: Path, tmp_path: Path) -> MigratedDatabase:
    """The device D1 sits in the bin B1 since nine days; B2 and D2 are free."""
    bins = "ref,name,lat,lon\nB1,First,55.95,-3.19\nB2,Second,55.96,-3.2\n"
    ingest(database, "bins", "import", save(tmp_path, "bins.csv", bins))
    ingest(database, "devices", "enrol", "D1", "D2", "--out", str(tmp_path), "--certificates", str(authority))
    with psycopg.connect(conninfo(database.ingest_env)) as connection:
        fit(connection, [Fit("D1", "B1", 1200, 150, NOW - 9 * DAY)], now=NOW, actor="test")
        connection.execute("delete from assess_queue")
    return database


def measure(database: MigratedDatabase, device: str, at: datetime, distance_mm: int) -> None:
    with psycopg.connect(conninfo(database.ingest_env)) as connection:
        connection.execute(
            "insert into readings (device_id, epoch, seq, measured_at, distance_mm)"
            " select id, 1, %s, %s, %s from devices where ref = %s",
            (int(at.timestamp()), at, distance_mm, device),
        )


def test_unfit_ends_the_fitting_then(fitted: MigratedDatabase) -> None:
    at = NOW - 2 * DAY

    said = ingest(fitted, "devices", "unfit", "D1", "--at", at.isoformat())

    assert said == "D1 left B1.\n"
    assert rows(fitted, "select removed_at from fittings") == [(at,)]
    assert rows(fitted, "select from_measured_at from assess_queue") == [(at,)]
    assert rows(fitted, "select before ->> 'bin', after -> 'bin' from audit_log where action = 'device.unfit'") == [
        ("B1", None)
    ]
    assert failure(fitted, "devices", "unfit", "D1") == "D1 sits in no bin."
    assert ingest(fitted, "devices", "fit", "D1", "B2", "--empty-mm", "1000").startswith("1 fitted")


@pytest.mark.parametrize(("at", "reason"), [(NOW - 10 * DAY, "was put into B1 later"), (NOW + DAY, "in the future")])
def test_unfit_refuses_impossible_times(fitted: MigratedDatabase, at: datetime, reason: str) -> None:
    with (
        psycopg.connect(conninfo(fitted.ingest_env)) as connection,
        pytest.raises(RegistryError, match=reason),
    ):
        unfit(connection, "D1", at=at, now=NOW, actor="test")


def test_calibrate_corrects_the_whole_fitting(fitted: MigratedDatabase) -> None:
    said = ingest(fitted, "devices", "calibrate", "D1", "--empty-mm", "1100")

    assert said == "D1 in B1: empty at 1100 mm, full at 150 mm.\n"
    assert rows(fitted, "select empty_mm, full_mm, removed_at from fittings") == [(1100, 150, None)]
    assert rows(fitted, "select from_measured_at from assess_queue") == [(NOW - 9 * DAY,)]
    assert rows(fitted, "select before, after from audit_log where action = 'device.calibrate'") == [
        ({"empty_mm": 1200}, {"empty_mm": 1100})
    ]
    assert "must be less than the empty one" in failure(fitted, "devices", "calibrate", "D1", "--full-mm", "1100")
    assert failure(fitted, "devices", "calibrate", "D2", "--full-mm", "1") == "D2 sits in no bin."


def test_readings_follow_the_fitting_that_held_when_they_were_measured(fitted: MigratedDatabase) -> None:
    with psycopg.connect(conninfo(fitted.ingest_env)) as connection:
        moves = [
            Fit("D1", "B1", 1000, 100, NOW - 5 * DAY),
            Fit("D1", "B2", 900, 50, NOW - 3 * DAY),
            Fit("D2", "B2", 800, 80, NOW - 4 * DAY),
        ]
        assert fit(connection, moves, now=NOW, actor="test").fitted == 3
        unfit(connection, "D1", at=NOW - DAY, now=NOW, actor="test")
    # Delivered late and out of order: what counts is when it was measured.
    for days in (0.5, 8, 2, 4, 10):
        measure(fitted, "D1", NOW - days * DAY, int(days * 10))
    measure(fitted, "D2", NOW - 2 * DAY, 21)

    found = rows(
        fitted,
        "select bins.ref, device, distance_mm, empty_mm, full_mm from bin_readings join bins on bins.id = bin_id"
        " order by measured_at, device",
    )

    assert found == [
        ("B1", "D1", 80, 1200, 150),
        ("B1", "D1", 40, 1000, 100),
        ("B2", "D1", 20, 900, 50),
        ("B2", "D2", 21, 800, 80),
    ]
