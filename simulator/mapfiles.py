"""Writes a town to files: the registry's CSV tables and the GeoJSON of its basemap."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from simulator.city import Bin, City, degrees
from simulator.terrain import Points

POSITION_SOURCE = "brimwatch simulator"
BIN_COLUMNS = (
    "ref", "name", "location", "depot", "stream", "model", "capacity_l", "longitude", "latitude", "max_age_days",
)  # fmt: skip
ROAD_CLASSES = {
    "high_street": "pedestrian", "main": "primary", "promenade": "secondary", "side": "residential", "path": "path",
    "pier": "path",
}  # fmt: skip
"""OpenStreetMap's words for our kinds of streets."""


def write_city(city: City, folder: Path, fitted_at: datetime) -> None:
    """Write bins.csv, devices.csv and basemap/*.geojson.

    Args:
        city: the town.
        folder: made when it is missing.
        fitted_at: since when the sensors measure, UTC.
    """
    (folder / "basemap").mkdir(parents=True, exist_ok=True)
    write_bins(folder / "bins.csv", city.bins)
    write_devices(folder / "devices.csv", ((place, fitted_at) for place in city.fitted))
    for name, features in basemap(city).items():
        text = json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))
        (folder / "basemap" / f"{name}.geojson").write_text(text)


def write_bins(path: Path, bins: Iterable[Bin]) -> None:
    """Write the table that `python -m ingest bins import` reads."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*BIN_COLUMNS, "position_source"])
        table.writerows([*(getattr(place, column) for column in BIN_COLUMNS), POSITION_SOURCE] for place in bins)


def write_devices(path: Path, fittings: Iterable[tuple[Bin, datetime]]) -> None:
    """Write the table that `python -m ingest devices enrol` and `fit` read: bins and since when each is measured."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["device", "bin", "empty_mm", "full_mm", "fitted_at"])
        table.writerows([b.device, b.ref, b.empty_mm, b.full_mm, since.isoformat()] for b, since in fittings)


def basemap(city: City) -> dict[str, list[dict[str, object]]]:
    """List the GeoJSON features of each layer of the map."""
    return {
        "water": [
            _feature("Polygon", [area.outline], name=area.name, **{"class": area.kind})
            for area in city.areas
            if area.kind in ("sea", "river")
        ],
        "parks": [
            _feature("Polygon", [area.outline], name=area.name, **{"class": area.kind})
            for area in city.areas
            if area.kind in ("park", "square")
        ],
        "roads": [
            _feature("LineString", [street.points], name=street.name, **{"class": ROAD_CLASSES[street.kind]})
            for street in city.streets
        ],
        "buildings": [_feature("Polygon", [house]) for house in city.buildings],
    }


def _feature(kind: str, lines: Sequence[Points], **properties: str) -> dict[str, object]:
    rings = [degrees(line).tolist() for line in lines]
    geometry: Mapping[str, object] = {"type": kind, "coordinates": rings if kind == "Polygon" else rings[0]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}
