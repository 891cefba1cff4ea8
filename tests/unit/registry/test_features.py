import json
from pathlib import Path

import pytest

from ingest.registry.bin_file import BinRow, RefusedRow, read_bins
from ingest.registry.errors import RegistryError
from ingest.registry.settings import UNITED_KINGDOM

GATE = {"type": "Point", "coordinates": [-3.19, 55.95]}


def read(tmp_path: Path, content: object) -> tuple[list[BinRow], list[RefusedRow]]:
    file = tmp_path / "bins.geojson"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_bins(file, UNITED_KINGDOM, "Europe/London")


def collection(*features: object) -> dict[str, object]:
    return {"type": "FeatureCollection", "features": list(features)}


def feature(properties: object, geometry: object = GATE) -> dict[str, object]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def test_features_are_read_like_rows(tmp_path: Path) -> None:
    properties = {
        "Ref": 42,
        "street": "High  Street",
        "open data": True,
        "uprn": 906700000001.0,
        "stream": None,
        "x": [],
    }

    [row], refused = read(tmp_path, collection(feature(properties)))

    assert refused == []
    assert row.values == {
        "ref": "42",
        "name": "High Street",
        "open_data": True,
        "uprn": 906700000001,
        "longitude": -3.19,
        "latitude": 55.95,
    }


def test_position_is_the_geometrys(tmp_path: Path) -> None:
    properties = {"name": "A", "longitude": 1.0, "latitude": 51.0, "eastings": 1, "northings": 1}

    [row], _ = read(tmp_path, collection(feature(properties)))

    assert (row.values["longitude"], row.values["latitude"]) == (-3.19, 55.95)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (7, "it is not a Feature"),
        ({"type": "Point", "coordinates": [0, 0]}, "it is not a Feature"),
        (feature(["name"]), "its properties are not an object"),
        (feature(None), "it has no name"),
        (feature({"name": "A"}, None), "it has no longitude and latitude"),
        (feature({"name": "A"}, {"type": "LineString", "coordinates": [[1, 2]]}), "its geometry is not a Point"),
        (
            feature({"name": "A"}, {"type": "Point", "coordinates": [1]}),
            "its coordinates are not longitude and latitude",
        ),
        (feature({"name": "A"}, {"type": "Point", "coordinates": ["east", 1]}), "longitude 'east' is not a number"),
        (feature({"name": "A"}, {"type": "Point", "coordinates": [[1], 1]}), "longitude is neither text nor a number"),
        (feature({"name": "A", "street": "B"}), "it has two properties for name"),
        (feature({"name": {"en": "A"}}), "name is neither text nor a number"),
        (feature({"name": "A\x00"}), "name holds a NUL character"),
        (feature({"name": "A", "ref": "B1"}), "feature 1 has the same ref B1"),
        (feature({"name": "A"}, {"type": "Point", "coordinates": [325000, 673000]}), "is not between -180 and 180"),
        (feature({"name": "A"}, {"type": "Point", "coordinates": [55.95, -3.19]}), "look swapped"),
    ],
)
def test_bad_feature_is_refused_and_harms_no_other(tmp_path: Path, bad: object, reason: str) -> None:
    good, [refused] = read(tmp_path, collection(feature({"ref": "B1", "name": "B"}), bad, feature({"name": "C"})))

    assert [row.values["name"] for row in good] == ["B", "C"]
    assert refused.line == 2
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a GeoJSON file"),
        (b"[" * 100_000, "is not a GeoJSON file"),
        (b'{"type": "FeatureCollection", "features": [NaN]}', "is not a GeoJSON file"),
        (b'{"type": "FeatureCollection", "features": "\xff"}', "is not a GeoJSON file"),
        (b"[]", "is not a GeoJSON FeatureCollection"),
        (b'{"type": "Feature"}', "is not a GeoJSON FeatureCollection"),
    ],
)
def test_unusable_file_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(RegistryError, match=sentence):
        read(tmp_path, content)


def test_lone_surrogate_never_reaches_the_database(tmp_path: Path) -> None:
    content = b'{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "\\ud800"}}]}'

    with pytest.raises(RegistryError, match="is not a GeoJSON file"):
        read(tmp_path, content)
