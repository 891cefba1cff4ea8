"""Readings and emptyings that somebody measured elsewhere, as `docs/datasets.md` says how to write them down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.assess.levels.readings import Floats, Integers, Times
from simulator.evaluate.columns import FileError, Names, Refused, Rows, numbers, read_rows, times

# A level a little over the brim is kept; a column with more than a few above this counts in percent.
LEVEL_MOST = 1.5
PERCENT_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of a data set, each once, by bin and time.

    Attributes:
        bins: the bins' names, in alphabetical order.
        starts: shape (bins + 1,): those of bin i are at `starts[i]:starts[i + 1]`, oldest first.
        measured_at: datetime64[us], UTC, shape (n,).
        value: millimetres, or the fill level 0..1 where `is_level`; NaN when no echo came back. Shape (n,).
        is_level: whether the file told levels instead of distances.
        temperature_c: shape (n,), NaN where unknown.
        tilt_deg: shape (n,), NaN where unknown.
        duplicates: rows left out because the bin has one of the same time.
        zoneless: rows whose time had no time zone.
        refused: rows left out because they are wrong.
    """

    bins: tuple[str, ...]
    starts: Integers
    measured_at: Times
    value: Floats
    is_level: bool
    temperature_c: Floats
    tilt_deg: Floats
    duplicates: int
    zoneless: int
    refused: Refused

    def __len__(self) -> int:
        return len(self.measured_at)


@dataclass(frozen=True, slots=True)
class KnownEmptyings:
    """When bins were emptied, as somebody else knows it.

    Attributes:
        emptied_at: for each bin's name datetime64[us], UTC, ascending, each once.
        refused: rows left out because they are wrong.
    """

    emptied_at: Mapping[str, Times]
    refused: Refused


def read_readings(path: Path) -> Readings:
    """Read a file with the columns bin, measured_at, distance_mm or fill_level, and maybe temperature_c and tilt_deg.

    Of rows of one bin and instant, the one with the smallest known value is kept, whatever the order. Where distance
    and level are told, the distance counts: it is what was measured.

    Raises:
        FileError: it cannot be used at all.
    """
    names, refused = Names.none(), Refused()
    chunks: list[_Columns] = []
    name, zoneless, rows_read = "", 0, 0
    for rows in read_rows(path, ("bin", "measured_at"), ("distance_mm", "fill_level", "temperature_c", "tilt_deg")):
        name = name or _measured(path, rows)
        columns, without_zone = _readings(rows, name, names, refused)
        chunks.append(columns)
        zoneless += without_zone
        rows_read += len(rows)
    if not sum(len(columns[0]) for columns in chunks):
        raise _useless(path, refused, rows_read)
    bin_, measured_at, value, temperature_c, tilt_deg = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    if name == "fill_level":
        value = _levels(path, value)
    bins, bin_ = _alphabetical(names, bin_)
    order = np.lexsort((value, measured_at, bin_))
    again = (np.diff(bin_[order]) == 0) & (np.diff(measured_at[order]) == np.timedelta64(0))
    kept = order[np.concatenate(([True], ~again))]
    return Readings(
        bins=bins,
        starts=np.searchsorted(bin_[kept], np.arange(len(bins) + 1)).astype(np.int64),
        measured_at=measured_at[kept],
        value=value[kept],
        is_level=name == "fill_level",
        temperature_c=temperature_c[kept],
        tilt_deg=tilt_deg[kept],
        duplicates=int(np.count_nonzero(again)),
        zoneless=zoneless,
        refused=refused,
    )


def read_emptyings(path: Path) -> KnownEmptyings:
    """Read a file with the columns bin and emptied_at.

    Raises:
        FileError: it cannot be used at all.
    """
    names, refused = Names.none(), Refused()
    chunks: list[tuple[Integers, Times]] = []
    rows_read = 0
    for rows in read_rows(path, ("bin", "emptied_at")):
        bin_, (emptied_at, _) = names.number(rows.texts["bin"]), times(rows.texts["emptied_at"])
        good = _good(rows, "emptied_at", bin_, emptied_at, refused=refused, reasons=[])
        chunks.append((bin_[good], emptied_at[good]))
        rows_read += len(rows)
    if not sum(len(bin_) for bin_, _ in chunks):
        raise _useless(path, refused, rows_read)
    bin_, emptied_at = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    return KnownEmptyings(
        {name: found for name, at in names.numbers.items() if len(found := np.unique(emptied_at[bin_ == at]))}, refused
    )


_Columns = tuple[Integers, Times, Floats, Floats, Floats]


def _measured(path: Path, rows: Rows) -> str:
    """Say which column holds what was measured."""
    for name in ("distance_mm", "fill_level"):
        if name in rows.texts:
            return name
    raise FileError(f"{path} has neither a column 'distance_mm' nor one 'fill_level'.")


def _readings(rows: Rows, name: str, names: Names, refused: Refused) -> tuple[_Columns, int]:
    """Take what is right out of some rows, and how many of their times had no zone."""
    bin_ = names.number(rows.texts["bin"])
    measured_at, zoneless = times(rows.texts["measured_at"])
    value, wrong = numbers(rows.texts[name])
    # A temperature or angle that cannot be read does not make the distance wrong.
    temperature_c, _ = numbers(rows.column("temperature_c"))
    tilt_deg, _ = numbers(rows.column("tilt_deg"))
    texts = rows.texts[name]
    reasons = [(place, f"{name} is not a number", texts[place]) for place in wrong]
    good = _good(rows, "measured_at", bin_, measured_at, refused=refused, reasons=reasons)
    return (bin_[good], measured_at[good], value[good], temperature_c[good], tilt_deg[good]), zoneless


def _good(
    rows: Rows, at: str, bin_: Integers, moments: Times, *, refused: Refused, reasons: Sequence[tuple[int, str, str]]
) -> Integers:
    """Give the places of the rows that are right, and note the others; `reasons` are known already."""
    texts = rows.texts[at]
    found = [
        *((place, "no bin", "") for place in np.flatnonzero(bin_ < 0).tolist()),
        *(
            (place, f"{at} is no time from 2001 to 2099", texts[place])
            for place in np.flatnonzero(np.isnat(moments)).tolist()
        ),
        *reasons,
    ]
    wrong: dict[int, tuple[str, str]] = {}
    for place, reason, text in found:
        wrong.setdefault(place, (reason, text))
    for place in sorted(wrong):
        refused.add(rows.lines[place], *wrong[place])
    return np.setdiff1d(np.arange(len(rows)), np.array(list(wrong), dtype=np.int64))


def _levels(path: Path, value: Floats) -> Floats:
    """Bound levels, and refuse a column that counts in percent."""
    known = value[~np.isnan(value)]
    if len(known) and np.count_nonzero(known > LEVEL_MOST) > PERCENT_SHARE * len(known):
        raise FileError(
            f"{path} tells fill_level up to {known.max():g}: it has to be 0 (empty) to 1 (full), not percent."
        )
    return np.where((value < 1 - LEVEL_MOST) | (value > LEVEL_MOST), np.nan, value)


def _alphabetical(names: Names, bin_: Integers) -> tuple[tuple[str, ...], Integers]:
    """Renumber the bins that have readings by name."""
    seen = set(np.unique(bin_).tolist())
    found = sorted((name, number) for name, number in names.numbers.items() if number in seen)
    renumbered = np.zeros(len(names.numbers), dtype=np.int64)
    renumbered[[number for _, number in found]] = np.arange(len(found))
    return tuple(name for name, _ in found), renumbered[bin_]


def _useless(path: Path, refused: Refused, rows_read: int) -> FileError:
    if not rows_read:
        return FileError(f"{path} has no rows.")
    return FileError(f"{path}: none of its {rows_read:,} rows can be used; {'; '.join(refused.sentences())}.")
