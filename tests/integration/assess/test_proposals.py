"""Calibrations that readings propose, from readings in the database to what people see."""

import random
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from ingest.assess.store.proposals import AT_ONCE, REST, ProposalKeeper, check_calibrations
from ingest.registry.fittings import Fit, fit
from ingest.registry.proposals import accept, dismiss
from tests.conftest import MigratedDatabase, conninfo, run_module
from tests.integration.assess.town import NOW, add_bins, hourly, query, store

DAY = timedelta(days=1)
PROPOSED = "select device, empty_mm, full_mm from bin_proposals order by device"


@pytest.fixture
def writer(database: MigratedDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo(database.ingest_env), autocommit=True) as connection:
        yield connection


def emptied_daily(days: int, bottom_mm: int = 1310) -> list[float]:
    """Hourly levels of a bin 1200 mm deep that is emptied each day, and whose sensor sees its bottom elsewhere."""
    chance = random.Random(days)  # noqa: S311 - a town, not a secret
    below = (1200 - bottom_mm) / 1000
    return [below + hour * 0.025 + chance.uniform(-0.006, 0.006) for _ in range(days) for hour in range(24)]


def test_runner_proposes_what_the_sensor_sees_and_changes_nothing(database: MigratedDatabase) -> None:
    add_bins(database, 3)
    store(database, hourly(emptied_daily(12)))
    store(database, hourly(emptied_daily(12, bottom_mm=1200)), "D2")

    run_module("ingest", "assess", "--once", env=database.ingest_env)

    assert query(database, "select count(*) from calibration_checks") == [(3,)]
    [(device, bin_ref, empty_mm, full_mm, emptyings, reason)] = query(
        database, "select device, bin, empty_mm, full_mm, emptyings, reason from bin_proposals"
    )
    assert (device, bin_ref, emptyings) == ("D1", "B1", 11)
    assert empty_mm == pytest.approx(1310, abs=12)
    assert full_mm == empty_mm - 1000  # type: ignore[operator]
    assert str(reason).startswith(f"The sensor sees {empty_mm:,} mm in the emptied bin, not 1,200 mm (11 emptyings, ")
    assert query(database, "select distinct empty_mm, full_mm from fittings") == [(1200, 200)]


def test_fittings_take_turns_and_each_waits_a_day(database: MigratedDatabase, writer: psycopg.Connection) -> None:
    keeper = ProposalKeeper(writer)
    assert keeper.check(NOW - REST) == 0
    add_bins(database, AT_ONCE + 3)

    assert [keeper.check(NOW) for _ in range(4)] == [AT_ONCE, 3, 0, 0]
    assert keeper.check(NOW + DAY / 2) == 0
    assert keeper.check(NOW + DAY) == AT_ONCE
    assert query(database, PROPOSED) == []


def test_proposal_goes_with_what_it_was_about(database: MigratedDatabase, writer: psycopg.Connection) -> None:
    add_bins(database)
    store(database, hourly(emptied_daily(12)))
    check_calibrations(writer, NOW)
    assert len(query(database, PROPOSED)) == 1

    with writer.transaction():
        fit(writer, [Fit("D1", "B1", 1300, 300, NOW - 30 * DAY)], now=NOW, actor="test")
    assert query(database, PROPOSED) == []

    # What differs a little less than a proposal needs is none the next day either.
    check_calibrations(writer, NOW + DAY)
    assert query(database, PROPOSED) == []


def test_accepted_from_a_moment_on_leaves_the_past_as_it_was(
    database: MigratedDatabase, writer: psycopg.Connection
) -> None:
    add_bins(database)
    store(database, hourly(emptied_daily(12)))
    check_calibrations(writer, NOW)

    with writer.transaction():
        accept(writer, "D1", at=NOW - 2 * DAY, now=NOW, actor="test")
    check_calibrations(writer, NOW + DAY)

    fittings = query(database, "select empty_mm, removed_at from fittings order by fitted_at")
    assert fittings[0] == (1200, NOW - 2 * DAY)
    assert fittings[1][0] == pytest.approx(1310, abs=12)
    # The readings of the fitting before say nothing of this one.
    assert query(database, PROPOSED) == []


def test_dismissed_distance_is_not_proposed_again_but_another_is(
    database: MigratedDatabase, writer: psycopg.Connection
) -> None:
    add_bins(database)
    store(database, hourly(emptied_daily(12), until=NOW - 10 * DAY))
    check_calibrations(writer, NOW - 10 * DAY)
    with writer.transaction():
        dismissed_mm = dismiss(writer, "D1", actor="test")
    check_calibrations(writer, NOW - 9 * DAY)
    assert query(database, PROPOSED) == []

    store(database, hourly(emptied_daily(9, bottom_mm=1400)))
    check_calibrations(writer, NOW)
    assert query(database, PROPOSED) == []

    # Only once most of the newest emptyings show it.
    store(database, hourly(emptied_daily(14, bottom_mm=1400), until=NOW + 14 * DAY))
    check_calibrations(writer, NOW + 14 * DAY)
    [(_, empty_mm, _)] = query(database, PROPOSED)
    assert dismissed_mm == pytest.approx(1310, abs=12)
    assert empty_mm == pytest.approx(1400, abs=12)


def test_proposal_that_somebody_answered_waits_for_the_answer_to_be_carried_out(
    database: MigratedDatabase, writer: psycopg.Connection
) -> None:
    add_bins(database)
    store(database, hourly(emptied_daily(12)))
    check_calibrations(writer, NOW)
    before = query(database, PROPOSED)
    writer.execute("update calibration_checks set answer = 'accept', answered_by = 'anna'")

    store(database, hourly(emptied_daily(20, bottom_mm=1400), until=NOW + 20 * DAY))

    assert check_calibrations(writer, NOW + 20 * DAY) == 0
    assert query(database, PROPOSED) == before


def test_each_sensor_of_a_bin_is_asked_alone(database: MigratedDatabase, writer: psycopg.Connection) -> None:
    add_bins(database, 2)
    with writer.transaction():
        fit(writer, [Fit("D2", "B1", 1200, 200, NOW - 20 * DAY)], now=NOW, actor="test")
    store(database, hourly(emptied_daily(12, bottom_mm=1200)))
    store(database, hourly(emptied_daily(12)), "D2")

    check_calibrations(writer, NOW)

    assert [row[0] for row in query(database, PROPOSED)] == ["D2"]
    [(proposals,)] = query(database, "select proposals from bin_status where ref = 'B1'")
    assert [one["device"] for one in proposals] == ["D2"]  # type: ignore[attr-defined]
