"""How far each reading can be believed: the code of OMA LwM2M resource 6042, and the reason in words."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.believed import Believed
from ingest.assess.levels.echoes import below_bottom, came_back, fixed, newest_jumps, spikes
from ingest.assess.levels.readings import (
    BLIND_ZONE,
    LID_OPEN,
    TILTED,
    TIME_ESTIMATED,
    Floats,
    Geometry,
    Integers,
    Series,
)
from ingest.assess.levels.stuck import stuck

UNCHECKED, REJECTED, REJECTED_PROBABLE, SUSPICIOUS, ACCEPTED = range(5)

# What a reading may suffer from, the most certain first: of several the first is given.
CAUSES = (
    (ACCEPTED, ""),
    (REJECTED, "tilted"),
    (REJECTED, "lid open"),
    (REJECTED, "too near to measure"),
    (REJECTED, "no echo"),
    (REJECTED, "further away than the bottom of the bin"),
    (REJECTED_PROBABLE, "its echoes have nothing in common"),
    (REJECTED_PROBABLE, "nearer than full beside readings that cannot be believed"),
    (SUSPICIOUS, "its echoes disagree"),
    (SUSPICIOUS, "its clock was set only later"),
    (SUSPICIOUS, "its time does not fit the count of its device"),
    (REJECTED_PROBABLE, "the very same distance again and again"),
    (REJECTED_PROBABLE, "an echo of something fixed"),
    (REJECTED_PROBABLE, "far from the readings before and after it"),
    (REJECTED_PROBABLE, "a jump that came back"),
    (SUSPICIOUS, "below the bottom of the bin, again and again"),
    (SUSPICIOUS, "a jump, not confirmed yet"),
)
_TILTED, _LID, _NEAR, _NO_ECHO, _FAR, _SCATTERED, _BESIDE, _WIDE, _CLOCK, _ORDER = range(1, 11)
_STUCK, _FIXED, _SPIKE, _CAME_BACK, _BELOW, _JUMP = range(11, len(CAUSES))
TIPPED, STUCK, FIXED = _TILTED, _STUCK, _FIXED
TOO_NEAR = (_NEAR, _BESIDE)
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
# Echoes that differ by this share of their own distance come from drops on the sensor's face, or from smoke.
SCATTERED_SHARE = 0.6
# Of so few echoes that disagree none can be told to be the right one.
FEW_ECHOES = 2
# Water or dirt on the sensor's face: of so many readings before and after, this many say nothing.
AROUND, BLIND_AROUND = 2, 2
# What the other readings of the track say. Each rule looks at what the ones before it left.
_RULES = (
    (_STUCK, stuck),
    (_FIXED, lambda _, believed: fixed(believed)),
    (_SPIKE, lambda _, believed: spikes(believed)),
    (_CAME_BACK, lambda _, believed: came_back(believed)),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The quality of each reading of a series.

    Attributes:
        codes: int8, shape (n,): 0 unchecked, 1 rejected, 2 probably wrong and rejected, 3 suspicious, 4 accepted.
        causes: int8, shape (n,): places in `CAUSES`.
        noise: standard deviation of the level around each reading, as the days before showed it, shape (n,); NaN where
            the reading counts for nothing.
    """

    codes: npt.NDArray[np.int8]
    causes: npt.NDArray[np.int8]
    noise: Floats

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
    causes[_beside_blind(series, geometry, causes)] = _BESIDE
    believed = at_first = Believed.of(series, geometry, _CODES[causes] >= SUSPICIOUS)
    for cause, rule in _RULES:
        hits = rule(series, believed)
        causes[believed.place[hits]] = cause
        believed = believed.where(~hits)
    noise = np.full(len(series), np.nan)
    noise[believed.place] = believed.noise_anew(at_first)
    causes[believed.place[below_bottom(believed)]] = _BELOW
    jumps = believed.place[newest_jumps(believed)]
    causes[jumps] = _JUMP
    return Judgement(_CODES[causes], causes, noise)


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
    scattered = (series.spread_mm > SCATTERED_SHARE * series.distance_mm) | (
        (series.spread_mm > WIDE_SPREAD_MM) & (series.valid_count <= FEW_ECHOES)
    )
    return {
        _SCATTERED: scattered,
        _WIDE: series.spread_mm > wide_mm,
        _CLOCK: (series.flags & TIME_ESTIMATED) != 0,
        _ORDER: _out_of_order(series),
    }


def _beside_blind(series: Series, geometry: Geometry, causes: npt.NDArray[np.int8]) -> Integers:
    """Give the readings from before the full mark whose neighbours see something on the sensor's face, or nothing."""
    places = np.flatnonzero((series.distance_mm < geometry.full_mm) & (_CODES[causes] >= SUSPICIOUS))
    track = series.track
    count = np.zeros(len(places), dtype=np.int64)
    for step in (*range(-AROUND, 0), *range(1, AROUND + 1)):
        other = places + step
        there = np.flatnonzero((other >= 0) & (other < len(series)))
        blind = np.isin(causes[other[there]], (_NEAR, _NO_ECHO, _SCATTERED))
        count[there] += blind & (track[other[there]] == track[places[there]])
    return places[count >= BLIND_AROUND]


def _out_of_order(series: Series) -> npt.NDArray[np.bool_]:
    """Find readings that their device took before the one before them, or after the one after: its clock jumped."""
    number, measured_at, track = series.number, series.measured_at, series.track
    odd = np.zeros(len(series), dtype=np.bool_)
    back = np.flatnonzero(number[1:] < number[:-1])
    places = np.unique(np.append(back, back + 1))
    places = places[(places > 0) & (places < len(series) - 1)]
    before, after = places - 1, places + 1
    inside = (track[before] == track[places]) & (track[places] == track[after])
    apart = (measured_at[before] < measured_at[places]) & (measured_at[places] < measured_at[after])
    jumped = (number[places] < number[before]) | (number[places] > number[after])
    odd[places[inside & apart & (number[before] < number[after]) & jumped]] = True
    return odd
