"""An invented town served in the loop: by fixed rounds, by a plain threshold, by our due list. What each costs.

Every morning and noon a list is made from what had arrived by then, and crews work it off; what they leave is there the
next time. The town throws away the same, hour by hour, and its sensors err alike, whoever serves it. It is Edinburgh's
twin with bins twice as large: Edinburgh's crews came by up to five times a day, here fixed rounds come once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ingest.assess.decisions.state import BinState
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

HABITS = replace(EDINBURGH_HABITS, busyness=EDINBURGH_HABITS.busyness / 2)

Choice = Callable[[Mapping[int, BinState]], Chosen]
"""Chooses what is on a list, from the states of all bins."""
LISTS = (MORNING, NOON)
STEP = 0.02


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
    """

    visits: int
    under_half: int
    overflow_hours: int


def by_rounds(setting: Setting, every_days: int = 1) -> Cost:
    """Empty every bin every so many days."""
    city = setting.city()
    before, then = every(BEFORE_DAYS, city), every(every_days, city)
    service = Rounds(city, lambda now_s: then(now_s) if now_s >= setting.from_hour * HOUR_S else before(now_s))
    return _cost(setting, _run(setting, city, service))


def by_list(setting: Setting, choose: Choice, *, plainly: bool = False) -> Cost:
    """Empty what is on lists that are chosen every morning and noon from the states of all bins.

    Args:
        setting: the town.
        choose: makes the lists.
        plainly: whether nobody looks ahead.
    """
    city = setting.city()
    fitted = np.ones(setting.bins, dtype=np.bool_)
    fitted[without_sensor(setting.seed, setting.bins, setting.lost)] = False
    desk = Desk(city, fitted, LISTS)
    before = every(BEFORE_DAYS, city)

    def choose_now(now_s: int) -> Chosen:
        if now_s < setting.from_hour * HOUR_S:
            return before(now_s) if now_s // HOUR_S % DAY_HOURS == MORNING else np.zeros(setting.bins, dtype=np.int64)
        desk.report(service.log.reports)
        return choose(desk.look_plainly(now_s) if plainly else desk.look(now_s))

    service = Rounds(city, choose_now, hear=desk.hear, list_hours=LISTS)
    return _cost(setting, _run(setting, city, service))


def by_threshold(setting: Setting, visits: int) -> tuple[float, float]:
    """Empty by a plain threshold that is set so that crews make as many visits as with another service.

    Args:
        setting: the town.
        visits: as many as shall be made.

    Returns:
        The threshold, and the overflow-hours, both interpolated between the two nearest thresholds in hundredths.
    """
    low, high = 0.02, 0.98
    least, most = (by_list(setting, threshold(level), plainly=True) for level in (high, low))
    while high - low > STEP:
        middle = (low + high) / 2
        cost = by_list(setting, threshold(middle), plainly=True)
        if cost.visits >= visits:
            low, most = middle, cost
        else:
            high, least = middle, cost
    share = np.clip((visits - least.visits) / max(1, most.visits - least.visits), 0, 1)
    hours = least.overflow_hours + share * (most.overflow_hours - least.overflow_hours)
    return float(high - share * (high - low)), float(hours)


def due(states: Mapping[int, BinState]) -> Chosen:
    """Choose all bins that are due, whether they must go or may."""
    return np.array([states[place].due.priority for place in range(len(states))])


def threshold(level: float) -> Choice:
    """Choose bins whose level is at least so high; those of which nothing is known are served as on our list."""

    def choose(states: Mapping[int, BinState]) -> Chosen:
        return np.array([_plain_priority(states[place], level) for place in range(len(states))])

    return choose


def _plain_priority(state: BinState, level: float) -> int:
    if state.due.sensor != "ok":
        return state.due.priority
    return int(100 * state.fill_level) if state.fill_level is not None and state.fill_level >= level else 0


def _run(setting: Setting, city: City, service: Rounds) -> World:
    days = LEARNING_DAYS + setting.days
    return run(city, service, days, spells=setting.spells(), habits=HABITS)


def _cost(setting: Setting, world: World) -> Cost:
    levels = [level for _, at_s, level in world.log.stops if at_s >= setting.from_hour * HOUR_S]
    return Cost(
        visits=len(levels),
        under_half=sum(level < HALF for level in levels),
        overflow_hours=world.levels.overflow_hours(setting.from_hour),
    )
