"""What a part of the bench takes and gives: each is a module with `measure(rounds, tell)`."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Tell = Callable[[str], None]
"""Takes a line for people."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a part found.

    Attributes:
        figures: by their names.
        samples: what they were taken from, one value for each round.
    """

    figures: Mapping[str, float]
    samples: Mapping[str, list[float]]


def medians(samples: Mapping[str, list[float]]) -> Found:
    """Take as figures the medians of samples that bear the figures' names."""
    return Found({name: statistics.median(values) for name, values in samples.items()}, samples)
