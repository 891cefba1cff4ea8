"""How like a real town the invented one is: its emptyings beside those that Edinburgh's council published for 2016."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.city import make_city
from simulator.deposits import HOUR_S, Deposits
from simulator.evaluate.scores import Evaluation, Table
from simulator.levels import Levels
from simulator.shifts import EDINBURGH_HABITS, EDINBURGH_LOOKS, Shifts
from simulator.terrain import Points

FILE = "collections_2016.csv"
BINS = 334
FIRST_HOUR = int(datetime(2016, 5, 27, tzinfo=UTC).timestamp()) // HOUR_S
WARM_UP_HOURS, HOURS = 7 * 24, 67 * 24
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
WANTED = 0.1
"""No quantile should be further off, as a part of the real one."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """Emptyings, in any order; all of shape (n,).

    Attributes:
        bin: number of the bin.
        at_h: hours since 1970, UTC.
        fill: level before, 0..1, capped at 1 and in hundredths, as the council has it.
    """

    bin: NDArray[np.int64]
    at_h: Points
    fill: Points


def evaluate(folder: Path, seeds: tuple[int, ...]) -> Evaluation:
    """Compare quantiles of the intervals between emptyings, of the fill at emptying and of the rate of filling.

    Args:
        folder: holds collections_2016.csv.
        seeds: of the invented towns that are looked at together.
    """
    real, invented = traits(read(folder / FILE)), traits(_together([live(seed) for seed in seeds]))
    rows, worst = [], 0.0
    for name, values in real.items():
        wanted, got = np.quantile(values, SHARES), np.quantile(invented[name], SHARES)
        for share, one, other in zip(SHARES, wanted.tolist(), got.tolist(), strict=True):
            worst = max(worst, abs(other / one - 1))
            rows.append((name, f"{share:.0%}", one, other, f"{other / one - 1:+.1%}"))
    table = Table(
        "The invented town beside Edinburgh, 334 bins, 67 days",
        ("what", "quantile", "Edinburgh", "invented", "difference"),
        rows,
    )
    over = sum(abs(row[3] / row[2] - 1) > WANTED for row in rows)
    note = f"Quantiles further off than {WANTED:.0%}: {over} of {len(rows)}."
    return Evaluation({"city.likeness_worst": worst}, [table], [note])


def traits(emptied: Emptied) -> dict[str, Points]:
    """Give the hours between emptyings of a bin, the fill at emptying, and the fill a day on the way there."""
    order = np.lexsort((emptied.at_h, emptied.bin))
    bins, at, fill = emptied.bin[order], emptied.at_h[order], emptied.fill[order]
    same = bins[1:] == bins[:-1]
    hours = np.diff(at)[same]
    return {
        "hours between emptyings": hours,
        "fill at emptying, %": 100 * fill,
        "filling, % a day": 2400 * fill[1:][same] / hours,
    }


def read(path: Path) -> Emptied:
    """Read the council's file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["site_id"], row["utc"], row["fill_before_pct"]) for row in csv.DictReader(file)]
    _, bins = np.unique([site for site, _, _ in rows], return_inverse=True)
    at_h = [datetime.fromisoformat(utc).timestamp() / HOUR_S for _, utc, _ in rows]
    return Emptied(bins, np.array(at_h), np.array([float(percent) / 100 for _, _, percent in rows]))


def live(seed: int) -> Emptied:
    """Let an invented town live as long as the council's file tells of, after a week to get under way."""
    city = make_city(BINS, seed)
    deposits, shifts = Deposits(city, EDINBURGH_HABITS), Shifts(city, EDINBURGH_LOOKS)
    levels, level = Levels(FIRST_HOUR, WARM_UP_HOURS + HOURS, BINS), np.full(BINS, 0.3)
    for hour in range(FIRST_HOUR, FIRST_HOUR + len(levels)):
        level = levels.record(hour, level, deposits.in_hour(hour), shifts.in_hour(hour, level))
    falls = levels.falls()
    counted = falls.at_s >= (FIRST_HOUR + WARM_UP_HOURS) * HOUR_S
    return Emptied(
        falls.bin[counted], falls.at_s[counted] / HOUR_S, np.rint(100 * np.minimum(falls.before[counted], 1.0)) / 100
    )


def _together(towns: list[Emptied]) -> Emptied:
    """Take several towns for one."""
    return Emptied(
        np.concatenate([town.bin + number * BINS for number, town in enumerate(towns)]),
        np.concatenate([town.at_h for town in towns]),
        np.concatenate([town.fill for town in towns]),
    )
