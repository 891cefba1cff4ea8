"""How much each bin had risen, all in all and by the hour of the week, in what its sensor had said so far."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.assess.forecasts.profile import FALL_NOISE, hour_of_week
from ingest.assess.levels.level import fill_levels
from ingest.assess.levels.quality import judge
from simulator.deposits import HOUR_S, TOWN_ZONE
from simulator.evaluate.scores import Floats
from simulator.telemetry import Telemetry

WEEK_H = 168
LONGEST_STEP_S = 2 * HOUR_S
"""A rise over a longer time tells nothing of the hours in it."""


@dataclass(frozen=True, slots=True)
class Rises:
    """What was known at each case; all in bins an hour.

    Attributes:
        rate: the bin's rise divided by the time it was watched; of all bins before it was, shape (n,).
        hourly: its mean rise in each hour of the week, shape (n, 168).
        town: its `rate`, shared out over the week as the rise of all bins together is, shape (n, 168).
    """

    rate: Floats
    hourly: Floats
    town: Floats


def rises(telemetry: Telemetry, bins: int, place: NDArray[np.int64], asked_s: NDArray[np.int64]) -> Rises:
    """Add up rises from one believed level to the next; larger falls are emptyings and left out.

    Args:
        telemetry: of the sensors.
        bins: how many there are.
        place: the bin of each case, shape (n,).
        asked_s: when, Unix seconds; what was measured later is not known, shape (n,).
    """
    series = telemetry.series(bins)
    levels = fill_levels(series, judge(series, telemetry.geometry()), telemetry.geometry())
    known = ~np.isnan(levels)
    at_s, bin_of = telemetry.measured_s[known], telemetry.bin[known]
    rise, step_s = np.diff(levels[known]), np.diff(at_s)
    used = (np.diff(bin_of) == 0) & (step_s > 0) & (step_s <= LONGEST_STEP_S) & (rise > -FALL_NOISE)
    middle_s = at_s[:-1] + step_s // 2
    slot = bin_of[:-1] * WEEK_H + hour_of_week(middle_s.astype("datetime64[s]"), TOWN_ZONE)
    found = Rises(np.zeros(len(place)), np.zeros((len(place), WEEK_H)), np.zeros((len(place), WEEK_H)))
    for now_s in np.unique(asked_s):
        past = used & (at_s[1:] <= now_s)
        risen, hours = (
            np.bincount(slot[past], each[past], bins * WEEK_H).reshape(bins, WEEK_H).astype(np.float64)
            for each in (rise, step_s / HOUR_S)
        )
        here = asked_s == now_s
        for column, means in zip((found.rate, found.hourly, found.town), _means(risen, hours), strict=True):
            column[here] = means[place[here]]
    return found


def _means(risen: Floats, hours: Floats) -> tuple[Floats, Floats, Floats]:
    together, watched = risen.sum(), hours.sum(axis=1)
    rate = np.where(watched > 0, risen.sum(axis=1) / np.maximum(watched, 1e-9), together / max(hours.sum(), 1.0))
    rate = np.maximum(rate, 1e-6)
    town = risen.sum(axis=0) / np.maximum(hours.sum(axis=0), 1e-9)
    return rate, _weekly(np.where(hours > 0, risen / np.maximum(hours, 1e-9), rate[:, None]), rate), _weekly(town, rate)


def _weekly(mean: Floats, rate: Floats) -> Floats:
    """Take away what noise made negative, and let the week add up to the rate."""
    mean = np.maximum(mean, 0.0) + 1e-9
    weekly: Floats = rate[:, None] * mean / mean.mean(axis=-1, keepdims=True)
    return weekly
