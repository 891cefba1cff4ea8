"""Which part of the world the map shows. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.rows import Place

LEAST_SPAN = 0.004
ZOOM_LIMITS = (3.0, 17.0)
# Pixels that stay free at each edge, so that no mark is cut in half; `assets/map.js` has the same.
EDGE_PX = 14
TILE_PX = 512


@dataclass(frozen=True, slots=True)
class Bounds:
    """A part of the world, degrees."""

    west: float
    south: float
    east: float
    north: float


# A map without bins still needs a view: the British Isles.
NOWHERE = Bounds(-8.65, 49.84, 1.77, 60.86)


def bounds_of(places: Sequence[Place]) -> Bounds:
    """Find the part of the world that holds all bins, with a little air around; without any, the British Isles."""
    if not places:
        return NOWHERE
    longitudes = [place.longitude for place in places]
    latitudes = [place.latitude for place in places]
    west, east, south, north = min(longitudes), max(longitudes), min(latitudes), max(latitudes)
    air_x, air_y = (max((high - low) * 0.03, LEAST_SPAN / 4) for low, high in ((west, east), (south, north)))
    return Bounds(west - air_x, max(south - air_y, -85.0), east + air_x, min(north + air_y, 85.0))


def view_of(bounds: Bounds, box_px: tuple[float, float]) -> tuple[float, float, float]:
    """Find the view that shows all of the bounds in a box of so many pixels.

    Returns:
        longitude and latitude of its centre, degrees, and MapLibre's zoom.
    """
    low, high = _mercator(bounds.south), _mercator(bounds.north)
    width, height = (max(side - 2 * EDGE_PX, 100.0) for side in box_px)
    wide = math.log2(width * 360 / (TILE_PX * (bounds.east - bounds.west)))
    tall = math.log2(height * 2 * math.pi / (TILE_PX * (high - low)))
    centre = math.degrees(2 * math.atan(math.exp((low + high) / 2)) - math.pi / 2)
    zoom = min(max(min(wide, tall), ZOOM_LIMITS[0]), ZOOM_LIMITS[1])
    return (bounds.west + bounds.east) / 2, centre, round(zoom, 2)


def _mercator(latitude: float) -> float:
    return math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))
