"""A small town in the database, written by SQL, for the tests of the assess runner."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg

from tests.conftest import MigratedDatabase

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def add_bins(database: MigratedDatabase, count: int = 1, *, fitted_days_ago: float = 30) -> None:
    """Bins B1, B2, ... with the devices D1, D2, ... in them: 1200 mm deep, full at 200 mm."""
    with psycopg.connect(database.conninfo) as connection:
        connection.execute(
            "insert into bins (ref, name, longitude, latitude)"
            " select 'B' || n, 'Bin ' || n, -3.2, 55.9 from generate_series(1, %s) as n",
            (count,),
        )
        connection.execute("insert into devices (ref) select 'D' || n from generate_series(1, %s) as n", (count,))
        connection.execute(
            "insert into fittings (device_id, bin_id, fitted_at, empty_mm, full_mm)"
            " select devices.id, bins.id, %s, 1200, 200 from devices"
            " join bins on substr(bins.ref, 2) = substr(devices.ref, 2)",
            (NOW - timedelta(days=fitted_days_ago),),
        )


def hourly(levels: Sequence[float], *, until: datetime = NOW) -> list[tuple[datetime, float]]:
    """Hourly times and levels, the last of them at `until`."""
    return [(until - (len(levels) - 1 - place) * HOUR, level) for place, level in enumerate(levels)]


def store(database: MigratedDatabase, readings: Sequence[tuple[datetime, float]], device: str = "D1") -> None:
    """Store readings as the ingester does: readings, state of the device, queue, one commit, a notification."""
    with psycopg.connect(database.conninfo) as connection:
        row = connection.execute("select id from devices where ref = %s", (device,)).fetchone()
        assert row is not None
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into readings (device_id, epoch, seq, measured_at, distance_mm, spread_mm, valid_count)"
                " values (%s, 1, %s, %s, %s, 10, 7)",
                [(row[0], int(at.timestamp()), at, round(1200 - 1000 * level)) for at, level in readings],
            )
        connection.execute(
            "insert into device_state (device_id, last_received_at, next_report_s) values (%s, now(), 3600)"
            " on conflict (device_id) do update set last_received_at = excluded.last_received_at",
            (row[0],),
        )
        connection.execute(
            "insert into assess_queue as waiting (device_id, from_measured_at) values (%s, %s)"
            " on conflict (device_id) do update"
            " set from_measured_at = least(waiting.from_measured_at, excluded.from_measured_at)",
            (row[0], min(at for at, _ in readings)),
        )
        connection.execute("notify assess")


def query(database: MigratedDatabase, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.conninfo) as connection:
        return connection.execute(text).fetchall()
