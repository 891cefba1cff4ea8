from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import psycopg

from ingest.assess.places.usage import UsageDays, usage_days
from ingest.assess.store.usage_store import revise_usage, usage_starts, week_sums
from tests.conftest import MigratedDatabase
from tests.integration.assess import town
from tests.unit.assess.usage_bins import LONDON, hourly, joined, measured


def writer(database: MigratedDatabase) -> psycopg.Connection:
    """Connect as the role that the assess runner has."""
    env = database.ingest_env
    return psycopg.connect(database.conninfo, user=env["PGUSER"], password=env["PGPASSWORD"], autocommit=True)


def three_days(levels: Sequence[float], bins: Sequence[int] = (1, 2)) -> UsageDays:
    times = hourly("2026-03-02T00:00", len(levels))
    return usage_days(joined([measured(times, levels, bin_id=number) for number in bins]), LONDON)


# Three litres every three hours.
LEVELS = [0.1 + 0.03 * (hour // 3) for hour in range(71)]


def test_same_use_is_written_once(database: MigratedDatabase) -> None:
    town.add_bins(database, 2)
    with writer(database) as connection:
        written = [revise_usage(connection, three_days(LEVELS)) for _ in range(2)]
        kept = connection.execute(
            "select bin_id, day, litres[9], observed_h[24], spread_h, full_h, day_litres, day_observed_h"
            " from usage_days order by bin_id, day"
        ).fetchall()

    assert written == [6, 0]
    assert kept[0] == (1, date(2026, 3, 2), 3.0, 1.0, None, None, 24.0, 24.0)
    assert kept[5] == (2, date(2026, 3, 4), 3.0, 0.0, None, None, 21.0, 22.0)


def test_only_days_that_differ_are_written_and_days_that_are_gone_removed(database: MigratedDatabase) -> None:
    town.add_bins(database, 2)
    whole = three_days(LEVELS)
    later = three_days([*LEVELS[:30], *[np.nan] * 10, *LEVELS[40:]], bins=[1])
    without = replace(
        later,
        **{name: getattr(later, name)[:2] for name in ("bin", "day", "litres", "observed_h", "spread_h", "full_h")},
    )

    with writer(database) as connection:
        written = [revise_usage(connection, usage) for usage in (whole, later, without)]
        spread = connection.execute(
            "select day, day_spread_h, spread_h[6:16] from usage_days where spread_h is not null"
        )

        assert written == [6, 1, 1]
        assert spread.fetchall() == [(date(2026, 3, 3), 11.0, [*[1.0] * 10, 1.0])]
        assert connection.execute("select count(*) from usage_days").fetchone() == (5,)


def test_bin_that_readings_do_not_explain_is_left_alone(database: MigratedDatabase) -> None:
    town.add_bins(database, 2)
    cut_off = usage_days(measured(hourly("2026-03-02T00:00", 71), LEVELS, whole=False), LONDON)

    with writer(database) as connection:
        revise_usage(connection, three_days(LEVELS))

        assert revise_usage(connection, cut_off) == 0


def test_revision_begins_with_the_cycle_before_the_day_on_which_the_changed_one_began(
    database: MigratedDatabase,
) -> None:
    town.add_bins(database, 2)
    emptied = [datetime(2026, 3, day, 9, tzinfo=UTC) for day in (1, 4, 8, 12)]
    query = "insert into emptyings values (1, %s, %s, 0.8, 0.05, 0.9, 'sensor')"
    with psycopg.connect(database.conninfo) as owner, owner.cursor() as cursor:
        cursor.executemany(query, [(at, at - timedelta(hours=1)) for at in emptied])

    with writer(database) as connection:
        changed = datetime(2026, 3, 11, 12, tzinfo=UTC)
        starts = usage_starts(connection, {1: changed, 2: changed}, LONDON)

    assert starts == {1: datetime(2026, 3, 2, 8, tzinfo=UTC)}


def test_week_of_a_pool_counts_only_hours_that_were_observed(database: MigratedDatabase) -> None:
    town.add_bins(database, 2)
    levels = [0.1] * 8 + [0.3] * 4 + [np.nan] * 5 + [0.6] * 8
    with writer(database) as connection:
        revise_usage(connection, three_days(levels))

        sums = week_sums(connection, {1: 7, 2: 7}, date(2026, 3, 2), date(2026, 3, 9))

    gained, hours = sums[7].gained[0], sums[7].hours[0]
    assert {int(hour): round(float(gained[hour]), 3) for hour in np.flatnonzero(gained)} == {7: round(40 / 120, 3)}
    assert hours[:25].tolist() == [*[2.0] * 11, *[0.0] * 6, *[2.0] * 7, 0.0]
