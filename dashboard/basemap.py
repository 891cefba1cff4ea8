"""What lies under the bins: GeoJSON files of the town, raster tiles if a setting names them, else a ground with a grid.

Everything comes from this server (or from the one tile host of the settings), so the map also works without internet.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from dashboard.colours import Palette
from dashboard.settings import Settings
from dashboard.view import Bounds

LAYERS = ("water", "parks", "buildings", "roads")
# Grid lines stand at these steps, degrees; the finest that draws at most so many lines is taken.
GRID_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
GRID_LINES = 24

# Widths in pixels at zooms 12, 15 and 18.
ROAD_WIDTHS = {
    "primary": (1.6, 7.0, 22.0),
    "secondary": (1.3, 5.5, 18.0),
    "pedestrian": (1.0, 4.5, 15.0),
    "residential": (0.8, 3.8, 14.0),
    "path": (0.4, 1.4, 4.0),
}
OTHER_ROAD = "residential"

Style = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Basemap:
    """What this installation has to lay under its bins.

    Attributes:
        files: address of each layer's GeoJSON.
        tile_url: of raster tiles; empty for none.
        tile_attribution: to be shown with them.
    """

    files: Mapping[str, str]
    tile_url: str = ""
    tile_attribution: str = ""

    def style(self, palette: Palette, bounds: Bounds) -> Style:
        """Make the map's style for MapLibre: it needs no fonts, sprites or files from elsewhere."""
        sources: Style = {name: {"type": "geojson", "data": url} for name, url in self.files.items()}
        layers: list[Style] = [{"id": "ground", "type": "background", "paint": {"background-color": palette.ground}}]
        if self.tile_url:
            tiles = {"type": "raster", "tiles": [self.tile_url], "tileSize": 256, "maxzoom": 19}
            sources["tiles"] = {**tiles, "attribution": self.tile_attribution}
            layers.append({"id": "tiles", "type": "raster", "source": "tiles"})
        elif not self.files:
            sources["grid"] = {"type": "geojson", "data": grid(bounds)}
            paint = {"line-color": palette.line, "line-width": 1}
            layers.append({"id": "grid", "type": "line", "source": "grid", "paint": paint})
        for name in LAYERS:
            if name in self.files:
                layers += _LAYERS[name](palette)
        return {"version": 8, "sources": sources, "layers": layers}


def find_basemap(settings: Settings) -> Basemap:
    """See which files the settings' folder has; a changed file gets another address."""
    files = {}
    for name in LAYERS:
        path = _path(settings, name)
        if path is not None and path.is_file():
            files[name] = f"/basemap/{name}.geojson?m={path.stat().st_mtime_ns // 1_000_000}"
    return Basemap(files, settings.tile_url, settings.tile_attribution)


def make_basemap_router(settings: Settings) -> APIRouter:
    """Make the route that gives out the town's GeoJSON files."""
    router = APIRouter(include_in_schema=False)

    @router.get("/basemap/{name}.geojson")
    async def layer(name: str) -> Response:
        path = _path(settings, name) if name in LAYERS else None
        if path is None or not path.is_file():
            raise HTTPException(404, "There is no such layer.")
        headers = {"Cache-Control": "private, max-age=86400"}
        return FileResponse(path, media_type="application/geo+json", headers=headers)

    return router


def grid(bounds: Bounds) -> dict[str, Any]:
    """Draw lines of longitude and latitude around a part of the world, so that an empty map still shows how far.

    Returns:
        a GeoJSON FeatureCollection of lines that reach well past the bounds.
    """
    width, height = bounds.east - bounds.west, bounds.north - bounds.south
    longest = max(width, height, GRID_STEPS[0])
    step = next((step for step in GRID_STEPS if longest / step <= GRID_LINES), GRID_STEPS[-1])
    west, east = bounds.west - longest, bounds.east + longest
    south, north = max(bounds.south - longest, -85.0), min(bounds.north + longest, 85.0)
    lines = [[[x, south], [x, north]] for x in _ticks(west, east, step)]
    lines += [[[west, y], [east, y]] for y in _ticks(south, north, step)]
    geometry = {"type": "MultiLineString", "coordinates": lines}
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": geometry}]}


def _ticks(low: float, high: float, step: float) -> list[float]:
    return [round(number * step, 6) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _path(settings: Settings, name: str) -> Path | None:
    return settings.basemap / f"{name}.geojson" if settings.basemap else None


def _fill(name: str, colour: Any) -> Style:  # noqa: ANN401 - a colour or MapLibre's expression for one
    return {"id": name, "type": "fill", "source": name, "paint": {"fill-color": colour}}


def _water(palette: Palette) -> list[Style]:
    return [_fill("water", palette.water)]


def _parks(palette: Palette) -> list[Style]:
    colour = ["match", ["get", "class"], "square", palette.square, palette.park]
    return [_fill("parks", colour), _names("parks", palette, "point")]


def _buildings(palette: Palette) -> list[Style]:
    return [{**_fill("buildings", palette.building), "minzoom": 13}]


def _roads(palette: Palette) -> list[Style]:
    is_path = ["==", ["get", "class"], "path"]
    edge = {"line-color": palette.road_edge, "line-width": _road_width(1.6)}
    surface = {"line-color": ["case", is_path, palette.path, palette.road], "line-width": _road_width(0.0)}
    round_ends = {"line-cap": "round", "line-join": "round"}
    layer = {"type": "line", "source": "roads", "layout": round_ends}
    return [
        {**layer, "id": "road-edges", "filter": ["!", is_path], "paint": edge},
        {**layer, "id": "roads", "paint": surface},
        {**_names("roads", palette, "line"), "minzoom": 13.5},
    ]


def _road_width(extra_px: float) -> list[Any]:
    def at(place: int) -> list[Any]:
        widths = [part for name, sizes in ROAD_WIDTHS.items() for part in (name, sizes[place] + extra_px)]
        return ["match", ["get", "class"], *widths, ROAD_WIDTHS[OTHER_ROAD][place] + extra_px]

    return ["interpolate", ["exponential", 1.6], ["zoom"], 12, at(0), 15, at(1), 18, at(2)]


def _names(source: str, palette: Palette, placement: str) -> Style:
    # Without `glyphs` MapLibre draws text with the browser's own fonts.
    layout = {"text-field": ["get", "name"], "text-size": 11, "symbol-placement": placement, "text-max-width": 8}
    paint = {"text-color": palette.label, "text-halo-color": palette.label_halo, "text-halo-width": 1.4}
    return {"id": f"{source}-names", "type": "symbol", "source": source, "layout": layout, "paint": paint}


_LAYERS = {"water": _water, "parks": _parks, "buildings": _buildings, "roads": _roads}
