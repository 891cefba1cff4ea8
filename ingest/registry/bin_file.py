"""A file of bins, row by row: the columns it may have, what they may hold, and which row is which bin."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from ingest.registry.moments import read_moment
from ingest.registry.references import is_reference
from ingest.registry.settings import Area
from ingest.registry.tables import Row, read_table

# In the order of an export. `depot` is the depot's reference.
COLUMNS = (
    "ref",
    "name",
    "location",
    "depot",
    "stream",
    "model",
    "capacity_l",
    "longitude",
    "latitude",
    "position_source",
    "position_licence",
    "threshold",
    "max_age_days",
    "service_time_s",
    "out_of_service_until",
)
# What councils call these columns.
ALIASES = {
    **{name: name for name in COLUMNS},
    "bin_ref": "ref",
    "street": "name",
    "street_name": "name",
    "type": "model",
    "bin_type": "model",
    "capacity": "capacity_l",
    "lat": "latitude",
    "lon": "longitude",
    "lng": "longitude",
    "long": "longitude",
    "licence": "position_licence",
}
STREAMS = ("general", "recycling", "paper", "glass", "organic", "bottles_cans")
# Degrees to this many places are a decimetre: the same bin, however the file was saved.
PLACES = 6

Values = dict[str, object]


@dataclass(frozen=True, slots=True)
class BinRow:
    """One usable row: where it stands in the file, and its columns in the units and types of the table `bins`.

    Only columns that the file has are there; an empty cell is left out, except where empty means something.
    """

    line: int
    values: Values


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One row that cannot be used: its line, what it calls the bin, and the reason as a sentence's end."""

    line: int
    name: str
    reason: str


def read_bins(path: Path, area: Area, time_zone: str) -> tuple[list[BinRow], list[RefusedRow]]:
    """Read a file of bins.

    A file without references gets them from its content: the same street, location and position is the same bin the
    next time. Rows that agree in all of them are told apart by their order.

    Args:
        path: CSV; `name`, `longitude` and `latitude` (or a known other name for them) are required.
        area: positions outside are refused.
        time_zone: of times without an offset.

    Raises:
        RegistryError: the file as a whole cannot be used.
    """
    table = read_table(path, ALIASES, ("name", "longitude", "latitude"))
    good: list[BinRow] = []
    refused: list[RefusedRow] = []
    seen: Counter[str] = Counter()
    lines: dict[object, int] = {}
    for row in table.rows:
        try:
            values = _values(row, area, time_zone)
            values.setdefault("ref", _derived_ref(values, seen))
            if values["ref"] in lines:
                raise ValueError(f"line {lines[values['ref']]} has the same ref {values['ref']}")  # noqa: TRY301
        except ValueError as error:
            refused.append(RefusedRow(row.line, row.cells.get("name", ""), str(error)))
        else:
            lines[values["ref"]] = row.line
            good.append(BinRow(row.line, values))
    return good, refused


def _values(row: Row, area: Area, time_zone: str) -> Values:
    if row.fault:
        raise ValueError(row.fault)
    values: Values = {}
    for name, cell in row.cells.items():
        if cell or name in _MAY_BE_EMPTY:
            values[name] = _READERS[name](name, cell) if name in _READERS else _moment(time_zone, cell)
    for name in ("name", "longitude", "latitude"):
        if name not in values:
            raise ValueError(f"it has no {name}")
    _require_inside(values, area)
    return values


def _require_inside(values: Values, area: Area) -> None:
    longitude, latitude = values["longitude"], values["latitude"]
    if not isinstance(longitude, float) or not isinstance(latitude, float):
        raise TypeError("positions are read as numbers")
    if area.holds(longitude, latitude):
        return
    swapped = "; longitude and latitude look swapped" if area.holds(latitude, longitude) else ""
    raise ValueError(f"longitude {longitude:.5f}, latitude {latitude:.5f} is outside the council's area{swapped}")


def _derived_ref(values: Values, seen: Counter[str]) -> str:
    position = [f"{values[name]:.{PLACES}f}" for name in ("longitude", "latitude")]
    content = "\x1f".join([str(values["name"]), str(values.get("location", "")), *position])
    seen[content] += 1
    if seen[content] > 1:
        content += f"\x1f{seen[content]}"
    return f"bin-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def _reference(name: str, cell: str) -> str:
    if not is_reference(cell):
        raise ValueError(f"{name} {cell!r} is not a letter or digit and up to 63 more of A-Z a-z 0-9 . _ -")
    return cell


def _optional_reference(name: str, cell: str) -> str | None:
    return _reference(name, cell) if cell else None


def _stream(_name: str, cell: str) -> str:
    if cell.lower() not in STREAMS:
        raise ValueError(f"stream {cell!r} is none of {', '.join(STREAMS)}")
    return cell.lower()


def _text(limit: int) -> Callable[[str, str], str]:
    def read(name: str, cell: str) -> str:
        if len(cell) > limit:
            raise ValueError(f"{name} is longer than {limit} characters")
        return cell

    return read


def _number(low: float, high: float, *, single: bool = False) -> Callable[[str, str], float]:
    def read(name: str, cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            raise ValueError(f"{name} {cell!r} is not a number") from None
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"{name} {cell} is not between {low:g} and {high:g}")
        # As the database keeps and shows a `real`: otherwise the same file would change it each time.
        return float(str(np.float32(value))) if single else value

    return read


def _seconds(name: str, cell: str) -> int:
    value = _number(0, 7200)(name, cell)
    if value != int(value):
        raise ValueError(f"{name} {cell} is not a whole number")
    return int(value)


def _moment(time_zone: str, cell: str) -> datetime | None:
    return read_moment(cell, time_zone) if cell else None


_MAY_BE_EMPTY = {"location", "depot", "model", "position_source", "position_licence", "out_of_service_until"}
_READERS: Mapping[str, Callable[[str, str], object]] = {
    "ref": _reference,
    "name": _text(200),
    "location": _text(500),
    "depot": _optional_reference,
    "stream": _stream,
    "model": _text(200),
    "capacity_l": _number(1, 20_000, single=True),
    "longitude": _number(-180, 180),
    "latitude": _number(-90, 90),
    "position_source": _text(200),
    "position_licence": _text(200),
    "threshold": _number(0.05, 1, single=True),
    "max_age_days": _number(0.1, 366, single=True),
    "service_time_s": _seconds,
}
