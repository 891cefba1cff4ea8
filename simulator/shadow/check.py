"""How far a replay can be believed: the present rounds, replayed, against what the sensors did measure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.assess.levels.readings import Floats
from simulator.shadow.service import levels_at
from simulator.shadow.town import Span, Town

# A visit and an emptying that the readings show are the same when they are at most so far apart.
SAME_H = 3.0


@dataclass(frozen=True, slots=True)
class Check:
    """What the comparison of replay and measurement gives.

    Attributes:
        visits: present visits at which the readings show an emptying.
        apart: mean distance of the replayed from the measured level at these visits, 0..1; NaN without any.
        unseen: present visits at which the readings show none: the bin held little, was passed by, or was not measured.
        unwritten: emptyings that the readings show, and at which no visit is written down.
    """

    visits: int
    apart: float
    unseen: int
    unwritten: int


def check(town: Town, visits: Sequence[Floats], span: Span) -> Check:
    """Compare the levels at the visits of the present rounds.

    Args:
        town: with what was measured.
        visits: of each bin, hours since 1970, ascending.
        span: the time that counts.
    """
    apart: list[Floats] = []
    unseen = unwritten = 0
    for number, mine in enumerate(visits):
        here = slice(*np.searchsorted(town.assessed.bin, (number, number + 1)).tolist())
        emptied = town.assessed.found.moment[here].astype(np.int64) / 3.6e9
        fill = town.assessed.fill_before[here]
        begin, level = float(span.begins[number]), float(span.level[number])
        inside = (emptied >= begin) & (emptied <= span.ends[number])
        emptied, fill = emptied[inside], fill[inside]
        nearest = _nearest(mine, emptied)
        seen = nearest >= 0
        levels = np.minimum(levels_at(town.flow, number, mine, level, begin), 1.0)
        apart.append(np.abs(levels[seen] - fill[nearest[seen]]))
        unseen += int(np.count_nonzero(~seen))
        unwritten += len(emptied) - len(np.unique(nearest[seen]))
    every = np.concatenate(apart) if apart else np.zeros(0)
    return Check(len(every), float(every.mean()) if len(every) else float("nan"), unseen, unwritten)


def _nearest(moments: Floats, others: Floats) -> np.typing.NDArray[np.int64]:
    """Give the place of the nearest other moment for each; -1 where none is within SAME_H."""
    found = np.full(len(moments), -1, dtype=np.int64)
    if not len(others):
        return found
    after = np.clip(np.searchsorted(others, moments), 1, max(len(others) - 1, 1))
    left, right = after - 1, np.minimum(after, len(others) - 1)
    best = np.where(np.abs(others[left] - moments) <= np.abs(others[right] - moments), left, right)
    return np.where(np.abs(others[best] - moments) <= SAME_H, best, -1).astype(np.int64)
