"""The desk of an invented council: everything that arrives goes into a `Watch`, as when Brimwatch runs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ingest.assess.decisions.rules import Rules
from ingest.assess.decisions.state import BinState, state_at
from ingest.assess.levels.sensor import Sensor
from ingest.assess.memory.entry import Entry
from ingest.assess.memory.news import News
from ingest.assess.memory.ragged import Rows
from ingest.assess.memory.tail import readings
from ingest.assess.memory.watch import Watch
from simulator.city import City
from simulator.deposits import HOUR_S, TOWN_ZONE
from simulator.service import DAY_S, MORNING, STARTS_AFTER_S
from simulator.telemetry import Telemetry

ROUND_S = STARTS_AFTER_S + 4 * HOUR_S
"""From a list until its round has ended."""
FITTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
SWAPPED = 100_000
"""The number of a fitting that follows another in its bin is greater by this."""


class Desk:
    """What a council knows of its bins; a bin's id is its place in the town.

    Args:
        city: the town.
        fitted: which bins have a sensor that works, shape (bins,).
        round_hours: when the lists of the day's rounds are made, hours of the day, UTC.
    """

    def __init__(self, city: City, fitted: NDArray[np.bool_], round_hours: tuple[int, ...] = (MORNING,)) -> None:
        self._city, self._fitted = city, fitted
        self._empty_mm = np.array([place.empty_mm for place in city.bins])
        self._heard_s = np.zeros(len(city.bins), dtype=np.int64)
        self._coming: list[Telemetry] = []
        self._arrived: list[Rows] = []
        self._reported: dict[int, datetime] = {}
        self._round_hours = round_hours
        self.watch = Watch(TOWN_ZONE)
        self._enrol(FITTED_AT)

    def hear(self, telemetry: Telemetry) -> None:
        """Take what sensors sent; it counts from when it arrives on."""
        self._coming.append(telemetry.where(self._fitted[telemetry.bin]))

    def report(self, reports: Sequence[tuple[int, float]]) -> None:
        """Take all emptyings that crews have reported so far: bin and Unix seconds."""
        self._reported = {place: _aware(at_s) for place, at_s in sorted(reports, key=lambda one: one[1])}
        self.watch.report(self._reported)

    def catch_up(self, now_s: int) -> News:
        """Learn from what has arrived until now, Unix seconds."""
        if not self._coming:
            return self.watch.learn()
        waiting = Telemetry.joined(self._coming)
        here = waiting.arrived_s <= now_s
        self._coming = [waiting.where(~here)]
        new = waiting.where(here)
        new = new.where(np.argsort(new.arrived_s, kind="stable"))
        np.maximum.at(self._heard_s, new.bin, new.arrived_s)
        rows = self._rows(new)
        self._arrived.append(rows)
        late = self.watch.take(rows)
        if late:
            kept = np.concatenate(self._arrived)
            self.watch.renew(dict.fromkeys(late), kept[np.isin(kept["bin_id"], list(late))])
        return self.watch.learn()

    def look(self, now_s: int) -> dict[int, BinState]:
        """Say how the bins are now, Unix seconds."""
        self.catch_up(now_s)
        now = _aware(now_s)
        self._enrol(now)
        return self.watch.look(now)

    def look_plainly(self, now_s: int) -> dict[int, BinState]:
        """Say the same without looking ahead."""
        self.catch_up(now_s)
        now = _aware(now_s)
        return {
            place: state_at(self.watch.findings(place), self._reported.get(place), entry.sensor, entry.rules, now)
            for place, entry in ((place, self._entry(place, None)) for place in range(len(self._city.bins)))
        }

    def horizon_at(self, now_s: int) -> datetime:
        """Say until when a bin has to wait that the coming round leaves out: until the end of the round after it."""
        day_s = now_s - now_s % DAY_S
        ends = [day_s + day * DAY_S + hour * HOUR_S + ROUND_S for day in range(3) for hour in self._round_hours]
        return _aware([end for end in ends if end > now_s][1])

    def last_received_at(self, place: int) -> datetime | None:
        """Say when a bin's sensor was last heard of; None for never."""
        heard_s = int(self._heard_s[place])
        return _aware(heard_s) if heard_s else None

    def _enrol(self, now: datetime) -> None:
        until = self.horizon_at(int(now.timestamp()))
        self.watch.enrol({place: self._entry(place, until) for place in range(len(self._city.bins))})

    def _entry(self, place: int, until: datetime | None) -> Entry:
        rules = Rules(max_age=timedelta(days=self._city.bins[place].max_age_days))
        # A lost sensor still is in its bin, and in the registry.
        sensor = Sensor(FITTED_AT, HOUR_S, self.last_received_at(place))
        return Entry(rules, sensor, horizon=until, pool=self._city.bins[place].stream)

    def _rows(self, new: Telemetry) -> Rows:
        swapped = new.empty_mm != self._empty_mm[new.bin]
        return readings(
            new.bin,
            new.measured_s.astype("datetime64[s]").astype("datetime64[us]"),
            device_id=new.bin + SWAPPED * swapped,
            fitting_id=new.bin + SWAPPED * swapped,
            empty_mm=new.empty_mm,
            full_mm=new.full_mm,
            distance_mm=new.distance_mm,
            spread_mm=new.spread_mm,
            valid_count=new.valid_count,
            temperature_c=new.temperature_c,
            tilt_deg=new.tilt_deg,
            flags=new.flags,
        )


def _aware(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
