"""The assessor against the real database, with the rights that the ingester's role has."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from ingest.assess.decisions.calendar import Calendar
from ingest.assess.store.runner import ASSESS_LOCK, run
from ingest.assess.store.work import Assessor
from ingest.errors import IngestError
from tests.conftest import MigratedDatabase, conninfo
from tests.integration.assess.town import HOUR, NOW, add_bins, hourly, query, store

STATE = "select fill_level, sensor, reason, due_class, last_emptied_at from bin_state"
# Three cycles of filling and emptying.
LEVELS = [level / 100 for _ in range(3) for level in (5, 15, 30, 45, 60, 75, 88, 93)] + [0.05, 0.07]


@pytest.fixture
def connection(database: MigratedDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo(database.ingest_env), autocommit=True) as opened:
        yield opened


@pytest.fixture
def assessor(connection: psycopg.Connection) -> Assessor:
    return Assessor(connection, Calendar(ZoneInfo("Europe/London")))


def drain(assessor: Assessor) -> None:
    while assessor.take_queue(NOW):
        pass


def test_readings_become_state_and_emptyings(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database)
    store(database, hourly(LEVELS))

    drain(assessor)

    assert query(database, "select fill_level, sensor, last_emptied_at from bin_state") == [
        (pytest.approx(0.07), "ok", NOW - HOUR)
    ]
    assert query(database, "select not_before, emptied_at, source from emptyings order by 2") == [
        (NOW - 18 * HOUR, NOW - 17 * HOUR, "sensor"),
        (NOW - 10 * HOUR, NOW - 9 * HOUR, "sensor"),
        (NOW - 2 * HOUR, NOW - HOUR, "sensor"),
    ]
    assert query(database, "select count(*) from assess_queue") == [(0,)]


def test_no_statement_is_planned_without_knowing_its_bins(
    database: MigratedDatabase, connection: psycopg.Connection, assessor: Assessor
) -> None:
    add_bins(database)
    readings = hourly(LEVELS)

    # After five times psycopg prepares a statement, after five more PostgreSQL may plan it for any list of bins.
    for reading in readings[:15]:
        store(database, [reading])
        drain(assessor)

    blind = "select statement from pg_prepared_statements where generic_plans > 0"
    assert connection.execute(blind).fetchall() == []


@pytest.mark.parametrize("seed", range(4))
def test_history_in_any_order_gives_the_same_result(database: MigratedDatabase, assessor: Assessor, seed: int) -> None:
    add_bins(database, 2)
    readings = hourly(LEVELS)
    store(database, readings, "D1")
    parts = list(readings)
    random.Random(seed).shuffle(parts)  # noqa: S311 - the same order each time

    while parts:
        store(database, [parts.pop() for _ in range(min(4, len(parts)))], "D2")
        drain(assessor)

    assert len(query(database, STATE)) == 2
    assert len({row[:4] for row in query(database, STATE)}) == 1
    emptyings = (
        "select emptied_at, not_before, fill_before, fill_after, confidence"
        " from bin_emptyings where ref = '{}' order by emptied_at"
    )
    assert query(database, emptyings.format("B1")) == query(database, emptyings.format("B2")) != []


def test_late_reading_revises_an_emptying(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database)
    readings = hourly(LEVELS)
    late = readings.pop(-3)
    store(database, readings)
    drain(assessor)
    before = query(database, "select max(not_before) from emptyings")

    store(database, [late])
    drain(assessor)

    assert before == [(NOW - 3 * HOUR,)]
    assert query(database, "select max(not_before), count(*) from emptyings") == [(NOW - 2 * HOUR, 3)]


def test_emptying_that_a_crew_reported_stays(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database)
    with psycopg.connect(database.conninfo) as connection:
        connection.execute(
            "insert into emptyings (bin_id, emptied_at, not_before, confidence, source)"
            " select id, %s, %s, 1, 'crew' from bins",
            (NOW - timedelta(days=8), NOW - timedelta(days=8)),
        )
    store(database, hourly([0.01, 0.01, 0.02]))

    drain(assessor)

    assert query(database, STATE)[0][2:] == ("AGE", "may_go", NOW - timedelta(days=8))


def test_reports_are_held_against_what_the_sensor_saw(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database)
    # Emptied 9 hours ago; nothing fell 4 hours ago, whatever they say.
    reports = {"crew": [9.5, 4, 3.5], "route_engine": [9.2, 4.2]}
    with psycopg.connect(database.conninfo) as connection:
        for source, hours in reports.items():
            for ago in hours:
                connection.execute(
                    "insert into emptyings (bin_id, emptied_at, not_before, confidence, source)"
                    " select id, %s, %s, 1, %s from bins",
                    (NOW - ago * HOUR, NOW - ago * HOUR, source),
                )
    store(database, hourly([0.3, 0.5, 0.8, 0.1, 0.3, 0.6, 0.82, 0.84, 0.85, 0.86, 0.87, 0.88, 0.89]))
    events = "select emptied_at, source, sources, outcome, confidence > 0.5 from bin_emptyings order by 1"

    drain(assessor)

    assert query(database, events) == [
        (NOW - 9 * HOUR, "sensor", ["crew", "route_engine", "sensor"], "confirmed", True),
        (NOW - 4.2 * HOUR, "route_engine", ["crew", "route_engine"], "contradicted", False),
    ]
    assert query(database, "select last_emptied_at, reason from bin_state") == [(NOW - 9 * HOUR, "FULLNESS")]
    [(explanation,)] = query(database, "select explanation from bin_state")
    assert "but its level did not fall" in str(explanation)


def test_report_that_comes_after_the_readings_is_judged_too(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database)
    store(database, hourly(LEVELS))
    drain(assessor)
    assessor.look_at_time(NOW)
    with psycopg.connect(database.conninfo) as connection:
        connection.execute(
            "insert into emptyings (bin_id, emptied_at, not_before, confidence, source)"
            " select id, %s, %s, 1, 'crew' from bins",
            (NOW - 5 * HOUR, NOW - 5 * HOUR),
        )

    assessor.look_at_time(NOW)

    assert query(database, "select outcome from emptyings where source = 'crew'") == [("contradicted",)]
    assert query(database, "select last_emptied_at from bin_state") == [(NOW - HOUR,)]


def test_readings_count_for_the_bin_that_the_device_sat_in(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database, 2)
    with psycopg.connect(database.conninfo) as connection:
        connection.execute("delete from fittings where device_id = (select id from devices where ref = 'D2')")
        connection.execute("update fittings set removed_at = %s", (NOW - 5 * HOUR,))
        connection.execute(
            "insert into fittings (device_id, bin_id, fitted_at, empty_mm, full_mm)"
            " select devices.id, bins.id, %s, 1200, 200 from devices, bins"
            " where devices.ref = 'D1' and bins.ref = 'B2'",
            (NOW - 5 * HOUR,),
        )
    store(database, hourly([0.9] * 5 + [0.2] * 6))

    drain(assessor)
    assessor.look_at_time(NOW)

    states = "select ref, fill_level, reason, sensor from bin_status order by ref"
    assert query(database, states) == [
        ("B1", None, "NOT_READY", "none"),
        ("B2", pytest.approx(0.2), "NOT_READY", "ok"),
    ]
    assert query(database, "select count(*) from emptyings") == [(0,)]


def test_reading_with_a_taken_identity_does_not_count(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database)
    store(database, hourly([0.3, 0.3]))
    with psycopg.connect(database.conninfo) as connection:
        connection.execute(
            "insert into readings (device_id, epoch, seq, measured_at, received_at, distance_mm)"
            " select device_id, epoch, seq, measured_at + interval '10 minutes', now() + interval '1 second', 250"
            " from readings"
        )

    drain(assessor)

    assert query(database, STATE)[0][:2] == (pytest.approx(0.3), "ok")


def test_time_alone_makes_a_sensor_stale(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database)
    store(database, hourly([0.3, 0.31]))
    drain(assessor)

    assessor.look_at_time(NOW + 5 * HOUR)
    assert query(database, "select sensor from bin_state") == [("ok",)]

    assessor.look_at_time(NOW + 7 * HOUR)
    assert query(database, STATE)[0][1:4] == ("silent", "STALE", "may_go")


def test_new_threshold_is_applied(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database)
    store(database, hourly([0.6, 0.62, 0.63]))
    drain(assessor)
    with psycopg.connect(database.conninfo) as connection:
        connection.execute("update bins set threshold = 0.6")

    assessor.look_at_time(NOW)

    assert query(database, STATE)[0][2] == "FULLNESS"


def test_imported_bins_get_a_state_and_flood_nobody(database: MigratedDatabase, assessor: Assessor) -> None:
    with psycopg.connect(database.conninfo) as connection:
        connection.execute("insert into bins (ref, name, longitude, latitude) values ('B1', 'First', -3.2, 55.9)")

    assert assessor.has_new_bins()
    assessor.look_at_time(NOW)

    assert not assessor.has_new_bins()
    assert query(database, STATE) == [(None, "none", "NOT_READY", None, None)]


def test_once_refuses_a_second_runner(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in database.ingest_env.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(database.conninfo, autocommit=True) as holder:
        holder.execute("select pg_advisory_lock(%s)", (ASSESS_LOCK,))

        with pytest.raises(IngestError, match="Another assess runner is at work"):
            run(once=True)


def test_two_sensors_in_one_bin_see_the_same_emptyings(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database, 2)
    with psycopg.connect(database.conninfo) as connection:
        connection.execute("update fittings set bin_id = (select id from bins where ref = 'B1')")
        connection.execute(
            "update fittings set empty_mm = 1300 where device_id = (select id from devices where ref = 'D2')"
        )
    store(database, hourly(LEVELS), "D1")
    store(database, hourly(LEVELS, until=NOW - timedelta(minutes=7)), "D2")

    drain(assessor)

    assert query(database, "select count(*) from bin_emptyings where ref = 'B1'") == [(3,)]
    # The second hangs 100 mm higher, so it finds the bin fuller.
    [(level, sensor)] = query(database, "select fill_level, sensor from bin_status where ref = 'B1'")
    assert (level, sensor) == (pytest.approx((1300 - 1130) / 1100, abs=0.01), "ok")


FORECAST = (
    "select threshold_at_p50, full_at_p10, full_at_p90, horizon_at, overflow_chance from bin_state order by bin_id"
)
KEPT = (
    "select bin_id, fill_level, reason, due_class, last_emptied_at from bin_state order by bin_id",
    "select * from emptyings order by bin_id, emptied_at",
    "select * from cycles order by bin_id, began_at",
)


def test_cycles_and_forecasts_are_kept(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database)
    store(database, hourly(LEVELS[:8] + LEVELS))

    drain(assessor)

    cycles = query(
        database,
        "select began_at, ended_at, after_emptying, level_last, round(passed_s[9] / 3600) from cycles order by 1",
    )
    assert cycles == [
        (NOW - 33 * HOUR, NOW - 26 * HOUR, False, pytest.approx(0.93), 5),
        (NOW - 25 * HOUR, NOW - 18 * HOUR, True, pytest.approx(0.93), 5),
        (NOW - 17 * HOUR, NOW - 10 * HOUR, True, pytest.approx(0.93), 5),
        (NOW - 9 * HOUR, NOW - 2 * HOUR, True, pytest.approx(0.93), 5),
    ]
    [(early, likely, late, full_at, horizon_at, chance)] = query(
        database,
        "select threshold_at_p10, threshold_at_p50, threshold_at_p90, full_at_p50, horizon_at, overflow_chance"
        " from bin_status",
    )
    assert NOW < early < likely < late  # type: ignore[operator]
    assert likely < full_at  # type: ignore[operator]
    # Until the end of tomorrow's round, and a day may have 23 hours.
    assert horizon_at > NOW + 23 * HOUR  # type: ignore[operator]
    assert chance > 0.5  # type: ignore[operator]


def test_restart_goes_on_where_it_was(database: MigratedDatabase, assessor: Assessor) -> None:
    """One assessor works all the time, one starts from what is stored, one from the readings alone."""
    add_bins(database, 2)
    levels = [min(1.0, hour % 60 / 55) for hour in range(240)]
    store(database, hourly(levels, until=NOW - 6 * HOUR), "D1")
    store(database, hourly(levels[25:], until=NOW - 6 * HOUR), "D2")
    drain(assessor)
    for device in ("D1", "D2"):
        store(database, hourly([0.9, 0.92, 0.02, 0.03, 0.05, 0.07]), device)
    queue = query(database, "select device_id, from_measured_at from assess_queue")
    drain(assessor)
    kept = [query(database, text) for text in KEPT]

    with psycopg.connect(conninfo(database.ingest_env), autocommit=True) as connection:
        connection.cursor().executemany("insert into assess_queue values (%s, %s)", queue)
        drain(Assessor(connection, Calendar(ZoneInfo("Europe/London"))))
        assert [query(database, text) for text in KEPT] == kept
        forecast = query(database, FORECAST)

        connection.execute("delete from emptyings")
        connection.execute("delete from cycles")
        connection.execute("delete from bin_state")
        connection.cursor().executemany("insert into assess_queue values (%s, %s)", queue)
        drain(Assessor(connection, Calendar(ZoneInfo("Europe/London"))))

    assert [query(database, text) for text in KEPT] == kept
    assert query(database, FORECAST) == forecast


def test_nothing_is_written_that_is_no_news(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database, 3)
    for device in ("D1", "D2", "D3"):
        store(database, hourly(LEVELS), device)
    drain(assessor)
    assessor.look_at_time(NOW)
    versions = "select xmin::text from {} order by 1"
    before = [query(database, versions.format(table)) for table in ("bin_state", "emptyings", "cycles")]

    assessor.look_at_time(NOW + timedelta(minutes=2))
    store(database, [(NOW + timedelta(minutes=1), 0.07)])
    drain(assessor)

    after = [query(database, versions.format(table)) for table in ("bin_state", "emptyings", "cycles")]
    assert after[1:] == before[1:]
    assert len(set(map(str, after[0])) - set(map(str, before[0]))) == 1


def test_ingester_that_has_news_of_the_same_devices_is_not_stopped(
    database: MigratedDatabase, assessor: Assessor
) -> None:
    add_bins(database, 2)
    # The later device first, as it lies in the table.
    store(database, hourly(LEVELS), "D2")
    store(database, hourly(LEVELS), "D1")
    news = "update assess_queue set from_measured_at = now() from devices where devices.id = device_id and ref = %s"
    waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"

    with psycopg.connect(database.conninfo) as ingester, ThreadPoolExecutor() as threads:
        ingester.execute(news, ("D1",))
        assessing = threads.submit(assessor.take_queue, NOW)
        while not query(database, waits):
            assert not assessing.done()
        # In the order of the devices, as the ingester has them.
        ingester.execute(news, ("D2",))
        ingester.commit()
        assessing.result()

    assert query(database, "select count(*) from assess_queue") == [(2,)]


def test_bin_that_cannot_be_written_keeps_no_other_from_it(database: MigratedDatabase, assessor: Assessor) -> None:
    add_bins(database, 3)
    with psycopg.connect(database.conninfo) as owner:
        owner.execute("alter table bin_state add check (bin_id <> 2)")
    for device in ("D1", "D2", "D3"):
        store(database, hourly(LEVELS), device)

    drain(assessor)

    assert query(database, "select bin_id from bin_state order by 1") == [(1,), (3,)]
    assert query(database, "select bin_id, count(*) from cycles group by 1 order by 1") == [(1, 3), (3, 3)]
