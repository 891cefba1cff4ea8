"""Makes small data sets like those of real ultrasonic sensors, with what goes wrong with them; invented, by seed."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EMPTY_MM, FULL_MM = 1300, 300
START = np.datetime64("2023-03-01T00:00:00", "s")
HOURS_A_DAY = 24
BUSY = np.array([0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 4, 5, 6, 6, 5, 5, 5, 6, 5, 3, 2, 1, 1, 0]) / 63


@dataclass(frozen=True, slots=True)
class Files:
    """A data set on disk; `true` holds each bin's emptyings, hours since START, with the level before each."""

    readings: Path
    emptyings: Path
    true: dict[str, list[tuple[float, float]]]


def write_set(folder: Path, *, bins: int = 8, days: int = 60, ugly: bool = False, seed: int = 1) -> Files:
    """Write hourly readings of bins that are emptied every one to four mornings."""
    rng = np.random.default_rng(seed)
    rows: list[Sequence[object]] = []
    true: dict[str, list[tuple[float, float]]] = {}
    for number in range(bins):
        name = f"BIN-{number:03d}"
        a_day = 0.2 + 0.6 * number / bins
        level, true[name] = _levels(rng, a_day, days, every=max(1, round(0.7 / a_day)))
        hours = np.arange(len(level)) + rng.uniform(0.1, 0.4)
        distance = EMPTY_MM - np.minimum(level, 1.0) * (EMPTY_MM - FULL_MM) + rng.normal(0, 6, len(level))
        temperature = np.round(3 + 8 * np.sin(hours / 24 * 2 * np.pi)).astype(int)
        if ugly:
            distance, temperature = _spoil(rng, distance, temperature)
        kept = np.ones(len(level), dtype=np.bool_)
        if ugly and number % 3 == 0:
            kept[20 * HOURS_A_DAY : 35 * HOURS_A_DAY] = False
        moments = START + (hours * 3600).astype("timedelta64[s]")
        for place in np.flatnonzero(kept):
            told = "" if np.isnan(distance[place]) else round(float(distance[place]))
            rows.append((name, f"{moments[place]}Z", told, temperature[place]))
            if ugly and rng.random() < 0.02:
                rows.append((name, str(moments[place]).replace("T", " "), told, temperature[place]))
    if ugly:
        rows = [rows[place] for place in rng.permutation(len(rows))]
    readings, emptyings = folder / "readings.csv", folder / "emptyings.csv"
    _write(readings, ("bin", "measured_at", "distance_mm", "temperature_c"), rows)
    known = [(name, f"{START + np.timedelta64(round(hour * 3600), 's')}Z") for name in true for hour, _ in true[name]]
    _write(emptyings, ("bin", "emptied_at"), known)
    return Files(readings, emptyings, true)


def _levels(
    rng: np.random.Generator, a_day: float, days: int, *, every: int
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    mean = a_day * np.tile(BUSY, days)
    fell = np.where(mean > 0, rng.gamma(np.maximum(mean, 1e-9) / 0.02, 0.02), 0.0)
    emptied = {day * HOURS_A_DAY + 7: 0.0 for day in range(1, days - 1) if day % every == 0}
    level, levels, true = 0.1, [], []
    for hour, more in enumerate(fell):
        if hour in emptied:
            true.append((hour + 0.0, level))
            level = 0.0
        level = min(level + more, 1.2)
        levels.append(level)
    return np.array(levels), true


def _spoil(rng: np.random.Generator, distance: np.ndarray, temperature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = len(distance)
    # One reading in ten meets the same ledge; some meet nothing, the street, or whatever.
    distance = np.where((rng.random(count) < 0.1) & (distance > 800), 700 + rng.normal(0, 3, count), distance)
    distance = np.where(rng.random(count) < 0.01, rng.uniform(50, 4000, count), distance)
    distance = np.where(rng.random(count) < 0.02, np.nan, distance)
    return distance, np.where(temperature < 0, temperature + 256, temperature)


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(rows)
