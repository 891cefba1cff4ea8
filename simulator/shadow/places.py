"""Where bins and depots are, and what the council wants of a bin, from the tables that the registry reads."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simulator.evaluate.columns import FileError, read_rows

THRESHOLD, MAX_AGE_DAYS = 0.8, 7.0


@dataclass(frozen=True, slots=True)
class Place:
    """A bin.

    Attributes:
        longitude: degrees; NaN where its position is not known.
        latitude: degrees; NaN where its position is not known.
        depot: that serves it; empty where the file names none.
        threshold: level 0..1 from which it is due.
        max_age_days: days after an emptying from which it is due.
    """

    longitude: float
    latitude: float
    depot: str
    threshold: float = THRESHOLD
    max_age_days: float = MAX_AGE_DAYS

    @property
    def located(self) -> bool:
        """Whether its position is known."""
        return math.isfinite(self.longitude) and math.isfinite(self.latitude)


def read_places(path: Path) -> dict[str, Place]:
    """Read bins: the columns ref, longitude and latitude, and maybe depot, threshold and max_age_days.

    Raises:
        FileError: it cannot be used.
    """
    places: dict[str, Place] = {}
    for rows in read_rows(path, ("ref", "longitude", "latitude"), ("depot", "threshold", "max_age_days")):
        cells = zip(
            rows.lines,
            rows.texts["ref"],
            rows.texts["longitude"],
            rows.texts["latitude"],
            rows.column("depot"),
            rows.column("threshold"),
            rows.column("max_age_days"),
            strict=True,
        )
        for line, ref, longitude, latitude, depot, threshold, max_age in cells:
            where = f"{path}, line {line}"
            if not ref:
                raise FileError(f"{where}: a bin without ref.")
            places[ref] = Place(
                _number(longitude, math.nan, (-180, 180), f"{where}: longitude"),
                _number(latitude, math.nan, (-90, 90), f"{where}: latitude"),
                depot,
                _number(threshold, THRESHOLD, (0.05, 1), f"{where}: threshold"),
                _number(max_age, MAX_AGE_DAYS, (0.1, 366), f"{where}: max_age_days"),
            )
    return places


def depots_of(path: Path | None, places: Mapping[str, Place]) -> dict[str, Place]:
    """Give the depots by name: from a file with ref, longitude and latitude, else each amid its bins.

    Raises:
        FileError: the file cannot be used, or does not place a depot that a bin names.
    """
    known = {} if path is None else read_places(path)
    found: dict[str, Place] = {}
    for name in sorted({place.depot for place in places.values()}):
        mine = [place for place in places.values() if place.depot == name and place.located]
        if name in known and known[name].located:
            found[name] = known[name]
        elif path is not None:
            raise FileError(f"{path} does not say where the depot '{name}' is.")
        elif mine:
            longitude, latitude = (
                sum(getattr(place, axis) for place in mine) / len(mine) for axis in ("longitude", "latitude")
            )
            found[name] = Place(longitude, latitude, name)
    return found


def _number(text: str, absent: float, bounds: tuple[float, float], what: str) -> float:
    if not text:
        return absent
    try:
        number = float(text)
    except ValueError:
        raise FileError(f"{what} is not a number: '{text[:40]}'.") from None
    if not bounds[0] <= number <= bounds[1]:
        raise FileError(f"{what} is {number:g}; it has to be {bounds[0]:g} to {bounds[1]:g}.")
    return number
