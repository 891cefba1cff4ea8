"""How much has to be known before a forecast sends anybody: a new installation floods nobody."""

from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import pytest

from ingest.assess.decisions.due import Rules
from ingest.assess.forecasts.cycles import EMPTIED, OPEN, Cycles
from ingest.assess.forecasts.experience import known_bins, known_pools
from ingest.assess.levels.readings import instant
from ingest.assess.levels.sensor import Sensor
from ingest.assess.memory.entry import Entry
from ingest.assess.memory.ragged import Rows
from ingest.assess.memory.tail import readings
from ingest.assess.memory.watch import Watch
from tests.unit.assess.bins import DAY, HOUR, NOW
from tests.unit.assess.test_watch import LONDON

BINS = 500


class FreshTown:
    """Bins that fill in 1 to 12 days, and are emptied each at a time of its own, when they are 60 to 90 % full."""

    def __init__(self) -> None:
        random = np.random.default_rng(4)
        self._fills_h = random.uniform(24, 288, BINS)
        self._peak = random.uniform(0.6, 0.9, BINS)
        self._phase = random.random(BINS)
        self.watch = Watch(LONDON)

    def reasons(self, now: datetime, hours: range) -> Counter[str]:
        """Measure in these hours since NOW, and say for which reasons how many bins are due."""
        sensor = Sensor(NOW - HOUR, 3600, now)
        horizon = now + timedelta(hours=26)
        self.watch.enrol(
            {bin_id: Entry(Rules(), sensor, horizon=horizon, pool="general") for bin_id in range(BINS)},
        )
        self.watch.take(np.concatenate([self._measured(hour) for hour in hours]))
        states = self.watch.look(now)
        self.foreseen = sum(state.prospect is not None for state in states.values())
        return Counter(state.due.reason for state in states.values())

    def _measured(self, hour: int) -> Rows:
        cycles = hour / (self._fills_h * self._peak) + self._phase
        levels = cycles % 1 * self._peak
        at = np.full(BINS, instant(NOW + hour * HOUR))
        return readings(np.arange(BINS), at, empty_mm=1200, full_mm=200, distance_mm=np.round(1200 - 1000 * levels))


def test_new_installation_floods_nobody() -> None:
    town = FreshTown()
    for hour in range(0, 48, 4):
        assert town.reasons(NOW + (hour + 4) * HOUR, range(hour, hour + 5))["FORECAST"] == 0
        assert town.foreseen == 0

    later = town.reasons(NOW + 8 * DAY, range(48, 8 * 24 + 1))

    assert town.foreseen == BINS
    assert later["FORECAST"] > 0


def cycles(ended: list[int], after_emptying: bool = True) -> Cycles:
    """Bins with so many cycles that ended, a day each, and one that runs."""
    counts = np.array(ended) + 1
    number = np.concatenate([np.arange(count) for count in counts])
    runs = number == np.repeat(counts - 1, counts)
    began_at = instant(NOW - 40 * DAY) + number * np.timedelta64(1, "D")
    return Cycles(
        bin=np.repeat(np.arange(len(ended)), counts),
        began_at=began_at,
        ended_at=began_at + np.timedelta64(1, "D"),
        passed_s=np.full((len(number), 11), np.nan, dtype=np.float32),
        level_first=np.zeros(len(number), dtype=np.float32),
        level_last=np.full(len(number), 0.8, dtype=np.float32),
        after_emptying=np.full(len(number), after_emptying),
        ended_by=np.where(runs, OPEN, EMPTIED).astype(np.int8),
    )


@pytest.mark.parametrize(
    ("ended", "known"),
    [
        ([19], False),
        ([20], True),
        # Half of the bins.
        ([1] * 29 + [0] * 31, False),
        ([1] * 30 + [0] * 30, True),
    ],
)
def test_pool_is_known_by_cycles_of_many_bins(ended: list[int], known: bool) -> None:
    one = cycles(ended)

    assert known_pools(one, np.zeros(len(one), dtype=np.int64), 1, instant(NOW)).tolist() == [known]


def test_bin_is_known_by_cycles_of_its_own() -> None:
    assert known_bins(np.array([0, 1, 2, 3]), cycles([2, 3, 0])).tolist() == [False, True, False, False]
    assert not known_bins(np.array([0]), cycles([9], after_emptying=False)).any()
