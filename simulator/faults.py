"""Which sensors of a town misbehave, how, and when: every fault can be switched, and what it hit is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from simulator.chance import stream

Fault = Literal[
    "no_echo", "blind_zone", "false_echo", "lid_open", "condensation", "soft_surface", "spikes", "stuck", "drift",
    "knocked", "tilted", "moved", "swapped", "cold_battery", "water", "fire",
    "clock_wrong", "duplicates", "back_fill", "out_of_order", "reboots", "radio_shadow", "silent",
]  # fmt: skip
FAULTS: tuple[Fault, ...] = get_args(Fault)
BLINDING: frozenset[Fault] = frozenset({"no_echo", "stuck", "tilted", "water", "silent"})
"""While one of these lasts, the readings say nothing, even where they happen to be right."""

HOUR_S, DAY_S = 3600, 86_400
LASTS_S: dict[Fault, tuple[int, int]] = {
    "no_echo": (6 * HOUR_S, 4 * DAY_S),
    "blind_zone": (14 * DAY_S, 42 * DAY_S),
    "false_echo": (2 * DAY_S, 14 * DAY_S),
    "lid_open": (HOUR_S, 8 * HOUR_S),
    "condensation": (3 * DAY_S, 14 * DAY_S),
    "soft_surface": (2 * DAY_S, 10 * DAY_S),
    "spikes": (7 * DAY_S, 42 * DAY_S),
    "stuck": (6 * HOUR_S, 5 * DAY_S),
    "drift": (14 * DAY_S, 42 * DAY_S),
    "knocked": (3 * DAY_S, 21 * DAY_S),
    "tilted": (3 * HOUR_S, 36 * HOUR_S),
    "moved": (2 * DAY_S, 7 * DAY_S),
    "swapped": (7 * DAY_S, 42 * DAY_S),
    "cold_battery": (3 * DAY_S, 14 * DAY_S),
    "water": (DAY_S, 4 * DAY_S),
    "fire": (2 * HOUR_S, 4 * HOUR_S),
    "clock_wrong": (6 * HOUR_S, 3 * DAY_S),
    "duplicates": (7 * DAY_S, 28 * DAY_S),
    "back_fill": (6 * HOUR_S, 60 * HOUR_S),
    "out_of_order": (3 * DAY_S, 14 * DAY_S),
    "reboots": (6 * HOUR_S, 2 * DAY_S),
    "radio_shadow": (3 * DAY_S, 14 * DAY_S),
    "silent": (DAY_S, 10 * DAY_S),
}
"""How long a spell lasts, at least and at most."""
ALL: dict[Fault, float] = dict.fromkeys(FAULTS, 0.03)
"""Every fault, each in three of a hundred sensors."""

DEMO: dict[Fault, float] = {"silent": 0.009, "spikes": 0.009, "no_echo": 0.006, "tilted": 0.002}
"""Which part of a demo town's sensors has a fault."""
FOR_EVER_S = 2**62
FOR_GOOD: frozenset[Fault] = frozenset({"swapped"})
"""Nobody puts the old device back."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A sensor has a fault for a while.

    Attributes:
        fault: which.
        bin: place of the bin that the sensor is fitted to.
        from_s: Unix seconds, included.
        until_s: Unix seconds, not included.
        draw: 0..1, evenly spread: how bad, how far, or which kind.
    """

    fault: Fault
    bin: int
    from_s: int
    until_s: int
    draw: float

    @property
    def bit(self) -> int:
        """The bit that marks a reading hit by this fault."""
        return bit(self.fault)


def bit(*faults: Fault) -> int:
    """Give the bits of some faults."""
    return sum(1 << FAULTS.index(fault) for fault in faults)


def plan_spells(seed: int, bins: int, from_s: int, until_s: int, shares: Mapping[Fault, float]) -> tuple[Spell, ...]:
    """Say which sensors misbehave when; switching one fault on or off changes nothing about the others.

    Args:
        seed: of the world.
        bins: how many sensors there are, one a bin.
        from_s: Unix seconds; no spell begins before.
        until_s: Unix seconds; none ends after, but for those that stay for good.
        shares: part of the sensors that has each fault for one spell, 0..1.
    """
    return tuple(
        spell for fault, share in shares.items() for spell in _plan(seed, bins, (from_s, until_s), fault, share)
    )


def _plan(seed: int, bins: int, span: tuple[int, int], fault: Fault, share: float) -> list[Spell]:
    rng = stream(seed, f"spells of {fault}")
    order, draws = rng.permutation(bins), rng.random((bins, 3))
    shortest, longest = LASTS_S[fault]
    spells = []
    for place in order[: round(share * bins)].tolist():
        long, start, draw = draws[place].tolist()
        lasts_s = min(int(shortest + long * (longest - shortest)), span[1] - span[0])
        from_s = int(span[0] + start * (span[1] - span[0] - lasts_s))
        until_s = FOR_EVER_S if fault in FOR_GOOD else from_s + lasts_s
        spells.append(Spell(fault, place, from_s, until_s, draw))
    return spells


def plan_faults(seed: int, devices: Sequence[str]) -> dict[str, Fault]:
    """Say which devices of a demo town are faulty, for ever.

    Args:
        seed: of the world.
        devices: those that may have a fault.
    """
    order = [devices[index] for index in stream(seed, "faults").permutation(len(devices))]
    planned: dict[str, Fault] = {}
    for fault, share in DEMO.items():
        for _ in range(round(share * len(devices))):
            planned[order.pop()] = fault
    return planned


def without_sensor(seed: int, bins: int, share: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Say which sensors are lost for good: a share of the bins, the larger shares holding the smaller ones."""
    return np.sort(stream(seed, "lost sensors").permutation(bins)[: round(share * bins)])
