"""The calendars of all depots, out of the database."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from psycopg import Connection

from ingest.assess.decisions.calendar import DAYS, Calendar, Hours, horizon

_HOURS = "select depot_id, day, begins, ends from service_hours"
_CLOSURES = "select depot_id, day from service_closures"


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars of a council.

    Attributes:
        everywhere: of all depots that have none of their own, and of bins without a depot.
        own: the others, by depot id.
    """

    everywhere: Calendar
    own: Mapping[int, Calendar]

    def of(self, depot_id: int | None) -> Calendar:
        """Give the calendar of a depot; None for a bin that has none."""
        return self.everywhere if depot_id is None else self.own.get(depot_id, self.everywhere)

    def horizons(self, now: datetime) -> "Horizons":
        """Give the horizon of every calendar at a moment."""
        own = {depot_id: horizon(calendar, now) for depot_id, calendar in self.own.items()}
        return Horizons(horizon(self.everywhere, now), own)


@dataclass(frozen=True, slots=True)
class Horizons:
    """Until when bins have to wait that are left out now, worked out once for all bins of a depot."""

    everywhere: datetime | None
    own: Mapping[int, datetime | None]

    def of(self, depot_id: int | None) -> datetime | None:
        """Give the horizon of a depot's bins; None where there are no rounds."""
        return self.everywhere if depot_id is None else self.own.get(depot_id, self.everywhere)


def load_calendars(connection: Connection, start: Calendar) -> Calendars:
    """Load the calendars of all depots.

    Args:
        connection: read only.
        start: the council's time zone and bank holidays, and the hours of a council that says nothing.
    """
    hours: dict[int | None, dict[str, Hours]] = defaultdict(dict)
    for depot_id, day, begins, ends in connection.execute(_HOURS):
        hours[depot_id][day] = Hours(begins, ends)
    closed: dict[int | None, set[date]] = defaultdict(set)
    for depot_id, day in connection.execute(_CLOSURES):
        closed[depot_id].add(day)
    everywhere = replace(_with_hours(start, hours.get(None)), closed=frozenset(closed[None]))
    own = {
        depot_id: replace(
            _with_hours(everywhere, hours.get(depot_id)), closed=everywhere.closed | closed.get(depot_id, set())
        )
        for depot_id in (hours.keys() | closed.keys())
        if depot_id is not None
    }
    return Calendars(everywhere, own)


def _with_hours(calendar: Calendar, hours: Mapping[str, Hours] | None) -> Calendar:
    """Give a calendar other hours; None leaves it as it is."""
    if not hours:
        return calendar
    *weekly, on_holidays = (hours.get(day) for day in DAYS)
    return replace(calendar, weekly=tuple(weekly), on_holidays=on_holidays)
