"""How far each reading can be believed: the code of OMA LwM2M resource 6042, and the reason in words."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.readings import BLIND_ZONE, LID_OPEN, TILTED, TIME_ESTIMATED, Floats, Geometry, Series, Times

UNCHECKED, REJECTED, REJECTED_PROBABLE, SUSPICIOUS, ACCEPTED = range(5)

# Nearer than this no sensor in use measures: something sits on its face, or the waste is past the full mark.
BLIND_ZONE_MM = 30
# How far below the bottom an echo may seem to come from: a soft bag, a mounting that gave way a little.
BELOW_BOTTOM_MM = 100
BELOW_BOTTOM_SHARE = 0.15
# A sensor this far from upright looks at the wall or at the street.
TILTED_DEG = 60
# Echoes of one measurement that differ by more than this share of the depth, and at least so many millimetres.
WIDE_SPREAD_SHARE = 0.35
WIDE_SPREAD_MM = 150
# A reading this share of the depth away from both its neighbours, which agree, is an echo of something else.
SPIKE_SHARE = 0.2
# Neighbours further off in time prove nothing: the bin may have been filled and emptied between them.
NEIGHBOUR = np.timedelta64(6, "h")


@dataclass(frozen=True, slots=True)
class Judgement:
    """The quality of each reading of a series.

    Attributes:
        codes: int8, shape (n,): 0 unchecked, 1 rejected, 2 probably wrong and rejected, 3 suspicious, 4 accepted.
        reasons: one per reading, in words; empty for an accepted one.
    """

    codes: npt.NDArray[np.int8]
    reasons: tuple[str, ...]

    @property
    def believed(self) -> npt.NDArray[np.bool_]:
        """Which readings count, shape (n,): suspicious and accepted ones."""
        return self.codes >= SUSPICIOUS


def judge(series: Series, geometry: Geometry) -> Judgement:
    """Judge every reading by itself and by its neighbours.

    What is certainly wrong is rejected, however plausible its neighbours are; of several reasons the first is given.

    Args:
        series: one bin's readings, oldest first.
        geometry: of that bin.
    """
    rules = [*_certain_faults(series, geometry), *_doubts(series, geometry)]
    codes = np.full(len(series), ACCEPTED, dtype=np.int8)
    which = np.full(len(series), -1, dtype=np.int16)
    for index in reversed(range(len(rules))):
        code, _, hits = rules[index]
        codes[hits] = code
        which[hits] = index
    words = [
        *(reason for _, reason, _ in rules),
        "far from the readings before and after it",
        "a jump, not confirmed yet",
    ]
    spikes, jump = _strangers(series, geometry, codes)
    codes[spikes], which[spikes] = REJECTED_PROBABLE, len(rules)
    codes[jump], which[jump] = SUSPICIOUS, len(rules) + 1
    return Judgement(codes, tuple("" if index < 0 else words[index] for index in which.tolist()))


_Rule = tuple[int, str, npt.NDArray[np.bool_]]


def _certain_faults(series: Series, geometry: Geometry) -> list[_Rule]:
    distance = series.distance_mm
    slack_mm = np.maximum(BELOW_BOTTOM_MM, BELOW_BOTTOM_SHARE * geometry.depth_mm)
    return [
        (REJECTED, "tilted", (series.tilt_deg > TILTED_DEG) | ((series.flags & TILTED) != 0)),
        (REJECTED, "lid open", (series.flags & LID_OPEN) != 0),
        # First, because such a reading has no distance either.
        (REJECTED, "too near to measure", (distance < BLIND_ZONE_MM) | ((series.flags & BLIND_ZONE) != 0)),
        (REJECTED, "no echo", np.isnan(distance) | (series.valid_count == 0)),
        (REJECTED, "further away than the bottom of the bin", distance > geometry.empty_mm + slack_mm),
    ]


def _doubts(series: Series, geometry: Geometry) -> list[_Rule]:
    wide_mm = np.maximum(WIDE_SPREAD_MM, WIDE_SPREAD_SHARE * geometry.depth_mm)
    return [
        (SUSPICIOUS, "its echoes disagree", series.spread_mm > wide_mm),
        (SUSPICIOUS, "its clock was set only later", (series.flags & TIME_ESTIMATED) != 0),
    ]


def _strangers(
    series: Series, geometry: Geometry, codes: npt.NDArray[np.int8]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Find readings far from their neighbours: those that stand alone between two, and the newest if it jumped."""
    index = np.flatnonzero(codes >= SUSPICIOUS)
    level = np.broadcast_to((geometry.empty_mm - series.distance_mm) / geometry.depth_mm, len(series))[index]
    measured_at = series.measured_at[index]
    lonely = np.zeros(len(index), dtype=np.bool_)
    if len(index) > 2:  # noqa: PLR2004 - a reading and its two neighbours
        lonely[1:-1] = _lonely(level, measured_at)
    rest = np.flatnonzero(~lonely)[-2:]
    jumped = len(rest) == 2 and abs(level[rest[1]] - level[rest[0]]) > SPIKE_SHARE  # noqa: PLR2004 - the newest two
    near = jumped and measured_at[rest[1]] - measured_at[rest[0]] <= NEIGHBOUR
    return index[lonely], index[rest[1:]] if near else index[:0]


def _lonely(share: Floats, measured_at: Times) -> npt.NDArray[np.bool_]:
    before, here, after = share[:-2], share[1:-1], share[2:]
    near = (np.diff(measured_at)[:-1] <= NEIGHBOUR) & (np.diff(measured_at)[1:] <= NEIGHBOUR)
    from_before, from_after = here - before, here - after
    apart = (np.abs(from_before) > SPIKE_SHARE) & (np.abs(from_after) > SPIKE_SHARE)
    one_side = np.sign(from_before) == np.sign(from_after)
    agree = np.abs(before - after) < SPIKE_SHARE / 2
    result: npt.NDArray[np.bool_] = near & apart & one_side & agree
    return result
