from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ingest.registry.settings import UNITED_KINGDOM, Area
from simulator.city import USE_SHARES, City, make_city
from simulator.mapfiles import basemap, write_city
from simulator.stack.environment import AREA
from simulator.words import street_names

FITTED_AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(500, seed=1)


def test_make_city_same_seed_same_town(city: City, tmp_path: Path) -> None:
    write_city(city, tmp_path / "one", FITTED_AT)
    write_city(make_city(500, seed=1), tmp_path / "two", FITTED_AT)

    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))

    assert [str(file) for file in files] == [
        "basemap/buildings.geojson",
        "basemap/parks.geojson",
        "basemap/roads.geojson",
        "basemap/water.geojson",
        "bins.csv",
        "devices.csv",
    ]
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)


def test_make_city_other_seed_other_town(city: City) -> None:
    other = make_city(500, seed=2)

    assert {place.longitude for place in other.bins} != {place.longitude for place in city.bins}


@pytest.mark.parametrize(("count", "seed"), [(10, 1), (10, 2), (40, 1), (40, 3), (600, 4)])
def test_make_city_bins_stand_on_land_in_town(count: int, seed: int) -> None:
    city = make_city(count, seed)

    points = np.array([[place.east_m, place.north_m] for place in city.bins])

    assert len(city.bins) == count
    assert city.terrain.dry(points).all()
    assert city.terrain.in_town(points).all()


def test_make_city_bins_are_told_apart(city: City) -> None:
    places = {(place.longitude, place.latitude) for place in city.bins}

    assert len({place.ref for place in city.bins}) == len(city.bins)
    assert len(places) == len(city.bins)


def test_make_city_serves_every_use(city: City) -> None:
    counts = {use: sum(place.use == use for place in city.bins) for use in USE_SHARES}

    assert all(counts[use] >= 0.5 * share * len(city.bins) for use, share in USE_SHARES.items()), counts


def test_make_city_leaves_few_bins_without_sensor(city: City) -> None:
    assert 0.95 <= len(city.fitted) / len(city.bins) < 1


def test_make_city_lies_within_the_registrys_area(city: City) -> None:
    demo = Area.parse(AREA)

    assert all(demo.holds(place.longitude, place.latitude) for place in city.bins)
    assert all(UNITED_KINGDOM.holds(place.longitude, place.latitude) for place in city.bins)


def test_make_city_streets_keep_off_the_water_but_for_bridges(city: City) -> None:
    for street in city.streets:
        if street.kind == "side":
            assert city.terrain.dry(street.points).all(), street.name


def test_basemap_rings_are_closed_and_lines_are_lines(city: City) -> None:
    for name, features in basemap(city).items():
        for feature in features:
            geometry = feature["geometry"]
            assert isinstance(geometry, dict)
            if geometry["type"] == "Polygon":
                assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in geometry["coordinates"]), name
            else:
                assert len(geometry["coordinates"]) >= 2, name


def test_street_names_never_repeat() -> None:
    names = street_names(np.random.default_rng(1))

    drawn = [next(names) for _ in range(1000)]

    assert len(set(drawn)) == 1000
