"""Faults between a sensor and the ingester: clock, repeats, delays, losses. Each changes readings in place."""

import numpy as np

from simulator.faults import HOUR_S, Spell
from simulator.measured import Measured
from simulator.terrain import Points

# A bit of `flags` (docs/contract.md).
TIME_ESTIMATED = 2
CLOCK_OFF_S = 20 * 60
"""How far the sleep clock of a device that lost the time is off, at most."""
OUT_OF_ORDER_S = 5 * HOUR_S


def spoil(part: Measured, spell: Spell, draws: Points) -> None:
    """Let one spell change when and whether the readings of its sensor arrive; other faults change nothing.

    Args:
        part: the readings within the spell, shape (n,).
        spell: the fault.
        draws: evenly spread, 0..1, shape (3, n).
    """
    match spell.fault:
        case "clock_wrong":
            # What says 1970 never gets past the ingester; a device that guessed the time says so.
            part.at_s[:] += int((2 * spell.draw - 1) * CLOCK_OFF_S)
            part.flags[:] |= TIME_ESTIMATED
        case "duplicates":
            part.copies[draws[0] < 0.3] = 1  # noqa: PLR2004
        case "back_fill":
            # The device keeps everything until its link is back.
            part.arrived_s[:] = np.maximum(part.arrived_s, spell.until_s + (60 * draws[0]).astype(np.int64))
        case "out_of_order":
            part.arrived_s[:] += (OUT_OF_ORDER_S * draws[0]).astype(np.int64)
        case "reboots":
            part.lost[draws[0] < 0.5] = True  # noqa: PLR2004
            part.copies[draws[0] > 0.7] = 2  # noqa: PLR2004
        case "radio_shadow":
            part.lost[draws[0] < 0.6] = True  # noqa: PLR2004
        case "silent":
            part.lost[:] = True
