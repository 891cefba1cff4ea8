"""The use of bins in the database: written by the assess runner, and read again as shapes of the week."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from psycopg import Connection, sql

from ingest.assess.forecasts.hours import DAY_HOURS, WEEK_HOURS
from ingest.assess.forecasts.profile import Tally
from ingest.assess.places.usage import UsageDays
from ingest.binary import copy_in, row_kind

_STAGE = """
create temporary table if not exists usage_news (
    bin_id integer, day date, litres real[], observed_h real[], spread_h real[], full_h real[],
    day_litres real, day_observed_h real, day_spread_h real, day_full_h real
) on commit delete rows
"""
_REMOVE = """
delete from usage_days
using unnest(%s::int[], %s::date[]) as seen (bin_id, since)
where usage_days.bin_id = seen.bin_id
    and usage_days.day >= seen.since
    and not exists (
        select from usage_news where usage_news.bin_id = usage_days.bin_id and usage_news.day = usage_days.day
    )
"""
# What is there already is not touched: most of a revision is.
_WRITE = """
insert into usage_days (
    bin_id, day, litres, observed_h, spread_h, full_h, day_litres, day_observed_h, day_spread_h, day_full_h
)
select
    news.bin_id, news.day, news.litres, news.observed_h,
    case when news.day_spread_h > 0 then news.spread_h end, case when news.day_full_h > 0 then news.full_h end,
    news.day_litres, news.day_observed_h, news.day_spread_h, news.day_full_h
from usage_news as news
left join lateral (
    select bin_id, litres, observed_h, spread_h, full_h, day_litres, day_observed_h, day_spread_h, day_full_h
    from usage_days
    where usage_days.bin_id = news.bin_id and usage_days.day = news.day
    offset 0
) as kept on true
where kept.bin_id is null
    or (kept.day_litres, kept.day_observed_h, kept.day_spread_h, kept.day_full_h, kept.litres, kept.observed_h)
        is distinct from
        (news.day_litres, news.day_observed_h, news.day_spread_h, news.day_full_h, news.litres, news.observed_h)
    or coalesce(kept.spread_h, news.spread_h) <> news.spread_h
    or coalesce(kept.full_h, news.full_h) <> news.full_h
on conflict (bin_id, day) do update set
    litres = excluded.litres, observed_h = excluded.observed_h, spread_h = excluded.spread_h, full_h = excluded.full_h,
    day_litres = excluded.day_litres, day_observed_h = excluded.day_observed_h, day_spread_h = excluded.day_spread_h,
    day_full_h = excluded.day_full_h
"""
# The cycle that a reading lies in begins with an emptying; the day of that emptying also holds the end of the cycle
# before, which begins with another. Two days more, so that every reading has its neighbours.
_STARTS = """
select wanted.bin_id, before.not_before - interval '2 days'
from unnest(%(bin_ids)s::int[], %(changed)s::timestamptz[]) as wanted (bin_id, changed)
cross join lateral (
    select max(emptied_at) as emptied_at from emptyings
    where bin_id = wanted.bin_id and source = 'sensor' and emptied_at < wanted.changed - interval '2 days'
) as cycle
cross join lateral (
    select not_before from emptyings
    where bin_id = wanted.bin_id and source = 'sensor'
        and emptied_at <= date_trunc('day', cycle.emptied_at, %(zone)s)
    order by emptied_at desc
    limit 1
) as before
"""
# Naming each of the 24 places costs a tenth of unfolding the arrays.
_WEEK = sql.SQL("""
select wanted.pool, extract(isodow from day)::int - 1, array[{gained}], array[{hours}]
from unnest(%s::int[], %s::int[]) as wanted (bin_id, pool)
join bins on bins.id = wanted.bin_id
join usage_days on usage_days.bin_id = wanted.bin_id
where day >= %s and day < %s
group by 1, 2
""")
_GAINED = sql.SQL("coalesce(sum(litres[{0}] / capacity_l) filter (where coalesce(spread_h[{0}], 0) = 0), 0)")
_HOURS_SEEN = sql.SQL("coalesce(sum(observed_h[{0}]) filter (where coalesce(spread_h[{0}], 0) = 0), 0)")

_HOURS = ("litres", "observed_h", "spread_h", "full_h")
_ROW = row_kind(
    [
        ("bin_id", ">i4"),
        ("day", ">i4"),
        *[(name, f"{DAY_HOURS}>f4") for name in _HOURS],
        *[(f"day_{name}", ">f4") for name in _HOURS],
    ]
)
# PostgreSQL's dates are days since 2000.
_DAY_ZERO = np.datetime64("2000-01-01", "D")


def revise_usage(connection: Connection, usage: UsageDays) -> int:
    """Bring the days of bins to what their readings say, from `usage.since` on; what is right already is not touched.

    Args:
        connection: whose transaction, if one is open, this joins.
        usage: as `usage_days` gives it; the same as often as one likes gives the same rows.

    Returns:
        How many rows were written or removed.
    """
    known = ~np.isnat(usage.since)
    bins, since = usage.bins[known].tolist(), usage.since[known].tolist()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_STAGE)
        copy_in(connection, "usage_news", _columns(usage), _ROW)
        removed = cursor.execute(_REMOVE, (bins, since)).rowcount
        return removed + cursor.execute(_WRITE).rowcount


def usage_starts(connection: Connection, changed: Mapping[int, datetime], zone: ZoneInfo) -> dict[int, datetime]:
    """Say from which reading on `usage_days` needs the readings of bins, to revise all days that changed.

    Args:
        connection: read only.
        changed: by bin id, when the first reading that is new was measured; aware.
        zone: of the town's clocks.

    Returns:
        By bin id; a bin that is missing needs all its readings, and its tracks are whole.
    """
    given = {"bin_ids": list(changed), "changed": list(changed.values()), "zone": zone.key}
    return dict(connection.execute(_STARTS, given).fetchall())


def week_sums(connection: Connection, pools: Mapping[int, int], first: date, end: date) -> dict[int, Tally]:
    """Sum up when bins of a pool are used, over hours of which readings told when something was thrown in.

    Args:
        connection: read only.
        pools: the number of each bin's pool, by bin id.
        first: local day.
        end: the local day after the last.

    Returns:
        By pool, each a tally of one pool. Pools of which nothing is known are missing.
    """
    query = _WEEK.format(gained=_by_hour(_GAINED), hours=_by_hour(_HOURS_SEEN))
    sums: dict[int, Tally] = {}
    for pool, weekday, gained, hours in connection.execute(query, (list(pools), list(pools.values()), first, end)):
        tally = sums.setdefault(pool, Tally(np.zeros((1, WEEK_HOURS)), np.zeros((1, WEEK_HOURS))))
        day = slice(weekday * DAY_HOURS, (weekday + 1) * DAY_HOURS)
        tally.gained[0, day], tally.hours[0, day] = gained, hours
    return sums


def _by_hour(term: sql.SQL) -> sql.Composed:
    return sql.SQL(", ").join(term.format(sql.Literal(place)) for place in range(1, DAY_HOURS + 1))


def _columns(usage: UsageDays) -> dict[str, npt.NDArray[Any]]:
    hours = {name: getattr(usage, name) for name in _HOURS}
    sums = {f"day_{name}": values.sum(axis=1) for name, values in hours.items()}
    return {"bin_id": usage.bin, "day": (usage.day - _DAY_ZERO).astype(np.int64), **hours, **sums}
