"""The present rounds: when each bin is visited without our list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.levels.readings import Floats
from simulator.evaluate.columns import FileError, Refused, read_rows, times

# A bin is emptied so long after the list of the day is made, or the daily round begins.
VISITED_AFTER = timedelta(hours=2)
DATE_LENGTH = len("2023-05-01")


@dataclass(frozen=True, slots=True)
class Rounds:
    """Visits, whoever plans them.

    Attributes:
        visits: of each bin, hours since 1970, UTC, ascending, each once.
        strange: bins of the file that have no readings.
        refused: rows left out because they are wrong.
    """

    visits: Sequence[Floats]
    strange: int
    refused: Refused


def daily(bins: int, lists: Floats) -> Rounds:
    """Visit every bin every day, when it would be visited after each of some lists (hours since 1970)."""
    every = lists + VISITED_AFTER / timedelta(hours=1)
    return Rounds([every] * bins, 0, Refused())


def read_rounds(path: Path, bins: Sequence[str], at: time, zone: ZoneInfo) -> Rounds:
    """Read visits: the columns bin and visited_at. A date without a time counts as the day's first round.

    Args:
        path: CSV file.
        bins: their names, in the order of the visits that come back.
        at: when the list of a day is made, local time.
        zone: of the council.

    Raises:
        FileError: it cannot be used.
    """
    refused = Refused()
    found: dict[str, list[float]] = {}
    rows_read = 0
    for rows in read_rows(path, ("bin", "visited_at")):
        rows_read += len(rows)
        texts = [text if len(text) != DATE_LENGTH else _at_round(text, at, zone) for text in rows.texts["visited_at"]]
        moments, _ = times(texts)
        for line, name, text, moment in zip(rows.lines, rows.texts["bin"], texts, moments, strict=True):
            if not name:
                refused.add(line, "no bin")
            elif np.isnat(moment):
                refused.add(line, "visited_at is no time from 2001 to 2099", text)
            else:
                found.setdefault(name, []).append(float(moment.astype(np.int64)) / 3.6e9)
    if not found:
        raise FileError(f"{path}: none of its {rows_read:,} rows can be used; {'; '.join(refused.sentences())}.")
    if not found.keys() & set(bins):
        raise FileError(f"{path} names no bin that has readings.")
    return Rounds([np.unique(found.get(name, [])) for name in bins], len(found.keys() - set(bins)), refused)


def lists_between(begin: float, end: float, clocks: Sequence[time], zone: ZoneInfo) -> Floats:
    """Give when lists are made: every day at some local times.

    Args:
        begin: hours since 1970, UTC.
        end: hours since 1970, UTC.
        clocks: local times of day.
        zone: of the council.

    Returns:
        Hours since 1970, UTC, ascending.
    """
    first, last = (datetime.fromtimestamp(hours * 3600, UTC).astimezone(zone).date() for hours in (begin, end))
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    moments = sorted(_hours(day, clock, zone) for day in days for clock in clocks)
    after = VISITED_AFTER / timedelta(hours=1)
    return np.array([moment for moment in moments if begin <= moment and moment + after <= end])


def _at_round(text: str, at: time, zone: ZoneInfo) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return (datetime.combine(day, at, zone).astimezone(UTC) + VISITED_AFTER).isoformat()


def _hours(day: date, clock: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, clock, zone).timestamp() / 3600
