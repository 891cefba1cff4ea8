"""The town hour by hour, as readings arrive: how soon emptyings are decided."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulator.deposits import HOUR_S
from simulator.evaluate.desk import Desk
from simulator.evaluate.emptied import Sight, truthful
from simulator.world import FIRST_DAY, World

Decided = list[tuple[int, int, int]]
"""Emptyings, in the order in which they were found first: bin, `emptied_at` and when it was found, Unix seconds."""


def listen(world: World, hours: int, look: Callable[[Desk, int], None] | None = None) -> Decided:
    """Let the product hear a town, hour by hour.

    Args:
        world: the town; its telemetry arrives as it did there.
        hours: for how long.
        look: called every hour with the desk and the time, Unix seconds.
    """
    desk = Desk(world.city, np.ones(len(world.city.bins), dtype=np.bool_))
    desk.hear(world.telemetry)
    decided: dict[tuple[int, int], int] = {}
    for now_s in range((FIRST_DAY + 1) * HOUR_S, (FIRST_DAY + hours) * HOUR_S, HOUR_S):
        for place, revision in desk.catch_up(now_s).revisions.items():
            for one in revision.emptyings:
                emptied_s = int(one.emptied_at.astype("datetime64[s]").astype(np.int64))
                decided.setdefault((place, emptied_s), now_s)
        if look is not None:
            look(desk, now_s)
    return [(place, emptied_s, now_s) for (place, emptied_s), now_s in decided.items()]


def delays(decided: Decided, world: World, seen: Sight) -> NDArray[np.int64]:
    """Count the readings that it took from each emptying that was seen until it was decided.

    Of readings that come in at once, as after a radio outage, one counts: none of them was waited for.

    Args:
        decided: by the product.
        world: the town.
        seen: which true emptyings can be seen.

    Returns:
        Truthful readings of the bin that were measured after the emptying and had arrived an hour before it was
        decided, and one more, shape (n,): for each emptying that can be seen and was found at the right time.
    """
    told = world.telemetry.where(truthful(world.telemetry))
    starts = np.searchsorted(told.bin, np.arange(len(world.city.bins) + 1))
    counts = []
    for place, emptied_s, decided_s in decided:
        mine = np.flatnonzero((seen.falls.bin == place) & seen.seen)
        near = np.abs(seen.shown_s[mine] - emptied_s) <= HOUR_S
        if near.any():
            at_s = seen.falls.at_s[mine[near][0]]
            here = slice(starts[place], starts[place + 1])
            heard = (told.measured_s[here] > at_s) & (told.arrived_s[here] <= decided_s - HOUR_S)
            counts.append(1 + int(np.count_nonzero(heard)))
    return np.array(counts, dtype=np.int64)
