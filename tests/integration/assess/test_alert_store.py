"""What the assess runner makes of readings, batteries and certificates: alerts in the database, written sparingly."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from ingest.assess.decisions.calendar import Calendar
from ingest.assess.decisions.rules import Rules
from ingest.assess.levels.findings import Findings
from ingest.assess.levels.sensor import Sensor
from ingest.assess.memory.entry import Entry
from ingest.assess.store.alert_store import DEVICES_EVERY, OBSERVED_EVERY, AlertStore
from ingest.assess.store.work import Assessor
from tests.conftest import MigratedDatabase, conninfo
from tests.integration.assess.town import add_bins, hourly, query
from tests.integration.assess.town import store as readings

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FINE = Findings(level=0.4, quality=4, measured_at=NOW, newest_at=NOW, temperature_c=9.0)
TILTED = Findings(level=0.4, quality=4, measured_at=NOW, newest_at=NOW, tilted_since=NOW - HOUR)
ALERTS = "select bin_id, type, opened_at, observed_at, closed_at from alerts order by id"


@pytest.fixture
def connection(database: MigratedDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo(database.ingest_env), autocommit=True) as connection:
        yield connection


def update(store: AlertStore, said: dict[int, Findings], now: datetime) -> None:
    """Look at bins whose sensors report hourly."""
    sensor = Sensor(NOW - 100 * HOUR, 3600, now)
    store.update([(bin_id, one, Entry(Rules(), sensor)) for bin_id, one in said.items()], now)


def test_alert_opens_is_observed_closes_and_goes_on(database: MigratedDatabase, connection: psycopg.Connection) -> None:
    add_bins(database, 2)
    store = AlertStore(connection)
    update(store, {1: TILTED, 2: FINE}, NOW)
    assert query(database, ALERTS) == [(1, "tilt", NOW, NOW, None)]

    # What merely goes on is not written each minute.
    update(store, {1: TILTED}, NOW + MINUTE)
    assert query(database, ALERTS) == [(1, "tilt", NOW, NOW, None)]
    update(store, {1: TILTED}, NOW + OBSERVED_EVERY)
    update(store, {1: TILTED}, NOW + OBSERVED_EVERY + MINUTE)
    assert query(database, ALERTS) == [(1, "tilt", NOW, NOW + OBSERVED_EVERY, None)]

    closed_at = NOW + OBSERVED_EVERY + MINUTE + 2 * HOUR
    update(store, {1: FINE}, closed_at - MINUTE)
    update(store, {1: FINE}, closed_at)
    assert query(database, ALERTS) == [(1, "tilt", NOW, NOW + OBSERVED_EVERY + MINUTE, closed_at)]

    # Another runner takes over, and knows what was.
    update(AlertStore(connection), {1: TILTED}, closed_at + HOUR)
    assert query(database, ALERTS) == [(1, "tilt", NOW, closed_at + HOUR, None)]


def test_bin_that_is_removed_has_no_open_alert(database: MigratedDatabase, connection: psycopg.Connection) -> None:
    add_bins(database)
    store = AlertStore(connection)
    update(store, {1: TILTED}, NOW)
    connection.execute("update bins set removed_at = now()")

    update(store, {}, NOW + DEVICES_EVERY)

    assert query(database, "select count(*) from alerts where closed_at is null") == [(0,)]


def test_batteries_certificates_and_sensors_never_heard(
    database: MigratedDatabase, connection: psycopg.Connection
) -> None:
    add_bins(database, 5)
    with psycopg.connect(database.conninfo) as owner:
        owner.execute(
            """
            insert into device_state (device_id, last_received_at, battery_mv, status)
            select id, %(now)s, case id when 1 then 3200 when 2 then 3100 else 3900 end,
                case when id = 3 then '{"battery_percent": 9}'::jsonb end
            from devices where id < 5
            """,
            {"now": NOW},
        )
        # The second one only sagged in the cold of the night.
        owner.execute(
            "insert into readings (device_id, epoch, seq, measured_at, battery_mv) values (1, 1, 1, %(at)s, 3250),"
            " (1, 1, 2, %(now)s, 3200), (2, 1, 1, %(at)s, 3700), (2, 1, 2, %(now)s, 3100)",
            {"at": NOW - 10 * HOUR, "now": NOW},
        )
        owner.execute("update devices set certificate_expires_at = %s where id = 4", (NOW + 20 * 24 * HOUR,))
        owner.execute("update devices set enrolled_at = %s", (NOW - 30 * HOUR,))
    never = Sensor(NOW - 500 * HOUR)
    store = AlertStore(connection)

    update(store, dict.fromkeys(range(1, 5), FINE), NOW)
    store.update([(5, Findings(), Entry(Rules(), never))], NOW)

    assert query(database, "select bin_id, type, since from alerts order by bin_id") == [
        (1, "battery", NOW),
        (3, "battery", NOW),
        (4, "certificate", NOW - 10 * 24 * HOUR),
        (5, "silent", NOW - 30 * HOUR),
    ]
    assert query(database, "select text from alerts where bin_id = 1") == [
        ("The battery of its sensor is down to 3.25 V.",)
    ]


def test_runner_keeps_alerts_up(database: MigratedDatabase, connection: psycopg.Connection) -> None:
    add_bins(database)
    readings(database, hourly([0.1, 0.2, 0.3]))
    with psycopg.connect(database.conninfo) as owner:
        owner.execute("update device_state set battery_mv = 2900")
    assessor = Assessor(connection, Calendar(ZoneInfo("Europe/London")))

    assert assessor.take_queue(datetime.now(UTC))
    assessor.look_at_time(datetime.now(UTC))

    assert query(database, "select type, closed_at from alerts") == [("battery", None)]


def test_dashboard_may_acknowledge_and_nothing_else(database: MigratedDatabase, connection: psycopg.Connection) -> None:
    add_bins(database)
    update(AlertStore(connection), {1: TILTED}, NOW)
    with psycopg.connect(conninfo(database.dashboard_env), autocommit=True) as dashboard:
        dashboard.execute("update alerts set acknowledged_at = now(), acknowledged_by = 'anna' where id = 1")
        for forbidden in ("update alerts set closed_at = now()", "delete from alerts", "select * from outbox"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                dashboard.execute(forbidden)

    assert query(database, "select acknowledged_by from alert_list") == [("anna",)]
