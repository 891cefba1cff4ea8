"""Faults of what a sensor measures: lost and false echoes, dirt, knocks, water, fire; readings change in place."""

import numpy as np

from simulator.faults import DAY_S, HOUR_S, Spell
from simulator.measured import Measured
from simulator.terrain import Points

# Bits of `flags` (docs/contract.md).
LID_OPEN, BLIND_ZONE, TILTED = 1, 4, 8
SPIKE_CHANCE = 0.04
"""How often a sensor with spikes measures something else."""
BLIND_FROM = 0.92
"""Level from which waste is too near for a sensor that cannot see close by."""
NIGHT_HOURS = 9
FIRE_BURNS_S = 2 * HOUR_S


class Stuck:
    """Remembers at which distance each sensor got stuck, while its spell lasts."""

    def __init__(self) -> None:
        self._distance_mm: dict[Spell, float] = {}

    def distance_mm(self, spell: Spell, part: Measured) -> float:
        """Give the first distance that was measured in the spell."""
        known = part.distance_mm[~np.isnan(part.distance_mm)]
        if spell not in self._distance_mm and len(known):
            self._distance_mm[spell] = round(float(known[0]))
        return self._distance_mm.get(spell, np.nan)


def other_bin(spell: Spell, bins: int) -> int:
    """Say where a moved sensor hangs really: a few bins further on."""
    return (spell.bin + 1 + int(spell.draw * min(5, bins - 1))) % bins


def spoil(part: Measured, spell: Spell, draws: Points, stuck: Stuck) -> None:  # noqa: C901, PLR0912 - a fault a line
    """Let one spell change the readings of its sensor; faults of another kind change nothing.

    Args:
        part: the readings within the spell, shape (n,).
        spell: the fault.
        draws: evenly spread, 0..1, shape (3, n).
        stuck: memory of stuck sensors.
    """
    match spell.fault:
        case "no_echo":
            _dark(part, np.ones(len(part.at_s), dtype=np.bool_))
        case "blind_zone":
            _blind_zone(part, spell, draws)
        case "false_echo":
            _false_echo(part, spell, draws)
        case "lid_open":
            _lid_open(part, spell, draws)
        case "condensation":
            _condensation(part, draws)
        case "soft_surface":
            _soft_surface(part, draws)
        case "spikes":
            spike = (draws[0] < SPIKE_CHANCE) & ~np.isnan(part.distance_mm)
            part.distance_mm[spike] = (60 + draws[1] * (part.empty_mm - 60))[spike]
        case "stuck":
            part.distance_mm[:] = stuck.distance_mm(spell, part)
        case "drift":
            _shift(part, _far(spell, 30, 100) * (part.at_s - spell.from_s) / (spell.until_s - spell.from_s))
        case "knocked":
            _shift(part, np.full(len(part.at_s), _far(spell, 20, 120)))
        case "tilted":
            _tilted(part, spell, draws)
        case "swapped":
            _swapped(part, spell)
        case "cold_battery":
            _cold_battery(part, draws)
        case "water":
            _water(part, draws)
        case "fire":
            _fire(part, spell, draws)


def _far(spell: Spell, least: float, most: float) -> float:
    """Spread the draw of a spell over both signs: millimetres."""
    size = abs(2 * spell.draw - 1)
    return float(np.sign(spell.draw - 0.5) * (least + size * (most - least)))


def _dark(part: Measured, which: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> None:
    part.distance_mm[which] = np.nan
    part.spread_mm[which] = np.nan
    part.valid_count[which] = 0


def _shift(part: Measured, by_mm: Points) -> None:
    part.distance_mm[:] = np.maximum(part.distance_mm + by_mm, 30)


def _blind_zone(part: Measured, spell: Spell, draws: Points) -> None:
    """Close by, some sensors say zero, some flag it, and some measure a later echo: a full bin looks empty."""
    near = (part.level > BLIND_FROM) & (draws[0] < 0.6)  # noqa: PLR2004
    if spell.draw < 1 / 3:
        part.distance_mm[near] = 0
    elif spell.draw < 2 / 3:
        _dark(part, near)
        part.flags[near] |= BLIND_ZONE
    else:
        part.distance_mm[near] = (part.empty_mm - 30 * draws[1])[near]
        part.valid_count[near] = 2
        part.spread_mm[near] = (200 + 300 * draws[2])[near]


def _false_echo(part: Measured, spell: Spell, draws: Points) -> None:
    """A liner, the lid or a bag sends the first echo back, now and then or always."""
    depth_mm = part.empty_mm - part.full_mm
    at_mm = part.full_mm + (0.05 + 0.6 * spell.draw) * depth_mm
    how_often = 0.2 + 0.8 * (spell.draw * 7 % 1)
    hidden = (part.distance_mm > at_mm + 15) & (draws[0] < how_often)
    part.distance_mm[hidden] = (at_mm + 6 * (draws[1] - 0.5))[hidden]
    part.spread_mm[hidden] = (4 + 6 * draws[2])[hidden]


def _lid_open(part: Measured, spell: Spell, draws: Points) -> None:
    """The sensor in the lid looks at the sky or at the street."""
    sky = draws[0] < 0.6  # noqa: PLR2004
    _dark(part, sky)
    part.distance_mm[~sky] = (part.empty_mm + 200 + 1500 * draws[1])[~sky]
    if spell.draw < 0.5:  # noqa: PLR2004
        part.flags[:] |= LID_OPEN


def _condensation(part: Measured, draws: Points) -> None:
    """Drops on the sensor's face, at night and until they dry: near echoes that disagree."""
    wet = (part.at_s % DAY_S < NIGHT_HOURS * HOUR_S) & (draws[0] < 0.5)  # noqa: PLR2004
    part.distance_mm[wet] = (25 + 120 * draws[1])[wet]
    part.spread_mm[wet] = (40 + 250 * draws[2])[wet]
    part.valid_count[wet] = 3


def _soft_surface(part: Measured, draws: Points) -> None:
    """Bags and sloping waste swallow the echo, or send it back late."""
    soft = part.level > 0.05  # noqa: PLR2004
    _dark(part, soft & (draws[0] < 0.35))  # noqa: PLR2004
    weak = soft & (draws[0] >= 0.35)  # noqa: PLR2004
    part.distance_mm[weak] += 60 * draws[1][weak]
    part.spread_mm[weak] += 150 * draws[2][weak]
    part.valid_count[weak] = 4


def _tilted(part: Measured, spell: Spell, draws: Points) -> None:
    part.tilt_deg[:] = 65 + 45 * spell.draw + 3 * draws[2]
    _dark(part, draws[0] < 0.4)  # noqa: PLR2004
    part.distance_mm[:] = np.where(np.isnan(part.distance_mm), np.nan, 100 + draws[1] * part.empty_mm)
    if spell.draw < 0.3:  # noqa: PLR2004
        part.flags[:] |= TILTED


def _swapped(part: Measured, spell: Spell) -> None:
    """Another device hangs a little higher or lower; the registry knows."""
    by_mm = _far(spell, 10, 60)
    _shift(part, np.full(len(part.at_s), by_mm))
    part.empty_mm[:] += by_mm
    part.full_mm[:] += by_mm


def _cold_battery(part: Measured, draws: Points) -> None:
    """In the cold of the night the battery sags: weak pulses, and now and then no report at all."""
    cold = part.at_s % DAY_S < NIGHT_HOURS * HOUR_S
    part.battery_mv[cold] -= 700
    part.temperature_c[cold] -= 14
    part.valid_count[cold] = 1 + np.floor(3 * draws[1])[cold]
    part.spread_mm[cold] += 60 * draws[2][cold]
    part.lost[cold & (draws[0] < 0.3)] = True  # noqa: PLR2004


def _water(part: Measured, draws: Points) -> None:
    """Water stands on the sensor's face: the pulse dies, or comes back at once."""
    _dark(part, draws[0] < 0.5)  # noqa: PLR2004
    wet = ~np.isnan(part.distance_mm)
    part.distance_mm[wet] = (20 + 25 * draws[1])[wet]


def _fire(part: Measured, spell: Spell, draws: Points) -> None:
    burns = part.at_s < spell.from_s + FIRE_BURNS_S
    part.temperature_c[:] = np.where(burns, 70 + 60 * spell.draw + 5 * draws[2], part.temperature_c + 15)
    _dark(part, burns & (draws[0] < 0.5))  # noqa: PLR2004
    smoke = burns & ~np.isnan(part.distance_mm)
    part.distance_mm[smoke] *= (0.4 + 0.6 * draws[1])[smoke]
    part.spread_mm[smoke] += 300
