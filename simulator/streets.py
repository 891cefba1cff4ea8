"""The streets of a synthetic town: a bent grid with a high street, a ring road, roads out of town and a promenade."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator import words
from simulator.chance import stream
from simulator.terrain import SHORE_M, Points, Terrain

STEP_M = 10.0
"""Distance between two points of a street."""
SHORTEST_M = 60.0
LONGEST_NAME_M = 700.0
"""A side street takes another name about every so many metres."""
PARK_MARGIN_M = 8.0
DEAD_END_SHARE = 0.2
"""Which part of the blocks a side street leaves out."""
BEYOND = 1.25
"""Main roads go on beyond the town's edge, to so many times its distance from the centre."""


@dataclass(frozen=True, slots=True)
class Street:
    """A named line; `kind` is high_street, main, side, promenade, path or pier; points are about 10 m apart."""

    name: str
    kind: str
    points: Points

    @property
    def length_m(self) -> float:
        """Its length in metres."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())


@dataclass(frozen=True, slots=True)
class _Grid:
    """The plan before it is bent.

    Attributes:
        columns: eastings of streets that run north and south; one of them is 0.
        rows: northings of streets that run east and west; one of them is 0.
        ring: half width and half height of the ring road.
        phases: what makes the bends, radians, shape (4,).
    """

    columns: Points
    rows: Points
    ring: tuple[float, float]
    phases: NDArray[np.float64]

    def bend(self, plan: Points) -> Points:
        """Turn the drawing board's straight lines into streets that grew; the centre stays."""
        east, north = plan[:, 0], plan[:, 1]
        a, b, c, d = self.phases
        # Nothing moves at the market square, so that the high street meets it.
        away = np.tanh(np.hypot(east, north) / 150)
        moved_east = east + away * (38 * np.sin(north / 310 + a) + 16 * np.sin(east / 190 + b))
        moved_north = north + away * (42 * np.sin(east / 360 + c) + 16 * np.sin(north / 210 + d))
        return np.column_stack([moved_east, moved_north])


def make_streets(seed: int, terrain: Terrain) -> tuple[Street, ...]:
    """Lay out all streets and paths of a town, main ones first."""
    rng = stream(seed, "streets")
    grid = _make_grid(rng, terrain)
    main_names, side_names = words.main_road_names(rng), words.street_names(rng)
    main = [
        *_centre_roads(grid, terrain, main_names),
        *_ring_road(grid, terrain),
        *_diagonals(grid, terrain, main_names),
        *_shore(terrain),
    ]
    side = list(_side_streets(rng, grid, terrain, side_names))
    return (*main, *side, *_park_paths(terrain))


def _make_grid(rng: np.random.Generator, terrain: Terrain) -> _Grid:
    columns = _spaced(rng, 95, 150, terrain.radius_m * 1.15)
    rows = _spaced(rng, 68, 110, terrain.radius_m * 1.05)
    half = terrain.radius_m
    ring = (
        float(columns[np.argmin(np.abs(columns - 0.44 * half))]),
        float(rows[np.argmin(np.abs(rows - 0.36 * half))]),
    )
    return _Grid(columns, rows, ring, rng.uniform(0, 2 * np.pi, 4))


def _spaced(rng: np.random.Generator, least: float, most: float, end: float) -> Points:
    count = int(end / least) + 1
    right = np.cumsum(rng.uniform(least, most, count))
    left = -np.cumsum(rng.uniform(least, most, count))
    both = np.concatenate([left[::-1], [0.0], right])
    return np.asarray(both[np.abs(both) < end])


def _line(start: tuple[float, float], end: tuple[float, float]) -> Points:
    count = max(2, round(float(np.hypot(end[0] - start[0], end[1] - start[1])) / STEP_M) + 1)
    return np.column_stack([np.linspace(start[0], end[0], count), np.linspace(start[1], end[1], count)])


def _runs(points: Points, allowed: NDArray[np.bool_]) -> Iterator[Points]:
    """Cut a line into the pieces where it is allowed, leaving out stumps."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], allowed, [False]]).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if (end - start) * STEP_M >= SHORTEST_M:
            yield points[start:end]


def _buildable(terrain: Terrain, points: Points, *, bridge: bool) -> NDArray[np.bool_]:
    """Say where a street may run; roads with bridges also cross parks and lead out of town."""
    ashore = points[:, 0] > terrain.coast_m(points[:, 1]) + SHORE_M
    if bridge:
        return np.asarray(ashore & terrain.in_town(points / BEYOND))
    open_ground = terrain.dry(points, SHORE_M) & ~terrain.in_park(points, PARK_MARGIN_M)
    return np.asarray(open_ground & terrain.in_town(points))


def _centre_roads(grid: _Grid, terrain: Terrain, names: Iterator[str]) -> Iterator[Street]:
    """Draw the two roads that cross at the market square; within the ring they are the shopping streets."""
    width, height = grid.ring
    far = 1.4 * terrain.radius_m
    parts = (
        ("High Street", "high_street", (-far, 0.0), (width, 0.0)),
        (next(names), "main", (width, 0.0), (far, 0.0)),
        ("Market Street", "high_street", (0.0, -0.55 * height), (0.0, 0.55 * height)),
        ("Bridge Street", "main", (0.0, -0.55 * height), (0.0, -height)),
        ("Church Street", "main", (0.0, 0.55 * height), (0.0, height)),
        (next(names), "main", (0.0, height), (0.0, far)),
        (next(names), "main", (0.0, -height), (0.0, -far)),
    )
    for name, kind, start, end in parts:
        points = grid.bend(_line(start, end))
        yield from (Street(name, kind, run) for run in _runs(points, _buildable(terrain, points, bridge=True)))


def _ring_road(grid: _Grid, terrain: Terrain) -> Iterator[Street]:
    angle = np.linspace(0, 2 * np.pi, 400)
    # A superellipse: a rectangle of grid lines with round corners.
    east = grid.ring[0] * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.35
    north = grid.ring[1] * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.35
    points = grid.bend(_evenly(np.column_stack([east, north])))
    yield from (Street("Ringway", "main", run) for run in _runs(points, _buildable(terrain, points, bridge=True)))


def _evenly(points: Points) -> Points:
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    places = np.linspace(0, along[-1], round(along[-1] / STEP_M) + 1)
    return np.column_stack([np.interp(places, along, points[:, axis]) for axis in (0, 1)])


def _diagonals(grid: _Grid, terrain: Terrain, names: Iterator[str]) -> Iterator[Street]:
    width, height = 0.88 * grid.ring[0], 0.88 * grid.ring[1]
    for east, north in ((1, 1), (1, -1), (-1, 1)):
        points = grid.bend(_line((east * width, north * height), (east * (width + 900), north * (height + 750))))
        name = next(names)
        for run in _runs(points, _buildable(terrain, points, bridge=True)):
            yield Street(name, "main", run)


def _shore(terrain: Terrain) -> Iterator[Street]:
    north = np.arange(-terrain.radius_m, terrain.radius_m, STEP_M)
    points = np.column_stack([terrain.coast_m(north) + 0.75 * SHORE_M, north])
    yield from (Street("Marine Parade", "promenade", run) for run in _runs(points, terrain.in_town(points)))
    start = float(terrain.coast_m(np.array([0.0]))[0])
    yield Street("The Pier", "pier", _line((start, 0.0), (start - 220.0, 8.0)))


def _side_streets(rng: np.random.Generator, grid: _Grid, terrain: Terrain, names: Iterator[str]) -> Iterator[Street]:
    far = 1.2 * terrain.radius_m
    plans = [(_line((column, -far), (column, far)), 1) for column in grid.columns[grid.columns != 0]]
    plans += [(_line((-far, row), (far, row)), 0) for row in grid.rows[grid.rows != 0]]
    for plan, axis in plans:
        points = grid.bend(plan)
        allowed = _buildable(terrain, points, bridge=False) & _open_blocks(rng, grid, plan, axis)
        for run in _runs(points, allowed):
            ends = np.linspace(0, len(run) - 1, max(1, round(len(run) * STEP_M / LONGEST_NAME_M)) + 1).astype(int)
            for first, last in itertools.pairwise(ends):
                yield Street(next(names), "side", run[first : last + 1])


def _open_blocks(rng: np.random.Generator, grid: _Grid, plan: Points, axis: int) -> NDArray[np.bool_]:
    """Leave some blocks out of a line of the grid, for not every street goes through, and what the ring road covers."""
    crossings = (grid.columns, grid.rows)[axis]
    left_out = rng.random(len(crossings) + 1) < DEAD_END_SHARE
    on_ring = np.abs(np.abs(plan[:, 1 - axis]) - grid.ring[1 - axis]) < 1
    within_ring = np.abs(plan[:, axis]) < 0.97 * grid.ring[axis]
    return np.asarray(~left_out[np.searchsorted(crossings, plan[:, axis])] & ~(on_ring & within_ring))


def _park_paths(terrain: Terrain) -> Iterator[Street]:
    for area, park in zip((a for a in terrain.areas() if a.kind == "park"), terrain.parks, strict=True):
        loop = _evenly(terrain.park_ring(park, 0.68))
        yield Street(area.name, "path", loop)
        ring = terrain.park_ring(park)
        for start in (3, 14):
            entry, leaving = ring[start], ring[start + 20]
            bent = _line((entry[0], entry[1]), (leaving[0], leaving[1]))
            sway = np.sin(np.linspace(0, 2 * np.pi, len(bent))) * 12
            yield Street(area.name, "path", bent + np.column_stack([sway, -sway]))
