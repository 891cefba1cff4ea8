"""A file of bins, row by row: which rows can be used, and which row is which bin."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.registry.bin_columns import ALIASES, GRID, MAY_BE_EMPTY, Values, readers, settle_position
from ingest.registry.cells import Reader, read_cells
from ingest.registry.features import is_geojson, read_features
from ingest.registry.settings import Area
from ingest.registry.tables import Row, read_table, require_columns

# Degrees to this many places are a decimetre: the same bin, however the file was saved.
PLACES = 6


@dataclass(frozen=True, slots=True)
class BinRow:
    """One usable row: where it stands in the file, and its columns in the units and types of the table `bins`.

    Only columns that the file has are there; an empty cell is left out, except where empty means something.
    """

    line: int
    values: Values


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One row that cannot be used: its line, what it calls the bin, and the reason as a sentence's end.

    Of a GeoJSON file, `line` is the place of the feature, counted from 1.
    """

    line: int
    name: str
    reason: str


def read_bins(path: Path, area: Area, time_zone: str) -> tuple[list[BinRow], list[RefusedRow]]:
    """Read a file of bins.

    A file without references gets them from its content: the same street, location and position is the same bin the
    next time. Rows that agree in all of them are told apart by their order.

    Args:
        path: GeoJSON by its ending, otherwise CSV; `name` and a position are required: `longitude` and `latitude`, or
            `eastings` and `northings`, or a known other name for them.
        area: positions outside are refused.
        time_zone: of times without an offset.

    Raises:
        RegistryError: the file as a whole cannot be used.
    """
    read = readers(time_zone)
    word = row_word(path)
    good: list[BinRow] = []
    refused: list[RefusedRow] = []
    seen: Counter[str] = Counter()
    lines: dict[object, int] = {}
    for row in _rows(path):
        try:
            values = _values(row, area, read)
            values.setdefault("ref", _derived_ref(values, seen))
            if values["ref"] in lines:
                raise ValueError(f"{word} {lines[values['ref']]} has the same ref {values['ref']}")  # noqa: TRY301
        except ValueError as error:
            refused.append(RefusedRow(row.line, row.cells.get("name", ""), str(error)))
        else:
            lines[values["ref"]] = row.line
            good.append(BinRow(row.line, values))
    return good, refused


def row_word(path: Path) -> str:
    """Give the word for what `BinRow.line` counts in this file."""
    return "feature" if is_geojson(path) else "line"


def _rows(path: Path) -> tuple[Row, ...]:
    if is_geojson(path):
        return read_features(path, ALIASES)
    table = read_table(path, ALIASES)
    only_metres = set(GRID) & set(table.columns) and not {"longitude", "latitude"} & set(table.columns)
    require_columns(path, table, ("name", *(GRID if only_metres else ("longitude", "latitude"))))
    return table.rows


def _values(row: Row, area: Area, read: Mapping[str, Reader]) -> Values:
    if row.fault:
        raise ValueError(row.fault)
    values = read_cells(row.cells, read, MAY_BE_EMPTY)
    if "name" not in values:
        raise ValueError("it has no name")
    longitude, latitude = settle_position(values)
    if not area.holds(longitude, latitude):
        swapped = "; longitude and latitude look swapped" if area.holds(latitude, longitude) else ""
        raise ValueError(f"longitude {longitude:.5f}, latitude {latitude:.5f} is outside the council's area{swapped}")
    return values


def _derived_ref(values: Values, seen: Counter[str]) -> str:
    position = [f"{values[name]:.{PLACES}f}" for name in ("longitude", "latitude")]
    content = "\x1f".join([str(values["name"]), str(values.get("location", "")), *position])
    seen[content] += 1
    if seen[content] > 1:
        content += f"\x1f{seen[content]}"
    return f"bin-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
