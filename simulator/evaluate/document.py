"""Writes docs/accuracy.md: words from the template beside this file, numbers from the evaluations alone."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simulator.evaluate.parts import PARTS, ROOT, WANTED, holds
from simulator.evaluate.printing import write_whole, written
from simulator.evaluate.scores import Evaluation, Plot, Table

TEMPLATE = Path(__file__).with_name("accuracy.md")
DOCUMENT = ROOT / "docs" / "accuracy.md"
KEPT = ROOT / "docs" / "accuracy" / "evaluation.json"
"""What the document was written from, so that one part can be evaluated anew."""
DRAWN = "mean error"
"""A column whose head begins so is drawn as bars."""


def write_document(evaluations: Mapping[str, Evaluation]) -> None:
    """Write the document, its plots, and what they were made from."""
    from simulator.evaluate.plots import draw, draw_bars  # noqa: PLC0415 - matplotlib takes a second

    keep(evaluations, KEPT)
    written_down = kept(KEPT)
    write_whole(DOCUMENT, render(written_down))
    for part, evaluation in written_down.items():
        for plot in evaluation.plots:
            write_whole(KEPT.parent / f"{plot.name}.svg", draw(plot))
        for name, table, column in _barred(part, evaluation):
            write_whole(KEPT.parent / f"{name}.svg", draw_bars(table, column))


def render(evaluations: Mapping[str, Evaluation]) -> str:
    """Fill the template in; a part that was not evaluated is said to be missing."""
    figures = {name: value for one in evaluations.values() for name, value in one.figures.items()}
    text = TEMPLATE.read_text(encoding="utf-8").replace("<!-- figures -->", _figures(figures))
    for name in PARTS:
        told = _section(name, evaluations[name]) if name in evaluations else "*Not evaluated yet.*"
        text = text.replace(f"<!-- {name} -->", told)
    return text


def keep(evaluations: Mapping[str, Evaluation], path: Path) -> None:
    """Write evaluations to a file; numbers have six digits that count."""
    told = {name: asdict(one) for name, one in evaluations.items()}
    write_whole(path, json.dumps(_rounded(told), indent=1, ensure_ascii=False) + "\n")


def kept(path: Path) -> dict[str, Evaluation]:
    """Read evaluations that `keep` wrote; none where there is no file."""
    if not path.exists():
        return {}
    told = _restored(json.loads(path.read_text(encoding="utf-8")))
    return {
        name: Evaluation(
            figures=one["figures"],
            tables=[Table(**table) for table in one["tables"]],
            notes=one["notes"],
            plots=[Plot(**plot) for plot in one["plots"]],
        )
        for name, one in told.items()
    }


def _figures(figures: Mapping[str, float]) -> str:
    rows = []
    for name, value in figures.items():
        wanted = WANTED.get(name, "")
        rows.append((f"`{name}`", value, wanted, "" if not wanted else "yes" if holds(value, wanted) else "**no**"))
    return _table(("figure", "measured", "wanted", "reached"), rows)


def _section(part: str, evaluation: Evaluation) -> str:
    pictures = {table.title: name for name, table, _ in _barred(part, evaluation)}
    parts = []
    for table in evaluation.tables:
        parts.append(f"**{table.title}**\n\n{_table(table.columns, table.rows)}")
        if table.title in pictures:
            parts.append(f"![{table.title}](accuracy/{pictures[table.title]}.svg)")
    parts += [f"![{plot.title}](accuracy/{plot.name}.svg)" for plot in evaluation.plots]
    if evaluation.notes:
        parts.append("\n".join(f"- {note}" for note in evaluation.notes))
    return "\n\n".join(parts)


def _barred(part: str, evaluation: Evaluation) -> Iterator[tuple[str, Table, int]]:
    """Give the tables that are drawn, too: those that tell errors; each with its file's name and the column."""
    for place, table in enumerate(evaluation.tables, 1):
        columns = [column for column, head in enumerate(table.columns) if head.startswith(DRAWN)]
        if columns and len(table.rows) > 1:
            yield f"{part}-{place}", table, columns[0]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str | float]]) -> str:
    numeric = [all(not isinstance(row[place], str) for row in rows) and rows for place in range(len(columns))]
    rule = ["---:" if number else "---" for number in numeric]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in [columns, rule, *rows])


def _cell(cell: str | float) -> str:
    return written(cell).replace("|", "\\|")


def _rounded(told: object) -> object:
    """Give a value as JSON holds it: six digits that count, None for NaN."""
    if isinstance(told, str | bool):
        return told
    if isinstance(told, Mapping):
        return {str(key): _rounded(value) for key, value in told.items()}
    if isinstance(told, Sequence):
        return [_rounded(value) for value in told]
    # numpy's numbers come here, too.
    number = float(str(told))
    return None if math.isnan(number) else int(number) if number.is_integer() else float(f"{number:.6g}")


def _restored(told: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(told, dict):
        return {key: _restored(value) for key, value in told.items()}
    if isinstance(told, list):
        return [_restored(value) for value in told]
    return math.nan if told is None else told
