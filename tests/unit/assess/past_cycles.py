"""Cycles of invented bins, with defaults, for the tests of forecasts."""

from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.forecasts.cycles import EMPTIED, MARKS, Cycles, cut
from ingest.assess.forecasts.forecast import Situation
from ingest.assess.forecasts.pool import Pool, prepare
from ingest.assess.forecasts.profile import HOURS, Clock
from ingest.assess.levels.readings import Floats, Integers, Times

START = np.datetime64("2026-03-02T00:00:00", "us")  # a Monday
HOUR = np.timedelta64(3600 * 10**6, "us")
DAY = 24 * HOUR
LONDON = ZoneInfo("Europe/London")
NEVER = np.datetime64("NaT", "us")


def even_cycles(hours_to_full: list[float], *, number: int = 0, emptied_at_level: float = 1.0) -> Cycles:
    """Make one bin's cycles, one after another from START; each fills evenly, and is emptied at some level."""
    full = np.array(hours_to_full)
    length = full * emptied_at_level
    ended = START + (np.cumsum(length) * 3600).astype("timedelta64[s]")
    marks = np.arange(MARKS) / (MARKS - 1)
    return Cycles(
        bin=np.full(len(full), number),
        began_at=np.concatenate([[START], ended[:-1]]).astype("datetime64[us]"),
        ended_at=ended.astype("datetime64[us]"),
        passed_s=np.where(marks <= emptied_at_level, full[:, None] * 3600 * marks, np.nan).astype(np.float32),
        level_first=np.zeros(len(full), dtype=np.float32),
        level_last=np.full(len(full), emptied_at_level, dtype=np.float32),
        after_emptying=np.ones(len(full), dtype=np.bool_),
        ended_by=np.full(len(full), EMPTIED, dtype=np.int8),
    )


def town(bins: int, seed: int = 1) -> Cycles:
    """Make cycles of bins of different speed, some emptied before they are full."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(bins):
        usual = rng.uniform(24, 96)
        hours = list(usual * rng.lognormal(0, 0.2, 12))
        parts.append(even_cycles(hours, number=number, emptied_at_level=float(rng.choice([0.7, 1.0]))))
    return Cycles.joined(parts)


def steady_clock(pools: int = 1) -> Clock:
    """Give a clock that runs evenly."""
    return Clock(np.ones((pools, HOURS)), LONDON, START - 30 * DAY, START + 400 * DAY)


def pool_of(cycles: Cycles, now: np.datetime64, clock: Clock | None = None) -> Pool:
    """Prepare the table with all bins in one pool."""
    return prepare(cycles, np.zeros(len(cycles), dtype=np.int64), clock or steady_clock(), now)


def situation(
    levels: list[float], now: np.datetime64, *, bins: Integers | None = None, hours_since_emptying: float = 10.0
) -> Situation:
    """Say that bins were just measured; thresholds are 0.8."""
    count = len(levels)
    measured: Times = np.full(count, now)
    level: Floats = np.array(levels, dtype=np.float64)
    return Situation(
        bin=np.arange(count) if bins is None else bins,
        pool=np.zeros(count, dtype=np.int64),
        level=level,
        measured_at=measured,
        emptied_at=measured - np.timedelta64(int(hours_since_emptying * 3600), "s"),
        threshold=np.full(count, 0.8),
        stood_s=np.zeros(count),
    )


def bags(bins: int, days: int) -> tuple[Floats, Integers]:
    """Let bags fall into bins, each a seventh of it or so, at times that only chance knows; crews come at 95 %.

    Returns:
        Hourly levels, shape (bins, hours), and the emptyings: bin and hour, shape (n, 2).
    """
    rng = np.random.default_rng(1)
    levels, emptied = np.zeros((bins, days * 24)), []
    chance, level = rng.uniform(0.06, 0.2, bins), np.zeros(bins)
    for hour in range(days * 24):
        full = level >= 0.95
        emptied += [(number, hour) for number in np.flatnonzero(full).tolist()]
        fell = rng.uniform(0.07, 0.21, bins) * (rng.random(bins) < chance)
        level = np.where(full, 0.0, level) + fell
        levels[:, hour] = level
    return levels, np.array(emptied)


def cycles_until(levels: Floats, emptied: Integers, hour: int) -> Cycles:
    """Cut hourly levels into what is known at an hour; arguments as `bags` gives them."""
    bins, known = len(levels), emptied[emptied[:, 1] <= hour]
    return cut(
        np.tile(START + np.arange(hour + 1) * HOUR, bins),
        np.minimum(levels[:, : hour + 1], 1.0).ravel(),
        np.arange(bins + 1) * (hour + 1),
        bins=np.arange(bins),
        emptied_track=known[:, 0],
        emptied_at=START + known[:, 1] * HOUR,
    )
