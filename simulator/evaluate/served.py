"""An invented town served in the loop: by fixed rounds, by a plain threshold, by our due list. What each costs.

Every morning the list is made from what had arrived by then, and crews work it off; what they leave is there the next
morning. The town throws away the same, hour by hour, and its sensors err alike, whoever serves it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ingest.assess.state import BinState
from simulator.city import City, make_city
from simulator.deposits import HOUR_S
from simulator.evaluate.desk import Desk
from simulator.faults import Fault, Spell, plan_spells, without_sensor
from simulator.service import MORNING, NOON, Chosen, Rounds, every
from simulator.shifts import EDINBURGH_HABITS
from simulator.world import DAY_HOURS, FIRST_DAY, World, run

LEARNING_DAYS = 28
"""The weeks before those that count, when nobody looks at the sensors yet ..."""
BEFORE_DAYS = 2
"""... and every bin is emptied every so many days."""
HALF = 0.5

Choice = Callable[[Mapping[int, BinState], int], Chosen]
"""Chooses what is on a list, from the states of all bins and the time of the list, Unix seconds."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A town that is served in several ways.

    Attributes:
        seed: of everything.
        bins: how many.
        days: that count, after LEARNING_DAYS.
        faults: share of the sensors that each fault hits.
        lost: share of the sensors that are lost for good, from the first day.
    """

    seed: int
    bins: int
    days: int
    faults: Mapping[Fault, float] = field(default_factory=dict)
    lost: float = 0.0

    @property
    def from_hour(self) -> int:
        """The first hour that counts, since 1970, UTC."""
        return FIRST_DAY + LEARNING_DAYS * DAY_HOURS

    def city(self) -> City:
        """Build the town."""
        return make_city(self.bins, self.seed)

    def spells(self) -> tuple[Spell, ...]:
        """Plan the faults, over all weeks."""
        from_s = FIRST_DAY * HOUR_S
        until_s = from_s + (LEARNING_DAYS + self.days) * DAY_HOURS * HOUR_S
        return plan_spells(self.seed, self.bins, from_s, until_s, self.faults)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a service cost in the days that count.

    Attributes:
        visits: bins that crews stopped at.
        under_half: of those, bins that were less than half full.
        overflow_hours: hours that bins were full or more, all bins together.
        listed: how many bins were on each list, by its time, Unix seconds.
    """

    visits: int
    under_half: int
    overflow_hours: int
    listed: Mapping[int, int]


def by_rounds(setting: Setting, every_days: int = 1) -> Cost:
    """Empty every bin every so many days."""
    city = setting.city()
    before, then = every(BEFORE_DAYS, city), every(every_days, city)
    service = Rounds(city, lambda now_s: then(now_s) if now_s >= setting.from_hour * HOUR_S else before(now_s))
    return _cost(setting, _run(setting, city, service))


def by_list(setting: Setting, morning: Choice, noon: Choice | None = None, *, plainly: bool = False) -> Cost:
    """Empty what is on lists that are chosen from the states of all bins.

    Args:
        setting: the town.
        morning: chooses every morning.
        noon: chooses again at noon; None for no second list.
        plainly: whether nobody looks ahead.
    """
    city = setting.city()
    fitted = np.ones(setting.bins, dtype=np.bool_)
    fitted[without_sensor(setting.seed, setting.bins, setting.lost)] = False
    hours = (MORNING,) if noon is None else (MORNING, NOON)
    desk = Desk(city, fitted, hours)
    before = every(BEFORE_DAYS, city)

    def choose(now_s: int) -> Chosen:
        early = now_s // HOUR_S % DAY_HOURS == MORNING
        if now_s < setting.from_hour * HOUR_S:
            return before(now_s) if early else np.zeros(setting.bins, dtype=np.int64)
        desk.report(service.log.reports)
        states = desk.look_plainly(now_s) if plainly else desk.look(now_s)
        return (morning if early or noon is None else noon)(states, now_s)

    service = Rounds(city, choose, hear=desk.hear, list_hours=hours)
    return _cost(setting, _run(setting, city, service))


def urgent(priority: int) -> Choice:
    """Choose bins that are due with at least a priority; 1 takes all that are due, 60 those that must go."""

    def choose(states: Mapping[int, BinState], _now_s: int) -> Chosen:
        found = np.array([states[place].due.priority for place in range(len(states))])
        return np.where(found >= priority, found, 0)

    return choose


def as_many(counts: Mapping[int, int]) -> Choice:
    """Choose the most urgent bins of our list, as many as another service visited from its list of the same time.

    Args:
        counts: by the time of the list, Unix seconds.
    """

    def choose(states: Mapping[int, BinState], now_s: int) -> Chosen:
        found = np.array([states[place].due.priority for place in range(len(states))])
        found[np.argsort(-found, kind="stable")[counts.get(now_s, 0) :]] = 0
        return found

    return choose


def threshold(level: float) -> Choice:
    """Choose bins whose level is at least so high; those of which nothing is known are served as on our list."""

    def choose(states: Mapping[int, BinState], _now_s: int) -> Chosen:
        return np.array([_plain_priority(states[place], level) for place in range(len(states))])

    return choose


def _plain_priority(state: BinState, level: float) -> int:
    if state.due.sensor != "ok":
        return state.due.priority
    return int(100 * state.fill_level) if state.fill_level is not None and state.fill_level >= level else 0


def _run(setting: Setting, city: City, service: Rounds) -> World:
    days = LEARNING_DAYS + setting.days
    return run(city, service, days, spells=setting.spells(), habits=EDINBURGH_HABITS)


def _cost(setting: Setting, world: World) -> Cost:
    levels = [level for _, at_s, level in world.log.stops if at_s >= setting.from_hour * HOUR_S]
    return Cost(
        visits=len(levels),
        under_half=sum(level < HALF for level in levels),
        overflow_hours=world.levels.overflow_hours(setting.from_hour),
        listed=world.log.listed,
    )
