"""Levels of made-up bins for the tests of use."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.emptying import Emptyings
from ingest.assess.levels.readings import Geometry, Series
from ingest.assess.places.spans import Measured
from ingest.assess.places.usage import UsageDays

LONDON = ZoneInfo("Europe/London")
CAPACITY_L = 100.0


def at(text: str) -> np.datetime64:
    """Take a moment of the clocks in London, or of UTC with a Z at its end."""
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=LONDON)
    return np.datetime64(aware.astimezone(UTC).replace(tzinfo=None), "us")


def hourly(start: str, count: int, step_min: int = 60) -> npt.NDArray[np.datetime64]:
    return at(start) + np.arange(count) * np.timedelta64(step_min, "m")


def measured(
    times: npt.NDArray[np.datetime64],
    levels: Sequence[float],
    emptied: Sequence[int] = (),
    *,
    bin_id: int = 1,
    whole: bool = True,
) -> Measured:
    """One track of a bin of 100 litres.

    `emptied` are the places of the first readings after emptyings.
    """
    return Measured(
        bin=np.array([bin_id]),
        capacity_l=np.array([CAPACITY_L]),
        whole=np.array([whole]),
        series=_series(times, np.array([0, len(times)])),
        levels=np.array(levels, dtype=np.float64),
        geometry=Geometry(1150.0, 150.0),
        emptyings=_emptyings(times, np.zeros(len(emptied), dtype=np.int64), np.array(emptied, dtype=np.int64)),
    )


def joined(parts: Sequence[Measured]) -> Measured:
    """Lay tracks one after another."""
    lengths = np.cumsum([0, *(len(part.levels) for part in parts)])
    times = np.concatenate([part.series.measured_at for part in parts])
    tracks = [np.full(len(part.emptyings), number) for number, part in enumerate(parts)]
    after = [part.emptyings.after + begin for part, begin in zip(parts, lengths, strict=False)]
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("bin", "capacity_l", "whole", "levels")
    }
    emptyings = _emptyings(times, np.concatenate(tracks), np.concatenate(after))
    return replace(parts[0], **columns, series=_series(times, lengths), emptyings=emptyings)


def _series(times: npt.NDArray[np.datetime64], starts: npt.NDArray[np.int64]) -> Series:
    """Give readings of which only the times matter here."""
    unknown = np.full(len(times), np.nan)
    return Series(times, unknown, unknown, unknown, unknown, unknown, np.zeros(len(times), dtype=np.int64), starts)


def _emptyings(
    times: npt.NDArray[np.datetime64], track: npt.NDArray[np.int64], after: npt.NDArray[np.int64]
) -> Emptyings:
    sure = np.full(len(after), 0.9)
    return Emptyings(track, times[after - 1], times[after], sure, sure, sure, after - 1, after)


def day_of(days: UsageDays, day: str, bin_id: int = 1) -> dict[str, dict[int, float]]:
    """Give the hours of a bin's day that are not zero, by column."""
    row = np.flatnonzero((days.day == np.datetime64(date.fromisoformat(day))) & (days.bin == bin_id))
    names = ("litres", "observed_h", "spread_h", "full_h")
    return {
        name: {hour: round(float(value), 2) for hour, value in enumerate(getattr(days, name)[row[0]]) if value}
        for name in names
    }
