"""How far each reading can be believed: the code of OMA LwM2M resource 6042, and the reason in words."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.neighbours import beside, last_place
from ingest.assess.readings import BLIND_ZONE, LID_OPEN, TILTED, TIME_ESTIMATED, Floats, Geometry, Integers, Series

UNCHECKED, REJECTED, REJECTED_PROBABLE, SUSPICIOUS, ACCEPTED = range(5)

# What a reading may suffer from, the most certain first: of several the first is given.
CAUSES = (
    (ACCEPTED, ""),
    (REJECTED, "tilted"),
    (REJECTED, "lid open"),
    (REJECTED, "too near to measure"),
    (REJECTED, "no echo"),
    (REJECTED, "further away than the bottom of the bin"),
    (SUSPICIOUS, "its echoes disagree"),
    (SUSPICIOUS, "its clock was set only later"),
    (REJECTED_PROBABLE, "far from the readings before and after it"),
    (SUSPICIOUS, "a jump, not confirmed yet"),
)
_TILTED, _LID, _NEAR, _NO_ECHO, _FAR, _WIDE, _CLOCK, _SPIKE, _JUMP = range(1, len(CAUSES))
_CODES = np.array([code for code, _ in CAUSES], dtype=np.int8)

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
        causes: int8, shape (n,): places in `CAUSES`.
    """

    codes: npt.NDArray[np.int8]
    causes: npt.NDArray[np.int8]

    @property
    def believed(self) -> npt.NDArray[np.bool_]:
        """Which readings count, shape (n,): suspicious and accepted ones."""
        return self.codes >= SUSPICIOUS

    @property
    def reasons(self) -> tuple[str, ...]:
        """One per reading, in words; empty for an accepted one."""
        return tuple(CAUSES[cause][1] for cause in self.causes.tolist())


def judge(series: Series, geometry: Geometry) -> Judgement:
    """Judge every reading by itself and by its neighbours in its track.

    What is certainly wrong is rejected, however plausible its neighbours are; of several reasons the first is given.

    Args:
        series: of one or many tracks.
        geometry: of each reading, or of all.
    """
    causes = np.zeros(len(series), dtype=np.int8)
    faults = {**_certain_faults(series, geometry), **_doubts(series, geometry)}
    for cause in sorted(faults, reverse=True):
        causes[faults[cause]] = cause
    spikes, jumps = _strangers(series, geometry, _CODES[causes])
    causes[spikes], causes[jumps] = _SPIKE, _JUMP
    return Judgement(_CODES[causes], causes)


def _certain_faults(series: Series, geometry: Geometry) -> dict[int, npt.NDArray[np.bool_]]:
    distance = series.distance_mm
    slack_mm = np.maximum(BELOW_BOTTOM_MM, BELOW_BOTTOM_SHARE * geometry.depth_mm)
    return {
        _TILTED: (series.tilt_deg > TILTED_DEG) | ((series.flags & TILTED) != 0),
        _LID: (series.flags & LID_OPEN) != 0,
        # Before what has no echo, because such a reading has no distance either.
        _NEAR: (distance < BLIND_ZONE_MM) | ((series.flags & BLIND_ZONE) != 0),
        _NO_ECHO: np.isnan(distance) | (series.valid_count == 0),
        _FAR: distance > geometry.empty_mm + slack_mm,
    }


def _doubts(series: Series, geometry: Geometry) -> dict[int, npt.NDArray[np.bool_]]:
    wide_mm = np.maximum(WIDE_SPREAD_MM, WIDE_SPREAD_SHARE * geometry.depth_mm)
    return {_WIDE: series.spread_mm > wide_mm, _CLOCK: (series.flags & TIME_ESTIMATED) != 0}


def _strangers(
    series: Series, geometry: Geometry, codes: npt.NDArray[np.int8]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Find readings far from their neighbours: those that stand alone between two, and the newest if it jumped."""
    index = np.flatnonzero(codes >= SUSPICIOUS)
    level = np.broadcast_to((geometry.empty_mm - series.distance_mm) / geometry.depth_mm, len(series))[index]
    hours, track = _hours(series)[index], series.track[index]
    lonely = _lonely(level, hours, track)
    rest, tracks = np.flatnonzero(~lonely), track[~lonely]
    jumped = np.abs(level[rest] - beside(level[rest], tracks, -1)) > SPIKE_SHARE
    near = hours[rest] - beside(hours[rest], tracks, -1) <= NEIGHBOUR / np.timedelta64(1, "h")
    newest = last_place(np.ones(len(rest), dtype=np.bool_), tracks, series.track_count)
    newest = newest[newest >= 0]
    return index[lonely], index[rest[newest[(jumped & near)[newest]]]]


def _lonely(level: Floats, hours: Floats, track: Integers) -> npt.NDArray[np.bool_]:
    before, after = beside(level, track, -1), beside(level, track, 1)
    limit = NEIGHBOUR / np.timedelta64(1, "h")
    near = (hours - beside(hours, track, -1) <= limit) & (beside(hours, track, 1) - hours <= limit)
    from_before, from_after = level - before, level - after
    apart = (np.abs(from_before) > SPIKE_SHARE) & (np.abs(from_after) > SPIKE_SHARE)
    agree = np.abs(before - after) < SPIKE_SHARE / 2
    result: npt.NDArray[np.bool_] = near & apart & (np.sign(from_before) == np.sign(from_after)) & agree
    return result


def _hours(series: Series) -> Floats:
    hours: Floats = series.measured_at.astype(np.int64) / 3.6e9
    return hours
