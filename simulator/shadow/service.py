"""What comes of emptying bins at given times: visits, emptyings of bins that were not half full, hours of overflow."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.assess.levels.readings import Floats, Integers
from simulator.shadow.flow import Flow
from simulator.shadow.town import Span

# A bin that holds less was visited for little.
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Service:
    """How bins were served; all arrays have one value a bin.

    Attributes:
        visits: how often they were emptied.
        under_half: how often of these they were not half full.
        overflow_hours: for how long they were full.
        fill: mean level at the visits, 0..1 or more; NaN without a visit.
    """

    visits: Integers
    under_half: Integers
    overflow_hours: Floats
    fill: Floats


def serve(flow: Flow, visits: Sequence[Floats], span: Span) -> Service:
    """Replay the visits of all bins: each takes out all that fell in since the one before it.

    Args:
        flow: what falls in.
        visits: of each bin, hours since 1970, ascending, within its span.
        span: the time that counts.
    """
    rows = [
        _serve(flow, number, hours, float(span.level[number]), (float(span.begins[number]), float(span.ends[number])))
        for number, hours in enumerate(visits)
    ]
    counts, halves, overflows, fills = zip(*rows, strict=True)
    return Service(np.array(counts), np.array(halves), np.array(overflows), np.array(fills))


def levels_at(flow: Flow, number: int, visits: Floats, first_level: float, begin: float) -> Floats:
    """Say how full a bin is when each visit comes; more than 1 where waste lies beside it."""
    risen = flow.risen_at(number, np.append(begin, visits))
    before = risen[:-1].copy()
    before[:1] -= first_level
    levels: Floats = risen[1:] - before
    return levels


def _serve(
    flow: Flow, number: int, visits: Floats, first_level: float, span: tuple[float, float]
) -> tuple[int, int, float, float]:
    begin, end = span
    levels = levels_at(flow, number, visits, first_level, begin)
    emptied = flow.risen_at(number, np.append(begin, visits))
    emptied[0] -= first_level
    full_at = np.maximum(flow.reached_at(number, emptied + 1.0), np.append(begin, visits))
    overflow = np.maximum(np.append(visits, end) - full_at, 0.0)
    fill = float(levels.mean()) if len(levels) else float("nan")
    return len(visits), int(np.count_nonzero(levels < HALF)), float(overflow.sum()), fill
