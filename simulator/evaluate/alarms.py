"""Whether the alerts of a town are true: each is held against the faults that its sensors really had.

The town is heard hour by hour, as readings arrive. An alert is true when a fault that explains it was on as it opened,
or had ended less than two days before: so long the newest readings still tell of it.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from ingest.assess.alerts import NAMES, Alert, reconcile
from ingest.assess.conditions import BATTERY_READINGS, Device, conditions
from ingest.assess.sensor import Sensor
from simulator.deposits import HOUR_S
from simulator.evaluate.desk import FITTED_AT, Desk
from simulator.evaluate.online import listen
from simulator.evaluate.scores import Evaluation, Table
from simulator.faults import ALL, Fault
from simulator.world import DAY_HOURS, World, make_world

BINS, WEEKS = 200, 6
AFTER_S = 2 * DAY_HOURS * HOUR_S
SEEN_WRONGLY: frozenset[Fault] = frozenset(
    {
        "no_echo", "blind_zone", "false_echo", "lid_open", "condensation", "soft_surface", "spikes", "stuck", "drift",
        "knocked", "tilted", "moved", "swapped", "cold_battery", "water", "fire",
    }
)  # fmt: skip
EXPLAINS: dict[str, frozenset[Fault]] = {
    "fire": frozenset({"fire"}),
    "tilt": frozenset({"tilted"}),
    "obstruction": frozenset({"false_echo", "condensation"}),
    "silent": frozenset({"silent", "radio_shadow", "back_fill"}),
    "stuck": frozenset({"stuck"}),
    "unreliable": SEEN_WRONGLY,
    # The town's batteries last longer than its weeks, and its sensors have no certificates.
    "battery": frozenset(),
    "certificate": frozenset(),
}
"""Which faults make an alert of a type true."""

Opened = list[tuple[int, Alert]]
"""Alerts with the place of their bin, in the order in which they opened."""


def evaluate(seeds: tuple[int, ...]) -> Evaluation:
    """Score the alerts of towns with all faults, one for each seed."""
    opened: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for seed in seeds:
        world = make_world(BINS, WEEKS, seed, ALL)
        for place, alert in alarms(world, WEEKS * 7 * DAY_HOURS):
            opened[alert.type] += 1
            false[alert.type] += not is_true(world, place, alert)
    rows = [(name, opened[type_], false[type_]) for type_, name in NAMES.items() if opened[type_]]
    return Evaluation(
        {"city.alerts": opened.total(), "city.alerts_false": false.total() / max(1, opened.total())},
        [Table("Alerts in a town with all faults", ("alert", "opened", "false"), rows)],
    )


def alarms(world: World, hours: int) -> Opened:
    """Let the product hear a town, and give all alerts that it opened.

    Args:
        world: the town.
        hours: for how long.
    """
    latest: dict[int, dict[str, Alert]] = defaultdict(dict)
    opened: dict[int, tuple[int, Alert]] = {}
    batteries = _Batteries(world)

    def look(desk: Desk, now_s: int) -> None:
        now = datetime.fromtimestamp(now_s, UTC)
        for place in range(len(world.city.bins)):
            sensor = Sensor(FITTED_AT, HOUR_S, desk.last_received_at(place))
            found = conditions(desk.watch.findings(place), sensor, batteries.device(place, now_s), now)
            for change in reconcile(list(latest[place].values()), found, now):
                alert = replace(change, id=len(opened)) if change.id is None else change
                latest[place][alert.type] = alert
                opened.setdefault(alert.id or 0, (place, alert))

    listen(world, hours, look)
    return list(opened.values())


def is_true(world: World, place: int, alert: Alert) -> bool:
    """Say whether a fault of the bin's sensor explains an alert."""
    at_s = alert.opened_at.timestamp()
    return any(
        spell.bin == place and spell.fault in EXPLAINS[alert.type] and spell.from_s <= at_s <= spell.until_s + AFTER_S
        for spell in world.spells
    )


class _Batteries:
    """The voltages of all sensors, as they arrive."""

    def __init__(self, world: World) -> None:
        told = world.telemetry
        order = np.lexsort((told.arrived_s, told.bin))
        self._arrived_s, self._voltage_mv = told.arrived_s[order], told.battery_mv[order]
        self._starts = np.searchsorted(told.bin[order], np.arange(len(world.city.bins) + 1))

    def device(self, place: int, now_s: int) -> Device:
        """Say what is known of the battery in a bin at a time, Unix seconds."""
        start, end = self._starts[place : place + 2]
        here = start + int(np.searchsorted(self._arrived_s[start:end], now_s, side="right"))
        newest = self._voltage_mv[max(start, here - BATTERY_READINGS) : here]
        return Device(battery_mv=int(newest.max()) if len(newest) else None)
