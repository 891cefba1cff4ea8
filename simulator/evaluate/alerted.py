"""Which alerts open in an invented town whose sensors have every fault, and whether a fault explains them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from ingest.assess.decisions.alerts import Alert, reconcile
from ingest.assess.decisions.conditions import BATTERY_READINGS, Device, conditions
from ingest.assess.levels.sensor import Sensor
from simulator.deposits import HOUR_S
from simulator.evaluate.desk import FITTED_AT, Desk
from simulator.faults import Fault, Spell
from simulator.world import World

DAY_S = 86_400
AFTERMATH_S = 4 * DAY_S
"""An alert may open so long after what it is about: the silent are waited for, the unreliable are watched."""
EXPLAINS: Mapping[str, frozenset[Fault]] = {
    "fire": frozenset({"fire"}),
    "tilt": frozenset({"tilted"}),
    "obstruction": frozenset({"false_echo", "blind_zone", "water", "condensation", "soft_surface", "stuck"}),
    "silent": frozenset({"silent", "radio_shadow", "back_fill", "reboots", "cold_battery", "out_of_order"}),
    "stuck": frozenset({"stuck", "false_echo", "water"}),
    "battery": frozenset({"cold_battery"}),
    "unreliable": frozenset({
        "no_echo", "blind_zone", "false_echo", "lid_open", "condensation", "soft_surface", "spikes", "stuck", "tilted",
        "moved", "cold_battery", "water", "fire", "clock_wrong", "knocked", "drift",
    }),
}  # fmt: skip
"""Which fault of a sensor makes an alert of each type right."""


Opened = tuple[int, Alert]
"""A bin, and an alert of it as it was last."""


class Alarm:
    """The alerts of all bins, kept up as the product does.

    Args:
        world: the town.
    """

    def __init__(self, world: World) -> None:
        bins = len(world.city.bins)
        self._alerts: list[list[Alert]] = [[] for _ in range(bins)]
        self._batteries = _Batteries(world)

    def look(self, desk: Desk, now_s: int) -> None:
        """Look at all bins; every hour, or a short fire is missed."""
        now = datetime.fromtimestamp(now_s, UTC)
        for place, alerts in enumerate(self._alerts):
            sensor = Sensor(FITTED_AT, HOUR_S, desk.last_received_at(place))
            found = conditions(desk.watch.findings(place), sensor, self._batteries.device(place, now_s), now)
            for changed in reconcile(alerts, found, now):
                _put(alerts, changed)

    def opened(self) -> list[Opened]:
        """List all alerts that ever opened."""
        return [(place, alert) for place, alerts in enumerate(self._alerts) for alert in alerts]


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


def _put(alerts: list[Alert], changed: Alert) -> None:
    for place, alert in enumerate(alerts):
        if (alert.type, alert.opened_at) == (changed.type, changed.opened_at):
            alerts[place] = changed
            return
    alerts.append(changed)


def false_alerts(alerts: Sequence[Opened], spells: Sequence[Spell]) -> list[Opened]:
    """Give the alerts that no fault of their sensor explains."""
    return [(place, alert) for place, alert in alerts if not any(_explains(spell, place, alert) for spell in spells)]


def _explains(spell: Spell, place: int, alert: Alert) -> bool:
    opened_s = alert.opened_at.timestamp()
    within = spell.from_s <= opened_s <= spell.until_s + AFTERMATH_S
    return spell.bin == place and within and spell.fault in EXPLAINS.get(alert.type, frozenset())


def most_of_one_spell(alerts: Sequence[Opened], spells: Sequence[Spell]) -> int:
    """Count the alerts of one type that one spell of a fault opened; the most of all spells."""
    counts = [
        sum(place == spell.bin and alert.type == type_ and _explains(spell, place, alert) for place, alert in alerts)
        for spell in spells
        for type_ in EXPLAINS
    ]
    return max(counts, default=0)
