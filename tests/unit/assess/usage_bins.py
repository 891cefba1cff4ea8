"""Levels of made-up bins for the tests of use."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingest.assess.readings import Geometry
from ingest.assess.spans import Measured
from ingest.assess.usage import UsageDays

LONDON = ZoneInfo("Europe/London")
CAPACITY_L = 100.0
NONE = np.array([], dtype="datetime64[us]")


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
    emptied: Sequence[tuple[np.datetime64, np.datetime64]] = (),
    *,
    bin_id: int = 1,
    whole: bool = True,
) -> Measured:
    """One track of a bin of 100 litres."""
    return Measured(
        bin=np.array([bin_id]),
        capacity_l=np.array([CAPACITY_L]),
        whole=np.array([whole]),
        starts=np.array([0, len(times)]),
        measured_at=times,
        levels=np.array(levels, dtype=np.float64),
        geometry=Geometry(1150.0, 150.0),
        emptied_track=np.zeros(len(emptied), dtype=np.int64),
        not_before=np.array([one[0] for one in emptied] or NONE, dtype="datetime64[us]"),
        emptied_at=np.array([one[1] for one in emptied] or NONE, dtype="datetime64[us]"),
    )


def joined(parts: Sequence[Measured]) -> Measured:
    """Lay tracks one after another."""
    lengths = np.cumsum([0, *(len(part.levels) for part in parts)])
    tracks = [np.full(len(part.emptied_track), index) for index, part in enumerate(parts)]
    names = ("bin", "capacity_l", "whole", "measured_at", "levels", "not_before", "emptied_at")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return replace(parts[0], **columns, starts=lengths, emptied_track=np.concatenate(tracks))


def day_of(days: UsageDays, day: str, bin_id: int = 1) -> dict[str, dict[int, float]]:
    """Give the hours of a bin's day that are not zero, by column."""
    row = np.flatnonzero((days.day == np.datetime64(date.fromisoformat(day))) & (days.bin == bin_id))
    names = ("litres", "observed_h", "spread_h", "full_h")
    return {
        name: {hour: round(float(value), 2) for hour, value in enumerate(getattr(days, name)[row[0]]) if value}
        for name in names
    }
