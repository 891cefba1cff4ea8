"""An invented town over some weeks: what its bins held, who emptied them, and what its sensors said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from simulator import echo
from simulator.chance import stream
from simulator.city import City, make_city
from simulator.deposits import HOUR_S, USUAL, Deposits, Habits
from simulator.faults import Fault, Spell, plan_spells
from simulator.levels import Falls, Levels
from simulator.measured import Slots
from simulator.sensor import Sensors
from simulator.service import MORNING, PERFECT, Log, Rounds, Service, every
from simulator.telemetry import Telemetry

DAY_HOURS = 24
FIRST_DAY = int(datetime(2026, 5, 4, tzinfo=UTC).timestamp()) // HOUR_S + MORNING
"""A Monday morning, when its list is made; hours since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class World:
    """A town's weeks, truth and telemetry.

    Attributes:
        city: the town.
        levels: the true levels.
        telemetry: what arrived from the sensors, and when.
        spells: the faults of the sensors.
        log: what the crews did and reported.
    """

    city: City
    levels: Levels
    telemetry: Telemetry
    spells: tuple[Spell, ...]
    log: Log

    def falls(self) -> Falls:
        """Give the true emptyings that each sensor hung over: a moved one hangs over another bin for a while."""
        falls = self.levels.falls()
        parts, own = [], np.ones(len(falls.bin), dtype=np.bool_)
        for spell in (spell for spell in self.spells if spell.fault == "moved"):
            within = (falls.at_s >= spell.from_s) & (falls.at_s < spell.until_s)
            own &= ~(within & (falls.bin == spell.bin))
            there = within & (falls.bin == echo.other_bin(spell, len(self.city.bins)))
            parts.append((np.flatnonzero(there), spell.bin))
        places = np.concatenate([np.flatnonzero(own), *(part for part, _ in parts)])
        bins = np.concatenate([falls.bin[own], *(np.full(len(part), place) for part, place in parts)])
        order = np.argsort(falls.at_s[places], kind="stable")
        return Falls(bins[order], *(column[places][order] for column in (falls.at_s, falls.before, falls.after)))


def make_world(
    bins: int, weeks: int, seed: int, faults: Mapping[Fault, float] | None = None, habits: Habits = USUAL
) -> World:
    """Make a town that is served by fixed rounds every second day, hourly readings and the truth beside.

    Args:
        bins: how many.
        weeks: how long.
        seed: of everything.
        faults: share of the sensors that each fault hits; None for sound sensors.
        habits: of the people.
    """
    city = make_city(bins, seed)
    from_s = FIRST_DAY * HOUR_S
    spells = plan_spells(seed, bins, from_s, from_s + weeks * 7 * DAY_HOURS * HOUR_S, faults or {})
    return run(city, Rounds(city, every(2, city), PERFECT), weeks * 7, spells=spells, habits=habits)


def run(city: City, service: Service, days: int, *, spells: tuple[Spell, ...] = (), habits: Habits = USUAL) -> World:
    """Let a town live for some days, while a service empties its bins by what it hears.

    The same town throws away the same in the same hours, and its sensors have the same noise, whoever serves it.

    Args:
        city: the town.
        service: that empties the bins.
        days: how many.
        spells: faults of the sensors.
        habits: of the people.
    """
    deposits, sensors = Deposits(city, habits), Sensors(city, spells)
    levels = Levels(FIRST_DAY, days * DAY_HOURS, len(city.bins))
    level = stream(city.seed, "first levels").uniform(0, 0.5, len(city.bins))
    lists = [FIRST_DAY + day * DAY_HOURS + hour - MORNING for day in range(days) for hour in service.list_hours]
    heard = []
    for first, end in pairwise([*lists, FIRST_DAY + days * DAY_HOURS]):
        service.plan(first * HOUR_S)
        for hour in range(first, end):
            level = levels.record(hour, level, deposits.in_hour(hour), service.in_hour(hour, level))
        telemetry = _measure(sensors, levels, range(first, end), len(city.bins))
        service.hear(telemetry)
        heard.append(telemetry)
    return World(city, levels, Telemetry.joined(heard), spells, service.log)


def _measure(sensors: Sensors, levels: Levels, hours: range, bins: int) -> Telemetry:
    slots = Slots("sensor hours", np.array(hours), HOUR_S)
    at = slots.measured_at(bins)
    places: NDArray[np.int64] = np.broadcast_to(np.arange(bins), at.shape)
    return Telemetry.of(sensors.sense(slots, levels.at(places.ravel(), at.ravel()).reshape(at.shape)))
