import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.registry.grid import EAST, NORTH, from_grid, to_grid

# Ordnance Survey's published test points of OSTN15: name, longitude, latitude, eastings, northings.
POINTS = [
    ("St Mary's", -6.29977752014, 49.92226393730, 91492.146, 11318.804),
    ("North Foreland", 1.44454730409, 51.37447025550, 639821.835, 169565.858),
    ("Lambeth", -0.11992557180, 51.48936564950, 530624.974, 178388.464),
    ("Droitwich", -2.15458614387, 52.25529381630, 389544.190, 261912.153),
    ("Leeds", -1.66379168242, 53.8002151963, 422242.186, 433818.701),
    ("Inverness", -4.21926398555, 57.4862500072, 267056.768, 846176.972),
    ("Shetland", -2.07382822798, 60.1330809166, 395999.668, 1138728.951),
]
ACCURACY_M = 5.0


@pytest.mark.parametrize(("longitude", "latitude", "east", "north"), [point[1:] for point in POINTS])
def test_ordnance_surveys_points_are_met(longitude: float, latitude: float, east: float, north: float) -> None:
    found = to_grid(longitude, latitude)
    back_longitude, back_latitude = from_grid(east, north)

    assert found is not None
    assert math.dist(found, (east, north)) < ACCURACY_M
    away = math.hypot((back_longitude - longitude) * math.cos(math.radians(latitude)), back_latitude - latitude)
    assert away * 111_300 < ACCURACY_M


def test_shift_between_the_datums_is_what_other_programs_find() -> None:
    # Caister water tower of Ordnance Survey's guide, as PROJ takes it from its grid position (EPSG:1314).
    longitude, latitude = from_grid(651_409.903, 313_177.270)

    assert (round(longitude, 6), round(latitude, 6)) == (1.716052, 52.657979)


@given(st.floats(*EAST), st.floats(*NORTH))
def test_there_and_back_is_the_same_millimetre(east: float, north: float) -> None:
    longitude, latitude = from_grid(east, north)

    back = to_grid(round(longitude, 8), round(latitude, 8))

    # At the very edge a millimetre may lie outside.
    assert back is None or math.dist(back, (east, north)) < 0.0015
    assert back is not None or min(east, north, EAST[1] - east, NORTH[1] - north) < 0.0015


@pytest.mark.parametrize(("longitude", "latitude"), [(-74.0, 40.7), (2.35, 48.85), (177.0, -50.0), (-10.0, 51.0)])
def test_places_elsewhere_have_no_grid_position(longitude: float, latitude: float) -> None:
    assert to_grid(longitude, latitude) is None


def test_metres_outside_the_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="outside the British National Grid"):
        from_grid(-1.0, 5.0)
