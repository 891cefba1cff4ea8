"""A synthetic town centre in the Irish Sea with its bins and sensors: where everything stands and how it is used.

Nobody can take it for a real place: there is only water at 54.0 N, 4.9 W.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.buildings import make_buildings
from simulator.chance import stream
from simulator.streets import Street, make_streets
from simulator.terrain import Area, Points, Terrain, make_terrain

CENTRE_LONGITUDE = -4.9
CENTRE_LATITUDE = 54.0
METRES_PER_DEGREE = 111_200.0
"""Along a meridian, and along the equator."""

USE_SHARES = {
    "shopping": 0.22, "bus_stop": 0.16, "park": 0.15, "takeaway": 0.08, "school": 0.05, "seafront": 0.13,
    "residential": 0.21,
}  # fmt: skip
"""Which part of the bins serves what."""
MODELS = {"Slimline 90": (90, 900), "Townsman 120": (120, 1050), "Plaza 160": (160, 1150), "Duo 240": (240, 1300)}
"""Capacity in litres and what the sensor measures when it is empty, in millimetres."""
FULL_MM = 150
RECYCLING_SHARE = 0.2
"""Which part of the bins at shops, seafront and parks takes recycling."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin; positions in degrees and in metres from the centre."""

    ref: str
    name: str
    location: str
    depot: str
    stream: str
    model: str
    capacity_l: int
    longitude: float
    latitude: float
    east_m: float
    north_m: float
    use: str
    max_age_days: int
    empty_mm: int
    full_mm: int
    device: str | None


@dataclass(frozen=True, slots=True)
class City:
    """A town: its ground, streets, houses and bins. The same seed and size make the same one."""

    seed: int
    terrain: Terrain
    areas: tuple[Area, ...]
    streets: tuple[Street, ...]
    buildings: tuple[Points, ...]
    bins: tuple[Bin, ...]

    @property
    def fitted(self) -> tuple[Bin, ...]:
        """The bins that have a sensor."""
        return tuple(place for place in self.bins if place.device)


@dataclass(frozen=True, slots=True)
class _Kerb:
    """A place where a bin may stand."""

    street: Street
    use: str
    east_m: float
    north_m: float
    number: int


def make_city(bins: int, seed: int) -> City:
    """Build a town.

    Args:
        bins: how many, 1 to 20,000.
        seed: 0 or more.
    """
    terrain = make_terrain(seed, max(0.6, (bins / 500) ** 0.5))
    streets = make_streets(seed, terrain)
    houses = tuple(make_buildings(seed, terrain, streets))
    return City(seed, terrain, terrain.areas(), streets, houses, tuple(_place_bins(seed, bins, terrain, streets)))


def degrees(points: Points) -> NDArray[np.float64]:
    """Turn metres east and north of the centre into longitude and latitude, shape (n, 2)."""
    latitude = CENTRE_LATITUDE + points[:, 1] / METRES_PER_DEGREE
    longitude = CENTRE_LONGITUDE + points[:, 0] / (METRES_PER_DEGREE * np.cos(np.radians(CENTRE_LATITUDE)))
    return np.round(np.column_stack([longitude, latitude]), 6)


def _place_bins(seed: int, count: int, terrain: Terrain, streets: tuple[Street, ...]) -> list[Bin]:
    chosen = _choose(seed, count, _kerbs(seed, terrain, streets))
    # Along the streets rather than in the order of the draw: refs of neighbours are neighbours.
    chosen.sort(key=lambda kerb: (kerb.street.kind, kerb.street.name, kerb.number))
    positions = degrees(np.array([[kerb.east_m, kerb.north_m] for kerb in chosen]))
    rng = stream(seed, "furniture")
    without_sensor = set(stream(seed, "unfitted").choice(count, count // 40, replace=False).tolist())
    return [
        _furnish(rng, index, kerb, (float(longitude), float(latitude)), fitted=index not in without_sensor)
        for index, (kerb, (longitude, latitude)) in enumerate(zip(chosen, positions, strict=True))
    ]


def _furnish(rng: np.random.Generator, index: int, kerb: _Kerb, position: tuple[float, float], *, fitted: bool) -> Bin:
    roomy = kerb.use in ("shopping", "seafront", "takeaway")
    model = str(rng.choice(list(MODELS), p=[0.1, 0.3, 0.4, 0.2] if roomy else [0.3, 0.45, 0.2, 0.05]))
    capacity_l, empty_mm = MODELS[model]
    recycling = kerb.use in ("shopping", "seafront", "park") and rng.random() < RECYCLING_SHARE
    return Bin(
        ref=f"b-{index + 1:04d}",
        name=f"{kerb.street.name} {kerb.number}",
        location=f"{kerb.street.name}, {LOCATION_WORDS[kerb.use]}",
        depot="harbour" if kerb.north_m < 0 else "priory",
        stream="recycling" if recycling else "general",
        model=model,
        capacity_l=capacity_l,
        longitude=position[0],
        latitude=position[1],
        east_m=kerb.east_m,
        north_m=kerb.north_m,
        use=kerb.use,
        max_age_days=MAX_AGE_DAYS[kerb.use],
        # No two sensors hang alike.
        empty_mm=empty_mm + int(rng.integers(-15, 16)),
        full_mm=FULL_MM,
        device=f"s-{index + 1:04d}" if fitted else None,
    )


LOCATION_WORDS = {
    "shopping": "shops", "bus_stop": "bus stop", "park": "by the path", "takeaway": "takeaway", "school": "school gate",
    "seafront": "seafront", "residential": "houses",
}  # fmt: skip
MAX_AGE_DAYS = {
    "shopping": 5, "bus_stop": 7, "park": 7, "takeaway": 4, "school": 7, "seafront": 7, "residential": 10,
}  # fmt: skip


def _kerbs(seed: int, terrain: Terrain, streets: tuple[Street, ...]) -> list[_Kerb]:
    """List where bins may stand, one about every 20 metres on alternating sides, with what they would serve."""
    rng = stream(seed, "kerbs")
    sides = [street for street in streets if street.kind == "side"]
    count = max(2, round(4 * terrain.scale))
    near_schools = {id(sides[index]) for index in rng.choice(len(sides), min(count, len(sides)), replace=False)}
    found = []
    for street in streets:
        if street.kind == "pier":
            continue
        found += _street_kerbs(rng, street, school=id(street) in near_schools)
    points = np.array([[kerb.east_m, kerb.north_m] for kerb in found])
    usable = terrain.dry(points, 4) & terrain.in_town(points)
    return [kerb for kerb, good in zip(found, usable, strict=True) if good]


def _street_kerbs(rng: np.random.Generator, street: Street, *, school: bool) -> list[_Kerb]:
    found = []
    offset_m = {"high_street": 7.0, "main": 6.0, "promenade": 5.0, "side": 4.5, "path": 2.5}[street.kind]
    for turn, index in enumerate(range(1, len(street.points) - 1, 2)):
        along = street.points[index + 1] - street.points[index - 1]
        across = np.array([-along[1], along[0]]) / np.hypot(*along)
        # The sea is west of the promenade: its bins stand where people look at it.
        side = 1 if street.kind == "promenade" or turn % 2 else -1
        east, north = street.points[index] + side * offset_m * across
        found.append(_Kerb(street, _use(rng, street, school=school), float(east), float(north), turn + 1))
    return found


def _use(rng: np.random.Generator, street: Street, *, school: bool) -> str:
    if school:
        return "school"
    uses, shares = {
        "high_street": (("shopping", "takeaway", "bus_stop"), (0.78, 0.16, 0.06)),
        "main": (("bus_stop", "takeaway", "shopping", "residential"), (0.45, 0.12, 0.13, 0.3)),
        "promenade": (("seafront", "takeaway"), (0.9, 0.1)),
        "side": (("residential", "shopping"), (0.95, 0.05)),
        "path": (("park",), (1.0,)),
    }[street.kind]
    return str(rng.choice(uses, p=shares))


def _choose(seed: int, count: int, kerbs: list[_Kerb]) -> list[_Kerb]:
    """Draw as many kerbs as wanted, uses in their shares as far as there are enough of each."""
    rng = stream(seed, "choice")
    order = [kerbs[index] for index in rng.permutation(len(kerbs))]
    chosen: list[_Kerb] = []
    rest: list[_Kerb] = []
    left = {use: round(share * count) for use, share in USE_SHARES.items()}
    for kerb in order:
        if left[kerb.use] > 0:
            left[kerb.use] -= 1
            chosen.append(kerb)
        else:
            rest.append(kerb)
    return [*chosen, *rest][:count]
