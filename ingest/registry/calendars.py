"""When rounds are: the hours of each weekday and of bank holidays, and days that are closed, by depot or for all."""

from collections.abc import Collection, Container, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from psycopg import Connection

from ingest.assess.decisions.calendar import DAYS, Calendar, Hours
from ingest.assess.store.calendars import load_calendars
from ingest.registry.audit import Change, record_changes
from ingest.registry.errors import RegistryError
from ingest.registry.groups import find_depot
from ingest.registry.queue import announce

NOTE_LENGTH = 200
# What the audit log calls the calendar of all depots that have none of their own.
COUNCIL = "all depots"

_CLEAR = "delete from service_hours where depot_id is not distinct from %s"
_STORE = "insert into service_hours (depot_id, day, begins, ends) values (%s, %s, %s, %s)"
_CLOSE = "insert into service_closures (depot_id, day, note) values (%s, %s, %s) on conflict do nothing"
_OPEN = "delete from service_closures where depot_id is not distinct from %s and day = %s"


def find_calendar(connection: Connection, depot: str | None, zone: ZoneInfo, holidays: Container[date]) -> Calendar:
    """Give the calendar that holds for a depot, or for all that have none of their own.

    Raises:
        RegistryError: there is no such depot.
    """
    depot_id = find_depot(connection, depot)
    return load_calendars(connection, Calendar(zone, holidays=holidays)).of(depot_id)


def set_hours(
    connection: Connection, depot: str | None, days: Collection[str], hours: Hours | None, *, actor: str
) -> None:
    """Say when rounds are on some days; the other days stay as they are.

    A depot that had no calendar of its own has one from then on, which begins as what held for it.

    Args:
        connection: of the caller's transaction.
        depot: its reference; None for all that have no calendar of their own.
        days: some of `DAYS`.
        hours: None for no round.
        actor: for the audit log.

    Raises:
        RegistryError: there is no such depot, or no weekday would be left with a round.
    """
    connection.execute("lock table service_hours in share row exclusive mode")
    depot_id = find_depot(connection, depot)
    # Neither zone nor holidays are asked for.
    before = _by_day(load_calendars(connection, Calendar(ZoneInfo("UTC"))).of(depot_id))
    after = {**before, **dict.fromkeys(days, hours)}
    if not any(after[day] for day in DAYS[:7]):
        raise RegistryError("A calendar needs at least one weekday with a round.")
    connection.execute(_CLEAR, (depot_id,))
    rows = [(depot_id, day, one.begins, one.ends) for day, one in after.items() if one is not None]
    with connection.cursor() as cursor:
        cursor.executemany(_STORE, rows)
    said = {day: str(after[day] or "none") for day in DAYS if day in days}
    was = {day: str(before[day] or "none") for day in said}
    _record(connection, actor, Change("calendar.set", depot or COUNCIL, was, said))


def unset_hours(connection: Connection, depot: str | None, *, actor: str) -> bool:
    """Take the hours of a depot away, so that those of all depots hold for it; of all, those of the start.

    Returns:
        False when it had none.

    Raises:
        RegistryError: there is no such depot.
    """
    depot_id = find_depot(connection, depot)
    was = _by_day(load_calendars(connection, Calendar(ZoneInfo("UTC"))).of(depot_id))
    if not connection.execute(_CLEAR, (depot_id,)).rowcount:
        return False
    before = {day: str(hours or "none") for day, hours in was.items()}
    _record(connection, actor, Change("calendar.unset", depot or COUNCIL, before, None))
    return True


def close_day(connection: Connection, depot: str | None, day: date, note: str, *, actor: str) -> bool:
    """Have no round begin on a day; False when it was closed already.

    Raises:
        RegistryError: there is no such depot, or the note is too long.
    """
    if len(note) > NOTE_LENGTH:
        raise RegistryError(f"The note is longer than {NOTE_LENGTH} characters.")
    if not connection.execute(_CLOSE, (find_depot(connection, depot), day, note)).rowcount:
        return False
    _record(connection, actor, Change("calendar.close", depot or COUNCIL, None, {"day": day.isoformat(), "note": note}))
    return True


def open_day(connection: Connection, depot: str | None, day: date, *, actor: str) -> bool:
    """Take back that a day is closed; False when it was not.

    Raises:
        RegistryError: there is no such depot.
    """
    if not connection.execute(_OPEN, (find_depot(connection, depot), day)).rowcount:
        return False
    _record(connection, actor, Change("calendar.open", depot or COUNCIL, {"day": day.isoformat()}, None))
    return True


def list_closures(connection: Connection, depot: str | None, since: date) -> list[tuple[date, str]]:
    """Give the closed days of a depot from a day on, those of all depots among them, with their notes."""
    query = (
        "select day, max(note) from service_closures where day >= %s and (depot_id is null or depot_id = %s)"
        " group by day order by day"
    )
    return connection.execute(query, (since, find_depot(connection, depot))).fetchall()


def _by_day(calendar: Calendar) -> Mapping[str, Hours | None]:
    return dict(zip(DAYS, (*calendar.weekly, calendar.on_holidays), strict=True))


def _record(connection: Connection, actor: str, change: Change) -> None:
    record_changes(connection, actor, [change])
    announce(connection)
