"""All bins at one moment: read at most once a second however many people look, counted, and narrowed down."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from dashboard import queries
from dashboard.database import Pool
from dashboard.rows import Place

# Nobody sees anything older than this.
FRESH_S = 0.9
# News that wait so long are not being assessed any more; how often that is asked.
ASSESS_GRACE_S = 180
WAITING_FRESH_S = 5.0

KINDS = ("must_go", "may_go", "unknown", "fine", "bare")
"""What the counts above the map count; a due bin whose sensor is silent is counted in both."""


@dataclass(frozen=True)
class Town:
    """Every bin that stands, by id.

    Attributes:
        places: the bins.
    """

    places: tuple[Place, ...]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many bins are of each kind in `KINDS`."""
        return {kind: sum(1 for place in self.places if is_kind(place, kind)) for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which bins somebody wants to see; what is empty narrows nothing.

    Attributes:
        kind: one of `KINDS`.
        reasons: why they are due.
        stream: what goes in.
        depot: reference of who serves them.
        words: parts of name, place or reference, all of which must occur.
    """

    kind: str = ""
    reasons: tuple[str, ...] = ()
    stream: str = ""
    depot: str = ""
    words: str = ""

    def pick(self, town: Town) -> list[Place]:
        """Pick these bins, by id."""
        wanted = self.words.casefold().split()
        return [place for place in town.places if self._fits(place) and (not wanted or _names(place, wanted))]

    def _fits(self, place: Place) -> bool:
        return (
            (not self.kind or is_kind(place, self.kind))
            and (not self.reasons or place.reason in self.reasons)
            and (not self.stream or place.stream == self.stream)
            and (not self.depot or place.depot == self.depot)
        )


class Towns:
    """Gives the town as it is now, read at most once a second and by one reader at a time.

    Args:
        pool: to the database.
        clock: seconds, monotonic.
    """

    def __init__(self, pool: Pool, clock: Callable[[], float]) -> None:
        self._pool = pool
        self._clock = clock
        self._lock = asyncio.Lock()
        self._town: Town | None = None
        self._key = 0
        self._until = 0.0
        self._waiting_since: datetime | None = None
        self._waiting_until = 0.0

    async def now(self) -> Town:
        """Give the town, at most a second old.

        Raises:
            psycopg.Error: the database does not answer.
        """
        async with self._lock:
            if self._town is None or self._clock() >= self._until:
                asked_at = self._clock()
                # The database sums ten thousand bins up in 50 ms; to read them takes this process far longer.
                key = await queries.sum_up_places(self._pool)
                if self._town is None or key != self._key:
                    self._town = Town(tuple(await queries.list_places(self._pool)))
                    self._key = key
                self._until = asked_at + FRESH_S
            return self._town

    async def waiting_since(self) -> datetime | None:
        """Give since when news of a sensor wait to be assessed, a few seconds old; None when all is assessed.

        In a quiet hour nothing is assessed because nothing changes: only news that wait tell that no runner runs.
        """
        async with self._lock:
            if self._clock() >= self._waiting_until:
                self._waiting_since = await queries.find_oldest_unassessed(self._pool, ASSESS_GRACE_S)
                self._waiting_until = self._clock() + WAITING_FRESH_S
            return self._waiting_since


def is_kind(place: Place, kind: str) -> bool:
    """Say whether a bin is of a kind in `KINDS`."""
    match kind:
        case "must_go" | "may_go":
            return place.due_class == kind
        case "unknown":
            return place.sensor in {"silent", "rejected"}
        case "fine":
            return place.due_class is None and place.sensor == "ok"
        case _:
            return place.due_class is None and place.sensor == "none"


def most_urgent_first(places: list[Place]) -> list[Place]:
    """Sort due bins as the API does: by priority, then id."""
    return sorted((place for place in places if place.due_class), key=lambda place: (-place.priority, place.id))


def _names(place: Place, wanted: list[str]) -> bool:
    text = f"{place.name} {place.location} {place.ref}".casefold()
    return all(word in text for word in wanted)
