"""What is to be expected of the bins of a watch: forecasts of those of which enough is known. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.forecasts import foresight
from ingest.assess.forecasts.experience import known_bins, known_pools
from ingest.assess.forecasts.foresight import LASTS, Foresight, Foresights
from ingest.assess.levels.readings import instant
from ingest.assess.memory.archive import Archive
from ingest.assess.memory.roll import Roll


class Expectation:
    """Keeps what forecasts are made from.

    Args:
        zone: whose clocks people live by.
        roll: of the bins.
        archive: their cycles, by the roll's numbers.
    """

    def __init__(self, zone: ZoneInfo, roll: Roll, archive: Archive) -> None:
        self._roll = roll
        self._archive = archive
        self._foresights = Foresights(zone)
        self._known_pools = np.zeros(0, dtype=np.bool_)

    def of(self, bin_ids: list[int], now: datetime) -> dict[int, Foresight | None]:
        """Forecast bins by id; those of which too little is known are missing."""
        self._prepare(instant(now))
        bins = np.sort(self._roll.numbers(bin_ids))
        cycles = self._archive.of(bins)
        bins = bins[self._known_pools[self._roll.pools[bins]] | known_bins(bins, cycles)]
        situation = foresight.situation(
            bins, self._roll.pools[bins], self._roll.thresholds[bins], self._roll.emptied_at_of(bins), cycles
        )
        asked = self._roll.ids[bins].tolist()
        horizons = [self._roll.entries[bin_id].horizon for bin_id in asked]
        return dict(zip(asked, self._foresights.of(cycles, situation, horizons, now), strict=True))

    def _prepare(self, at: np.datetime64) -> None:
        pools = self._roll.pool_count
        if self._foresights.is_outdated(pools, len(self._archive), at):
            everything = self._archive.of(np.arange(len(self._roll)))
            pool = self._roll.pools[everything.bin]
            self._foresights.prepare(everything, pool, pools, at)
            self._known_pools = known_pools(everything, pool, pools, at - LASTS)
