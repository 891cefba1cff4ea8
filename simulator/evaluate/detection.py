"""What the product makes of a data set: quality, levels and emptyings of its readings, as when it runs."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.emptying import Emptyings, detect
from ingest.assess.levels.level import fill_levels
from ingest.assess.levels.quality import judge
from ingest.assess.levels.readings import Floats, Geometry, Integers, Series, Times
from simulator.evaluate.matching import TOLERANCE, Found, Outcome, match, summed
from simulator.evaluate.readings_file import KnownEmptyings, Readings

# So many are looked at together: a few hundred bytes each while it lasts.
READINGS_AT_ONCE = 1_000_000
# Where a file tells levels, a sensor of this geometry could have measured them.
LEVEL_GEOMETRY = Geometry(empty_mm=1300.0, full_mm=300.0)


@dataclass(frozen=True, slots=True)
class Assessed:
    """What was made of a data set's readings.

    Attributes:
        levels: of each reading, 0..1, NaN where rejected, shape (n,).
        codes: quality of each reading, LwM2M 6042, shape (n,).
        bin: of each emptying, ascending, shape (m,).
        found: the emptyings, bin after bin, shape (m,).
        fill_before: level 0..1 before each emptying, shape (m,).
    """

    levels: Floats
    codes: npt.NDArray[np.int8]
    bin: Integers
    found: Found
    fill_before: Floats

    @property
    def believed(self) -> bool:
        """Whether any reading tells a level."""
        return not bool(np.isnan(self.levels).all())

    def of_bin(self, number: int) -> Found:
        """Give the emptyings of one bin."""
        first, end = np.searchsorted(self.bin, (number, number + 1))
        return self.found.where(slice(int(first), int(end)))


def assess(readings: Readings, geometries: Geometry) -> Assessed:
    """Judge all readings and find the emptyings.

    Args:
        readings: of all bins.
        geometries: one number for all bins, or one a bin.
    """
    levels = np.full(len(readings), np.nan)
    codes = np.zeros(len(readings), dtype=np.int8)
    parts: list[tuple[Integers, Emptyings]] = []
    newest_before: list[Times] = []
    for first, end in _batches(readings.starts):
        series, geometry = series_of(readings, first, end), geometry_of(readings, geometries, first, end)
        judgement = judge(series, geometry)
        found = fill_levels(series, judgement, geometry)
        emptyings = detect(series, found, judgement)
        here = slice(int(readings.starts[first]), int(readings.starts[end]))
        levels[here], codes[here] = found, judgement.codes
        parts.append((emptyings.track + first, emptyings))
        newest_before.append(series.measured_at[emptyings.after - 1])
    return Assessed(
        levels,
        codes,
        np.concatenate([bins for bins, _ in parts]),
        Found(
            np.concatenate([one.not_before for _, one in parts]),
            np.concatenate(newest_before),
            np.concatenate([one.emptied_at for _, one in parts]),
        ),
        np.concatenate([one.fill_before for _, one in parts]),
    )


def compare(readings: Readings, assessed: Assessed, known: KnownEmptyings) -> dict[str, Outcome]:
    """Compare the emptyings found with the known ones, for each bin that has both readings and known emptyings.

    Only the time that the known ones span counts: before and after it nobody wrote down what happened.
    """
    moments = [known.emptied_at[name] for name in readings.bins if name in known.emptied_at]
    if not moments:
        return {}
    begin = min(each[0] for each in moments)
    end = max(each[-1] for each in moments)
    outcomes = {}
    for number, name in enumerate(readings.bins):
        if name in known.emptied_at:
            found = assessed.of_bin(number)
            inside = (found.emptied_at >= begin - TOLERANCE) & (found.not_before <= end + TOLERANCE)
            times = readings.measured_at[readings.starts[number] : readings.starts[number + 1]]
            outcomes[name] = match(found.where(inside), known.emptied_at[name], times)
    return outcomes


def figures_of(outcomes: dict[str, Outcome]) -> dict[str, float]:
    """Name what the comparison says of all bins together."""
    total = summed(list(outcomes.values()))
    late = np.abs(total.apart_h)
    return {
        "emptying_precision": total.precision,
        "emptying_recall": total.recall,
        "emptying_recall_all": total.recall_all,
        "emptyings_matched": total.matched,
        "emptyings_false": total.false,
        "emptyings_missed": total.missed,
        "emptyings_unseen": total.unseen,
        "emptying_apart_median_h": float(np.median(late)) if len(late) else float("nan"),
    }


def series_of(readings: Readings, first: int, end: int) -> Series:
    """Give the readings of the bins `first` up to `end` as the product takes them."""
    here = slice(int(readings.starts[first]), int(readings.starts[end]))
    value = readings.value[here]
    unknown = np.full(len(value), np.nan)
    return Series(
        measured_at=readings.measured_at[here],
        distance_mm=LEVEL_GEOMETRY.empty_mm - LEVEL_GEOMETRY.depth_mm * value if readings.is_level else value,
        spread_mm=unknown,
        valid_count=unknown,
        temperature_c=readings.temperature_c[here],
        tilt_deg=readings.tilt_deg[here],
        flags=np.zeros(len(value), dtype=np.int64),
        starts=readings.starts[first : end + 1] - readings.starts[first],
    )


def geometry_of(readings: Readings, geometries: Geometry, first: int, end: int) -> Geometry:
    """Give the geometry of each reading of the bins `first` up to `end`."""
    counts = np.diff(readings.starts)[first:end]
    wide = (np.broadcast_to(mm, len(readings.bins))[first:end] for mm in (geometries.empty_mm, geometries.full_mm))
    return Geometry(*(np.repeat(mm, counts) for mm in wide))


def _batches(starts: Integers) -> Iterator[tuple[int, int]]:
    """Part the bins so that no part holds many more than READINGS_AT_ONCE readings."""
    first = 0
    while first < len(starts) - 1:
        end = int(np.searchsorted(starts, starts[first] + READINGS_AT_ONCE, side="right")) - 1
        end = max(end, first + 1)
        yield first, end
        first = end
