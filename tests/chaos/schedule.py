"""Which part is killed when: drawn from a seed, so that a run can be had again."""

import random
from dataclasses import dataclass
from typing import Literal, get_args

Part = Literal["device", "broker", "database", "ingester"]
PARTS: tuple[Part, ...] = get_args(Part)
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One power cut.

    Attributes:
        part: what is killed.
        device: which of the devices, where it is one.
        pause_s: seconds from the recovery before it to this kill.
    """

    part: Part
    device: int
    pause_s: float


def plan_kills(seed: int, count: int, devices: int) -> list[Kill]:
    """Draw kills; every part has its turn equally often, in any order.

    Args:
        seed: the same one gives the same kills.
        count: how many.
        devices: how many there are to choose from.
    """
    rng = random.Random(seed)  # noqa: S311 - repeatable moments, not secrets
    parts = [PARTS[turn % len(PARTS)] for turn in range(count)]
    rng.shuffle(parts)
    return [Kill(part, rng.randrange(devices), rng.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)) for part in parts]
