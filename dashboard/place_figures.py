"""The figures of the page about places: where most is thrown in, and when. Pure: rows in, figure out."""

from collections.abc import Sequence
from typing import Any

from dashboard.colours import Palette
from dashboard.rows import UsedPlace, UsedWeekday

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONG_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_HOURS = 24
# A name that is longer is cut off, or a phone has no room for the bars.
LONGEST_NAME = 22

Figure = dict[str, Any]
# Litres an hour by weekday and hour; None where nothing is known.
Heat = list[list[float | None]]


def per_day(place: UsedPlace) -> float:
    """Give the litres a day of all bins of a place, were all hours like those that are known."""
    known_h = place.observed_h + place.spread_h
    return place.litres / known_h * DAY_HOURS * place.bins if known_h > 0 else 0.0


def heat_of(weekdays: Sequence[UsedWeekday], bins: int) -> Heat:
    """Give the litres an hour that so many bins take, were they all like those that are known."""
    heat: Heat = [[None] * DAY_HOURS for _ in WEEKDAYS]
    for one in weekdays:
        for hour, (litres, known_h) in enumerate(zip(one.litres, one.known_h, strict=True)):
            heat[one.weekday - 1][hour] = litres / known_h * bins if known_h > 0 else None
    return heat


def busiest(heat: Heat) -> tuple[str, int, float] | None:
    """Find the hour of the week in which most is thrown in: weekday, hour and litres; None where nothing is known."""
    cells = [
        (litres, day, hour) for day, hours in enumerate(heat) for hour, litres in enumerate(hours) if litres is not None
    ]
    if not cells:
        return None
    litres, day, hour = max(cells)
    return LONG_WEEKDAYS[day], hour, litres


def place_bars(places: Sequence[UsedPlace], palette: Palette) -> Figure:
    """Draw how much is thrown in a day at each place, the most used one on top."""
    names = [_short(place.name) for place in places]
    litres = [per_day(place) for place in places]
    bars = {
        "type": "bar",
        "orientation": "h",
        # Two streets may have one name; their places on the axis differ all the same.
        "y": list(range(len(places))),
        "x": litres,
        "marker": {"color": palette.series},
        "text": [f"{value:,.0f} l" for value in litres],
        "textposition": "auto",
        "insidetextfont": {"color": palette.paper},
        "outsidetextfont": {"color": palette.text},
        "constraintext": "none",
        "cliponaxis": False,
        "customdata": [[place.name, place.bins] for place in places],
        "hovertemplate": "%{customdata[0]}: %{x:,.0f} l a day in %{customdata[1]} bins<extra></extra>",
    }
    layout = {
        **_look(palette),
        "margin": {"l": 8, "r": 40, "t": 4, "b": 8},
        "xaxis": {"visible": False, "rangemode": "tozero", "fixedrange": True},
        "yaxis": {
            "tickvals": list(range(len(places))),
            "ticktext": names,
            "autorange": "reversed",
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
        "bargap": 0.28,
    }
    return {"data": [bars], "layout": layout}


def week_heat(heat: Heat, palette: Palette) -> Figure:
    """Draw when something is thrown in: a cell an hour, a row a weekday; what is unknown is left blank."""
    steps = len(palette.levels) - 1
    cells = {
        "type": "heatmap",
        "z": heat,
        "x": list(range(DAY_HOURS)),
        "y": list(range(len(WEEKDAYS))),
        "zmin": 0,
        "colorscale": [[step / steps, colour] for step, colour in enumerate(palette.levels)],
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 10, "outlinewidth": 0, "title": {"text": "l/h"}, "nticks": 5},
        "text": [
            [f"{day} {hour:02}:00 to {(hour + 1) % 24:02}:00" for hour in range(DAY_HOURS)] for day in LONG_WEEKDAYS
        ],
        "hovertemplate": "%{text}: %{z:,.1f} l<extra></extra>",
        "hoverongaps": False,
    }
    hours = list(range(0, DAY_HOURS, 6))
    layout = {
        **_look(palette),
        "margin": {"l": 40, "r": 8, "t": 4, "b": 28},
        "xaxis": {
            "tickvals": [hour - 0.5 for hour in [*hours, DAY_HOURS]],
            "ticktext": [f"{hour:02}:00" for hour in [*hours, 0]],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
        "yaxis": {
            "tickvals": list(range(len(WEEKDAYS))),
            "ticktext": list(WEEKDAYS),
            "autorange": "reversed",
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
    }
    return {"data": [cells], "layout": layout}


def _look(palette: Palette) -> Figure:
    return {
        "paper_bgcolor": palette.paper,
        "plot_bgcolor": palette.paper,
        "font": {"family": "system-ui, sans-serif", "color": palette.text, "size": 13},
        "hoverlabel": {"bgcolor": palette.paper, "bordercolor": palette.line, "font": {"color": palette.text}},
    }


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
