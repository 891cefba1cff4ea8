"""How far a vehicle drives for a day's list: one tour from the depot and back, found by PyVRP."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.levels.readings import Floats
from simulator.evaluate.columns import FileError, read_rows
from simulator.shadow.places import Place

EARTH_RADIUS_M = 6_371_000.0
# PyVRP improves a tour so often: for 100 stops that is 30 ms, and within a percent of what it finds in ten times that.
ITERATIONS_LEAST, ITERATIONS_A_STOP = 100, 1
SEED = 1


class Roads:
    """Distances between places, and tours; the same stops always give the same tour.

    Args:
        bins: by ref; only located ones.
        depots: by ref.
        factor: how much longer a road is than the straight line.
        metres: known distances from one ref to another, in place of the straight line; None for none.
    """

    def __init__(
        self,
        bins: Mapping[str, Place],
        depots: Mapping[str, Place],
        factor: float,
        metres: Mapping[tuple[str, str], float] | None = None,
    ) -> None:
        self._bins, self._depots = bins, depots
        self._factor = factor
        self._metres = metres
        self._known: dict[tuple[str, ...], float] = {}

    def service_km(self, refs: Sequence[str], visits: Sequence[Floats], zone: ZoneInfo) -> float:
        """Say how far all visits are: the n-th visits of a day make that depot's n-th tour of the day.

        Args:
            refs: of the bins; visits of one that is not located cost nothing.
            visits: of each, hours since 1970, UTC, ascending.
            zone: where days begin.
        """
        tours: dict[tuple[date, int, str], list[str]] = {}
        for ref, hours in zip(refs, visits, strict=True):
            if ref in self._bins:
                days = Counter[date]()
                for hour in hours.tolist():
                    day = datetime.fromtimestamp(hour * 3600, zone).date()
                    tours.setdefault((day, days[day], self._bins[ref].depot), []).append(ref)
                    days[day] += 1
        return sum(self.tour_km(depot, stops) for (_, _, depot), stops in tours.items())

    def tour_km(self, depot: str, stops: Collection[str]) -> float:
        """Say how long the tour through some stops is; 0 without stops."""
        if not stops:
            return 0.0
        names = (depot, *sorted(stops))
        if names not in self._known:
            self._known[names] = _tour_m(self._distances_m(names)) / 1000
        return self._known[names]

    def _distances_m(self, names: tuple[str, ...]) -> Floats:
        if self._metres is not None:
            return np.array([[self._given_m(one, other) for other in names] for one in names])
        places = [self._depots[names[0]], *(self._bins[name] for name in names[1:])]
        latitude = np.radians([place.latitude for place in places])
        longitude = np.radians([place.longitude for place in places])
        # A town is small: on its scale the Earth is flat.
        north = (latitude[:, None] - latitude) * EARTH_RADIUS_M
        east = (longitude[:, None] - longitude) * EARTH_RADIUS_M * math.cos(float(latitude.mean()))
        straight: Floats = np.hypot(north, east) * self._factor
        return straight

    def _given_m(self, one: str, other: str) -> float:
        if one == other:
            return 0.0
        known = self._metres or {}
        for pair in ((one, other), (other, one)):
            if pair in known:
                return known[pair]
        first, second = (f"'{name}'" if name else "the depot, which has no reference," for name in (one, other))
        raise FileError(f"The matrix has no distance from {first} to {second}; --bins names each bin's depot.")


def read_matrix(path: Path) -> dict[tuple[str, str], float]:
    """Read distances: the columns from, to and metres, with refs of bins and depots; one direction is enough.

    Raises:
        FileError: it cannot be used.
    """
    metres: dict[tuple[str, str], float] = {}
    for rows in read_rows(path, ("from", "to", "metres")):
        for line, one, other, text in zip(
            rows.lines, rows.texts["from"], rows.texts["to"], rows.texts["metres"], strict=True
        ):
            try:
                distance = float(text)
            except ValueError:
                raise FileError(f"{path}, line {line}: metres is not a number: '{text[:40]}'.") from None
            if not 0 <= distance < math.inf:
                raise FileError(f"{path}, line {line}: metres is {distance:g}.")
            metres[one, other] = distance
    return metres


def _tour_m(distances_m: Floats) -> float:
    """Find a short tour from the first place through all others and back."""
    from pyvrp import Client, Depot, Location, ProblemData, VehicleType, solve  # noqa: PLC0415 - takes a second
    from pyvrp.stop import MaxIterations  # noqa: PLC0415

    count = len(distances_m)
    # Any, because PyVRP's own types say the wrong kind of array.
    whole: Any = np.round(distances_m).astype(np.int64)
    problem = ProblemData(
        # PyVRP looks at distances only; where places lie does not matter to it.
        [Location(0, 0) for _ in range(count)],
        [Client(place) for place in range(1, count)],
        [Depot(0)],
        [VehicleType(1)],
        [whole],
        [np.zeros_like(whole)],
    )
    often = max(ITERATIONS_LEAST, ITERATIONS_A_STOP * count)
    found = solve(problem, MaxIterations(often), seed=SEED, collect_stats=False, display=False)
    return float(found.best.distance())
