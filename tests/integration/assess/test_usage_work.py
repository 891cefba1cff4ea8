"""The use of bins, from readings in the database to rows: whatever the order in which the readings come."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest

from ingest.assess.decisions.calendar import Calendar
from ingest.assess.store.usage_work import queue_usage, revise_queued, week_profiles
from ingest.assess.store.work import Assessor
from tests.conftest import MigratedDatabase, conninfo
from tests.integration.assess.town import HOUR, NOW, add_bins, hourly, query, store

LONDON = ZoneInfo("Europe/London")
ROWS = "select day, litres, observed_h, spread_h, full_h, day_litres from usage_days where bin_id = {} order by day"


@pytest.fixture
def writer(database: MigratedDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo(database.ingest_env), autocommit=True) as connection:
        yield connection


def three_a_week(days: int) -> list[tuple[datetime, float]]:
    """Hourly levels of a bin that fills in three days, by day only, and is emptied then."""
    readings, level = [], 0.05
    for at, _ in hourly([0.0] * (24 * days)):
        level += 0.022 if 8 < at.astimezone(LONDON).hour <= 20 else 0.0
        level = 0.05 if level > 0.85 else level
        readings.append((at, level))
    return readings


def work(connection: psycopg.Connection) -> int:
    """Do what the runner does: states and emptyings first, then use."""
    assessor = Assessor(connection, Calendar(LONDON))
    while assessor.take_queue(NOW):
        pass
    return revise_queued(connection, LONDON, datetime.now(UTC) + timedelta(minutes=2))


def test_late_readings_give_the_same_rows_as_in_order(database: MigratedDatabase, writer: psycopg.Connection) -> None:
    add_bins(database, 2)
    readings = three_a_week(20)
    missing = set(random.Random(3).sample(range(48, len(readings)), 60))  # noqa: S311 - a town, not a secret
    store(database, readings, "D1")
    store(database, [one for place, one in enumerate(readings) if place not in missing], "D2")
    work(writer)
    before = query(database, ROWS.format(2))

    late = [readings[place] for place in sorted(missing)]
    store(database, late, "D2")
    done = work(writer)

    assert done == 1
    assert before != query(database, ROWS.format(1))
    assert query(database, ROWS.format(2)) == query(database, ROWS.format(1))
    assert query(database, "select count(*) from usage_queue") == [(0,)]


def test_news_of_today_write_today_only(database: MigratedDatabase, writer: psycopg.Connection) -> None:
    add_bins(database)
    readings = three_a_week(20)
    store(database, readings[:-1])
    work(writer)
    versions = dict(query(database, "select day, xmin::text from usage_days"))

    store(database, readings[-1:])
    work(writer)

    after = dict(query(database, "select day, xmin::text from usage_days"))
    assert len(after) >= 20
    assert [day for day in after if after[day] != versions.get(day)] == [max(after)]


def test_bin_waits_until_its_sensor_has_said_all(database: MigratedDatabase, writer: psycopg.Connection) -> None:
    add_bins(database)
    store(database, hourly([0.1, 0.2, 0.3]))
    queue_usage(writer, {1: NOW})
    queue_usage(writer, {1: NOW - 2 * HOUR})

    assert query(database, "select bin_id, from_measured_at from usage_queue") == [(1, NOW - 2 * HOUR)]
    assert revise_queued(writer, LONDON, datetime.now(UTC)) == 0
    assert revise_queued(writer, LONDON, datetime.now(UTC) + timedelta(minutes=2)) == 1
    assert sum(row[0] for row in query(database, "select day_litres from usage_days")) == pytest.approx(24.0)  # type: ignore[misc]


def test_shape_of_the_week_is_learnt_from_the_rows(database: MigratedDatabase, writer: psycopg.Connection) -> None:
    add_bins(database)
    readings = three_a_week(20)
    store(database, readings)
    work(writer)

    profiles = week_profiles(writer, NOW.astimezone(LONDON).date() + timedelta(days=1))

    by_hour = profiles["general"].reshape(7, 24).mean(axis=0)
    assert np.mean(profiles["general"]) == pytest.approx(1.0)
    assert by_hour[8:20].min() > 1.2 * by_hour[[0, 1, 2, 3, 4, 5, 6, 22, 23]].max()
