"""How full a bin was at each reading."""

import numpy as np

from ingest.assess.levels.quality import Judgement
from ingest.assess.levels.readings import Floats, Geometry, Series


def fill_levels(series: Series, judgement: Judgement, geometry: Geometry) -> Floats:
    """Turn distances into fill levels.

    One bad echo does no harm: `judge` has rejected it, so it has no level.

    Args:
        series: one bin's readings, oldest first.
        judgement: of the same readings.
        geometry: of the same bin.

    Returns:
        0 (empty) to 1 (full), shape (n,); NaN where the reading was rejected.
    """
    levels = (geometry.empty_mm - series.distance_mm) / geometry.depth_mm
    clamped: Floats = np.clip(levels, 0.0, 1.0)
    return np.where(judgement.believed, clamped, np.nan)
