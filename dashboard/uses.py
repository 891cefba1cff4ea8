"""How bins were used, with the advice that follows from it: worked out once a minute however many people ask."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from dashboard import queries
from dashboard.database import Pool
from dashboard.queries import Period
from dashboard.rows import BinUse, UsedPlace, UsedWeekday
from ingest.assess.places.placement import Advice, Use, advise

# Advice rests on weeks: a minute changes nothing.
FRESH_S = 60.0
# More streets than a town has; a list of them all is still short.
MOST_PLACES = 5000
Known = TypeVar("Known")
_GIVEN = [field.name for field in fields(Use) if field.name != "period_days"]


@dataclass(frozen=True, slots=True)
class Advised:
    """A bin's use and what to do about it."""

    use: BinUse
    advice: Advice


def last_days(days: int, today: date) -> Period:
    """Give the whole local days before today."""
    return Period(today - timedelta(days=days), today)


def take_advice(row: BinUse, days: int) -> Advised:
    """Say what to do about a bin.

    Args:
        row: its use.
        days: how long the period is.
    """
    return Advised(row, advise(Use(**{name: getattr(row, name) for name in _GIVEN}, period_days=days)))


@dataclass(frozen=True, slots=True)
class Hotspots:
    """Where and when most is thrown in.

    Attributes:
        places: streets or areas, the most used first.
        weekdays: of the place that was chosen, else of all.
        bins: how many bins `weekdays` are of.
        chosen: name of the chosen place; empty for all.
        read_at: seconds, monotonic.
    """

    places: list[UsedPlace]
    weekdays: list[UsedWeekday]
    bins: int
    chosen: str
    read_at: float

    def __bool__(self) -> bool:
        """Say whether anything is known."""
        return bool(self.places)


class Uses:
    """Gives all bins' use and advice over the last whole days.

    Args:
        pool: to the database.
        zone: of the town, in which days begin and end.
        clock: seconds, monotonic.
    """

    def __init__(self, pool: Pool, zone: ZoneInfo, clock: Callable[[], float]) -> None:
        self._pool = pool
        self._zone = zone
        self._clock = clock
        self._lock = asyncio.Lock()
        self._advised: dict[Hashable, tuple[float, list[Advised]]] = {}
        self._hotspots: dict[Hashable, tuple[float, Hotspots]] = {}

    def today(self) -> date:
        """Give the local day."""
        return datetime.now(self._zone).date()

    async def advised(self, days: int) -> list[Advised]:
        """Give every bin that stands and of which something is known, by id, at most a minute old.

        Args:
            days: whole local days before today that count.
        """
        today = self.today()

        async def read() -> list[Advised]:
            rows = await queries.list_bin_uses(self._pool, last_days(days, today), self._zone.key)
            return await asyncio.to_thread(lambda: [take_advice(row, days) for row in rows])

        return await self._fresh(self._advised, (days, today), read)

    async def hotspots(self, by: str, days: int, stream: str | None, key: str | None) -> Hotspots:
        """Give where and when most is thrown in, at most a minute old.

        Args:
            by: `street` or `area`.
            days: whole local days before today that count.
            stream: only of these bins; None for all.
            key: of the place whose week is wanted; None, or one that is not there, for all.
        """
        today = self.today()

        async def read() -> Hotspots:
            chosen = replace(last_days(days, today), stream=stream)
            places = await queries.list_usage(self._pool, by, chosen, limit=MOST_PLACES)
            mine = [place for place in places if place.key == key]
            weekdays = await queries.list_weeks(self._pool, by, chosen, [place.key for place in mine] or None)
            name = mine[0].name if mine else ""
            counted = mine or await queries.list_usage(self._pool, "stream", chosen, limit=MOST_PLACES)
            return Hotspots(places, weekdays, sum(place.bins for place in counted), name, self._clock())

        return await self._fresh(self._hotspots, (by, days, stream, key, today), read)

    async def _fresh(
        self, known: dict[Hashable, tuple[float, Known]], key: Hashable, read: Callable[[], Awaitable[Known]]
    ) -> Known:
        async with self._lock:
            found = known.get(key)
            if found is not None and self._clock() < found[0]:
                return found[1]
            value = await read()
            for old in [one for one, (until, _) in known.items() if self._clock() >= until]:
                del known[old]
            # Where nothing is known yet, something may be in a second.
            if value:
                known[key] = (self._clock() + FRESH_S, value)
            return value
