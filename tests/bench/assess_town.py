"""Bins with a past, made of numbers alone, for the bench of assessing: what is known of them, and what comes next."""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.decisions.rules import Rules
from ingest.assess.forecasts.cycles import EMPTIED, MARKS, Cycles
from ingest.assess.levels.readings import Integers
from ingest.assess.levels.sensor import Sensor
from ingest.assess.memory.anchor import Anchor
from ingest.assess.memory.entry import Entry
from ingest.assess.memory.ragged import Rows
from ingest.assess.memory.tail import readings
from ingest.assess.memory.watch import Watch

NOW = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
HOUR = np.timedelta64(1, "h")
CYCLES = 20
STREAMS = ("general", "recycling", "glass")
# Hours from one emptying to the next.
SHORTEST_H, LONGEST_H = 40, 80
# An emptying is settled before the next reading after so many hours.
SETTLED_H = 14
BINS_AT_ONCE = 2000
KB_IN_MB = 1024


class AssessTown:
    """Bins that fill and are emptied with a period of their own, hourly readings with noise, all up to NOW.

    Args:
        bins: how many; their ids are 1, 2, 3, ...
    """

    def __init__(self, bins: int) -> None:
        random = np.random.default_rng(1)
        self.ids = np.arange(1, bins + 1)
        self._period = random.integers(SHORTEST_H, LONGEST_H, bins)
        # Hours from the last emptying to NOW.
        self._age = random.integers(0, self._period)
        self._peak = random.uniform(0.6, 1.0, bins)
        self._random = random

    def watch(self) -> Watch:
        """Give a watch that knows CYCLES past cycles of each bin, and its readings since a settled emptying."""
        watch = Watch(ZoneInfo("Europe/London"))
        sensor = Sensor(NOW - timedelta(days=400), 3600, NOW)
        horizon = NOW + timedelta(hours=25)
        watch.enrol(
            {
                bin_id: Entry(Rules(), sensor, horizon=horizon, pool=STREAMS[bin_id % len(STREAMS)])
                for bin_id in self.ids.tolist()
            }
        )
        watch.remember(self.cycles())
        for first in range(0, len(self.ids), BINS_AT_ONCE):
            places = np.arange(first, min(first + BINS_AT_ONCE, len(self.ids)))
            since_h = self._anchor_h(places)
            emptied_at = _hours_ago(since_h)
            anchors = [Anchor(at - HOUR, at) for at in emptied_at]
            kept_h = np.array([(one.emptied_at - one.since) // HOUR for one in anchors])
            by_bin = dict(zip(self.ids[places].tolist(), anchors, strict=True))
            watch.renew(by_bin, self._readings(places, since_h + kept_h))
            watch.learn()
        return watch

    def cycles(self) -> Cycles:
        """Give the past cycles of all bins up to the last emptying that is settled."""
        every = np.arange(len(self.ids))
        lag = np.arange(CYCLES, 0, -1)
        began_h = (self._anchor_h(every)[:, None] + lag * self._period[:, None]).ravel()
        length_s = np.repeat((self._period - 1) * 3600.0, CYCLES)
        passed_s = np.arange(MARKS) / (MARKS - 1) / np.repeat(self._peak, CYCLES)[:, None] * length_s[:, None]
        began_at = _hours_ago(began_h)
        return Cycles(
            bin=np.repeat(self.ids, CYCLES),
            began_at=began_at,
            ended_at=began_at + (length_s * 1e6).astype("timedelta64[us]"),
            passed_s=np.where(passed_s <= length_s[:, None], passed_s, np.nan).astype(np.float32),
            level_first=np.zeros(len(began_h), dtype=np.float32),
            level_last=np.repeat(self._peak, CYCLES).astype(np.float32),
            after_emptying=np.ones(len(began_h), dtype=np.bool_),
            ended_by=np.full(len(began_h), EMPTIED, dtype=np.int8),
        )

    def next_readings(self, hours: int) -> Rows:
        """Give one reading of each bin, so many hours after NOW."""
        every = np.arange(len(self.ids))
        return self._measured(every, np.full(len(every), -hours))

    def _anchor_h(self, places: Integers) -> Integers:
        """Say how many hours before NOW the newest emptying was that is settled."""
        age, period = self._age[places], self._period[places]
        return np.where(age >= SETTLED_H, age, age + period)

    def _readings(self, places: Integers, since_h: Integers) -> Rows:
        counts = since_h + 1
        hours = np.repeat(since_h, counts) - (np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts))
        return self._measured(np.repeat(places, counts), hours)

    def _measured(self, places: Integers, hours_ago: Integers) -> Rows:
        age = (self._age[places] - hours_ago) % self._period[places]
        levels = age / (self._period[places] - 1) * self._peak[places]
        noise = self._random.normal(0, 5, len(places))
        return readings(
            self.ids[places],
            _hours_ago(hours_ago),
            empty_mm=1200,
            full_mm=200,
            distance_mm=np.round(1200 - 1000 * levels + noise),
            spread_mm=10,
            valid_count=7,
            temperature_c=8,
            tilt_deg=2,
        )


def _hours_ago(hours: Integers) -> np.typing.NDArray[np.datetime64]:
    moments: np.typing.NDArray[np.datetime64] = np.datetime64(NOW.replace(tzinfo=None), "us") - hours * HOUR
    return moments


def main() -> None:
    """Take one reading of each of so many bins after the other, and print how long that took, and the memory."""
    bins, rounds = map(int, sys.argv[1:])
    town = AssessTown(bins)
    watch = town.watch()
    # The first look prepares the table of all pools, as happens twice a day.
    watch.look(NOW)
    seconds, cpu_seconds = [], []
    for number in range(1, rounds + 1):
        rows, now = town.next_readings(number), NOW + timedelta(hours=number)
        began, cpu_began = time.perf_counter(), time.process_time()
        late = watch.take(rows)
        states = watch.look(now)
        seconds.append(time.perf_counter() - began)
        cpu_seconds.append(time.process_time() - cpu_began)
        if late or any(state.measured_at != now or state.prospect is None for state in states.values()):
            raise AssertionError("not all readings became states")
    lines = Path("/proc/self/status").read_text().splitlines()
    largest_kb = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "rss_mb": largest_kb / KB_IN_MB}))  # noqa: T201 - for who started it


if __name__ == "__main__":
    main()
