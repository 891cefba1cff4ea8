"""Compares the emptyings that were found in readings with those that are known to have happened."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.readings import Floats, Times

TOLERANCE = np.timedelta64(3, "h")
# Between readings further apart than this an emptying cannot be told to within the tolerance.
UNSEEN = 2 * TOLERANCE

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Found:
    """The emptyings found in one bin's readings, oldest first; each happened in a window. All have the shape (n,).

    Attributes:
        not_before: datetime64[us], the last believed reading before.
        newest_before: the last reading before, believed or not.
        emptied_at: the first believed reading after.
    """

    not_before: Times
    newest_before: Times
    emptied_at: Times

    @property
    def moment(self) -> Times:
        """What is compared with the known moment: half a measuring interval before the first reading after.

        Where the readings before it were not believed, as those of a bin that is full to the sensor are not, the window
        is long; but it hardly was emptied at the beginning of it.
        """
        return self.newest_before + (self.emptied_at - self.newest_before) // 2

    def where(self, kept: slice | Flags) -> Self:
        """Take some of them."""
        return type(self)(self.not_before[kept], self.newest_before[kept], self.emptied_at[kept])


@dataclass(frozen=True, slots=True)
class Outcome:
    """How well found and known emptyings agree.

    Attributes:
        matched: pairs of one found and one known that are at most TOLERANCE apart.
        false: found ones without a partner.
        missed: known ones without a partner, although the bin was measured around them.
        unseen: known ones without a partner that fall into a gap of the readings longer than UNSEEN, or outside them.
        unplaced: found ones over such a gap, in which an unseen one did happen: right, but when cannot be told.
        apart_h: how far the pairs are apart, hours, positive where found late, shape (matched,).
        false_at: of the false ones.
        missed_at: when the missed ones happened.
    """

    matched: int
    false: int
    missed: int
    unseen: int
    unplaced: int
    apart_h: Floats
    false_at: Times
    missed_at: Times

    @classmethod
    def none(cls) -> Self:
        """Begin a sum."""
        nothing = np.array([], dtype="datetime64[us]")
        return cls(0, 0, 0, 0, 0, np.array([], dtype=np.float64), nothing, nothing)

    @property
    def precision(self) -> float:
        """Share of the found ones that happened, those over gaps aside; NaN where none was found."""
        return _share(self.matched, self.matched + self.false)

    @property
    def recall(self) -> float:
        """Share of the known ones that were found, those in gaps aside; NaN where none could be seen."""
        return _share(self.matched, self.matched + self.missed)

    @property
    def recall_all(self) -> float:
        """Share of all known ones that were found, those in gaps counted as missed."""
        return _share(self.matched, self.matched + self.missed + self.unseen)


def match(found: Found, known: Times, measured_at: Times) -> Outcome:
    """Pair found with known emptyings of one bin, one with one, so that there are as many pairs as can be.

    Args:
        found: oldest first.
        known: datetime64[us], ascending, shape (m,).
        measured_at: when the bin was measured, ascending.
    """
    moment = found.moment
    pairs = _pairs(moment, known)
    lone_found = np.setdiff1d(np.arange(len(moment)), pairs[:, 0])
    lone_known = np.setdiff1d(np.arange(len(known)), pairs[:, 1])
    in_gap = _in_gap(known[lone_known], measured_at)
    unseen = known[lone_known[in_gap]]
    begins, ends = found.not_before[lone_found], found.emptied_at[lone_found]
    holds = np.searchsorted(unseen, ends, side="right") > np.searchsorted(unseen, begins)
    unplaced = holds & (ends - begins > UNSEEN)
    return Outcome(
        matched=len(pairs),
        false=int(np.count_nonzero(~unplaced)),
        missed=int(np.count_nonzero(~in_gap)),
        unseen=len(unseen),
        unplaced=int(np.count_nonzero(unplaced)),
        apart_h=(moment[pairs[:, 0]] - known[pairs[:, 1]]) / np.timedelta64(1, "h"),
        false_at=moment[lone_found[~unplaced]],
        missed_at=known[lone_known[~in_gap]],
    )


def summed(outcomes: list[Outcome]) -> Outcome:
    """Take the outcomes of several bins together."""
    every = [Outcome.none(), *outcomes]
    return Outcome(
        matched=sum(one.matched for one in every),
        false=sum(one.false for one in every),
        missed=sum(one.missed for one in every),
        unseen=sum(one.unseen for one in every),
        unplaced=sum(one.unplaced for one in every),
        apart_h=np.concatenate([one.apart_h for one in every]),
        false_at=np.concatenate([one.false_at for one in every]),
        missed_at=np.concatenate([one.missed_at for one in every]),
    )


def _pairs(found: Times, known: Times) -> npt.NDArray[np.int64]:
    """Pair two ascending lists from the earliest on, which gives the most pairs; shape (pairs, 2)."""
    pairs = []
    at_found = at_known = 0
    while at_found < len(found) and at_known < len(known):
        apart = found[at_found] - known[at_known]
        if apart > TOLERANCE:
            at_known += 1
        elif apart < -TOLERANCE:
            at_found += 1
        else:
            pairs.append((at_found, at_known))
            at_found, at_known = at_found + 1, at_known + 1
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _in_gap(moments: Times, measured_at: Times) -> Flags:
    """Say which moments have no reading on one side, or readings further apart than UNSEEN around them."""
    after = np.searchsorted(measured_at, moments, side="left")
    inside = (after > 0) & (after < len(measured_at))
    apart = np.diff(measured_at) > UNSEEN
    gap = np.ones(len(moments), dtype=np.bool_)
    gap[inside] = apart[after[inside] - 1]
    return gap


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
