"""The map of bins as a figure, and the smallest change that brings a figure up to date. Pure: bins in, figure out.

Plotly's Scattermap, never clustered: a cluster hides whether one of its bins is due. Bins that are due lie in traces of their
own on top: larger, ringed, and with a word or number in them, so that colour is never the only sign.
"""

import math
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from dashboard.basemap import Basemap, Bounds
from dashboard.colours import Palette
from dashboard.rows import Place
from dashboard.words import CLASSES, REASONS

# Traces from the ground up.
UNKNOWN, KNOWN, CHOSEN, RING, MAY_GO, MUST_GO = range(6)

# Marks on bins that must go for another reason than their level.
MARKS = {"STALE": "?", "ALERT": "!", "AGE": "d"}
# An empty town still needs a view: the British Isles.
NOWHERE = Bounds(-8.65, 49.84, 1.77, 60.86)
LEAST_SPAN = 0.004
ZOOM_LIMITS = (3.0, 17.0)
# Pixels that the first view is fitted into; it shows a little more on any larger screen.
FIT_PX = (760, 620)
TILE_PX = 512

Figure = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """Diameters in pixels: the more bins, the smaller, so that a town does not become one blot."""

    plain: int
    may_go: int
    must_go: int
    ring: int


def draw(
    places: Sequence[Place], chosen: Place | None, size: Size, bounds: Bounds, basemap: Basemap, palette: Palette
) -> Figure:
    """Draw bins on a map.

    Args:
        places: the bins to show.
        chosen: the one to mark; None for none.
        size: of the marks.
        bounds: what the first view shows.
        basemap: what lies under them.
        palette: of the theme.
    """
    longitude, latitude, zoom = view_of(bounds)
    view = {"center": {"lon": longitude, "lat": latitude}, "zoom": zoom}
    layout = {
        "map": {"style": basemap.style(palette, bounds), **view},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "showlegend": False,
        "uirevision": "map",
        "paper_bgcolor": palette.ground,
        "font": {"family": "system-ui, sans-serif", "color": palette.text},
        "hoverlabel": {
            "bgcolor": palette.paper,
            "bordercolor": palette.line,
            "font": {"color": palette.text, "size": 13},
            "align": "left",
        },
        "meta": view,
    }
    return {"data": traces(places, chosen, size, palette), "layout": layout}


def traces(places: Sequence[Place], chosen: Place | None, size: Size, palette: Palette) -> list[Figure]:
    """Draw the bins alone, in the order of the trace numbers above."""
    known = [place for place in places if place.fill_level is not None]
    unknown = [place for place in places if place.fill_level is None]
    return [
        _plain(unknown, {"size": max(size.plain - 1, 4), "color": palette.unknown}, "no level known"),
        _plain(known, _level_marker(known, size, palette), "%{marker.color} % full"),
        mark(chosen, size, palette),
        *due_traces(places, size, palette),
    ]


def levels(places: Sequence[Place]) -> Figure:
    """Give the colours of the bins whose level is known, as the map's trace `KNOWN` wants them: whole percent in a byte each."""
    values = [place.fill_level for place in places if place.fill_level is not None]
    return _typed(np.rint(100 * np.array(values, dtype=np.float64)).astype(np.uint8))


def due_traces(places: Sequence[Place], size: Size, palette: Palette) -> list[Figure]:
    """Draw the bins that are due: their rings, those that may go, and on top those that must."""
    may = [place for place in places if place.due_class == "may_go"]
    must = [place for place in places if place.due_class == "must_go"]
    rings = np.array([size.may_go] * len(may) + [size.must_go] * len(must), dtype=np.uint8) + np.uint8(size.ring)
    ring_marker = {"size": _typed(rings), "color": palette.ring, "opacity": 0.95}
    return [
        {**_points([*may, *must]), "marker": ring_marker, "hoverinfo": "skip"},
        _due(may, size.may_go, palette.may_go, palette.on_may_go),
        _due(must, size.must_go, palette.must_go, palette.on_must_go),
    ]


def mark(chosen: Place | None, size: Size, palette: Palette) -> Figure:
    """Draw the ring around the chosen bin."""
    marker = {"size": size.must_go + 18, "color": palette.chosen, "opacity": 0.45}
    return {**_points([chosen] if chosen else []), "marker": marker, "hoverinfo": "skip"}


def size_for(count: int) -> Size:
    """Choose sizes for so many bins."""
    if count <= 1000:  # noqa: PLR2004 - a town centre
        return Size(plain=9, may_go=15, must_go=23, ring=4)
    if count <= 4000:  # noqa: PLR2004 - a city
        return Size(plain=6, may_go=11, must_go=17, ring=3)
    return Size(plain=5, may_go=9, must_go=13, ring=3)


def layout_key(places: Sequence[Place]) -> str:
    """Sum up which bins are drawn where and in which plain trace: while it stays, `levels` and `due_traces` are all that changes."""
    digest = blake2b(digest_size=9)
    for place in places:
        known = place.fill_level is not None
        text = f"{place.id} {place.longitude} {place.latitude} {known} {place.name} {place.location}\n"
        digest.update(text.encode())
    return digest.hexdigest()


def state_key(places: Sequence[Place]) -> str:
    """Sum up what changes from minute to minute: levels, what is due and why."""
    digest = blake2b(digest_size=9)
    for place in places:
        level = -1 if place.fill_level is None else round(100 * place.fill_level)
        digest.update(f"{level} {place.sensor} {place.due_class} {place.reason} {place.priority}\n".encode())
        digest.update(place.explanation.encode())
    return digest.hexdigest()


def bounds_of(places: Sequence[Place]) -> Bounds:
    """Find the part of the world that holds all bins, with a little air around; without any, the British Isles."""
    if not places:
        return NOWHERE
    longitudes = [place.longitude for place in places]
    latitudes = [place.latitude for place in places]
    west, east, south, north = min(longitudes), max(longitudes), min(latitudes), max(latitudes)
    air_x, air_y = (max((high - low) * 0.03, LEAST_SPAN / 2) for low, high in ((west, east), (south, north)))
    return Bounds(west - air_x, south - air_y, east + air_x, north + air_y)


def view_of(bounds: Bounds) -> tuple[float, float, float]:
    """Find the view that shows all of the bounds: longitude and latitude of its centre, degrees, and MapLibre's zoom."""
    low, high = _mercator(bounds.south), _mercator(bounds.north)
    zooms = [
        math.log2(FIT_PX[0] * 360 / (TILE_PX * (bounds.east - bounds.west))),
        math.log2(FIT_PX[1] * 2 * math.pi / (TILE_PX * (high - low))),
    ]
    centre = math.degrees(2 * math.atan(math.exp((low + high) / 2)) - math.pi / 2)
    zoom = min(max(min(zooms), ZOOM_LIMITS[0]), ZOOM_LIMITS[1])
    return (bounds.west + bounds.east) / 2, centre, round(zoom, 2)


def _plain(places: Sequence[Place], marker: Figure, level: str) -> Figure:
    names = [_name(place) for place in places]
    hover = f"<b>%{{text}}</b><br>{level}<extra></extra>"
    return {**_points(places), "marker": marker, "text": names, "hovertemplate": hover}


def _due(places: Sequence[Place], size_px: int, colour: str, ink: str) -> Figure:
    words = [
        f"<b>{_name(place)}</b><br>{CLASSES[place.due_class or 'may_go']}: {REASONS[place.reason]}<br>{_wrap(place.explanation)}"
        for place in places
    ]
    return {
        **_points(places),
        "mode": "markers+text",
        "marker": {"size": size_px, "color": colour},
        "text": [_mark_of(place) for place in places],
        "textfont": {"color": ink, "size": max(8, round(size_px * 0.5)), "family": "Open Sans Bold"},
        "textposition": "middle center",
        "hovertext": words,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _mark_of(place: Place) -> str:
    level = "" if place.fill_level is None else f"{100 * place.fill_level:.0f}"
    return MARKS.get(place.reason, level)


def _points(places: Sequence[Place]) -> Figure:
    return {
        "type": "scattermap",
        "mode": "markers",
        "lon": _typed(np.array([place.longitude for place in places], dtype=np.float32)),
        "lat": _typed(np.array([place.latitude for place in places], dtype=np.float32)),
        "customdata": [place.ref for place in places],
    }


def _level_marker(known: Sequence[Place], size: Size, palette: Palette) -> Figure:
    last = len(palette.levels) - 1
    stops = [[number / last, colour] for number, colour in enumerate(palette.levels)]
    return {"size": size.plain, "color": levels(known), "cmin": 0, "cmax": 100, "colorscale": stops, "opacity": 0.95}


def _typed(array: npt.NDArray[Any]) -> Figure:
    """Pack an array as plotly.js reads it: a fifth of what the same numbers weigh as JSON."""
    return {"dtype": array.dtype.str[1:], "bdata": b64encode(array.tobytes()).decode()}


def _name(place: Place) -> str:
    return escape(f"{place.name}, {place.location}" if place.location else place.name)


def _wrap(sentence: str, width: int = 44) -> str:
    lines = [""]
    for word in escape(sentence).split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)


def _mercator(latitude: float) -> float:
    return math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))
