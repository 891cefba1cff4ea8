"""What one bin's readings say, whatever the time is now: level, since when it is full, emptyings, heat, tilt."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from ingest.assess.emptying import Emptying, detect
from ingest.assess.level import fill_levels
from ingest.assess.quality import TILTED_DEG, Judgement, judge
from ingest.assess.readings import Floats, Geometry, Series, Times

# A bin that reached its threshold counts as full until its level is this far below it: nothing flaps.
HYSTERESIS = 0.1
# From this level on waste is about to lie beside the bin; it counts until the level is the hysteresis below.
BRIMMING = 0.95
BRIMMING_HYSTERESIS = 0.05
# A fire; above that no sensor in use can measure, so it is a fault of the sensor.
FIRE_C = 60.0
FIRE_OVER_C = 50.0
PLAUSIBLE_C = 150.0
# So many readings in a row have to say that a bin lies on its side: a crew tips it for a moment.
TILTED_READINGS = 2


@dataclass(frozen=True, slots=True)
class Findings:
    """What the readings say; every instant is aware and UTC, None where the readings do not say it.

    Attributes:
        level: newest level that can be believed, 0..1.
        quality: of that level, LwM2M 6042.
        measured_at: when it was measured.
        newest_at: when the newest reading was measured, whatever its quality.
        full_since: first of the readings that reached the threshold.
        full_confirmed: whether a second reading in a row says so.
        brimming_since: first of the readings that reached BRIMMING, at least two in a row.
        rejected_count: newest readings in a row that were rejected.
        rejected_since: the first of them.
        rejected_reason: why the newest was, in words; empty when it was not.
        hot_since: first of the newest readings in a row that are as hot as a fire.
        temperature_c: newest known temperature.
        tilted_since: first of the newest readings in a row on which the bin lay on its side.
        emptyings: found in the readings, oldest first.
        stuck_since: first of the newest readings in a row that are all the same, as no waste is.
        obstructed_since: first of the newest readings that see something fixed in front of the waste, not the waste.
        rejected_share: part of the readings of the last days that was rejected, 0..1; 0 where there are few.
    """

    level: float | None = None
    quality: int | None = None
    measured_at: datetime | None = None
    newest_at: datetime | None = None
    full_since: datetime | None = None
    full_confirmed: bool = False
    brimming_since: datetime | None = None
    rejected_count: int = 0
    rejected_since: datetime | None = None
    rejected_reason: str = ""
    hot_since: datetime | None = None
    temperature_c: float | None = None
    tilted_since: datetime | None = None
    emptyings: tuple[Emptying, ...] = ()
    stuck_since: datetime | None = None
    obstructed_since: datetime | None = None
    rejected_share: float = 0.0


def examine(series: Series, geometry: Geometry, threshold: float) -> Findings:
    """Find out what one bin's readings say.

    Args:
        series: oldest first.
        geometry: of that bin.
        threshold: level 0..1 from which the bin is full.
    """
    if len(series) == 0:
        return Findings()
    judgement = judge(series, geometry)
    levels = fill_levels(series, judgement, geometry)
    emptyings = [one for one in detect(series, levels, judgement.codes) if not _refitted(one, series, geometry)]
    believed = np.flatnonzero(judgement.believed)
    times, known = series.measured_at[believed], levels[believed]
    # Only what came after the last emptying says how full the bin is.
    start = int(np.searchsorted(times, emptyings[-1].emptied_at)) if emptyings else 0
    full_since, confirmed = _full(times[start:], known[start:], threshold)
    brimming = _latched(known[start:], BRIMMING, BRIMMING - BRIMMING_HYSTERESIS)
    rejected = len(series) - 1 - int(believed[-1]) if len(believed) else len(series)
    temperature, hot_since = _heat(series)
    return Findings(
        level=float(known[-1]) if len(known) else None,
        quality=int(judgement.codes[believed[-1]]) if len(believed) else None,
        measured_at=moment(times[-1]) if len(times) else None,
        newest_at=moment(series.measured_at[-1]),
        full_since=full_since,
        full_confirmed=confirmed,
        brimming_since=None if brimming is None else moment(times[start + brimming]),
        rejected_count=rejected,
        rejected_since=moment(series.measured_at[-rejected]) if rejected else None,
        rejected_reason=_newest_reason(judgement) if rejected else "",
        hot_since=hot_since,
        temperature_c=temperature,
        tilted_since=_tilt(series),
        emptyings=tuple(emptyings),
    )


def moment(instant: np.datetime64) -> datetime:
    """Turn datetime64[us], UTC, into an aware datetime."""
    naive: datetime = instant.astype("datetime64[us]").item()
    return naive.replace(tzinfo=UTC)


def _refitted(emptying: Emptying, series: Series, geometry: Geometry) -> bool:
    """Say whether the sensor was changed or calibrated between the two readings: then a fall proves nothing."""
    sides = np.searchsorted(series.measured_at, [emptying.not_before, emptying.emptied_at])
    empty_mm = np.broadcast_to(geometry.empty_mm, len(series))[sides]
    full_mm = np.broadcast_to(geometry.full_mm, len(series))[sides]
    return bool(empty_mm[0] != empty_mm[1] or full_mm[0] != full_mm[1])


def _full(times: Times, levels: Floats, threshold: float) -> tuple[datetime | None, bool]:
    since = _latched(levels, threshold, threshold - HYSTERESIS)
    if since is not None:
        return moment(times[since]), True
    if len(levels) and levels[-1] >= threshold:
        return moment(times[-1]), False
    return None, False


def _latched(levels: Floats, on: float, off: float) -> int | None:
    """Give the place since which levels are high: two in a row at `on` set it, two in a row below `off` end it."""
    low = levels < off
    ends = np.flatnonzero(low[:-1] & low[1:])
    start = int(ends[-1]) + 2 if len(ends) else 0
    high = levels[start:] >= on
    begins = np.flatnonzero(high[:-1] & high[1:])
    return start + int(begins[0]) if len(begins) else None


def _newest_reason(judgement: Judgement) -> str:
    return judgement.reasons[-1]


def _heat(series: Series) -> tuple[float | None, datetime | None]:
    known = np.flatnonzero(np.abs(series.temperature_c) <= PLAUSIBLE_C)
    if not len(known):
        return None, None
    temperatures = series.temperature_c[known]
    newest = float(temperatures[-1])
    run = _trailing(temperatures >= FIRE_OVER_C)
    burning = run and float(temperatures[-run:].max()) >= FIRE_C
    return newest, moment(series.measured_at[known[-run]]) if burning else None


def _tilt(series: Series) -> datetime | None:
    known = np.flatnonzero(~np.isnan(series.tilt_deg))
    run = _trailing(series.tilt_deg[known] > TILTED_DEG)
    return moment(series.measured_at[known[-run]]) if run >= TILTED_READINGS else None


def _trailing(hits: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
    """Count how many at the end are true."""
    misses = np.flatnonzero(~hits)
    return len(hits) - 1 - int(misses[-1]) if len(misses) else len(hits)
