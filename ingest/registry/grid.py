"""The British National Grid: degrees (WGS 84) to metres east and north, and back, right to about 5 metres.

Ordnance Survey's published seven-parameter transformation between the two datums, and its Transverse Mercator
projection. Its grid of corrections (OSTN15) would be right to a decimetre; it is 15 MB and no Python package has it.
5 metres still name the same bin. There and back again is exact to a millimetre.
"""

import math

# What the grid covers, metres. A place outside has no coordinates in it; Northern Ireland has another grid.
EAST = (0.0, 700_000.0)
NORTH = (0.0, 1_300_000.0)
# Degrees around it; further away the projection's series means nothing.
_LONGITUDES = (-15.0, 10.0)
_LATITUDES = (45.0, 65.0)

# Semi-axes of the ellipsoids, metres: GPS measures on the one, Ordnance Survey maps on the other.
_WGS84 = (6_378_137.0, 6_356_752.3142)
_AIRY = (6_377_563.396, 6_356_256.909)
# WGS 84 to OSGB36: shift in metres, rotation in seconds of arc, scale in parts per million.
_SHIFT_M = (-446.448, 125.157, -542.060)
_TURN = tuple(math.radians(seconds / 3600) for seconds in (-0.1502, -0.2470, -0.8421))
_SCALE = 1 + 20.4894e-6
# The projection: its true origin, what that is called, and the scale on its central meridian.
_ORIGIN_LATITUDE, _ORIGIN_LONGITUDE = math.radians(49), math.radians(-2)
_FALSE_EAST_M, _FALSE_NORTH_M = 400_000.0, -100_000.0
_MERIDIAN_SCALE = 0.999_601_271_7
_METRES_A_DEGREE = 111_300.0
# Each step of the way back leaves less than a fifth of the error.
_STEPS = 40
_SMALL_M = 1e-5


def to_grid(longitude: float, latitude: float) -> tuple[float, float] | None:
    """Give eastings and northings in metres of a position in degrees; None outside the grid."""
    if not (_LONGITUDES[0] < longitude < _LONGITUDES[1] and _LATITUDES[0] < latitude < _LATITUDES[1]):
        return None
    east, north = _project(*_to_airy(math.radians(longitude), math.radians(latitude)))
    return (east, north) if _inside(east, north) else None


def from_grid(east: float, north: float) -> tuple[float, float]:
    """Give longitude and latitude in degrees of a position in metres.

    Raises:
        ValueError: it is outside the grid.
    """
    if not _inside(east, north):
        raise ValueError(f"eastings {east:.0f}, northings {north:.0f} is outside the British National Grid")
    longitude, latitude = -2.0, 49.0 + (north - _FALSE_NORTH_M) / _METRES_A_DEGREE
    for _ in range(_STEPS):
        found_east, found_north = _project(*_to_airy(math.radians(longitude), math.radians(latitude)))
        longitude += (east - found_east) / (_METRES_A_DEGREE * math.cos(math.radians(latitude)))
        latitude += (north - found_north) / _METRES_A_DEGREE
        if math.hypot(east - found_east, north - found_north) < _SMALL_M:
            break
    return longitude, latitude


def _inside(east: float, north: float) -> bool:
    return EAST[0] <= east <= EAST[1] and NORTH[0] <= north <= NORTH[1]


def _to_airy(longitude: float, latitude: float) -> tuple[float, float]:
    """Take radians on WGS 84, at sea level, to radians on the Airy ellipsoid."""
    x, y, z = _cartesian(longitude, latitude, _WGS84)
    (shift_x, shift_y, shift_z), (turn_x, turn_y, turn_z) = _SHIFT_M, _TURN
    return _geographic(
        shift_x + _SCALE * x - turn_z * y + turn_y * z,
        shift_y + turn_z * x + _SCALE * y - turn_x * z,
        shift_z - turn_y * x + turn_x * y + _SCALE * z,
        _AIRY,
    )


def _cartesian(longitude: float, latitude: float, ellipsoid: tuple[float, float]) -> tuple[float, float, float]:
    major, minor = ellipsoid
    flat = 1 - minor**2 / major**2
    radius = major / math.sqrt(1 - flat * math.sin(latitude) ** 2)
    level = radius * math.cos(latitude)
    return level * math.cos(longitude), level * math.sin(longitude), (1 - flat) * radius * math.sin(latitude)


def _geographic(x: float, y: float, z: float, ellipsoid: tuple[float, float]) -> tuple[float, float]:
    major, minor = ellipsoid
    flat = 1 - minor**2 / major**2
    level = math.hypot(x, y)
    latitude = math.atan2(z, level * (1 - flat))
    for _ in range(6):
        radius = major / math.sqrt(1 - flat * math.sin(latitude) ** 2)
        latitude = math.atan2(z + flat * radius * math.sin(latitude), level)
    return math.atan2(y, x), latitude


def _project(longitude: float, latitude: float) -> tuple[float, float]:
    """Project radians on the Airy ellipsoid: Transverse Mercator, by Ordnance Survey's series."""
    major, minor = (axis * _MERIDIAN_SCALE for axis in _AIRY)
    flat = 1 - minor**2 / major**2
    sine, cosine, tangent2 = math.sin(latitude), math.cos(latitude), math.tan(latitude) ** 2
    across = major / math.sqrt(1 - flat * sine**2)
    along = major * (1 - flat) / (1 - flat * sine**2) ** 1.5
    ratio = across / along
    away = longitude - _ORIGIN_LONGITUDE
    north = _meridian(latitude) + _FALSE_NORTH_M
    north += across / 2 * sine * cosine * away**2
    north += across / 24 * sine * cosine**3 * (5 - tangent2 + 9 * (ratio - 1)) * away**4
    north += across / 720 * sine * cosine**5 * (61 - 58 * tangent2 + tangent2**2) * away**6
    east = _FALSE_EAST_M + across * cosine * away
    east += across / 6 * cosine**3 * (ratio - tangent2) * away**3
    fifth = 5 - 18 * tangent2 + tangent2**2 + 14 * (ratio - 1) - 58 * tangent2 * (ratio - 1)
    return east + across / 120 * cosine**5 * fifth * away**5, north


def _meridian(latitude: float) -> float:
    """Give the length of the meridian from the origin's latitude, metres, as developed in Ordnance Survey's series."""
    major, minor = _AIRY
    n = (major - minor) / (major + minor)
    less, more = latitude - _ORIGIN_LATITUDE, latitude + _ORIGIN_LATITUDE
    length = (1 + n + 5 / 4 * n**2 + 5 / 4 * n**3) * less
    length -= (3 * n + 3 * n**2 + 21 / 8 * n**3) * math.sin(less) * math.cos(more)
    length += (15 / 8 * n**2 + 15 / 8 * n**3) * math.sin(2 * less) * math.cos(2 * more)
    length -= 35 / 24 * n**3 * math.sin(3 * less) * math.cos(3 * more)
    return minor * _MERIDIAN_SCALE * length
