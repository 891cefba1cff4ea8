"""When a depot's rounds are: by weekday, on bank holidays, never on closed days, in the council's own time."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import holidays

# The days that hours are given for, Monday first; the last stands for bank holidays.
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "holiday")

_DAY = timedelta(days=1)
# A depot that has no round in so long a time has none.
_LOOK_AHEAD_DAYS = 400


@dataclass(frozen=True, slots=True)
class Hours:
    """When a round begins and ends, local time; one that ends at or before its beginning ends on the next day."""

    begins: time
    ends: time

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"


MORNING = Hours(time(6), time(14))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The rounds of one depot.

    Attributes:
        zone: of the council.
        weekly: hours by weekday, Monday first; None for a day without a round.
        on_holidays: hours on bank holidays, whatever weekday they are; None for no round.
        holidays: bank holidays.
        closed: days without a round, by hand.
    """

    zone: ZoneInfo
    weekly: tuple[Hours | None, ...] = (MORNING,) * 7
    on_holidays: Hours | None = None
    holidays: Container[date] = frozenset()
    closed: frozenset[date] = frozenset()

    def hours_on(self, day: date) -> Hours | None:
        """Give the hours of the round that begins on this day; None for no round."""
        if day in self.closed:
            return None
        return self.on_holidays if day in self.holidays else self.weekly[day.weekday()]


@dataclass(frozen=True, slots=True)
class Round:
    """One round, from `begins_at` to `ends_at`; aware, UTC."""

    begins_at: datetime
    ends_at: datetime


def bank_holidays(place: str) -> Container[date]:
    """Give the bank holidays of a country or a part of it, for any year, without a network.

    Args:
        place: ISO 3166 code, such as `GB-SCT`; `none` for none.

    Raises:
        ValueError: no holidays are known of it.
    """
    if place == "none":
        return frozenset()
    country, _, part = place.partition("-")
    try:
        known: Container[date] = holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        raise ValueError(f"no holidays are known of {place!r}; write it such as GB-ENG, GB-SCT or none") from None
    return known


def next_rounds(calendar: Calendar, now: datetime, count: int) -> list[Round]:
    """Give the next rounds, in order; the first may be under way.

    Args:
        calendar: of the depot.
        now: aware.
        count: how many; fewer come back where fewer are within 400 days.
    """
    return list(islice((one for one in _rounds(calendar, now) if one.ends_at > now), count))


def horizon(calendar: Calendar, now: datetime) -> datetime | None:
    """Say how long a bin that the coming round leaves out has to wait: until the end of the round after it.

    The coming round is the one under way, else the next. None where there are no two rounds within 400 days.
    """
    rounds = next_rounds(calendar, now, 2)
    return rounds[1].ends_at if rounds[1:] else None


def _rounds(calendar: Calendar, now: datetime) -> Iterator[Round]:
    # A round that began yesterday evening may still be under way.
    first = now.astimezone(calendar.zone).date() - _DAY
    for ahead in range(_LOOK_AHEAD_DAYS):
        day = first + ahead * _DAY
        hours = calendar.hours_on(day)
        if hours is None:
            continue
        begins_at = _instant(day, hours.begins, calendar.zone)
        ends_at = _instant(day if hours.ends > hours.begins else day + _DAY, hours.ends, calendar.zone)
        yield Round(begins_at, max(begins_at, ends_at))


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Turn a local time into an instant, as calendars do (RFC 5545, 3.3.5).

    An hour that comes twice is the first one; one that is skipped counts as if the clock had not been changed yet.
    """
    return datetime.combine(day, clock.replace(fold=0), zone).astimezone(UTC)
