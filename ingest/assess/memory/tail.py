"""The readings of each bin that still decide what holds now: those since shortly before a settled emptying. Pure."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ingest.assess.levels.readings import Floats, Geometry, Integers, Series, Times, number_of
from ingest.assess.levels.tracks import tracks
from ingest.assess.memory.ragged import Ragged, Rows, ramps, runs

READING = np.dtype(
    [
        ("measured_at", "M8[us]"),
        ("epoch", "i8"),
        ("seq", "i8"),
        ("bin_id", "i4"),
        ("device_id", "i4"),
        ("fitting_id", "i4"),
        ("empty_mm", "f4"),
        ("full_mm", "f4"),
        ("distance_mm", "f4"),
        ("spread_mm", "f4"),
        ("valid_count", "f4"),
        ("temperature_c", "f4"),
        ("tilt_deg", "f4"),
        ("flags", "i4"),
    ]
)
"""One reading: times are UTC, NaN means unknown; the geometry is the fitting's (docs/contract.md has the rest)."""

_UNKNOWN = ("distance_mm", "spread_mm", "valid_count", "temperature_c", "tilt_deg")


def readings(bin_ids: Integers, measured_at: Times, **columns: npt.ArrayLike) -> Rows:
    """Build readings from columns, as a replay has them.

    Args:
        bin_ids: shape (n,).
        measured_at: shape (n,), datetime64, UTC.
        columns: others of READING, each shape (n,) or one value for all. Unknown is NaN, where it can be unknown; a bin
            without named devices has one, which counts by time.
    """
    rows = np.zeros(len(measured_at), dtype=READING)
    rows["bin_id"], rows["measured_at"] = bin_ids, measured_at
    rows["device_id"] = rows["fitting_id"] = bin_ids
    rows["seq"] = rows["measured_at"].astype(np.int64)
    for name in _UNKNOWN:
        rows[name] = np.nan
    for name, values in columns.items():
        rows[name] = values
    return rows


def sort(rows: Rows, starts: Integers) -> Integers:
    """Give the places of each bin's readings in order, oldest first, without those whose identity is taken.

    Of several with one identity, the one that stands first here counts. The distance decides between sensors that
    measured at the same instant, so that no order of arrival matters.

    Args:
        rows: one bin after another.
        starts: of each bin's rows, shape (bins + 1,).
    """
    bins = runs(starts)
    identity = np.lexsort((rows["seq"], rows["epoch"], rows["device_id"], bins))
    same = bins[identity][1:] == bins[identity][:-1]
    for name in ("device_id", "epoch", "seq"):
        same &= rows[name][identity][1:] == rows[name][identity][:-1]
    taken = np.zeros(len(rows), dtype=np.bool_)
    taken[identity[1:]] = same
    order = np.lexsort((rows["seq"], rows["device_id"], rows["distance_mm"], rows["measured_at"], bins))
    kept: Integers = order[~taken[order]]
    return kept


def untidy(rows: Rows, starts: Integers) -> Integers:
    """Give the numbers of the bins whose rows may be out of order, or have an identity twice."""
    bins = runs(starts)
    later = rows["measured_at"][1:] > rows["measured_at"][:-1]
    newer = (rows["epoch"][1:] == rows["epoch"][:-1]) & (rows["seq"][1:] > rows["seq"][:-1])
    newer |= rows["epoch"][1:] > rows["epoch"][:-1]
    tidy = later & newer & (rows["device_id"][1:] == rows["device_id"][:-1])
    odd: Integers = np.unique(bins[1:][~tidy & (bins[1:] == bins[:-1])])
    return odd


def tidy(tails: Ragged, bins: Integers) -> tuple[Rows, Integers, Integers]:
    """Bring the rows of some bins in order, and give them.

    Returns:
        The rows, where each bin's start, and how many of each were dropped because another time has their identity.
    """
    rows, starts = tails.get(bins)
    doubles = np.zeros(len(bins), dtype=np.int64)
    odd = untidy(rows, starts)
    if not len(odd):
        return rows, starts, doubles
    places, odd_starts = ramps(starts[odd], np.diff(starts)[odd])
    mixed, owner = rows.take(places), runs(odd_starts)
    kept = sort(mixed, odd_starts)
    counts = np.bincount(owner[kept], minlength=len(odd))
    # A repetition has the same time, too: it is nobody's loss.
    _, firsts = np.unique(mixed[["bin_id", "device_id", "epoch", "seq", "measured_at"]], return_index=True)
    doubles[odd] = np.bincount(owner[firsts], minlength=len(odd)) - counts
    tails.put(bins[odd], mixed.take(kept), np.concatenate([[0], np.cumsum(counts)]))
    return *tails.get(bins), doubles


def parts(rows: Rows, starts: Integers) -> tuple[Rows, Integers, Integers]:
    """Part the rows of bins into tracks: what one sensor, or one after another in its place, measured.

    Args:
        rows: of one bin after another, each in order.
        starts: of each bin's rows, shape (bins + 1,).

    Returns:
        The rows, one track after another; where each track starts, shape (tracks + 1,); and which bin each track is of,
        as a number from 0 on, shape (tracks,), ascending. A bin without rows has none.
    """
    bins = runs(starts)
    begins = np.append(True, (bins[1:] != bins[:-1]) | (rows["fitting_id"][1:] != rows["fitting_id"][:-1]))[: len(rows)]
    stays = np.bincount(bins[begins], minlength=len(starts) - 1)
    mixed = [number for number in np.flatnonzero(stays > 1).tolist() if _overlap(rows, starts, number)]
    if not mixed:
        filled = np.flatnonzero(np.diff(starts))
        return rows, np.append(starts[filled], starts[-1]), filled
    return _regrouped(rows, starts, set(mixed))


def _overlap(rows: Rows, starts: Integers, number: int) -> bool:
    """Say whether two sensors measured in a bin at the same time."""
    fittings = rows["fitting_id"][starts[number] : starts[number + 1]]
    changes = int(np.count_nonzero(np.diff(fittings)))
    return changes >= len(np.unique(fittings))


def _regrouped(rows: Rows, starts: Integers, mixed: set[int]) -> tuple[Rows, Integers, Integers]:
    places: list[Integers] = []
    numbers: list[int] = []
    for number, (first, end) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
        for part in _places(rows[first:end], first, overlapping=number in mixed):
            places.append(part)
            numbers.append(number)
    counts = np.array([len(part) for part in places], dtype=np.int64)
    return rows[np.concatenate(places)], np.concatenate([[0], np.cumsum(counts)]), np.array(numbers, dtype=np.int64)


def _places(rows: Rows, first: int, *, overlapping: bool) -> Iterator[Integers]:
    if overlapping:
        yield from (first + part for part in tracks(rows["fitting_id"].astype(np.int64), rows["measured_at"]))
    elif len(rows):
        yield np.arange(first, first + len(rows))


def series(rows: Rows, starts: Integers) -> Series:
    """Give the rows of tracks as a series; track i's are `starts[i]:starts[i + 1]`."""
    return Series(
        measured_at=rows["measured_at"].copy(),
        distance_mm=_floats(rows["distance_mm"]),
        spread_mm=_floats(rows["spread_mm"]),
        valid_count=_floats(rows["valid_count"]),
        temperature_c=_floats(rows["temperature_c"]),
        tilt_deg=_floats(rows["tilt_deg"]),
        flags=rows["flags"].astype(np.int64),
        starts=starts,
        number=number_of(rows["epoch"], rows["seq"]),
    )


def geometry(rows: Rows) -> Geometry:
    """Give the geometry of each row."""
    return Geometry(_floats(rows["empty_mm"]), _floats(rows["full_mm"]))


def _floats(column: npt.NDArray[np.float32]) -> Floats:
    return column.astype(np.float64)
