"""Shows figures and tables on a terminal, and writes them as JSON."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from simulator.evaluate.scores import Evaluation

# From here on decimals say nothing.
LARGE = 1000


def show(evaluation: Evaluation, console: Console, wanted: Mapping[str, str] | None = None) -> None:
    """Print figures as one table, and then the tables.

    Args:
        evaluation: to show.
        console: where to.
        wanted: what some figures should be; None where nothing is wanted.
    """
    grid = Grid("figure", "value", *(["wanted"] if wanted else []))
    for name, value in evaluation.figures.items():
        grid.add_row(name, written(value), *([wanted.get(name, "")] if wanted else []))
    console.print(grid)
    for table in evaluation.tables:
        if table.rows:
            grid = Grid(*table.columns, title=table.title)
            for row in table.rows:
                grid.add_row(*(written(cell) for cell in row))
            console.print(grid)
    for remark in evaluation.notes:
        console.print(remark, highlight=False)


def written(cell: str | float) -> str:
    """Write a number with as many digits as mean something; a dash for NaN."""
    if isinstance(cell, str):
        return cell
    if math.isnan(cell):
        return "-"
    if isinstance(cell, int) or cell == int(cell):
        return f"{cell:,.0f}"
    return f"{cell:,.0f}" if abs(cell) >= LARGE else f"{cell:.4g}"


def as_json(figures: Mapping[str, float], **others: object) -> str:
    """Write figures, rounded to six digits, without those that are NaN: they could not be measured."""
    rounded = {name: round(value, 6) for name, value in figures.items() if not math.isnan(value)}
    return json.dumps({"figures": rounded, **others}, indent=2) + "\n"


def write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it; its folder is made when it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
