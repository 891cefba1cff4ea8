"""Which sensors of a town misbehave, and how."""

from collections.abc import Sequence
from typing import Literal

from simulator.chance import stream

Fault = Literal["silent", "spikes", "no_echo"]

SHARES: dict[Fault, float] = {"silent": 0.009, "spikes": 0.009, "no_echo": 0.006}
"""Which part of the sensors has a fault."""


def plan_faults(seed: int, devices: Sequence[str]) -> dict[str, Fault]:
    """Say which devices are faulty: silent ones stop reporting, others see spikes, or no echo any more.

    Args:
        seed: of the world.
        devices: those that may have a fault.
    """
    order = [devices[index] for index in stream(seed, "faults").permutation(len(devices))]
    planned: dict[str, Fault] = {}
    for fault, share in SHARES.items():
        for _ in range(round(share * len(devices))):
            planned[order.pop()] = fault
    return planned
