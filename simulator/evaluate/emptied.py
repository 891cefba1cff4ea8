"""How well emptyings are found in the readings of an invented town, where the truth is known to the second.

An emptying can be seen when truthful readings show it: at least one between the emptying before and this one, and two
between this one and the next; between the last before and the first after lies a fall that is no settling, and the
second after still shows half of it. A truthful reading shows the true level to a tenth. What a sensor that is stuck,
dark, silent or hidden behind a liner could not show is counted apart, as unseen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.assess.levels.findings import examine
from simulator.deposits import HOUR_S
from simulator.faults import BLINDING
from simulator.levels import Falls
from simulator.telemetry import Telemetry
from simulator.terrain import Points
from simulator.world import World

TRUTHFUL = 0.1
"""How far a truthful reading's level is off, at most."""
FALL, FALL_TO_BOTTOM, BOTTOM = 0.3, 0.2, 0.1
"""A fall of less, or of less to the bottom, might be waste that settled, or is too small to matter."""
CONFIRMED_BY = 2
REFILLED = 0.5
"""What is thrown into the empty bin before it is measured twice hides the emptying when it is more of the fall."""
INTERVAL_S = HOUR_S
"""Sensors report hourly."""
_BIN_S = 10**11
"""Apart enough to keep the times of bins apart in one array."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What truthful readings show of true emptyings; all of shape (n,), ordered as `falls`.

    Attributes:
        falls: the true ones, ordered by bin and time.
        seen: which can be seen.
        shown_s: when the first truthful reading after each was measured; at the emptying itself where there is none.
    """

    falls: Falls
    seen: NDArray[np.bool_]
    shown_s: Points


@dataclass(frozen=True, slots=True)
class Score:
    """How found and true emptyings agree.

    Attributes:
        true: found ones that happened, each at the right time: at most an interval off what the readings show.
        ghosts: found ones that did not happen, as bin and Unix seconds, shape (g, 2).
        recalled: true ones that can be seen and were found.
        missed: true ones that can be seen and were not, as bin and Unix seconds, shape (m, 2).
        unseen: true ones that no readings show.
    """

    true: int
    ghosts: NDArray[np.int64]
    recalled: int
    missed: NDArray[np.int64]
    unseen: int

    @property
    def precision(self) -> float:
        """Share of the found ones that are true; 1 where none was found."""
        return self.true / max(1, self.true + len(self.ghosts)) if self.true + len(self.ghosts) else 1.0

    @property
    def recall(self) -> float:
        """Share of those that can be seen that were found; 1 where none can."""
        return self.recalled / (self.recalled + len(self.missed)) if self.recalled + len(self.missed) else 1.0


@dataclass(frozen=True, slots=True)
class Finds:
    """Emptyings that were found; all of shape (n,), ordered by bin and time.

    Attributes:
        bin: place of the bin.
        not_before_s: last reading before, Unix seconds.
        emptied_s: first reading after.
    """

    bin: NDArray[np.int64]
    not_before_s: NDArray[np.int64]
    emptied_s: NDArray[np.int64]


def find(telemetry: Telemetry, bins: int) -> Finds:
    """Find emptyings as the product does.

    Args:
        telemetry: what arrived.
        bins: how many bins there are.
    """
    findings = examine(telemetry.series(bins), telemetry.geometry(), 0.8)
    rows = [
        (
            place,
            one.not_before.astype("datetime64[s]").astype(np.int64),
            one.emptied_at.astype("datetime64[s]").astype(np.int64),
        )
        for place, found in enumerate(findings)
        for one in found.emptyings
    ]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Finds(columns[:, 0], columns[:, 1], columns[:, 2])


def sight(world: World) -> Sight:
    """Say which true emptyings the readings show."""
    falls, telemetry = world.falls(), world.telemetry
    order = np.lexsort((falls.at_s, falls.bin))
    falls = Falls(falls.bin[order], falls.at_s[order], falls.before[order], falls.after[order])
    told = telemetry.where(truthful(telemetry))
    # Readings and emptyings of all bins on one line of time; a bin's neighbours on it are far away.
    read = np.concatenate([[-_BIN_S], told.bin * _BIN_S + told.measured_s, [2**62, 2**62]]).astype(np.float64)
    level = np.concatenate([[0.0], told.level, [0.0, 0.0]])
    at = falls.bin * float(_BIN_S) + falls.at_s
    place = np.searchsorted(read, at)
    last = np.concatenate([[-np.inf], at[:-1]])
    last = np.where(np.diff(falls.bin, prepend=-1) == 0, last, falls.bin * float(_BIN_S))
    following = np.where(np.diff(falls.bin, append=-1) == 0, np.append(at[1:], np.inf), (falls.bin + 1) * float(_BIN_S))
    witnessed = (read[place - 1] > last) & (read[np.minimum(place + CONFIRMED_BY - 1, len(read) - 1)] < following)
    before, after = np.clip(level[place - 1], 0, 1), np.clip(level[place], 0, 1)
    fall = before - after
    deep = (fall >= FALL) | ((fall >= FALL_TO_BOTTOM) & (after <= BOTTOM))
    lasts = np.clip(level[np.minimum(place + 1, len(level) - 1)], 0, 1) - after <= REFILLED * fall
    shown = np.where(witnessed, read[place] - falls.bin * float(_BIN_S), falls.at_s)
    return Sight(falls, witnessed & deep & lasts, shown)


def truthful(telemetry: Telemetry) -> NDArray[np.bool_]:
    """Say which readings show the true level at the right time, shape (n,)."""
    shown = (telemetry.empty_mm - telemetry.distance_mm) / (telemetry.empty_mm - telemetry.full_mm)
    near = np.abs(np.clip(shown, 0, 1) - np.clip(telemetry.level, 0, 1)) <= TRUTHFUL
    return np.asarray(near & ~telemetry.hit_by(*BLINDING, "clock_wrong"))


def score(finds: Finds, seen: Sight) -> Score:
    """Pair found with true emptyings, one with one: the latest that fits into the window of each found one."""
    partner = np.full(len(seen.falls.bin), -1)
    ghosts = []
    starts = np.searchsorted(seen.falls.bin, np.arange(seen.falls.bin.max(initial=0) + 2))
    for number, (place, begin, end) in enumerate(zip(finds.bin, finds.not_before_s, finds.emptied_s, strict=True)):
        first, last = starts[place : place + 2] if place + 1 < len(starts) else (0, 0)
        at, shown = seen.falls.at_s[first:last], seen.shown_s[first:last]
        fits = (at >= begin - INTERVAL_S) & (at <= end + INTERVAL_S) & (partner[first:last] < 0)
        fits &= (end <= shown + INTERVAL_S) | ~seen.seen[first:last]
        if fits.any():
            partner[first + np.flatnonzero(fits)[-1]] = number
        else:
            ghosts.append((place, end))
    found = partner >= 0
    lost = seen.seen & ~found
    return Score(
        true=int(found.sum()),
        ghosts=np.array(ghosts, dtype=np.int64).reshape(-1, 2),
        recalled=int((seen.seen & found).sum()),
        missed=np.column_stack([seen.falls.bin[lost], seen.falls.at_s[lost].astype(np.int64)]),
        unseen=int((~seen.seen).sum()),
    )
