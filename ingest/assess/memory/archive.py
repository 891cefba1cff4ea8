"""The past cycles of all bins: the newest of each, the running one among them. Pure."""

import numpy as np
import numpy.typing as npt

from ingest.assess.forecasts.cycles import MARKS, OPEN, Cycles
from ingest.assess.levels.readings import Integers, Times
from ingest.assess.memory.ragged import Ragged, Rows, runs

CYCLE = np.dtype(
    [
        ("began_at", "M8[us]"),
        ("ended_at", "M8[us]"),
        ("passed_s", "f4", (MARKS,)),
        ("level_first", "f4"),
        ("level_last", "f4"),
        ("after_emptying", "?"),
        ("ended_by", "i1"),
    ]
)
"""One cycle, as in `Cycles`."""

# So many of each bin say all that old ones can say of the next.
MOST = 24


class Archive:
    """Of bins that are numbered 0, 1, 2, ... by the caller."""

    def __init__(self) -> None:
        self._kept = Ragged(CYCLE)

    def __len__(self) -> int:
        return int(self._kept.counts.sum())

    @property
    def nbytes(self) -> int:
        """Bytes that the cycles take."""
        return self._kept.nbytes

    def widen(self, bins: int) -> None:
        """Make room for so many bins in all."""
        self._kept.widen(bins)

    def of(self, bins: Integers) -> Cycles:
        """Give the cycles of some bins; `bins` ascend."""
        rows, starts = self._kept.get(bins)
        return Cycles(np.repeat(bins, np.diff(starts)), **{name: rows[name] for name in CYCLE.names or ()})

    def forget(self, bins: Integers) -> None:
        """Forget the cycles of some bins."""
        self._kept.drop_last(bins, self._kept.counts[bins])

    def revise(self, bins: Integers, since: Times, cycles: Cycles) -> npt.NDArray[np.bool_]:
        """Replace what some bins, each named once and ascending, have of cycles that began at a time or later.

        Args:
            bins: numbers.
            since: of each; NaT for all cycles.
            cycles: those that began then or later, by the bins' numbers, sorted.

        Returns:
            Of which bins a cycle that had ended is not as it was, shape (len(bins),).
        """
        # A bin's cycles follow one another, so those to be replaced are its last ones.
        began_at, starts = self._kept.column("began_at", bins)
        owner = runs(starts)
        replaced = np.bincount(owner[~(began_at < since[owner])], minlength=len(bins))
        old, news = self._kept.drop_last(bins, replaced), _rows(cycles)
        target = np.searchsorted(bins, cycles.bin)
        counts = np.bincount(target, minlength=len(bins))
        self._kept.append(bins, news, np.concatenate([[0], np.cumsum(counts)]))
        self._kept.drop_first(bins, np.maximum(self._kept.counts[bins] - MOST, 0))
        return _differs(old, np.repeat(np.arange(len(bins)), replaced), news, target, len(bins))


def _rows(cycles: Cycles) -> Rows:
    rows = np.zeros(len(cycles), dtype=CYCLE)
    for name in CYCLE.names or ():
        rows[name] = getattr(cycles, name)
    return rows


def _differs(old: Rows, old_owner: Integers, new: Rows, new_owner: Integers, bins: int) -> npt.NDArray[np.bool_]:
    """Say which owners' cycles that have ended are others than before, shape (bins,); both are sorted by owner."""
    ended, new_ended = old["ended_by"] != OPEN, new["ended_by"] != OPEN
    old, old_owner, new, new_owner = old[ended], old_owner[ended], new[new_ended], new_owner[new_ended]
    # No more than are kept of each bin can be compared.
    after = np.cumsum(np.bincount(new_owner, minlength=bins))[new_owner] - np.arange(len(new_owner))
    new, new_owner = new[after <= MOST], new_owner[after <= MOST]
    differs: npt.NDArray[np.bool_] = np.bincount(old_owner, minlength=bins) != np.bincount(new_owner, minlength=bins)
    old, new, owner = old[~differs[old_owner]], new[~differs[new_owner]], new_owner[~differs[new_owner]]
    # By their bytes, in which unknown (NaN) equals unknown.
    unequal = np.any(_bytes(old) != _bytes(new), axis=1)
    differs[owner[unequal]] = True
    return differs


def _bytes(rows: Rows) -> npt.NDArray[np.uint8]:
    return rows.view(np.uint8).reshape(len(rows), CYCLE.itemsize)
