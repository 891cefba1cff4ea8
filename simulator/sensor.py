"""What the sensors of a town measure: geometry, noise, weather, battery, and the faults of some."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator import echo, radio
from simulator.chance import stream
from simulator.city import City
from simulator.deposits import HOUR_S
from simulator.faults import Spell
from simulator.measured import Measured, Slots
from simulator.terrain import Points

DAY_S = 86_400
YEAR_S = 365.25 * DAY_S
MISSING = -1
"""Stands for no distance and no spread in an array of integers."""
LOST_CHANCE = 0.002
"""How often any sensor gets no echo."""
ECHOES = 7
"""Echoes asked for in one measurement."""
WEAK_CHANCE = 0.1
"""How often one of them is missing."""
NEAREST_MM = 40
ON_THE_WAY_S = 2

Row = tuple[int | None, ...]
"""One reading, its places as in docs/contract.md."""


class Sensors:
    """The sensors of a town.

    Args:
        city: the town; every bin of it is measured, fitted or not.
        spells: their faults.
    """

    def __init__(self, city: City, spells: Sequence[Spell] = ()) -> None:
        count = len(city.bins)
        rng = stream(city.seed, "sensors")
        self._seed = city.seed
        self._empty_mm = np.array([float(place.empty_mm) for place in city.bins])
        self._full_mm = np.array([float(place.full_mm) for place in city.bins])
        self._tilt_deg = rng.integers(0, 5, count)
        self._battery_mv = rng.integers(3700, 4100, count)
        self._spells = tuple(spells)
        self._stuck = echo.Stuck()

    def measure(self, slots: Slots, levels: Points) -> NDArray[np.int64]:
        """Measure all bins at each turn, whether or not it arrives.

        Args:
            slots: the turns.
            levels: of the bins at `slots.measured_at`, shape (turns, bins).

        Returns:
            Shape (turns, bins, 9): the places of a row; `MISSING` stands for null.
        """
        seen = self.sense(slots, levels)
        dark = np.isnan(seen.distance_mm)
        columns = (
            np.broadcast_to(slots.numbers[:, None], seen.at_s.shape),
            seen.at_s,
            np.where(dark, MISSING, seen.distance_mm),
            np.where(dark, MISSING, seen.spread_mm),
            seen.valid_count,
            seen.temperature_c * 10,
            seen.battery_mv,
            seen.tilt_deg,
            seen.flags,
        )
        return np.asarray(np.stack([np.round(column).astype(np.int64) for column in columns], axis=-1))

    def sense(self, slots: Slots, levels: Points) -> Measured:
        """Measure all bins at each turn, with the truth beside.

        Args:
            slots: the turns, ascending.
            levels: of the bins at `slots.measured_at`, shape (turns, bins).
        """
        at = slots.measured_at(levels.shape[1])
        seen_levels = levels.copy()
        hung = [spell for spell in self._spells if spell.fault == "moved"]
        for spell, rows in _touched(hung, at):
            seen_levels[rows, spell.bin] = levels[rows, echo.other_bin(spell, levels.shape[1])]
        seen = self._sound(slots, at, seen_levels)
        touched = _touched(self._spells, at)
        draws = slots.fault_draws(self._seed, levels.shape[1]) if touched else np.empty(0)
        for spell, rows in touched:
            part = seen.part(rows, spell.bin)
            part.hits[:] |= spell.bit
            echo.spoil(part, spell, draws[:, rows, spell.bin], self._stuck)
            radio.spoil(part, spell, draws[:, rows, spell.bin])
        return seen

    def _sound(self, slots: Slots, at: NDArray[np.int64], levels: Points) -> Measured:
        """Measure without any fault."""
        noise, chance = slots.noise(self._seed, levels.shape[1])
        # Waste is no level floor: its surface lies a few centimetres higher or lower than the mean.
        depth_mm = self._empty_mm - self._full_mm
        distance = self._empty_mm - levels * depth_mm + 4 * noise[0] - 8 * np.abs(noise[1]) * (levels > 0)
        lost = chance[0] > 1 - LOST_CHANCE
        return Measured(
            at_s=at,
            distance_mm=np.where(lost, np.nan, np.clip(distance, NEAREST_MM, self._empty_mm + 25)),
            spread_mm=np.where(lost, np.nan, 8 + 6 * np.abs(noise[2])),
            valid_count=np.where(lost, 0.0, ECHOES - (chance[1] < WEAK_CHANCE)),
            temperature_c=_temperature(at) + 0.4 * noise[3],
            battery_mv=self._battery_mv - (at % YEAR_S) / DAY_S * 0.6 + 3 * noise[2],
            tilt_deg=np.tile(self._tilt_deg.astype(np.float64), (len(at), 1)),
            flags=np.zeros(at.shape, dtype=np.int64),
            level=levels,
            empty_mm=np.tile(self._empty_mm, (len(at), 1)),
            full_mm=np.tile(self._full_mm, (len(at), 1)),
            arrived_s=at + ON_THE_WAY_S,
            lost=np.zeros(at.shape, dtype=np.bool_),
            copies=np.zeros(at.shape, dtype=np.int64),
            hits=np.zeros(at.shape, dtype=np.int64),
        )


def _touched(spells: Sequence[Spell], at_s: NDArray[np.int64]) -> list[tuple[Spell, slice]]:
    """Give the spells that fall into some turns, and which turns those are for the bin of each."""
    first, last = at_s[0].min(), at_s[-1].max()
    near = [spell for spell in spells if spell.from_s <= last and spell.until_s > first]
    borders = [np.searchsorted(at_s[:, spell.bin], [spell.from_s, spell.until_s]).tolist() for spell in near]
    return [(spell, slice(*border)) for spell, border in zip(near, borders, strict=True) if border[0] < border[1]]


def _temperature(at_s: NDArray[np.int64]) -> Points:
    season = 10 - 6 * np.cos(2 * np.pi * (at_s / YEAR_S - 0.06))
    hour = at_s % DAY_S / HOUR_S
    front = 2 * np.sin(at_s / (4.3 * DAY_S))
    return np.asarray(season + front + 3.5 * np.sin(2 * np.pi * (hour - 9) / 24))


def to_rows(measured: NDArray[np.int64]) -> list[Row]:
    """Turn readings of shape (n, 9) into rows for the codec."""
    return [
        (seq, at, None if distance == MISSING else distance, None if spread == MISSING else spread, *rest)
        for seq, at, distance, spread, *rest in measured.tolist()
    ]
