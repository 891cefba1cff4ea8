"""Evaluates any data set in the form of `docs/datasets.md`: are emptyings found, and do forecasts hold?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.levels.calibration import estimate
from ingest.assess.levels.readings import Geometry
from simulator.evaluate.columns import FileError, Refused
from simulator.evaluate.detection import LEVEL_GEOMETRY, Assessed, assess, compare, figures_of, series_of
from simulator.evaluate.hours import evaluate_hours
from simulator.evaluate.matching import Outcome
from simulator.evaluate.readings_file import Readings, read_emptyings, read_readings
from simulator.evaluate.scores import Evaluation, Table

# No bin is less deep than this.
LEAST_DEPTH_MM = 100.0
# So many bins are listed where emptyings were missed or made up.
WORST = 10

Tell = Callable[[str], None]
"""Takes a line for people."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is evaluated.

    Attributes:
        readings: CSV file.
        emptyings: CSV file of all emptyings of the bins that it names; None when none are known.
        empty_mm: from the sensor to the bottom; None to find out for each bin.
        full_mm: from the sensor to the waste of a full bin; None to find out as well, or where the file tells levels.
        level_from: passages begin at this level, 0..1.
        level_to: and end at this one.
        zone: whose clocks people live by.
    """

    readings: Path
    emptyings: Path | None
    empty_mm: float | None
    full_mm: float | None
    level_from: float
    level_to: float
    zone: ZoneInfo


def evaluate_dataset(request: Request, tell: Tell) -> Evaluation:
    """Evaluate emptyings (where known ones are given) and forecasts.

    Raises:
        FileError: a file cannot be used, none of its readings can be believed, or the geometry is missing.
    """
    readings = read_readings(request.readings)
    for line in introduce(request.readings, readings):
        tell(line)
    geometry = geometry_for(request.readings, readings, request.empty_mm, request.full_mm, tell)
    assessed = believed(request.readings, assess(readings, geometry))
    figures: dict[str, float] = {
        "bins": len(readings.bins),
        "readings": len(readings),
        "duplicates": readings.duplicates,
        "refused_rows": readings.refused.count,
        "rejected_readings": int(np.count_nonzero(np.isnan(assessed.levels))),
        "emptyings_found": len(assessed.bin),
    }
    tables: list[Table] = []
    if request.emptyings is not None:
        outcomes = _outcomes(request.emptyings, readings, assessed, tell)
        figures |= figures_of(outcomes)
        tables.append(_worst(outcomes))
    hours = evaluate_hours(readings, assessed, request.level_from, request.level_to, request.zone)
    return Evaluation(figures | hours.figures, [*tables, *hours.tables], hours.notes)


def believed(path: Path, assessed: Assessed) -> Assessed:
    """Pass on what was made of a file's readings.

    Raises:
        FileError: no reading tells a level, so there is nothing to evaluate.
    """
    if not assessed.believed:
        raise FileError(f"{path}: none of its readings can be believed; are --empty-mm and --full-mm right?")
    return assessed


def introduce(path: Path, readings: Readings) -> list[str]:
    """Say what was read, and what was not, in lines for people."""
    first, last = (at.astype("datetime64[D]") for at in (readings.measured_at.min(), readings.measured_at.max()))
    lines = [f"{path}: {len(readings):,} readings of {len(readings.bins):,} bins, {first} to {last}."]
    if readings.duplicates:
        lines.append(f"{readings.duplicates:,} rows repeat a bin and a time; each counts once.")
    if readings.zoneless:
        lines.append(f"{readings.zoneless:,} times have no time zone; they are taken as UTC.")
    return [*lines, *left_out(readings.refused)]


def left_out(refused: Refused) -> list[str]:
    """Say which rows were left out, in lines for people; none where none was."""
    if not refused.count:
        return []
    return [f"{refused.count:,} rows are left out:", *(f"  {sentence}" for sentence in refused.sentences())]


def geometry_for(path: Path, readings: Readings, empty_mm: float | None, full_mm: float | None, tell: Tell) -> Geometry:
    """Say what the readings of a file mean.

    Args:
        path: of the file, for sentences.
        readings: from it.
        empty_mm: from the sensor to the bottom; None to find out for each bin.
        full_mm: from the sensor to the waste of a full bin; None to find out as well, or where the file tells levels.
        tell: hears what was found out.

    Raises:
        FileError: the file tells distances, and nothing says what they mean.
    """
    if readings.is_level:
        return LEVEL_GEOMETRY
    if empty_mm is None:
        return _found_out(path, readings, full_mm, tell)
    if full_mm is None:
        raise FileError(f"{path} tells distances: --full-mm has to say what is measured to the waste of a full bin.")
    if empty_mm <= full_mm:
        raise FileError(f"--empty-mm {empty_mm:g} has to be more than --full-mm {full_mm:g}.")
    return Geometry(empty_mm, full_mm)


def _found_out(path: Path, readings: Readings, full_mm: float | None, tell: Tell) -> Geometry:
    """Estimate the geometry of each bin; one of which nothing can be said gets the usual one."""
    guess = estimate(series_of(readings, 0, len(readings.bins)))
    full = np.broadcast_to(np.asarray(guess.full_mm if full_mm is None else full_mm), len(readings.bins))
    sound = guess.empty_mm - full >= LEAST_DEPTH_MM
    if not sound.any():
        raise FileError(f"{path}: no bin shows how far its bottom is; --empty-mm has to say it.")
    empty, full = (np.where(sound, mm, np.median(mm[sound])) for mm in (np.asarray(guess.empty_mm), full))
    tell(f"The bottoms of empty bins are taken to be {empty.min():.0f} to {empty.max():.0f} mm away.")
    if full_mm is None:
        tell(f"The waste of full bins is taken to be {full.min():.0f} to {full.max():.0f} mm away.")
    return Geometry(empty, full)


def _outcomes(path: Path, readings: Readings, assessed: Assessed, tell: Tell) -> dict[str, Outcome]:
    known = read_emptyings(path)
    for line in left_out(known.refused):
        tell(line)
    outcomes = compare(readings, assessed, known)
    if not outcomes:
        raise FileError(f"{path} names no bin that has readings.")
    strange = len(known.emptied_at.keys() - outcomes.keys())
    unnamed = len(readings.bins) - len(outcomes)
    if strange:
        tell(f"{strange:,} bins of {path} have no readings; their emptyings do not count.")
    if unnamed:
        tell(f"{unnamed:,} bins have no known emptying; what was found in them does not count.")
    return outcomes


def _worst(outcomes: dict[str, Outcome]) -> Table:
    rows = [
        (name, one.matched, one.missed, one.false, one.unseen)
        for name, one in sorted(outcomes.items(), key=lambda item: (-item[1].missed - item[1].false, item[0]))
        if one.missed or one.false
    ]
    columns = ("bin", "found and right", "missed", "found but not so", "in gaps")
    return Table("Bins whose emptyings were found worst", columns, rows[:WORST])
