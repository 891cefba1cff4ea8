"""Tables that councils hand over as CSV: what stands in which column, and which rows are wrong and why."""

import codecs
import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np

from ingest.assess.levels.readings import Floats, Integers, Times

ROWS_AT_ONCE = 50_000
# A number as time counts seconds since 1970; from here on it counts milliseconds, as some systems do.
MILLISECONDS_FROM = 1e11
# A clock that was never set says 1970, 2000 or 2036; nothing that counts here was measured outside these years.
FIRST_YEAR, LAST_YEAR = 2001, 2099
NO_TIME = np.datetime64("NaT", "us")


class FileError(Exception):
    """Raised when a file cannot be used; the message is one sentence for whoever handed it over."""


@dataclass(slots=True)
class Refused:
    """The rows of a file that were left out.

    Attributes:
        count: how many.
        reasons: how many for each reason.
        examples: line number and sentence of the first of each reason.
    """

    count: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, reason: str, text: str = "") -> None:
        """Note a row; `text` is what stood there."""
        self.count += 1
        if reason not in self.reasons:
            self.examples.append((line, f"{reason}: '{text[:40]}'" if text else reason))
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def sentences(self) -> list[str]:
        """Say for each reason where it held first, and how often."""
        counts = self.reasons.values()
        return [
            f"line {line}: {text}" + (f" (and {count - 1:,} more like it)" if count > 1 else "")
            for (line, text), count in zip(self.examples, counts, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a file, as texts without blanks around them.

    Attributes:
        lines: the number of each row's line, shape (n,).
        texts: for each column that was asked for and is there, n texts.
    """

    lines: list[int]
    texts: dict[str, list[str]]

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> list[str]:
        """Give the texts of a column; empty ones where the file does not have it."""
        return self.texts.get(name) or [""] * len(self.lines)


@dataclass(frozen=True, slots=True)
class Names:
    """Numbers given to names in the order they were first seen."""

    numbers: dict[str, int]

    @classmethod
    def none(cls) -> Self:
        """Begin with no name."""
        return cls({})

    def number(self, names: Sequence[str]) -> Integers:
        """Give the numbers of `names`; an empty name has -1."""
        known = self.numbers
        return np.array([known.setdefault(name, len(known)) if name else -1 for name in names], dtype=np.int64)


def read_rows(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Rows]:
    """Read a CSV file some rows at a time; its columns may stand in any order, and others are passed over.

    Args:
        path: UTF-8, or UTF-16 with the byte order mark that spreadsheets write; lines end in LF or CRLF.
        required: columns that have to be there.
        optional: columns that may be there.

    Raises:
        FileError: there is no such file, it is no table, or a required column is missing.
    """
    try:
        # Another encoding must not cost a row: only names can hold such letters.
        with path.open(newline="", encoding=_encoding(path), errors="backslashreplace") as file:
            reader = csv.reader(file)
            header = [name.strip().lower() for name in next(reader, [])]
            places = _places(path, header, required, optional)
            rows: list[list[str]] = []
            lines: list[int] = []
            for row in reader:
                if not row:
                    continue
                rows.append(row if len(row) >= len(header) else row + [""] * (len(header) - len(row)))
                lines.append(reader.line_num)
                if len(rows) == ROWS_AT_ONCE:
                    yield _rows(rows, lines, places)
                    rows, lines = [], []
            if rows:
                yield _rows(rows, lines, places)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    except csv.Error as error:
        raise FileError(f"{path} is not a CSV file: line {reader.line_num}: {error}.") from None


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig"


def times(texts: Sequence[str]) -> tuple[Times, int]:
    """Turn texts into instants: ISO 8601 with `T` or a blank, or a number of seconds (or milliseconds) since 1970.

    Returns:
        datetime64[us], UTC, shape (n,): NaT where a text is no time or one outside 2001 to 2099;
        and how many had no time zone: these count as UTC.
    """
    found: list[datetime | None] = []
    zoneless = 0
    for text in texts:
        moment = _moment(text)
        if moment is not None and moment.tzinfo is None:
            zoneless += 1
        elif moment is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        found.append(moment if moment is not None and FIRST_YEAR <= moment.year <= LAST_YEAR else None)
    return np.array([NO_TIME if moment is None else moment for moment in found], dtype="datetime64[us]"), zoneless


def numbers(texts: Sequence[str]) -> tuple[Floats, list[int]]:
    """Turn texts into numbers, NaN for an empty one.

    Returns:
        The numbers, shape (n,), and the places of texts that are no number; these are NaN, too.
    """
    try:
        values = np.array([float(text) if text else math.nan for text in texts], dtype=np.float64)
    except ValueError:
        values = np.array([_number(text) for text in texts], dtype=np.float64)
    wrong = [place for place in np.flatnonzero(~np.isfinite(values)).tolist() if not _unknown(texts[place])]
    values[wrong] = np.nan
    return values, wrong


def _places(path: Path, header: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> dict[str, int]:
    missing = [name for name in required if name not in header]
    if not missing:
        return {name: header.index(name) for name in (*required, *optional) if name in header}
    if not any(header):
        raise FileError(f"{path} is empty: its first line has to name the columns.")
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and sign in header[0]:
            raise FileError(f"{path} has {name} between its columns; save it with commas, and numbers with points.")
    wanted = " and ".join(f"'{name}'" for name in missing)
    have = ", ".join(name[:40] for name in header[:12])
    raise FileError(f"{path} has no column {wanted}; its first line says: {have}.")


def _rows(rows: list[list[str]], lines: list[int], places: dict[str, int]) -> Rows:
    columns = list(zip(*rows, strict=False))
    return Rows(lines, {name: [text.strip() for text in columns[place]] for name, place in places.items()})


def _moment(text: str) -> datetime | None:
    try:
        if text[4:5] == "-":
            return datetime.fromisoformat(text.removesuffix(" UTC"))
        number = float(text)
        return datetime.fromtimestamp(number if number < MILLISECONDS_FROM else number / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _number(text: str) -> float:
    try:
        return float(text) if text else math.nan
    except ValueError:
        return math.inf


def _unknown(text: str) -> bool:
    return text.lower() in {"", "nan", "null", "none", "na", "n/a"}
