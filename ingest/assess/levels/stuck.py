"""Sensors that repeat themselves: the very same distance far more often than chance would have it."""

import numpy as np

from ingest.assess.levels.believed import Believed, Hits
from ingest.assess.levels.neighbours import runs
from ingest.assess.levels.readings import Floats, Integers, Series

# So many equal readings over so many hours are the least that can be called stuck.
LEAST_READINGS = 8
LEAST_H = 6.0
# Past the full mark nothing is stuck: there many sensors say the same whatever lies before them.
FULL = 1.0
# Of a sensor that repeats itself more often than this nothing can be told: it has coarse steps, and bins stand unused.
MOST_REPEATED = 0.5
# A run is no chance when it would come up once in a million times, at the rate at which its track's readings repeat.
CHANCE = 1e-6
# Until a track has shown how often it repeats, as if nine of ten readings did: some sensors report tenths of a level.
SEEN_BEFORE, REPEATED_BEFORE = 10, 9
# A bin at rest repeats more at night than by day: a run must also be so many times as long as any in the days before.
TIMES_LONGEST = 3
# So many days before a reading's own tell what is usual.
USUAL_DAYS = 2


def stuck(series: Series, believed: Believed) -> Hits:
    """Find runs of equal distances that a bin at rest, or a sensor with coarse steps, would not give.

    Args:
        series: the readings.
        believed: those to look at.

    Returns:
        Shape (n,), for the believed ones.
    """
    hits = np.zeros(len(believed.place), dtype=np.bool_)
    distance, track = series.distance_mm[believed.place], believed.track
    repeats = np.append(False, (distance[1:] == distance[:-1]) & (track[1:] == track[:-1]))[: len(hits)]
    begin, end = runs(repeats, track)
    begin, readings = begin - 1, end - begin + 2
    hours = believed.hours
    long = (readings >= LEAST_READINGS) & (hours[end] - hours[begin] >= LEAST_H) & (believed.level[begin] < FULL)
    if not long.any():
        return hits
    seen, repeated, longest = _before(believed, repeats, begin, readings)
    rate = (repeated + REPEATED_BEFORE) / (seen + SEEN_BEFORE)
    unlikely = (rate <= MOST_REPEATED) & ((readings - 1) * np.log(rate) < np.log(CHANCE))
    for place in np.flatnonzero(long & unlikely & (seen >= SEEN_BEFORE) & (readings >= TIMES_LONGEST * longest)):
        hits[begin[place] : end[place] + 1] = True
    return hits


def _before(believed: Believed, repeats: Hits, begin: Integers, readings: Integers) -> tuple[Floats, Floats, Floats]:
    """Say of the days before each run how many readings there were, how many repeated one, and the longest run."""
    # One number holds track and time, so that one search finds where those days begin.
    key = believed.track * 1e6 + believed.hours
    since = np.searchsorted(key, key[begin] - 24 * USUAL_DAYS)
    since = np.maximum(since, np.searchsorted(believed.track, believed.track[begin]))
    total = np.append(0, np.cumsum(repeats))
    first = np.searchsorted(begin, since)
    longest = np.zeros(len(begin))
    for place in np.flatnonzero((first < np.arange(len(begin))) & (readings >= LEAST_READINGS)):
        longest[place] = readings[first[place] : place].max()
    return (begin - since).astype(np.float64), (total[begin] - total[since]).astype(np.float64), longest
