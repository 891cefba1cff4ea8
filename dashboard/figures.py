"""The figures of the bin page. Pure: readings in, figure out."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Any

from dashboard.colours import Palette
from dashboard.readings import Reading
from dashboard.rows import Emptying
from dashboard.words import percent

# Where rejected readings are marked: below the bottom of the bin, because they say nothing about its level.
REJECTED_AT = -0.07
# A gap longer than this many usual steps breaks the line: nobody knows what was between.
GAP_STEPS = 3.5
DAY_MS = 86_400_000
# Dates as all pages write them, such as Fri 20 Nov; on a phone there is no room for the month beside each.
DATES = [
    {"dtickrange": [None, DAY_MS - 1], "value": "%H:%M\n%a %-d %b"},
    {"dtickrange": [DAY_MS, None], "value": "%a %-d\n%b"},
]

Figure = dict[str, Any]


def level_history(
    readings: Sequence[Reading],
    emptyings: Sequence[Emptying],
    threshold: float,
    span: tuple[datetime, datetime],
    palette: Palette,
) -> Figure:
    """Draw one bin's levels over time, with its threshold, its emptyings and the readings that were rejected.

    Args:
        readings: newest first.
        emptyings: newest first.
        threshold: the bin is due from this level on, 0..1.
        span: first and last moment to show, in the zone that times are shown in.
        palette: of the theme.
    """
    ordered = list(reversed(readings))
    believed = [reading for reading in ordered if reading.fill_level is not None]
    rejected = [reading for reading in ordered if reading.fill_level is None]
    zone = span[0].tzinfo
    shown = [one for one in emptyings if one.emptied_at >= span[0] and one.outcome != "contradicted"]
    return {
        "data": [
            _levels(believed, zone, palette),
            _rejected(rejected, zone, palette),
            _emptyings(shown, zone, palette),
        ],
        "layout": _layout(shown, threshold, span, palette),
    }


def local(moment: datetime, zone: tzinfo | None) -> str:
    """Give a moment in the zone, without its offset: plotly.js knows no zones."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def _levels(believed: list[Reading], zone: tzinfo | None, palette: Palette) -> Figure:
    times: list[str | None] = []
    levels: list[float | None] = []
    gap_s = GAP_STEPS * _usual_step_s(believed)
    before: datetime | None = None
    for reading in believed:
        measured_at = reading.raw.measured_at
        if before is not None and (measured_at - before).total_seconds() > gap_s:
            times.append(None)
            levels.append(None)
        times.append(local(measured_at, zone))
        levels.append(reading.fill_level)
        before = measured_at
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "Level",
        "x": times,
        "y": levels,
        "connectgaps": False,
        "line": {"color": palette.series, "width": 2},
        "marker": {"color": palette.series, "size": 3.5},
        "fill": "tozeroy",
        "fillcolor": f"{palette.series}22",
        "hovertemplate": "%{y:.0%}<extra></extra>",
    }


def _rejected(rejected: list[Reading], zone: tzinfo | None, palette: Palette) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Rejected",
        "x": [local(reading.raw.measured_at, zone) for reading in rejected],
        "y": [REJECTED_AT] * len(rejected),
        "marker": {"symbol": "x-thin", "size": 8, "line": {"color": palette.must_go, "width": 2}},
        "text": [reading.quality_reason for reading in rejected],
        "hovertemplate": "Rejected: %{text}<extra></extra>",
    }


def _emptyings(emptyings: Sequence[Emptying], zone: tzinfo | None, palette: Palette) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Emptied",
        "x": [local(emptying.emptied_at, zone) for emptying in emptyings],
        "y": [1.0] * len(emptyings),
        "marker": {"symbol": "triangle-down", "size": 11, "color": palette.emptying},
        "text": [f"from {percent(item.fill_before)} to {percent(item.fill_after)}" for item in emptyings],
        "hovertemplate": "Emptied %{text}<extra></extra>",
    }


def _layout(
    emptyings: Sequence[Emptying], threshold: float, span: tuple[datetime, datetime], palette: Palette
) -> Figure:
    zone = span[0].tzinfo
    axis = {"gridcolor": palette.line, "zeroline": False, "linecolor": palette.line, "fixedrange": False}
    at = {"type": "line", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    falls = [
        {**at, "x0": moment, "x1": moment, "line": {"color": palette.emptying, "width": 1.5, "dash": "dot"}}
        for moment in (local(emptying.emptied_at, zone) for emptying in emptyings)
    ]
    limit = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": threshold, "y1": threshold,
        "line": {"color": palette.must_go, "width": 1.5, "dash": "dash"},
    }  # fmt: skip
    name = {
        "text": f"due from {percent(threshold)}", "xref": "paper", "x": 1, "xanchor": "right", "y": threshold,
        "yanchor": "bottom", "showarrow": False, "font": {"color": palette.must_go, "size": 12},
    }  # fmt: skip
    return {
        "paper_bgcolor": palette.paper,
        "plot_bgcolor": palette.paper,
        "font": {"family": "system-ui, sans-serif", "color": palette.text, "size": 13},
        "margin": {"l": 52, "r": 16, "t": 12, "b": 86},
        "xaxis": {
            **axis,
            "type": "date",
            "tickformatstops": DATES,
            "tickangle": 0,
            "range": [local(moment, zone) for moment in span],
        },
        "yaxis": {
            **axis,
            "range": [-0.12, 1.06],
            "tickformat": ".0%",
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "fixedrange": True,
        },
        "shapes": [limit, *falls],
        "annotations": [name],
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": palette.paper, "bordercolor": palette.line, "font": {"color": palette.text}},
        "legend": {"orientation": "h", "xref": "container", "x": 0, "yref": "container", "y": 0, "yanchor": "bottom"},
        "uirevision": "levels",
    }


def _usual_step_s(readings: Sequence[Reading]) -> float:
    times = [reading.raw.measured_at for reading in readings]
    steps = sorted((later - earlier).total_seconds() for earlier, later in pairwise(times))
    return max(steps[len(steps) // 2], 60.0) if steps else 3600.0
