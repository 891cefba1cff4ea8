"""Sensors that repeat themselves: the very same distance, to the millimetre, far more often than chance would have it."""

import numpy as np
import numpy.typing as npt

from ingest.assess.neighbours import quantile_by_track, runs
from ingest.assess.readings import Integers, Series

# So many equal readings over so many hours are the least that can be called stuck.
LEAST_READINGS = 8
LEAST_H = 6.0
# A run is no chance when it would come up once in a million times, at the rate at which its track's readings repeat.
CHANCE = 1e-6
# Until a track has shown how often it repeats, as if nine of ten readings did: some sensors report tenths of a level.
SEEN_BEFORE, REPEATED_BEFORE = 10, 9
# A bin at rest repeats more at night than by day: a run must also be so many times as long as its track's usual one.
TIMES_USUAL = 6


def stuck(series: Series, place: Integers, track: Integers) -> npt.NDArray[np.bool_]:
    """Find runs of equal distances that a bin at rest, or a sensor with coarse steps, would not give.

    Args:
        series: the readings.
        place: of those to look at, shape (n,), ascending.
        track: of those.

    Returns:
        Shape (n,).
    """
    hits = np.zeros(len(place), dtype=np.bool_)
    if not len(place):
        return hits
    distance = series.distance_mm[place]
    repeats = np.append(False, (distance[1:] == distance[:-1]) & (track[1:] == track[:-1]))
    begin, end = runs(repeats, track)
    if not len(begin):
        return hits
    begin, readings = begin - 1, end - begin + 2
    count = int(track[-1]) + 1
    usual = _usual_run(begin, readings, track, count)
    long = readings >= np.maximum(LEAST_READINGS, TIMES_USUAL * usual[track[begin]])
    elsewhere = np.bincount(track, minlength=count)[track[begin]] - readings
    repeated = np.bincount(track, repeats, minlength=count)[track[begin]] - (readings - 1)
    rate = (repeated + REPEATED_BEFORE) / (elsewhere + SEEN_BEFORE)
    unlikely = (readings - 1) * np.log(np.minimum(rate, 1.0)) < np.log(CHANCE)
    hours = (series.measured_at[place[end]] - series.measured_at[place[begin]]) / np.timedelta64(1, "h")
    change = np.zeros(len(place) + 1, dtype=np.int64)
    chosen = long & unlikely & (hours >= LEAST_H)
    change[begin[chosen]] += 1
    change[end[chosen] + 1] -= 1
    return np.cumsum(change[:-1]) > 0


def _usual_run(begin: Integers, readings: Integers, track: Integers, count: int) -> npt.NDArray[np.float64]:
    """Give the length of the run in which the median reading of each track stands; most stand alone in one."""
    length = np.ones(len(track))
    marks = np.zeros(len(track) + 1)
    marks[begin] += readings - 1
    marks[begin + readings] -= readings - 1
    length += np.cumsum(marks[:-1])
    # Quantiles are kept to small numbers: a run of more than ten is as good as one of ten, in thousandths.
    return np.expm1(quantile_by_track(np.log1p(length), track, count, 0.5, missing=0.0))
