"""CSV files as people save them: byte order marks, semicolons, any case in the header, formulas made harmless."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.registry.errors import RegistryError

if TYPE_CHECKING:
    import _csv

# A spreadsheet takes a cell that starts so for a formula. An apostrophe in front makes it text; we take it off again.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        line: where it starts, counted from 1.
        cells: by column; blanks at the ends are gone, and runs of blanks are one.
        fault: why the row cannot be used, as a sentence; None mostly.
    """

    line: int
    cells: Mapping[str, str]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns, under our names, and its rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(path: Path, aliases: Mapping[str, str], required: Iterable[str] = ()) -> Table:
    """Read a CSV file whose first line names the columns.

    Args:
        path: UTF-8, with or without a byte order mark; separated by comma, semicolon or tab.
        aliases: our name for each name that a column may have, in lower case with `_` for blanks. Others are left out.
        required: our names that the header must have.

    Raises:
        RegistryError: the file cannot be read, is not UTF-8, is empty, or its header lacks a column.
    """
    lines = io.StringIO(_text(path), newline="")
    header_line = lines.readline()
    lines.seek(0)
    reader = csv.reader(lines, delimiter=max(",;\t", key=header_line.count), strict=True)
    try:
        header = [aliases.get(column_name(cell)) for cell in next(reader, [])]
        table = Table(tuple(name for name in header if name), tuple(_rows(reader, header)))
    except csv.Error as error:
        raise RegistryError(f"{path} is not a CSV file: line {reader.line_num}: {error}.") from error
    require_columns(path, table, required)
    return table


def require_columns(path: Path, table: Table, required: Iterable[str]) -> None:
    """Check a file's header.

    Raises:
        RegistryError: it lacks one of the required columns, or has one twice.
    """
    missing = [name for name in required if name not in table.columns]
    if missing:
        raise RegistryError(
            f"{path} lacks the column{'s' if missing[1:] else ''} {', '.join(missing)} in its first line."
        )
    twice = sorted({name for name in table.columns if table.columns.count(name) > 1})
    if twice:
        raise RegistryError(f"{path} has two columns for {', '.join(twice)}: rename or delete one.")


def column_name(title: str) -> str:
    """Give a column's title as names are written: in lower case, with `_` for blanks."""
    return "_".join(title.strip().lower().split())


def write_table(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Write a CSV text that `read_table` reads back exactly, and that no spreadsheet takes for formulas.

    Args:
        columns: names, in order.
        rows: numbers stay numbers, True and False become yes and no, None an empty cell, all else is text.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return text.getvalue()


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RegistryError(f"Cannot read {path}: {error.strerror}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RegistryError(f'{path} is not UTF-8 (line {line}): save it again as "CSV UTF-8".') from error


def _rows(reader: "_csv.Reader", header: list[str | None]) -> Iterable[Row]:
    line = reader.line_num + 1
    for cells in reader:
        start, line = line, reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        fault = None
        if len(cells) != len(header):
            fault = f"it has {len(cells)} cells where the header has {len(header)}"
        elif any("\x00" in cell for cell in cells):
            fault = "it holds a NUL character"
        yield Row(start, {name: _plain(cell) for name, cell in zip(header, cells, strict=False) if name}, fault)


def _plain(cell: str) -> str:
    text = cell.strip(" ")
    return " ".join((text[1:] if _ESCAPED.match(text) else text).split())


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, (int, float)):
        return value
    text = str(value)
    return f"'{text}" if _FORMULA.match(text) else text
