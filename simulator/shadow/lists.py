"""Replays our due list: what would have been on it each morning, had the bins been emptied by it since the beginning.

Each list is made by what runs in the product (`ingest.assess.memory.watch`), from readings until then: those of the
past as they were, and from the beginning on what the sensors would have measured, each reading with the noise that it
had. One that is rejected stays as it was.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from ingest.assess.decisions.due import MUST_GO, Due, Rules
from ingest.assess.levels.readings import Floats, Integers
from ingest.assess.levels.sensor import Sensor
from ingest.assess.memory.entry import Entry
from ingest.assess.memory.ragged import Rows
from ingest.assess.memory.tail import readings as as_rows
from ingest.assess.memory.watch import Watch
from simulator.evaluate.detection import series_of
from simulator.shadow.rounds import VISITED_AFTER
from simulator.shadow.town import Span, Town

AFTER_H = VISITED_AFTER / timedelta(hours=1)
DAY_H = 24.0
# So far from what it stands for a reading may be by noise.
NOISE_MOST_MM = 30.0
# A bin whose sensor fell silent may go at once; a crew that follows the list leaves it until it must.
WAITS = "STALE"


@dataclass(slots=True)
class Lists:
    """What was on the lists.

    Attributes:
        visits: of each bin, hours since 1970, UTC, ascending.
        reasons: how many visits each reason brought.
    """

    visits: list[list[float]]
    reasons: Counter[str] = field(default_factory=Counter)


def replay_lists(town: Town, moments: Floats, span: Span) -> Lists:
    """Make each list, and empty what is on it.

    Args:
        town: what is replayed.
        moments: when lists are made, hours since 1970, ascending.
        span: what was measured before is history; a bin is emptied only within its own.
    """
    watch = Watch(town.zone)
    hours = np.split(town.hours, town.readings.starts[1:-1])
    entries = {number: _entry(town, number, mine) for number, mine in enumerate(hours)}
    replay = _Replay(town, span)
    lists = Lists([[] for _ in town.places])
    # A bin that a list leaves out has to wait until the bins of the next one are emptied.
    waits = np.append(moments[1:], moments[-1] + DAY_H) + AFTER_H
    for moment, wait in zip(moments.tolist(), waits.tolist(), strict=True):
        watch.enrol({number: replace(entry, horizon=_aware(wait)) for number, entry in entries.items()})
        watch.take(replay.measured_until(moment))
        visited_at = moment + AFTER_H
        compared = (span.begins <= visited_at) & (visited_at <= span.ends)
        states = watch.look(_aware(moment))
        due = {number: state.due for number, state in states.items() if compared[number] and _goes(state.due)}
        replay.empty(np.array(list(due), dtype=np.int64), visited_at)
        watch.report(dict.fromkeys(due, _aware(visited_at)))
        for number, one in due.items():
            lists.visits[number].append(visited_at)
            lists.reasons[one.reason] += 1
    return lists


def _goes(due: Due) -> bool:
    return due.due_class == MUST_GO or (due.due_class is not None and due.reason != WAITS)


def _entry(town: Town, number: int, hours: Floats) -> Entry:
    place = town.places[number]
    # Nobody wrote down when sensors promised to report again: it is what they usually do.
    every_s = round(float(np.median(np.diff(hours))) * 3600) if len(hours) > 1 else None
    sensor = Sensor(_aware(float(hours[0])), every_s)
    return Entry(Rules(place.threshold, timedelta(days=place.max_age_days), zone=town.zone), sensor)


def _aware(hours: float) -> datetime:
    return datetime.fromtimestamp(hours * 3600, UTC)


class _Replay:
    """The sensors of a town whose bins are emptied by the list from some moment on.

    Args:
        town: as it was.
        span: when that begins, for each bin.
    """

    def __init__(self, town: Town, span: Span) -> None:
        starts, flow = town.readings.starts, town.flow
        self._town, self._begins, self._hours = town, span.begins, town.hours
        self._bin = np.repeat(np.arange(len(town.places)), np.diff(starts))
        self._risen = np.concatenate(
            [
                flow.risen_at(number, self._hours[starts[number] : starts[number + 1]])
                for number in range(len(starts) - 1)
            ]
        )
        self._empty_mm, self._depth_mm = (
            np.broadcast_to(one, len(town.places)) for one in (town.geometry.empty_mm, town.geometry.depth_mm)
        )
        self._measured_mm = series_of(town.readings, 0, len(town.places)).distance_mm
        self._noise_mm = self._noises_mm()
        self._order = np.argsort(self._hours, kind="stable")
        self._sorted = self._hours[self._order]
        self._next = 0
        # What had fallen into each bin when it was emptied last, and when that was; and the same of the time before.
        at_begin = [flow.risen_at(number, span.begins[number : number + 1])[0] for number in range(len(town.places))]
        self._emptied = self._emptied_before = np.array(at_begin) - span.level
        self._visited_at = np.full(len(town.places), -np.inf)

    def _noises_mm(self) -> Floats:
        """Say how far each reading is from the level that it stands for; NaN for one that was rejected."""
        noises = np.full(len(self._hours), np.nan)
        believed = np.flatnonzero(~np.isnan(self._town.assessed.levels))
        bins = self._bin[believed]
        steady_mm = self._empty_mm[bins] - self._town.flow.steady * self._depth_mm[bins]
        found = self._measured_mm[believed] - steady_mm
        noise = np.abs(found) <= NOISE_MOST_MM
        # What is more (an overfull bin, waste that settled) is no noise: such a reading gets that of another one.
        if noise.any():
            found[~noise] = np.resize(found[noise], np.count_nonzero(~noise))
        noises[believed] = np.clip(found, -NOISE_MOST_MM, NOISE_MOST_MM)
        return noises

    def measured_until(self, moment: float) -> Rows:
        """Give what the sensors measured since the last call."""
        end = int(np.searchsorted(self._sorted, moment, side="right"))
        places = np.sort(self._order[self._next : end])
        self._next = end
        town, bins, hours = self._town, self._bin[places], self._hours[places]
        emptied = np.where(hours >= self._visited_at[bins], self._emptied[bins], self._emptied_before[bins])
        level = np.clip(self._risen[places] - emptied, 0.0, 1.0)
        replayed = self._empty_mm[bins] - level * self._depth_mm[bins] + self._noise_mm[places]
        believed = ~np.isnan(self._noise_mm[places]) & (hours >= self._begins[bins])
        return as_rows(
            bins,
            town.readings.measured_at[places],
            empty_mm=self._empty_mm[bins],
            full_mm=self._empty_mm[bins] - self._depth_mm[bins],
            distance_mm=np.where(believed, replayed, self._measured_mm[places]),
            temperature_c=town.readings.temperature_c[places],
            tilt_deg=town.readings.tilt_deg[places],
        )

    def empty(self, bins: Integers, moment: float) -> None:
        """Empty some bins."""
        self._emptied_before = self._emptied.copy()
        self._visited_at[:] = -np.inf
        self._visited_at[bins] = moment
        for number in bins.tolist():
            self._emptied[number] = self._town.flow.risen_at(number, np.array([moment]))[0]
