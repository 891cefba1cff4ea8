"""What newly taken readings changed of the past: emptyings and cycles. Pure."""

from dataclasses import dataclass, field

import numpy as np

from ingest.assess.forecasts.cycles import Cycles
from ingest.assess.levels.emptying import Emptying
from ingest.assess.levels.reports import Service


@dataclass(frozen=True, slots=True)
class Revision:
    """What a bin's sensor saw from `since` on; it replaces what was known from then on.

    Attributes:
        since: datetime64[us], UTC; NaT for ever.
        emptyings: those at `since` or later, oldest first.
    """

    since: np.datetime64
    emptyings: tuple[Emptying, ...]


@dataclass(slots=True)
class News:
    """What is new.

    Attributes:
        revisions: by bin id; bins whose past is as it was are missing.
        cycles: of the same bins, those that began at `since` or later and have ended, in parts; `bin` is the bin's id.
        services: what is said of emptyings that were reported, by bin id; bins of which that is as it was are missing.
        doubles: readings that were left out because another time has their identity, by bin id.
    """

    revisions: dict[int, Revision] = field(default_factory=dict)
    cycles: list[Cycles] = field(default_factory=list)
    services: dict[int, list[Service]] = field(default_factory=dict)
    doubles: dict[int, int] = field(default_factory=dict)

    def ended_cycles(self) -> Cycles:
        """Give the cycles of all parts."""
        return Cycles.joined([*self.cycles, Cycles.empty()])


def later(emptyings: tuple[Emptying, ...], since: np.datetime64) -> tuple[Emptying, ...]:
    """Give those of emptyings, oldest first, at `since` or later; all where it is NaT."""
    earlier = sum(bool(one.emptied_at < since) for one in emptyings)
    return emptyings[earlier:]
