"""What nobody can do better: forecasts by one who knows the town's people, but not what luck will bring.

It knows the true level and, of every bin, how it is used in each hour of the week and by how much days and weeks
differ. What it does not know is how the present day and week go, and what comes.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.city import City
from simulator.deposits import Deposits, Habits
from simulator.evaluate.scores import LEVELS, Floats
from simulator.levels import Levels, risen
from simulator.terrain import Points


def waits_h(levels: Levels, added: Points, asked_h: NDArray[np.int64], threshold: float) -> Points:
    """Say how long bins that nobody empties take to a threshold if `added` falls into them.

    Args:
        levels: the true ones.
        added: in each hour from the first one of `levels` on, shape (hours, bins).
        asked_h: at whose start each bin sets out from its true level, shape (asked,).
        threshold: 0..1.

    Returns:
        Hours, infinite where it is not reached before `added` ends, shape (asked, bins).
    """
    level = levels.hourly[asked_h]
    waited = np.where(level >= threshold, 0.0, np.inf)
    for after in range(len(added) - int(asked_h.min())):
        row = asked_h + after
        rise = risen(level, added[np.minimum(row, len(added) - 1)])
        comes = np.isinf(waited) & (level + rise >= threshold) & (row < len(added))[:, None]
        waited[comes] = after + ((threshold - level) / np.maximum(rise, 1e-9))[comes]
        level = level + rise
        if np.isfinite(waited).all():
            break
    return waited


def forecast(
    city: City, habits: Habits, levels: Levels, asked_h: NDArray[np.int64], *, threshold: float, futures: int
) -> Floats:
    """Forecast the hours from each bin's true level to a threshold, from futures that might have been.

    Args:
        city: the town.
        habits: of its people.
        levels: the true ones.
        asked_h: when, hours since the town began, shape (asked,).
        threshold: 0..1.
        futures: how many are tried.

    Returns:
        p10, p50 and p90, infinite where fewer futures get there as long as `levels` last, shape (asked, bins, 3).
    """
    hours = range(levels.first_hour + int(asked_h.min()), levels.first_hour + len(levels))
    waits = []
    for future in range(futures):
        deposits = Deposits(city, habits, luck=future)
        added = np.zeros(levels.hourly.shape)
        added[len(added) - len(hours) :] = [deposits.in_hour(hour) for hour in hours]
        waits.append(waits_h(levels, added, asked_h, threshold))
    found: Floats = np.moveaxis(np.quantile(np.array(waits), LEVELS, axis=0, method="inverted_cdf"), 0, -1)
    return found
