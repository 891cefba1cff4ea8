"""Walks through a data set's time, week by week, and asks the product for a forecast of each passage as it begins.

What is known at that moment is all that it gets: the cycles of all bins as far as they had come, and, as in the runner,
what they tell of the hours of the week.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.forecasts.cycles import Cycles
from ingest.assess.forecasts.forecast import HORIZON, Situation, forecast
from ingest.assess.forecasts.foresight import clock_of_use
from ingest.assess.forecasts.pool import prepare
from ingest.assess.forecasts.profile import HOURS, Tally, tally
from ingest.assess.levels.readings import Floats
from simulator.evaluate.detection import Assessed
from simulator.evaluate.passages import Passages
from simulator.evaluate.readings_file import Readings

WEEK = np.timedelta64(7 * 24, "h")
LONGEST_H = float(HORIZON / np.timedelta64(1, "h"))


@dataclass(frozen=True, slots=True)
class Walk:
    """What was forecast.

    Attributes:
        quantiles: hours until p10, p50 and p90, shape (passages, 3); NaN where nothing was asked.
        chance: that it comes within the horizon, shape (passages,); NaN where nothing was asked.
        tallies: of the hours of the week, until the passages are scored.
    """

    quantiles: Floats
    chance: Floats
    tallies: Tally


def walk(
    readings: Readings,
    assessed: Assessed,
    cycles: Cycles,
    found: Passages,
    *,
    mark: float,
    scored_from: np.datetime64,
    horizon_h: float,
    zone: ZoneInfo,
) -> Walk:
    """Forecast all passages that begin at `scored_from` or later.

    Args:
        readings: of all bins.
        assessed: what was made of them.
        cycles: of all bins.
        found: the passages, by their beginning.
        mark: the level that they end at.
        scored_from: what was before is only history.
        horizon_h: for the chance.
        zone: whose clocks people live by.
    """
    quantiles, chance = np.full((len(found), 3), np.nan), np.full(len(found), np.nan)
    nobody = np.zeros(len(cycles), dtype=np.int64)
    first = readings.measured_at.min()
    for begin, end in _weeks(scored_from, found):
        rows = slice(*np.searchsorted(found.began_at, (begin, end)).tolist())
        clock = clock_of_use(cycles, nobody, 1, zone, as_of=begin, last=begin + WEEK + HORIZON)
        now = found.began_at[rows]
        told = forecast(cycles, prepare(cycles, nobody, clock, begin), _situation(found, rows, mark), now).threshold
        hours = (told.quantiles - now[:, None]) / np.timedelta64(1, "h")
        quantiles[rows] = np.where(np.isnan(hours), LONGEST_H, hours)
        chance[rows] = told.chance_before(now + np.timedelta64(round(horizon_h * 3600), "s"))
    return Walk(quantiles, chance, _tally(readings, assessed, first, scored_from, zone))


def _weeks(scored_from: np.datetime64, found: Passages) -> Iterator[tuple[np.datetime64, np.datetime64]]:
    begin = scored_from
    while len(found) and begin <= found.began_at[-1]:
        yield begin, begin + WEEK
        begin = begin + WEEK


def _situation(found: Passages, rows: slice, mark: float) -> Situation:
    level = found.level[rows]
    return Situation(
        bin=found.bin[rows],
        pool=np.zeros(len(level), dtype=np.int64),
        level=level,
        measured_at=found.began_at[rows],
        emptied_at=found.emptied_at[rows],
        threshold=np.full(len(level), mark),
        stood_s=np.zeros(len(level)),
    )


def _tally(readings: Readings, assessed: Assessed, begin: np.datetime64, end: np.datetime64, zone: ZoneInfo) -> Tally:
    """Count in which hours of the week bins filled between two moments."""
    inside = (readings.measured_at >= begin) & (readings.measured_at < end)
    pool = np.zeros(len(readings.bins), dtype=np.int64)
    if not inside.any():
        return Tally(np.zeros((1, HOURS)), np.zeros((1, HOURS)))
    starts = np.append(0, np.cumsum(inside))[readings.starts]
    return tally(readings.measured_at[inside], assessed.levels[inside], pool, starts, zone=zone)
