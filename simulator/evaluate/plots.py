"""Draws plots as SVG with matplotlib; the same numbers always give the same file."""

import io

import matplotlib as mpl
from matplotlib.figure import Figure

from simulator.evaluate.scores import Plot

COLOURS = ("#1f6f8b", "#c8553d", "#7a7a7a", "#588157", "#8a5a9e", "#b58900", "#4d6cb3")


def draw(plot: Plot) -> str:
    """Draw a plot; gives the text of an SVG file."""
    # Text stays text, and ids come from what is drawn instead of from chance.
    with mpl.rc_context({"svg.hashsalt": "brimwatch", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(7, 3.6), layout="constrained")
        axes = figure.subplots()
        for (label, (across, up)), colour in zip(plot.lines.items(), _colours(len(plot.lines)), strict=True):
            axes.plot(across, up, marker="o", markersize=4, label=label, color=colour)
        axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        if len(plot.lines) > 1:
            axes.legend(frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    # matplotlib leaves blanks at the ends of lines.
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _colours(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]
