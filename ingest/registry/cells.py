"""What a cell of a file may hold, and what becomes of it: each reader takes the column's name and the cell's text.

All of them raise ValueError with the end of a sentence that names the column and the cell.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping

import numpy as np

from ingest.registry.references import is_reference

Reader = Callable[[str, str], object]

_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_DIGITS = re.compile(r"0*([1-9][0-9]*)")


def reference(name: str, cell: str) -> str:
    """Read what a bin, depot or area is called by."""
    if not is_reference(cell):
        raise ValueError(f"{name} {cell!r} is not a letter or digit and up to 63 more of A-Z a-z 0-9 . _ -")
    return cell


def text(limit: int) -> Reader:
    """Read text of up to `limit` characters."""

    def read(name: str, cell: str) -> str:
        if len(cell) > limit:
            raise ValueError(f"{name} is longer than {limit} characters")
        return cell

    return read


def number(low: float, high: float, *, single: bool = False) -> Reader:
    """Read a number from `low` to `high`; `single` is as the database keeps and shows a `real`."""

    def read(name: str, cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            raise ValueError(f"{name} {cell!r} is not a number") from None
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"{name} {cell} is not between {low:g} and {high:g}")
        # Otherwise the same file would change it each time.
        return float(str(np.float32(value))) if single else value

    return read


def whole(low: int, high: int) -> Reader:
    """Read a whole number from `low` to `high`."""
    read_number = number(low, high)

    def read(name: str, cell: str) -> int:
        value = read_number(name, cell)
        if not isinstance(value, float) or value != int(value):
            raise ValueError(f"{name} {cell} is not a whole number")
        return int(value)

    return read


def digits(limit: int) -> Reader:
    """Read a national reference number of up to `limit` digits; zeros in front do not count."""

    def read(name: str, cell: str) -> int:
        found = _DIGITS.fullmatch(cell)
        if found is None or len(found[1]) > limit:
            hint = ": a spreadsheet has shortened it" if "E+" in cell.upper() else ""
            raise ValueError(f"{name} {cell!r} is not a number of up to {limit} digits{hint}")
        return int(found[1])

    return read


def one_of(words: Collection[str]) -> Reader:
    """Read one of some words, in any case."""

    def read(name: str, cell: str) -> str:
        if cell.lower() not in words:
            raise ValueError(f"{name} {cell!r} is none of {', '.join(words)}")
        return cell.lower()

    return read


def yes_or_no(name: str, cell: str) -> bool:
    """Read yes or no, true or false, 1 or 0."""
    if cell.lower() not in _YES:
        raise ValueError(f"{name} {cell!r} is neither yes nor no")
    return _YES[cell.lower()]


def or_none(read: Reader) -> Reader:
    """Read a cell that may be empty for None."""
    return lambda name, cell: read(name, cell) if cell else None


def read_cells(
    cells: Mapping[str, str], readers: Mapping[str, Reader], may_be_empty: Collection[str]
) -> dict[str, object]:
    """Read a row; an empty cell says nothing and is left out, except in columns where empty means something."""
    return {
        name: readers[name](name, _clean(name, cell)) for name, cell in cells.items() if cell or name in may_be_empty
    }


def _clean(name: str, cell: str) -> str:
    if "\x00" in cell:
        raise ValueError(f"{name} holds a NUL character")
    return cell
