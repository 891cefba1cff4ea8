"""Houses along the streets of a synthetic town, for its map."""

import numpy as np
from numpy.typing import NDArray

from simulator.chance import stream
from simulator.streets import STEP_M, Street
from simulator.terrain import Points, Terrain

CELL_M = 4.0
"""Size of a cell of the plan that says where there is room."""


class _Plan:
    """Which cells of the ground are taken.

    Args:
        half_m: half the width of the plan.
    """

    def __init__(self, half_m: float) -> None:
        self._half_m = half_m
        self._side = int(2 * half_m / CELL_M) + 1
        self.taken = np.zeros((self._side, self._side), dtype=bool)

    def take(self, points: Points, margin_m: float) -> None:
        """Mark all cells within `margin_m` of the points."""
        reach = np.arange(-margin_m, margin_m + 1, CELL_M)
        for east in reach:
            for north in reach[np.hypot(east, reach) <= margin_m]:
                rows, columns = self._cells(points + np.array([east, north]))
                self.taken[rows, columns] = True

    def free(self, points: Points) -> bool:
        """Say whether all these points lie in free cells."""
        return not self.taken[self._cells(points)].any()

    def _cells(self, points: Points) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        cells = ((points + self._half_m) / CELL_M).astype(np.int64).clip(0, self._side - 1)
        return cells[:, 1], cells[:, 0]


def make_buildings(seed: int, terrain: Terrain, streets: tuple[Street, ...]) -> list[Points]:
    """Place houses on both sides of every street where there is room.

    Returns:
        Closed rings of five corners, metres.
    """
    rng = stream(seed, "buildings")
    plan = _Plan(1.4 * terrain.radius_m)
    for street in streets:
        plan.take(street.points, 6.0)
    plan.take(np.column_stack([g.ravel() for g in np.meshgrid(np.arange(-42, 43, 4.0), np.arange(-30, 31, 4.0))]), 2)
    houses: list[Points] = []
    for street in streets:
        if street.kind not in ("path", "pier"):
            houses += _along(rng, plan, terrain, street)
    return houses


def _along(rng: np.random.Generator, plan: _Plan, terrain: Terrain, street: Street) -> list[Points]:
    dense = street.kind in ("high_street", "promenade")
    found = []
    for side in (1, -1):
        place = 6.0
        while place < street.length_m - 6:
            width = float(rng.uniform(16, 30) if dense else rng.uniform(12, 22))
            depth = float(rng.uniform(14, 22) if dense else rng.uniform(9, 14))
            setback = 8.0 if dense else float(rng.uniform(9, 12))
            house = _rectangle(street.points, place + width / 2, side * setback, (width, depth))
            if plan.free(_inside(house)) and terrain.dry(house, 8).all() and not terrain.in_park(house, 4).any():
                plan.take(_inside(house), 0.0)
                found.append(house)
            place += width + float(rng.choice([1.0, 9.0], p=[0.75, 0.25] if dense else [0.35, 0.65]))
    return found


def _rectangle(points: Points, place_m: float, setback_m: float, size_m: tuple[float, float]) -> Points:
    """Draw a house beside a street, on its left when `setback_m` is positive."""
    width_m, depth_m = size_m
    index = int(np.clip(place_m / STEP_M, 0, len(points) - 2))
    along = points[index + 1] - points[index]
    along = along / np.hypot(*along)
    across = np.sign(setback_m) * np.array([-along[1], along[0]])
    front = points[index] + along * (place_m - STEP_M * index) + across * abs(setback_m)
    corners = [
        front - along * width_m / 2,
        front + along * width_m / 2,
        front + along * width_m / 2 + across * depth_m,
        front - along * width_m / 2 + across * depth_m,
    ]
    return np.array([*corners, corners[0]])


def _inside(house: Points) -> Points:
    steps = np.linspace(0, 1, 6)
    first, second, _, fourth = house[:4]
    grid = first + steps[:, None, None] * (second - first) + steps[None, :, None] * (fourth - first)
    return np.asarray(grid.reshape(-1, 2))
