"""Draws plots as SVG with matplotlib; the same numbers always give the same file."""

import io
import math

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.evaluate.scores import Plot, Table

COLOURS = ("#1f6f8b", "#c8553d", "#7a7a7a", "#588157", "#8a5a9e", "#b58900", "#4d6cb3")


def draw(plot: Plot) -> str:
    """Draw lines; gives the text of an SVG file."""
    figure, axes = _paper(3.6)
    for (label, (across, up)), colour in zip(plot.lines.items(), _colours(len(plot.lines)), strict=True):
        axes.plot(across, up, marker="o", markersize=4, label=label, color=colour)
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
    axes.grid(alpha=0.3)
    if len(plot.lines) > 1:
        axes.legend(frameon=False)
    return _svg(figure)


def draw_bars(table: Table, column: int) -> str:
    """Draw one column of a table as bars, named by the first one; gives the text of an SVG file."""
    rows = [row for row in table.rows if math.isfinite(float(row[column]))]
    values = [float(row[column]) for row in rows]
    # The upper part is what matters: a bar that is far longer than the others is cut, and its number tells.
    limit = 3 * sorted(values)[len(values) // 2]
    figure, axes = _paper(1.2 + 0.3 * len(values))
    names = [str(row[0]) for row in rows]
    # Ours stands out where there are others beside it.
    colours = [COLOURS[2] if "ours" in names and name != "ours" else COLOURS[0] for name in names]
    bars = axes.barh(names, [min(value, limit) for value in values], color=colours)
    axes.bar_label(bars, [f"{value:.3g}" for value in values], padding=3)
    axes.invert_yaxis()
    axes.set(title=table.title, xlabel=table.columns[column])
    axes.margins(x=0.12)
    return _svg(figure)


def _paper(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    # Text stays text, and ids come from what is drawn instead of from chance.
    with mpl.rc_context({"svg.hashsalt": "brimwatch", "svg.fonttype": "none"}):
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    # matplotlib leaves blanks at the ends of lines.
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _colours(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]
