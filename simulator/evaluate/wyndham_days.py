"""Wyndham's street bins day by day, 2018 to 2021, and the cases to forecast that they hold."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.assess.forecasts.cycles import Truths
from ingest.assess.levels.readings import Floats, Integers, Times

DAY = np.timedelta64(1, "D")
FILE = "daily_2018_2021.csv"
# A fall by three tenths, or to the bottom, is an emptying.
FALL = 3
LONGEST_SILENCE = np.timedelta64(2, "D")


@dataclass(frozen=True, slots=True)
class Days:
    """One level a bin and day, by bin and then by day; all arrays have the shape (n,).

    Attributes:
        bin: its place among the serial numbers.
        at: midnight of the day.
        tenths: level in tenths.
        threshold: in tenths.
        reason: the publisher's: NOT_READY, FULLNESS or ALERT.
    """

    bin: Integers
    at: Times
    tenths: Integers
    threshold: Integers
    reason: np.typing.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Cases:
    """What is to be forecast; all arrays have the shape (cases,).

    Attributes:
        day: the place among `Days` from which is forecast.
        waited: days until the threshold was reached, or until the last day before it was cut off.
        came: whether it was reached.
    """

    day: Integers
    waited: Floats
    came: Truths


def load(folder: Path) -> Days:
    """Read the days; of several levels of a bin on one day the first counts."""
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    _, bins = np.unique([int(row["serial"]) for row in rows], return_inverse=True)
    at = np.array([row["date"] for row in rows], dtype="datetime64[us]")
    order = np.lexsort((at, bins))
    order = order[(np.diff(bins[order], prepend=-1) != 0) | (np.diff(at[order], prepend=at[0] - DAY) != 0 * DAY)]
    return Days(
        bin=bins[order].astype(np.int64),
        at=at[order],
        tenths=np.array([int(rows[place]["fullness_tenths"]) for place in order]),
        threshold=np.array([int(rows[place]["threshold_tenths"]) for place in order]),
        reason=np.array([rows[place]["reason"] for place in order]),
    )


def emptied(days: Days) -> Truths:
    """Say on which days a bin turned out to have been emptied since the day before, shape (n,)."""
    fall = np.append(0, days.tenths[:-1]) - days.tenths
    same = np.diff(days.bin, prepend=-1) == 0
    found: Truths = same & ((fall >= FALL) | ((fall > 0) & (days.tenths == 0)))
    return found


def find_cases(days: Days) -> Cases:
    """Find all days below the threshold, and what came of them."""
    count = len(days.bin)
    broken = emptied(days) | (np.diff(days.bin, prepend=-1) != 0)
    broken |= np.diff(days.at, prepend=days.at[0]) > LONGEST_SILENCE
    reached = days.tenths >= days.threshold
    # Looking back from the end: the next day that is full, and the next that is no longer of the same cycle.
    place = np.arange(count)
    next_full = np.minimum.accumulate(np.where(reached, place, count)[::-1])[::-1]
    next_break = np.append(np.minimum.accumulate(np.where(broken, place, count)[::-1])[::-1][1:], count)
    case = np.flatnonzero(~reached & (days.reason != "ALERT"))
    came = next_full[case] < next_break[case]
    until = np.where(came, next_full[case], next_break[case] - 1)
    waited = (days.at[np.minimum(until, count - 1)] - days.at[case]) / DAY
    return Cases(case, waited, came)
