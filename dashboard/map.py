"""The map of bins as a figure, and the smallest change that brings a figure up to date. Pure: bins in, figure out.

Plotly's Scattermap, never clustered: a cluster hides whether one of its bins is due. Bins that are due lie in traces of
their own on top: larger, ringed, and with a number or sign in them, so that colour is never the only sign.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from dashboard.basemap import Basemap
from dashboard.colours import Palette
from dashboard.rows import Place
from dashboard.view import Bounds, view_of
from dashboard.words import CLASSES, REASONS

# Traces from the ground up.
UNKNOWN, KNOWN, CHOSEN, RING, MAY_GO, MUST_GO = range(6)

# Written on due bins in place of their level, where that is not what makes them due or is not known.
MARKS = {"STALE": "?", "ALERT": "!"}
# A number in anything smaller cannot be read.
LEAST_WORD_PX = 11

Figure = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """Diameters in pixels: the more bins, the smaller, so that a town does not become one blot."""

    plain: int
    may_go: int
    must_go: int
    ring: int


def layout(bounds: Bounds, box_px: tuple[float, float], basemap: Basemap, palette: Palette) -> Figure:
    """Lay out the map so that all bins are seen.

    Args:
        bounds: what the first view shows.
        box_px: width and height of what it is shown in.
        basemap: what lies under the bins.
        palette: of the theme.
    """
    longitude, latitude, zoom = view_of(bounds, box_px)
    style = basemap.style(palette, bounds)
    return {
        **look(palette),
        "map": {"style": style, "center": {"lon": longitude, "lat": latitude}, "zoom": zoom},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "showlegend": False,
        "uirevision": "map",
        "meta": asdict(bounds),
    }


def look(palette: Palette) -> Figure:
    """Give the parts of the layout that go by the theme."""
    label = {"bgcolor": palette.paper, "bordercolor": palette.line, "font": {"color": palette.text, "size": 13}}
    return {
        "paper_bgcolor": palette.ground,
        "font": {"family": "system-ui, sans-serif", "color": palette.text},
        "hoverlabel": {**label, "align": "left"},
    }


def traces(places: Sequence[Place], chosen: Place | None, size: Size, palette: Palette) -> list[Figure]:
    """Draw the bins alone, in the order of the trace numbers above."""
    known = [place for place in places if place.fill_level is not None]
    unknown = [place for place in places if place.fill_level is None]
    return [
        _plain(unknown, {"size": max(size.plain - 1, 4), "color": palette.unknown}, "no level known"),
        _plain(known, _level_marker(known, size, palette), "%{marker.color}% full"),
        mark(chosen, size, palette),
        *due_traces(places, size, palette),
    ]


def levels(places: Sequence[Place]) -> Figure:
    """Give the colours of the bins whose level is known, for the trace `KNOWN`: whole percent, a byte each."""
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
    return Size(plain=5, may_go=7, must_go=13, ring=2)


def layout_key(places: Sequence[Place]) -> str:
    """Sum up which bins are drawn where: while it stays, `levels` and `due_traces` are all that changes."""
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


def _plain(places: Sequence[Place], marker: Figure, level: str) -> Figure:
    names = [_name(place) for place in places]
    hover = f"<b>%{{text}}</b><br>{level}<extra></extra>"
    return {**_points(places), "marker": marker, "text": names, "hovertemplate": hover}


def _due(places: Sequence[Place], size_px: int, colour: str, ink: str) -> Figure:
    return {
        **_points(places),
        "mode": "markers+text" if size_px >= LEAST_WORD_PX else "markers",
        "marker": {"size": size_px, "color": colour},
        "text": [_mark_of(place) for place in places],
        "textfont": {"color": ink, "size": max(8, round(size_px * 0.5)), "family": "Open Sans Bold"},
        "textposition": "middle center",
        "hovertext": [_words_of(place) for place in places],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _words_of(place: Place) -> str:
    why = f"{CLASSES[place.due_class or 'may_go']}: {REASONS[place.reason]}"
    return f"<b>{_name(place)}</b><br>{why}<br>{_wrap(place.explanation)}"


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
