"""GeoJSON files (RFC 7946): a FeatureCollection of points whose properties are the columns of a table."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from ingest.registry.errors import RegistryError
from ingest.registry.tables import Row, column_name

POSITION = ("longitude", "latitude")
# A position is the geometry's. What a property says of it is not read: moving a point on a map leaves it behind.
_NOT_READ = (*POSITION, "eastings", "northings")


def is_geojson(path: Path) -> bool:
    """Say whether a file's ending is that of GeoJSON."""
    return path.suffix.lower() in {".geojson", ".json"}


def read_features(path: Path, aliases: Mapping[str, str]) -> tuple[Row, ...]:
    """Read a GeoJSON file as rows, with the columns longitude and latitude from the geometry.

    Args:
        path: UTF-8.
        aliases: our name for each name that a property may have, in lower case with `_` for blanks. Others are left
            out.

    Raises:
        RegistryError: the file cannot be read or is no FeatureCollection.
    """
    try:
        content = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise RegistryError(f"Cannot read {path}: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RegistryError(f"{path} is not a GeoJSON file: {error}.") from error
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or content.get("type") != "FeatureCollection":
        raise RegistryError(f"{path} is not a GeoJSON FeatureCollection.")
    return tuple(_row(place, feature, aliases) for place, feature in enumerate(features, start=1))


def write_features(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Write a GeoJSON text that `read_features` reads back exactly.

    Args:
        columns: properties, in order; a position is the geometry's.
        rows: with `ref`, `longitude`, `latitude` and the columns.
    """
    names = [name for name in columns if name not in _NOT_READ]
    features = [
        {
            "type": "Feature",
            "id": row["ref"],
            "geometry": {"type": "Point", "coordinates": [row[name] for name in POSITION]},
            "properties": {name: row[name] for name in names},
        }
        for row in rows
    ]
    lines = [json.dumps(feature, ensure_ascii=False, allow_nan=False) for feature in features]
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"


def _row(place: int, feature: object, aliases: Mapping[str, str]) -> Row:
    try:
        return Row(place, _cells(feature, aliases))
    except ValueError as error:
        return Row(place, {}, str(error))


def _cells(feature: object, aliases: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise ValueError("it is not a Feature")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise ValueError("its properties are not an object")  # noqa: TRY004 - a refused row, like every other
    cells: dict[str, str] = {}
    for title, value in properties.items():
        name = aliases.get(column_name(title))
        if name is None or name in _NOT_READ:
            continue
        if name in cells:
            raise ValueError(f"it has two properties for {name}")
        cells[name] = _cell(title, value)
    return {**cells, **_position(feature.get("geometry"))}


def _position(geometry: object) -> dict[str, str]:
    if geometry is None:
        return {}
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if not isinstance(coordinates, list) or not isinstance(geometry, dict) or geometry.get("type") != "Point":
        raise ValueError("its geometry is not a Point")
    if len(coordinates) < len(POSITION):
        raise ValueError("its coordinates are not longitude and latitude")
    return {name: _cell(name, value) for name, value in zip(POSITION, coordinates, strict=False)}


def _cell(title: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    # Many programs write whole numbers as 7.0.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if value is None or isinstance(value, (str, int, float)):
        return "" if value is None else " ".join(str(value).split())
    raise ValueError(f"{title} is neither text nor a number")
