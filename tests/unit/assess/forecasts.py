"""Invented forecasts, for the tests of this folder: a level that rises straight on, as sure or unsure as wanted."""

from datetime import timedelta

import numpy as np

from ingest.assess.forecasts.forecast import CHANCES, Forecast, Passage
from tests.unit.assess.bins import NOW


def passage(p50_hours: float, spread_hours: float = 5.0) -> Passage:
    """A mark that is reached `p50_hours` after NOW, evenly spread: p10 and p90 are 0.8 * `spread_hours` from p50."""
    hours = p50_hours + 2 * spread_hours * (CHANCES - 0.5)
    instants = np.datetime64(NOW.replace(tzinfo=None), "us") + (hours * 3600e6).astype("timedelta64[us]")
    p10, p50, p90 = (NOW + timedelta(hours=p50_hours + share * spread_hours) for share in (-0.8, 0.0, 0.8))
    return Passage(p10, p50, p90, instants)


def never() -> Passage:
    """A mark of which nothing can be said."""
    return Passage(None, None, None, np.full(len(CHANCES), np.datetime64("NaT", "us")))


def forecast(full_hours: float, threshold_hours: float | None = None, spread_hours: float = 5.0) -> Forecast:
    """A bin that overflows `full_hours` after NOW, and reaches its threshold some time before."""
    threshold_hours = 0.6 * full_hours if threshold_hours is None else threshold_hours
    return Forecast(passage(threshold_hours, spread_hours), passage(full_hours, spread_hours))
