"""How bins were used, with the advice that follows from it: worked out once a minute however many people ask."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard import queries
from dashboard.database import Pool
from dashboard.queries import Period
from dashboard.rows import BinUse
from ingest.assess.placement import Advice, Use, advise

# Advice rests on weeks: a minute changes nothing.
FRESH_S = 60.0
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


class Uses:
    """Gives all bins' use and advice over the last days.

    Args:
        pool: to the database.
        zone: of the town.
        clock: seconds, monotonic.
    """

    def __init__(self, pool: Pool, zone: ZoneInfo, clock: Callable[[], float]) -> None:
        self._pool = pool
        self._zone = zone
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: dict[int, tuple[float, date, list[Advised]]] = {}

    @property
    def zone(self) -> ZoneInfo:
        """The town's zone, in which days begin and end."""
        return self._zone

    def today(self) -> date:
        """Give the local day."""
        return datetime.now(self._zone).date()

    async def advised(self, days: int) -> list[Advised]:
        """Give every bin that stands and of which something is known, by id, at most a minute old.

        Args:
            days: whole local days before today that count.
        """
        async with self._lock:
            known = self._known.get(days)
            if known is not None and self._clock() < known[0] and known[1] == self.today():
                return known[2]
            today = self.today()
            rows = await queries.list_bin_uses(self._pool, last_days(days, today), self._zone.key)
            advised = await asyncio.to_thread(lambda: [take_advice(row, days) for row in rows])
            self._known[days] = (self._clock() + FRESH_S, today, advised)
            return advised
