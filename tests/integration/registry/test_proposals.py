"""The commands `calibration`: what is proposed, accepted and dismissed, and who said so."""

from pathlib import Path

import psycopg
import pytest

from tests.conftest import MigratedDatabase
from tests.integration.registry.commands import failure, ingest, rows, save

REASON = "The sensor sees 1,310 mm in the emptied bin, not 1,200 mm (20 emptyings, 1,302 to 1,318 mm)."


@pytest.fixture
def proposed(database: MigratedDatabase, authority: Path, tmp_path: Path) -> MigratedDatabase:
    """The devices D1 and D2 sit in the bins B1 and B2; another calibration is proposed for D1."""
    bins = "ref,name,lat,lon\nB1,First,55.95,-3.19\nB2,Second,55.96,-3.2\n"
    fits = "device,bin,empty_mm,full_mm,fitted_at\nD1,B1,1200,150,2026-01-05T08:00Z\nD2,B2,1200,150,2026-01-05T08:00Z\n"
    ingest(database, "bins", "import", save(tmp_path, "bins.csv", bins))
    ingest(database, "devices", "enrol", "D1", "D2", "--out", str(tmp_path), "--certificates", str(authority))
    ingest(database, "devices", "fit", "--from", save(tmp_path, "fits.csv", fits))
    with psycopg.connect(database.conninfo) as connection:
        connection.execute("delete from assess_queue")
        connection.execute(
            "insert into calibration_checks (fitting_id, checked_at, known_empty_mm, known_full_mm, empty_mm, full_mm,"
            " empty_low_mm, empty_high_mm, emptyings, sureness, reason)"
            " select fittings.id, now(), 1200, 150, 1310, 260, 1302, 1318, 20, 0.89, %s"
            " from fittings join devices on devices.id = device_id where ref = 'D1'",
            (REASON,),
        )
    return database


def test_accept_corrects_the_fitting_as_calibrate_does(proposed: MigratedDatabase) -> None:
    assert ingest(proposed, "calibration", "list").splitlines() == [
        "device\tbin\tname\tknown_empty_mm\tempty_mm\tfull_mm\temptyings\tsureness\treason",
        f"D1\tB1\tFirst\t1200\t1310\t260\t20\t0.89\t{REASON}",
    ]

    said = ingest(proposed, "calibration", "accept", "D1")

    assert said == "D1 in B1: empty at 1310 mm, full at 260 mm.\n"
    assert ingest(proposed, "calibration", "list") == ""
    assert rows(proposed, "select empty_mm, full_mm, removed_at from fittings order by device_id") == [
        (1310, 260, None),
        (1200, 150, None),
    ]
    assert rows(proposed, "select from_measured_at::text from assess_queue") == [("2026-01-05 08:00:00+00",)]
    assert rows(
        proposed, "select subject, before, after from audit_log where action = 'device.calibrate' and actor <> ''"
    ) == [("D1", {"empty_mm": 1200, "full_mm": 150}, {"empty_mm": 1310, "full_mm": 260})]
    assert failure(proposed, "calibration", "accept", "D1") == "No other calibration is proposed for D1."


def test_accept_from_a_moment_on_begins_anew(proposed: MigratedDatabase) -> None:
    too_early = failure(proposed, "calibration", "accept", "D1", "--at", "2025-12-01T00:00Z")
    assert too_early.startswith("D1 sat in B1 from 2026-01-05 08:00")

    ingest(proposed, "calibration", "accept", "D1", "--at", "2026-03-01T07:00Z")

    query = "select empty_mm, removed_at::text from fittings where bin_id = 1 order by fitted_at"
    assert rows(proposed, query) == [(1200, "2026-03-01 07:00:00+00"), (1310, None)]
    assert rows(proposed, "select from_measured_at::text from assess_queue") == [("2026-03-01 07:00:00+00",)]
    assert ingest(proposed, "calibration", "list") == ""


def test_dismiss_takes_it_back(proposed: MigratedDatabase) -> None:
    said = ingest(proposed, "calibration", "dismiss", "D1")

    assert said == "D1 stays as it is; 1310 mm is not proposed again.\n"
    assert ingest(proposed, "calibration", "list") == ""
    assert rows(proposed, "select distinct empty_mm from fittings") == [(1200,)]
    assert rows(proposed, "select subject, before, after from audit_log where action = 'calibration.dismiss'") == [
        ("D1", {"empty_mm": 1200}, {"dismissed_empty_mm": 1310})
    ]
    assert failure(proposed, "calibration", "dismiss", "D1") == "No other calibration is proposed for D1."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("accept", "D2"), "No other calibration is proposed for D2."),
        (("dismiss", "D9"), "No device D9 is enrolled."),
        (("accept", "B1"), "B1 is a bin; name its sensor: D1."),
        (("accept", "D1", "--at", "soon"), "--at 'soon' is not a date or time such as 2026-03-01"),
        (("accept", "D1", "--at", "2226-01-01"), "2226-01-01 00:00 GMT is in the future."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    proposed: MigratedDatabase, arguments: tuple[str, ...], sentence: str
) -> None:
    assert failure(proposed, "calibration", *arguments).startswith(sentence)
    assert rows(proposed, "select distinct empty_mm from fittings") == [(1200,)]
