"""The ground a synthetic town stands on: coast, river, parks and squares, in metres east and north of its centre."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.chance import stream

Points = NDArray[np.float64]
"""Positions, shape (n, 2): metres east, metres north."""

RADIUS_M = 1000.0
"""Half the width of a town of 500 bins."""
SHORE_M = 26.0
"""Nothing but the promenade is nearer to the sea than this."""
RIVER_HALF_WIDTH_M = 13.0
PARK_NAMES = ("Mariners Park", "Priory Park", "Kiln Field", "Marine Gardens")


@dataclass(frozen=True, slots=True)
class Area:
    """A named area; `kind` is sea, river, park or square; `outline` is a closed ring."""

    name: str
    kind: str
    outline: Points


@dataclass(frozen=True, slots=True)
class Terrain:
    """Where there is land.

    Attributes:
        scale: size of the town, 1 for about 500 bins.
        phases: what makes this coast and river differ from others, radians, shape (6,).
        parks: centre east, centre north and mean radius in metres, shape (parks, 3).
    """

    scale: float
    phases: NDArray[np.float64]
    parks: NDArray[np.float64]

    @property
    def radius_m(self) -> float:
        """Half the width of the town."""
        return RADIUS_M * self.scale

    def coast_m(self, north_m: Points) -> Points:
        """Say how far east the coast lies, at these northings."""
        first, second = self.phases[:2]
        bends = 70 * np.sin(north_m / 410 + first) + 22 * np.sin(north_m / 150 + second)
        return np.asarray(bends - 0.72 * self.radius_m)

    def river_m(self, east_m: Points) -> Points:
        """Say how far north the middle of the river lies, at these eastings."""
        first, second = self.phases[2:4]
        bends = 80 * np.sin(east_m / 380 + first) + 25 * np.sin(east_m / 170 + second)
        return np.asarray(bends - 0.38 * self.radius_m)

    def dry(self, points: Points, margin_m: float = 0.0) -> NDArray[np.bool_]:
        """Say which points are on land, at least `margin_m` from sea and river."""
        east, north = points[:, 0], points[:, 1]
        off_river = np.abs(north - self.river_m(east)) > RIVER_HALF_WIDTH_M + margin_m
        return np.asarray((east > self.coast_m(north) + margin_m) & off_river)

    def in_park(self, points: Points, margin_m: float = 0.0) -> NDArray[np.bool_]:
        """Say which points are in a park, or nearer than `margin_m` to one."""
        inside = np.zeros(len(points), dtype=bool)
        for park in self.parks:
            offset = points - park[:2]
            angle = np.arctan2(offset[:, 1], offset[:, 0])
            inside |= np.hypot(offset[:, 0], offset[:, 1]) < self._park_radius_m(park, angle) + margin_m
        return inside

    def in_town(self, points: Points) -> NDArray[np.bool_]:
        """Say which points are within the town's ragged edge."""
        angle = np.arctan2(points[:, 1], points[:, 0])
        edge = 1 + 0.07 * np.sin(3 * angle + self.phases[4]) + 0.05 * np.sin(7 * angle + self.phases[5])
        return np.asarray(np.hypot(points[:, 0], points[:, 1] / 0.85) < edge * self.radius_m)

    def park_ring(self, park: NDArray[np.float64], part: float = 1.0) -> Points:
        """Draw the closed line around a park at `part` of its radius."""
        angle = np.linspace(0, 2 * np.pi, 41)
        radius = part * self._park_radius_m(park, angle)
        return np.column_stack([park[0] + radius * np.cos(angle), park[1] + radius * np.sin(angle)])

    def areas(self) -> tuple[Area, ...]:
        """List sea, river, parks and the market square."""
        half = 2.2 * self.radius_m
        north = np.linspace(-half, half, 160)
        shore = np.column_stack([self.coast_m(north), north])
        sea = np.vstack([shore, [[-1.5 * half, half], [-1.5 * half, -half]], shore[:1]])
        east = np.linspace(float(self.coast_m(self.river_m(np.array([-0.7 * self.radius_m])))[0]) - 40, half, 160)
        middle = self.river_m(east)
        bank = np.column_stack([east, middle + RIVER_HALF_WIDTH_M])
        other = np.column_stack([east, middle - RIVER_HALF_WIDTH_M])[::-1]
        river = np.vstack([bank, other, bank[:1]])
        square = np.array([[-42.0, -30], [42, -30], [42, 30], [-42, 30], [-42, -30]])
        parks = tuple(
            Area(PARK_NAMES[index % len(PARK_NAMES)], "park", self.park_ring(park))
            for index, park in enumerate(self.parks)
        )
        return (Area("The Sound", "sea", sea), Area("River Marrow", "river", river), *parks,
                Area("Market Square", "square", square))  # fmt: skip

    def _park_radius_m(self, park: NDArray[np.float64], angle: Points) -> Points:
        bumps = 0.16 * np.sin(2 * angle + park[0]) + 0.08 * np.sin(5 * angle + park[1])
        return np.asarray(park[2] * (1 + bumps))


def make_terrain(seed: int, scale: float) -> Terrain:
    """Shape the ground of a town.

    Args:
        seed: of the world.
        scale: 1 for about 500 bins; lengths grow with it.
    """
    rng = stream(seed, "terrain")
    phases = rng.uniform(0, 2 * np.pi, 6)
    bare = Terrain(scale, phases, np.empty((0, 3)))
    radius = bare.radius_m
    wishes = np.array([[0.52, 0.48], [0.12, -0.66], [0.66, -0.22], [-0.3, 0.62]]) * radius
    wishes += rng.uniform(-0.05, 0.05, wishes.shape) * radius
    sizes = rng.uniform(95, 150, len(wishes)) * min(scale, 1.5)
    # A park by the water begins behind the bank, not in it.
    east_limit = bare.coast_m(wishes[:, 1]) + 1.3 * sizes + SHORE_M
    wishes[:, 0] = np.maximum(wishes[:, 0], east_limit)
    river = bare.river_m(wishes[:, 0])
    gap = wishes[:, 1] - river
    keep_off = 1.3 * sizes + RIVER_HALF_WIDTH_M
    wishes[:, 1] = np.where(np.abs(gap) < keep_off, river + np.where(gap < 0, -keep_off, keep_off), wishes[:, 1])
    return Terrain(scale, phases, np.column_stack([wishes, sizes]))
