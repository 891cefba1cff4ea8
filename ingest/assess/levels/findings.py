"""What the readings of bins say, whatever the time is now: level, since when it is full, emptyings, heat, tilt."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.emptying import Emptying, Emptyings, detect
from ingest.assess.levels.level import fill_levels
from ingest.assess.levels.neighbours import first_place, last_place, trailing
from ingest.assess.levels.quality import CAUSES, FIXED, STUCK, TILTED_DEG, TIPPED, Judgement, judge
from ingest.assess.levels.readings import Floats, Geometry, Integers, Series, believable_c, moments

Hits = npt.NDArray[np.bool_]

# A bin that reached its threshold counts as full until its level is this far below it: nothing flaps.
HYSTERESIS = 0.1
# From this level on waste is about to lie beside the bin; it counts until the level is the hysteresis below.
BRIMMING = 0.95
BRIMMING_HYSTERESIS = 0.05
# A fire.
FIRE_C = 60.0
FIRE_OVER_C = 50.0
# So many readings are looked at together: what is worked out of them stays in the processor's cache.
READINGS_AT_ONCE = 150_000
# So many readings in a row have to say that a bin lies on its side: a crew tips it for a moment.
TILTED_READINGS = 2
# How often a sensor is wrong is counted over so long before its newest reading, and not of fewer readings.
SHARE_WINDOW = np.timedelta64(2, "D")
SHARE_READINGS = 12
# So many echoes of something fixed in that time, and this part of all readings, say that it is in the sensor's way.
OBSTRUCTED_READINGS = 4
OBSTRUCTED_SHARE = 1 / 3


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
        obstructed_since: first of the readings of `SHARE_WINDOW` that saw something fixed, if they are many.
        rejected_share: part of the readings of `SHARE_WINDOW` that was rejected, but for a bin on its side, a stuck or
            an obstructed sensor, 0..1; 0 where there are few.
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


def examine(series: Series, geometry: Geometry, thresholds: float | Floats) -> list[Findings]:
    """Find out what the readings of each track say.

    Args:
        series: of one or many tracks.
        geometry: of each reading, or of all.
        thresholds: level 0..1 from which a bin is full: one for all, or one a track.

    Returns:
        One a track, also for those without a reading.
    """
    return with_levels(series, geometry, thresholds)[0]


def with_levels(series: Series, geometry: Geometry, thresholds: float | Floats) -> tuple[list[Findings], Floats]:
    """Do as `examine` does, and give the level of each reading beside it, NaN where it was rejected."""
    wanted = np.broadcast_to(np.asarray(thresholds, dtype=np.float64), series.track_count)
    findings: list[Findings] = []
    levels = np.full(len(series), np.nan)
    for first, end in series.portions(READINGS_AT_ONCE):
        here = slice(int(series.starts[first]), int(series.starts[end]))
        part, its_geometry = series.part(first, end), geometry.part(here)
        found, levels[here] = _portion(part, its_geometry, wanted[first:end])
        findings += found
    return findings, levels


def _portion(series: Series, geometry: Geometry, thresholds: Floats) -> tuple[list[Findings], Floats]:
    judgement = judge(series, geometry)
    levels = fill_levels(series, judgement, geometry)
    emptyings = detect(series, levels, judgement)
    emptyings = emptyings.where(~_refitted(emptyings, series, geometry))
    said = _Said(series, judgement, levels, emptyings)
    columns = {
        **_newest(said),
        **_full(said, thresholds),
        **_brimming(said),
        **_heat(series),
        **_tilt(series),
        **_doubts(said),
    }
    columns["emptyings"] = _parted(emptyings, series.track_count)
    names = [field.name for field in fields(Findings)]
    return [Findings(*row) for row in zip(*(columns[name] for name in names), strict=True)], levels


@dataclass(frozen=True, slots=True)
class _Said:
    """What all later steps look at.

    Attributes:
        series: all readings.
        judgement: of them.
        levels: of them, NaN where rejected.
        emptyings: found in them.
        places: of the believed ones in the series, shape (b,).
        track: of the believed ones.
        level: of the believed ones.
        fresh: which of the believed ones came after the last emptying of their track: only they say how full it is.
    """

    series: Series
    judgement: Judgement
    levels: Floats
    emptyings: Emptyings
    places: Integers = field(init=False)
    track: Integers = field(init=False)
    level: Floats = field(init=False)
    fresh: Hits = field(init=False)

    def __post_init__(self) -> None:
        places = np.flatnonzero(self.judgement.believed)
        track = self.series.track[places]
        since = np.zeros(self.series.track_count, dtype=np.int64)
        since[self.emptyings.track] = self.emptyings.after
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "track", track)
        object.__setattr__(self, "level", self.levels[places])
        object.__setattr__(self, "fresh", places >= since[track])


def _refitted(emptyings: Emptyings, series: Series, geometry: Geometry) -> Hits:
    """Say whether the sensor was changed or calibrated between the two readings: then a fall proves nothing."""
    empty_mm = np.broadcast_to(geometry.empty_mm, len(series))
    full_mm = np.broadcast_to(geometry.full_mm, len(series))
    before, after = emptyings.before, emptyings.after
    changed: Hits = (empty_mm[before] != empty_mm[after]) | (full_mm[before] != full_mm[after])
    return changed


def _parted(emptyings: Emptyings, track_count: int) -> list[tuple[Emptying, ...]]:
    """Give the emptyings of each track."""
    single = tuple(emptyings)
    ends = np.cumsum(np.bincount(emptyings.track, minlength=track_count)).tolist()
    return [single[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _newest(said: _Said) -> dict[str, list[Any]]:
    series, codes = said.series, said.judgement.codes
    count = series.track_count
    newest = np.where(np.diff(series.starts) > 0, series.starts[1:] - 1, -1)
    believed = last_place(said.places, series.track, count)
    rejected = np.where(newest >= 0, newest - np.maximum(believed, series.starts[:-1] - 1), 0)
    causes = np.where(rejected > 0, said.judgement.causes[newest] if len(series) else 0, 0)
    return {
        "level": _chosen(said.levels, believed),
        "quality": _chosen(codes, believed),
        "measured_at": _moments(series, believed),
        "newest_at": _moments(series, newest),
        "rejected_count": rejected.tolist(),
        "rejected_since": _moments(series, np.where(rejected > 0, newest + 1 - rejected, -1)),
        "rejected_reason": [CAUSES[cause][1] for cause in causes.tolist()],
    }


def _full(said: _Said, thresholds: Floats) -> dict[str, list[Any]]:
    since = _latched(said, thresholds, thresholds - HYSTERESIS)
    newest = last_place(np.flatnonzero(said.fresh), said.track, len(thresholds))
    places = np.append(said.places, -1)[newest]
    high = (places >= 0) & (np.append(said.levels, np.nan)[places] >= thresholds)
    return {
        "full_since": _moments(said.series, np.where(since >= 0, since, np.where(high, places, -1))),
        "full_confirmed": (since >= 0).tolist(),
    }


def _brimming(said: _Said) -> dict[str, list[Any]]:
    on = np.full(said.series.track_count, BRIMMING)
    return {"brimming_since": _moments(said.series, _latched(said, on, on - BRIMMING_HYSTERESIS))}


def _latched(said: _Said, on: Floats, off: Floats) -> Integers:
    """Give the reading since which levels are high: two in a row at `on` set it, two in a row below `off` end it.

    Args:
        said: the readings.
        on: one a track.
        off: one a track.

    Returns:
        Places in the series, one a track; -1 where levels are not high.
    """
    track, count = said.track, len(on)
    high = _pairs(said.fresh & (said.level >= on[track]), track)
    concerned = np.zeros(count, dtype=np.bool_)
    concerned[track[high]] = True
    low = _pairs(said.fresh & concerned[track] & (said.level < off[track]), track)
    high = high[high > last_place(low, track, count)[track[high]]]
    return np.append(said.places, -1)[first_place(high, track, count)]


def _pairs(hits: Hits, track: Integers) -> Integers:
    """Give the first place of each two hits in a row in one track."""
    places = np.flatnonzero(hits)
    pairs: Integers = places[:-1][(np.diff(places) == 1) & (np.diff(track[places]) == 0)]
    return pairs


def _heat(series: Series) -> dict[str, list[Any]]:
    temperature_c = believable_c(series.temperature_c)
    count = series.track_count
    known = np.flatnonzero(~np.isnan(temperature_c))
    celsius, track = temperature_c[known], series.track[known]
    hot = trailing(celsius >= FIRE_OVER_C, track)
    fire = last_place(hot[celsius[hot] >= FIRE_C], track, count) >= 0
    since = np.where(fire, np.append(known, -1)[first_place(hot, track, count)], -1)
    newest = last_place(known, series.track, count)
    return {"temperature_c": _chosen(temperature_c, newest), "hot_since": _moments(series, since)}


def _tilt(series: Series) -> dict[str, list[Any]]:
    known = np.flatnonzero(~np.isnan(series.tilt_deg))
    track = series.track[known]
    run = trailing(series.tilt_deg[known] > TILTED_DEG, track)
    lasting = np.bincount(track[run], minlength=series.track_count) >= TILTED_READINGS
    since = np.append(known, -1)[first_place(run, track, series.track_count)]
    return {"tilted_since": _moments(series, np.where(lasting, since, -1))}


def _doubts(said: _Said) -> dict[str, list[Any]]:
    series, causes, count = said.series, said.judgement.causes, said.series.track_count
    track = series.track
    age = np.append(series.measured_at, np.datetime64(0, "us"))[series.starts[1:] - 1][track] - series.measured_at
    recent = age <= SHARE_WINDOW
    readings = np.bincount(track[recent], minlength=count)
    # What has a name of its own is not counted here, too.
    doubted = np.flatnonzero(recent & ~said.judgement.believed)
    unnamed = doubted[~np.isin(causes[doubted], (TIPPED, STUCK, FIXED))]
    rejected = np.bincount(track[unnamed], minlength=count)
    fixed = doubted[causes[doubted] == FIXED]
    echoes = np.bincount(track[fixed], minlength=count)
    obstructed = echoes >= np.maximum(OBSTRUCTED_READINGS, OBSTRUCTED_SHARE * readings)
    stuck = trailing(causes == STUCK, track)
    return {
        "stuck_since": _moments(series, first_place(stuck, track, count)),
        "obstructed_since": _moments(series, np.where(obstructed, first_place(fixed, track, count), -1)),
        "rejected_share": np.where(readings >= SHARE_READINGS, rejected / np.maximum(readings, 1), 0.0).tolist(),
    }


def _chosen(values: npt.NDArray[Any], places: Integers) -> list[Any]:
    """Give the values at places; None where the place is -1."""
    if not len(values):
        return [None] * len(places)
    return [
        value if place >= 0 else None for value, place in zip(values[places].tolist(), places.tolist(), strict=True)
    ]


def _moments(series: Series, places: Integers) -> list[datetime | None]:
    if not len(series):
        return [None] * len(places)
    return moments(np.where(places >= 0, series.measured_at[places], np.datetime64("NaT", "us")))
