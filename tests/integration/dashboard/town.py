"""A town in the database for the dashboard's tests: bins in every state there is, written by SQL."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import psycopg

# In the Irish Sea: nobody's town.
CENTRE = (-4.9, 54.0)
ZONE = ZoneInfo("Europe/London")
STREETS = ("Mill Lane", "Market Street", "Quay Road", "Castle Hill", "Station Road", "Church Walk", "High Street")
PLACES = ("at the bus stop", "opposite the bakery", "by the park gate", "outside the library", "at the corner")
STREAMS = ("general", "general", "general", "recycling", "paper", "glass")


@dataclass(frozen=True, slots=True)
class State:
    """A bin's state as the assess runner would write it."""

    reason: str = "NOT_READY"
    due_class: str | None = None
    priority: int = 0
    sensor: str = "ok"
    fill_level: float | None = 0.3
    explanation: str = "30% full, well below its threshold of 80%."


FULL = State("FULLNESS", "must_go", 92, "ok", 0.93, "93% full; its threshold is 80%.")
FILLING = State("FULLNESS", "may_go", 55, "ok", 0.81, "81% full; its threshold is 80%.")
MAY_OVERFLOW = State(
    "FORECAST",
    "may_go",
    30,
    "ok",
    0.6,
    "Likely to reach 80% by Mon 06:00 (20% to overflow before tomorrow's round ends).",
)
OLD = State("AGE", "may_go", 48, "ok", 0.41, "Emptied 9 days ago; it should be every 7.")
FIRE = State("ALERT", "must_go", 100, "ok", 0.55, "74 °C inside: there may be a fire.")
SILENT = State("STALE", "must_go", 78, "silent", None, "Its sensor has been silent for 9 h, so nobody knows its level.")
BARE = State("NOT_READY", None, 0, "none", None, "No sensor, and no emptying is known.")


def add_bins(conn: psycopg.Connection, count: int, seed: int = 1) -> list[int]:
    """Add bins B-0001 ... around the centre, of two depots; give their ids."""
    chance = random.Random(seed)  # noqa: S311 - a town, not a secret
    conn.execute("insert into depots (ref, name) values ('north', 'North yard'), ('south', 'South yard')")
    extent = 0.006 * (count / 500) ** 0.5
    rows = [
        (
            f"B-{number:04}",
            chance.choice(STREETS),
            chance.choice(PLACES),
            chance.choice((1, 2)),
            chance.choice(STREAMS),
            CENTRE[0] + chance.gauss(0, 1.7 * extent),
            CENTRE[1] + chance.gauss(0, extent),
        )
        for number in range(1, count + 1)
    ]
    query = """
        insert into bins (ref, name, location, depot_id, stream, longitude, latitude)
        values (%s, %s, %s, %s, %s, %s, %s)
    """
    with conn.cursor() as cursor:
        cursor.executemany(query, rows)
    return [row[0] for row in conn.execute("select id from bins order by id")]


def set_state(conn: psycopg.Connection, bin_ids: Iterable[int], state: State) -> None:
    """Write the state of these bins, as assessed now."""
    now = datetime.now(UTC)
    known = now - timedelta(minutes=20) if state.sensor == "ok" else now - timedelta(hours=9)
    query = """
        insert into bin_state (
            bin_id, assessed_at, fill_level, quality, measured_at, last_received_at, last_emptied_at, sensor, reason,
            due_class, priority, due_since, due_by, explanation
        ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (bin_id) do update set
            assessed_at = excluded.assessed_at, fill_level = excluded.fill_level, sensor = excluded.sensor,
            reason = excluded.reason, due_class = excluded.due_class, priority = excluded.priority,
            due_since = excluded.due_since, explanation = excluded.explanation
    """
    bare = state.sensor == "none"
    since, by = (now - timedelta(hours=3), now + timedelta(hours=5)) if state.due_class else (None, None)
    level_at = None if state.fill_level is None else known
    emptied_at = None if bare else now - timedelta(days=2)
    quality = None if state.fill_level is None else 4
    levels = (state.fill_level, quality, level_at, None if bare else known, emptied_at)
    verdict = (state.sensor, state.reason, state.due_class, state.priority, since, by, state.explanation)
    values = [(bin_id, now, *levels, *verdict) for bin_id in bin_ids]
    with conn.cursor() as cursor:
        cursor.executemany(query, values)


def add_town(conn: psycopg.Connection, count: int, seed: int = 1) -> list[int]:
    """Add bins in all states: about 8% full, some old, silent, on fire or without a sensor, most of them fine."""
    ids = add_bins(conn, count, seed)
    chance = random.Random(seed)  # noqa: S311 - a town, not a secret
    shuffled = chance.sample(ids, count)
    cuts = [round(share * count) for share in (0.05, 0.09, 0.12, 0.125, 0.14, 0.2)]
    parts = [shuffled[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    for part, state in zip(parts, (FULL, FILLING, OLD, FIRE, SILENT, BARE), strict=True):
        set_state(conn, part, state)
    for level in range(16):
        fill_level = 0.05 * level
        sentence = f"{fill_level:.0%} full, below its threshold of 80%."
        set_state(conn, shuffled[cuts[-1] + level :: 16], State(fill_level=fill_level, explanation=sentence))
    return ids


def add_device(conn: psycopg.Connection, ref: str, bin_id: int, fitted_at: datetime) -> int:
    """Add a sensor that sits in a bin 1,150 mm deep; give its id."""
    row = conn.execute("insert into devices (ref) values (%s) returning id", (ref,)).fetchone()
    assert row is not None
    fit = "insert into fittings (device_id, bin_id, fitted_at, empty_mm, full_mm) values (%s, %s, %s, 1150, 150)"
    conn.execute(fit, (row[0], bin_id, fitted_at))
    status = {"firmware": "0.1.0", "rssi_dbm": -71, "waiting_count": 0}
    state = """
        insert into device_state (device_id, last_received_at, last_measured_at, next_report_s, battery_mv, status,
            status_received_at) values (%s, now(), now(), 3600, 3580, %s, now())
    """
    conn.execute(state, (row[0], json.dumps(status)))
    return int(row[0])


def add_readings(
    conn: psycopg.Connection, device_id: int, first_at: datetime, distances_mm: Sequence[int | None], step_s: int = 3600
) -> None:
    """Add readings of one device, one each step."""
    query = """
        insert into readings (device_id, epoch, seq, measured_at, distance_mm, spread_mm, valid_count, temperature_c,
            battery_mv, tilt_deg, flags) values (%s, 1, %s, %s, %s, 12, %s, 11.5, 3580, 2, 0)
    """
    rows = [
        (device_id, seq, first_at + timedelta(seconds=seq * step_s), distance, 0 if distance is None else 7)
        for seq, distance in enumerate(distances_mm)
    ]
    with conn.cursor() as cursor:
        cursor.executemany(query, rows)


def fill_and_empty(days: int, seed: int = 1) -> list[int | None]:
    """Give hourly distances of a bin that fills in two and a half days and is then emptied, with some bad echoes."""
    chance = random.Random(seed)  # noqa: S311 - a town, not a secret
    distances: list[int | None] = []
    level = 0.05
    for hour in range(24 * days):
        level += chance.uniform(0.0, 0.03) * (1.6 if 8 <= hour % 24 <= 20 else 0.3)
        if level > 0.9:
            level = 0.03
        distances.append(round(1150 - 1000 * level + chance.gauss(0, 6)))
    for spoilt in chance.sample(range(len(distances)), len(distances) // 30):
        distances[spoilt] = chance.choice((None, 5))
    return distances


def add_history(conn: psycopg.Connection, bin_id: int, days: int = 28) -> None:
    """Give a bin a sensor, readings until now, and the emptyings that they show."""
    start = datetime.now(UTC) - timedelta(days=days)
    device_id = add_device(conn, f"sensor-{bin_id:04}", bin_id, start - timedelta(hours=1))
    distances = fill_and_empty(days, seed=bin_id)
    add_readings(conn, device_id, start, distances)
    query = """
        insert into emptyings (bin_id, emptied_at, not_before, fill_before, fill_after, confidence, source)
        values (%s, %s, %s, %s, 0.03, 0.95, 'sensor')
    """
    known = [(hour, distance) for hour, distance in enumerate(distances) if distance is not None and distance > 30]
    for (before_hour, before), (hour, after) in pairwise(known):
        if after - before > 400:
            fill_before = (1150 - before) / 1000
            moments = (start + timedelta(hours=hour), start + timedelta(hours=before_hour))
            conn.execute(query, (bin_id, *moments, fill_before))


def add_alert(
    conn: psycopg.Connection, bin_id: int, type_: str = "tilt", text: str = "Lies on its side.", *, closed: bool = False
) -> int:
    """Add an alert that opened five hours ago, still open or closed an hour ago; give its id."""
    now = datetime.now(UTC)
    opened_at, seen_at = now - timedelta(hours=5), now - timedelta(hours=2)
    query = """
        insert into alerts (bin_id, type, text, since, opened_at, observed_at, closed_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        returning id
    """
    closed_at = now - timedelta(hours=1) if closed else None
    row = conn.execute(query, (bin_id, type_, text, opened_at, opened_at, seen_at, closed_at)).fetchone()
    assert row is not None
    return int(row[0])


@dataclass(frozen=True, slots=True)
class Use:
    """How a bin is used and emptied: litres in each of the hours from 8 to 20, every day but those of the weekend less.

    Attributes:
        litres_per_hour: Monday to Friday; half of it on the weekend.
        every_days: how often it is emptied.
        fill_before: 0..1, what each emptying finds.
        full_h: hours a day, from 20 o'clock on, in which it is full.
    """

    litres_per_hour: float = 2.0
    every_days: float = 2.0
    fill_before: float = 0.5
    full_h: int = 0


# Of 120 litres: too often emptied, too rarely, too small, hardly used, and right.
EAGER = Use(2.0, 1.0, 0.22)
LATE = Use(2.5, 6.0, 1.0, full_h=4)
SMALL = Use(14.0, 1.0, 1.0, full_h=4)
UNUSED = Use(0.2, 4.0, 0.08)
RIGHT = Use(2.2, 3.0, 0.62)
USES = (RIGHT, RIGHT, EAGER, LATE, SMALL, UNUSED, RIGHT, EAGER)


def add_use(conn: psycopg.Connection, bin_ids: Sequence[int], use: Use, days: int = 28) -> None:
    """Write how bins were used, as the assess runner would, with the emptyings of their sensors.

    Of whole days until yesterday, and until today in case it is tomorrow when it is read.
    """
    query = """
        insert into usage_days
        select
            bin_id, day::date,
            array_agg(litres order by hour), array_agg(1 - full_h order by hour), null,
            case when sum(full_h) > 0 then array_agg(full_h order by hour) end,
            sum(litres), 24 - sum(full_h), 0, sum(full_h)
        from unnest(%(ids)s::int[]) as bin_id
        cross join generate_series(%(today)s::date - %(days)s, %(today)s::date, interval '1 day') as day
        cross join lateral (
            select hour, (hour >= 20 and hour < 20 + %(full)s)::int as full_h,
                case when hour between 8 and 19 then %(litres)s else 0 end
                    * case when extract(isodow from day) > 5 then 0.5 else 1 end
                    -- No two hours are alike.
                    * (0.8 + 0.1 * ((hour * 7 + bin_id + extract(doy from day)::int) %% 5)) as litres
            from generate_series(0, 23) as hour
        ) as hours
        group by bin_id, day
    """
    emptyings = """
        insert into emptyings (bin_id, emptied_at, not_before, fill_before, fill_after, confidence, source)
        select
            bin_id, at, at - interval '1 hour', greatest(0, least(1, %(fill)s - 0.02 * (number %% 3))), 0.03, 0.95,
            'sensor'
        from unnest(%(ids)s::int[]) as bin_id
        cross join generate_series(0, %(count)s) as number
        cross join lateral (
            select %(today)s::date - number * %(every)s * interval '1 day' + interval '6 h' as at
        ) as moment
    """
    today = datetime.now(ZONE).date()
    given = {
        "today": today,
        "ids": list(bin_ids),
        "fill": use.fill_before,
        "every": use.every_days,
        "count": int(days / use.every_days),
        "days": days,
        "litres": use.litres_per_hour,
        "full": use.full_h,
    }
    conn.execute(query, given)
    conn.execute(emptyings, given)


def add_proposal(conn: psycopg.Connection, device: str) -> None:
    """Propose another calibration for a sensor that was fitted for a bottom at 1,150 mm."""
    query = """
        insert into calibration_checks (
            fitting_id, checked_at, known_empty_mm, known_full_mm, empty_mm, full_mm, empty_low_mm, empty_high_mm,
            emptyings, sureness, reason
        )
        select fittings.id, now(), 1150, 150, 1310, 310, 1302, 1318, 20, 0.93, %s
        from fittings join devices on devices.id = fittings.device_id where devices.ref = %s
    """
    reason = (
        "The sensor sees 1,310 mm in the emptied bin, not 1,150 mm (20 emptyings, 1,302 to 1,318 mm):"
        " levels may read too low."
    )
    conn.execute(query, (reason, device))


def add_reject(conn: psycopg.Connection, reason: str, payload: bytes, device: str = "sensor-0001") -> None:
    """Add a refused message."""
    query = "insert into rejects (topic, device, reason, detail, payload) values (%s, %s, %s, %s, %s)"
    topic = f"bins/v1/{device}/up/readings"
    conn.execute(query, (topic, device, reason, f"It was refused: {reason}.", payload))
