"""What a bin's own history says of the distances of the empty and the full bin: proposed to people, never applied.

An emptied bin shows its bottom, again and again: the distances right after emptyings gather at that of the empty bin,
while bags, a little waste left behind and false echoes scatter.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.emptying import detect
from ingest.assess.levels.level import fill_levels
from ingest.assess.levels.neighbours import beside, median_of_three
from ingest.assess.levels.quality import BLIND_ZONE_MM, judge
from ingest.assess.levels.readings import Floats, Geometry, Integers, Series

# A distance that grows by this share of its track's range was an emptying, and so many of them tell the bottom.
EMPTIED_SHARE = 0.35
EMPTYINGS = 3
# Without enough of them: the distance that only one of fifty readings is beyond. The nearest is told the same way.
FAR_SHARE, NEAR_SHARE = 0.98, 0.02
# A full mark is hardly further from the sensor than this share of the way to the bottom, if a bin never is full.
FULL_SHARE = 0.2
# What is said so often to the millimetre, with nothing else within this share of it, is no distance.
AGAIN, APART_SHARE = 3, 0.05
# The furthest of the readings right after an emptying is nearer than the bottom where much is thrown in at once, and
# further away by noise or a spike: this part of them is nearer.
EMPTY_SHARE = 0.7
# The proposal looks at so many of the newest emptyings, and wants so many at least.
NEWEST, ENOUGH = 20, 8
# What is nearer to the fitting's distance than this needs no proposal.
TOLERANCE_MM = 40.0
TOLERANCE_SHARE = 0.05
# Of distances around their mode, half lie so many standard deviations from it; two of them hold nearly all.
HALF_WITHIN, NEARLY_ALL = 0.6745, 2.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another calibration of a fitting, for people to decide on.

    Attributes:
        empty_mm: proposed for the empty bin.
        full_mm: proposed for the full bin: the bin is as deep as before, so it moves with the bottom.
        empty_low_mm: what the true distance is hardly less than.
        empty_high_mm: what it is hardly more than.
        emptyings: how many it was learned from.
        sureness: 0..1.
        reason: one sentence.
    """

    empty_mm: int
    full_mm: int
    empty_low_mm: int
    empty_high_mm: int
    emptyings: int
    sureness: float
    reason: str


def propose(series: Series, geometry: Geometry) -> Proposal | None:
    """Compare a fitting's calibration with what its sensor measures in the emptied bin.

    Args:
        series: one track, measured with one fitting, the newest weeks at least.
        geometry: of that fitting: single numbers.

    Returns:
        None when too few emptyings were seen, or when the calibration agrees with them.
    """
    emptied_mm = _after_emptyings(series)[-NEWEST:]
    if len(emptied_mm) < ENOUGH:
        return None
    known_mm, depth_mm = float(np.mean(geometry.empty_mm)), float(np.mean(geometry.depth_mm))
    empty_mm = gathered(emptied_mm)
    deviation_mm = float(np.median(np.abs(emptied_mm - empty_mm))) / HALF_WITHIN
    # Not less with more emptyings: a little waste stays behind again and again.
    unsure_mm = NEARLY_ALL * deviation_mm
    tolerance_mm = _tolerance_mm(depth_mm)
    off_mm = empty_mm - known_mm
    if abs(off_mm) - unsure_mm <= tolerance_mm:
        return None
    low_mm, high_mm = round(empty_mm - unsure_mm), round(empty_mm + unsure_mm)
    return Proposal(
        empty_mm=round(empty_mm),
        full_mm=max(BLIND_ZONE_MM, round(known_mm - depth_mm + off_mm)),
        empty_low_mm=low_mm,
        empty_high_mm=high_mm,
        emptyings=len(emptied_mm),
        sureness=round(float(np.clip(1 - unsure_mm / (abs(off_mm) - tolerance_mm), 0, 0.99)), 2),
        reason=(
            f"The sensor sees {empty_mm:,.0f} mm in the emptied bin, not {known_mm:,.0f} mm"
            f" ({len(emptied_mm)} emptyings, {low_mm:,} to {high_mm:,} mm): levels may read too"
            f" {'low' if off_mm > 0 else 'high'}."
        ),
    )


def is_same(distance_mm: float, other_mm: float, depth_mm: float) -> bool:
    """Say whether two distances of the empty bin are so near each other that one needs no proposal beside the other."""
    return abs(distance_mm - other_mm) <= _tolerance_mm(depth_mm)


def estimate(series: Series) -> Geometry:
    """Estimate the geometry of bins of which nothing is known but what their sensors measured.

    The distance of the empty bin is where those gather to which the track comes back when a distance grows at once and
    for good. How near waste can come is only known of a bin that was full: the full mark is at the nearest distances
    that were measured, or at FULL_SHARE of the way where none is so near.

    Args:
        series: of one or many tracks.

    Returns:
        Arrays with one number a track; NaN for a track without a distance.
    """
    empty_mm, full_mm = np.full((2, series.track_count), np.nan)
    for place in range(series.track_count):
        distance_mm = series.distance_mm[series.starts[place] : series.starts[place + 1]]
        known_mm = distance_mm[distance_mm >= BLIND_ZONE_MM]
        known_mm = known_mm[~_nothing(known_mm)]
        if len(known_mm):
            empty_mm[place] = _bottom(known_mm)
            full_mm[place] = max(BLIND_ZONE_MM, min(np.quantile(known_mm, NEAR_SHARE), FULL_SHARE * empty_mm[place]))
    return Geometry(empty_mm, full_mm)


def gathered(values: Floats) -> float:
    """Give the value around which most gather: the mean of the shortest half of them.

    Source: Andrews et al. (1972), "Robust Estimates of Location", there called the shorth.

    Args:
        values: one at least, none NaN.
    """
    ordered = np.sort(values)
    half = len(ordered) // 2 + 1
    first = int(np.argmin(ordered[half - 1 :] - ordered[: len(ordered) - half + 1]))
    return float(ordered[first : first + half].mean())


def _tolerance_mm(depth_mm: float) -> float:
    return max(TOLERANCE_MM, TOLERANCE_SHARE * depth_mm)


def _after_emptyings(series: Series) -> Floats:
    """Give the distance right after each emptying, millimetres, oldest first, whatever geometry the fitting has."""
    guess = estimate(series)
    if np.isnan(guess.empty_mm).all():
        return np.array([])
    geometry = Geometry(float(np.mean(guess.empty_mm)), float(np.mean(guess.full_mm)))
    judgement = judge(series, geometry)
    levels = fill_levels(series, judgement, geometry)
    emptyings = detect(series, levels, judgement)
    distance_mm: Floats = series.distance_mm[emptyings.after]
    return distance_mm


def _bottom(distance_mm: Floats) -> float:
    """Give the distance of the empty bin from a track's distances, one at least."""
    smooth_mm = _smooth(distance_mm)
    near_mm, far_mm = np.quantile(smooth_mm, [NEAR_SHARE, FAR_SHARE])
    grown = np.flatnonzero(smooth_mm[3:] - smooth_mm[:-3] > EMPTIED_SHARE * (far_mm - near_mm)) + 3
    # Several in a row are one emptying; what is thrown in soon after it makes the distance less.
    first = grown[np.diff(grown, prepend=-1) > 1] if len(grown) else grown
    if len(first) < EMPTYINGS:
        return float(far_mm)
    padded = np.concatenate([[0.0], distance_mm, [0.0, 0.0]])
    furthest_mm = np.max([padded[first + places] for places in range(4)], axis=0)
    return float(np.quantile(furthest_mm, EMPTY_SHARE))


def _nothing(distance_mm: Floats) -> npt.NDArray[np.bool_]:
    """Find what sensors say that see nothing: the very same great distance again and again, and nothing like it."""
    if not len(distance_mm):
        return np.zeros(0, dtype=np.bool_)
    values, places, counts = np.unique(distance_mm, return_inverse=True, return_counts=True)
    apart = np.diff(values, prepend=-np.inf, append=np.inf)
    alone = np.minimum(apart[:-1], apart[1:]) > APART_SHARE * values
    alone &= (counts >= AGAIN) & (values > np.median(distance_mm))
    return alone[places]


def _smooth(distance_mm: Floats) -> Floats:
    """Take the median of each reading and the two beside it: a lone spike is gone."""
    one_track: Integers = np.zeros(len(distance_mm), dtype=np.int64)
    before, after = (beside(distance_mm, one_track, places) for places in (-1, 1))
    sides = (np.where(np.isnan(side), distance_mm, side) for side in (before, after))
    return median_of_three(distance_mm, *sides)
