"""The columns of a bin in files: their names, what councils call them, and what they may hold."""

from collections.abc import Mapping

from ingest.registry import cells
from ingest.registry.cells import Reader
from ingest.registry.grid import EAST, NORTH, from_grid, to_grid
from ingest.registry.moments import read_moment

# In the order of an export. `depot` and `area` are references. Eastings and northings are not stored.
COLUMNS = (
    "ref",
    "name",
    "location",
    "depot",
    "stream",
    "model",
    "capacity_l",
    "longitude",
    "latitude",
    "position_source",
    "position_licence",
    "threshold",
    "max_age_days",
    "service_time_s",
    "out_of_service_until",
    "area",
    "uprn",
    "usrn",
    "open_data",
)
GRID = ("eastings", "northings")
# What councils call these columns.
ALIASES = {
    **{name: name for name in (*COLUMNS, *GRID)},
    "bin_ref": "ref",
    "street": "name",
    "street_name": "name",
    "type": "model",
    "bin_type": "model",
    "capacity": "capacity_l",
    "lat": "latitude",
    "lon": "longitude",
    "lng": "longitude",
    "long": "longitude",
    "licence": "position_licence",
    "ward": "area",
    "easting": "eastings",
    "northing": "northings",
}
STREAMS = ("general", "recycling", "paper", "glass", "organic", "bottles_cans")
# Metres of the grid to this many places of a degree are a millimetre, so that they come back as they were.
GRID_PLACES = 8
# A file may give both positions. Ours of the grid is right to 5 m; further apart they mean two places.
SAME_PLACE_M = 20.0

# A bin's own rules, and those of `rules`: how full it may be, 0..1, and how long it may stay.
THRESHOLD = cells.number(0.05, 1, single=True)
MAX_AGE_DAYS = cells.number(0.1, 366, single=True)

Values = dict[str, object]

MAY_BE_EMPTY = frozenset(
    {
        "location",
        "depot",
        "model",
        "position_source",
        "position_licence",
        "threshold",
        "max_age_days",
        "out_of_service_until",
        "area",
        "uprn",
        "usrn",
    }
)


def readers(time_zone: str) -> Mapping[str, Reader]:
    """Give the reader of each column; `time_zone` is that of times without an offset."""
    return {
        "ref": cells.reference,
        "name": cells.text(200),
        "location": cells.text(500),
        "depot": cells.or_none(cells.reference),
        "stream": cells.one_of(STREAMS),
        "model": cells.text(200),
        "capacity_l": cells.number(1, 20_000, single=True),
        "longitude": cells.number(-180, 180),
        "latitude": cells.number(-90, 90),
        "position_source": cells.text(200),
        "position_licence": cells.text(200),
        "threshold": cells.or_none(THRESHOLD),
        "max_age_days": cells.or_none(MAX_AGE_DAYS),
        "service_time_s": cells.whole(0, 7200),
        "out_of_service_until": cells.or_none(lambda _, cell: read_moment(cell, time_zone)),
        "area": cells.or_none(cells.reference),
        "uprn": cells.or_none(cells.digits(12)),
        "usrn": cells.or_none(cells.digits(8)),
        "open_data": cells.yes_or_no,
        "eastings": cells.number(*EAST),
        "northings": cells.number(*NORTH),
    }


def settle_position(values: Values) -> tuple[float, float]:
    """Put longitude and latitude in place of whatever a row says of its position, and give them.

    Raises:
        ValueError: it says too little, or two different places.
    """
    metres = _pair(values, GRID)
    for name in GRID:
        values.pop(name, None)
    degrees = _pair(values, ("longitude", "latitude"))
    if degrees is None:
        if metres is None:
            raise ValueError("it has no longitude and latitude")
        longitude, latitude = from_grid(*metres)
        degrees = round(longitude, GRID_PLACES), round(latitude, GRID_PLACES)
        values["longitude"], values["latitude"] = degrees
    elif metres is not None:
        _require_same_place(degrees, metres)
    return degrees


def grid_columns(longitude: object, latitude: object) -> Values:
    """Give eastings and northings of a bin, to the centimetre; None outside the grid."""
    found = to_grid(longitude, latitude) if isinstance(longitude, float) and isinstance(latitude, float) else None
    return dict(zip(GRID, (None, None) if found is None else (round(found[0], 2), round(found[1], 2)), strict=True))


def _pair(values: Values, names: tuple[str, str]) -> tuple[float, float] | None:
    first, second = (values.get(name) for name in names)
    if isinstance(first, float) and isinstance(second, float):
        return first, second
    if first is None and second is None:
        return None
    missing, present = names if first is None else names[::-1]
    raise ValueError(f"it has no {missing}, only {present}")


def _require_same_place(degrees: tuple[float, float], metres: tuple[float, float]) -> None:
    found = to_grid(*degrees)
    apart = None if found is None else max(abs(found[0] - metres[0]), abs(found[1] - metres[1]))
    if apart is None or apart > SAME_PLACE_M:
        far = "" if apart is None else f", {apart:.0f} m apart"
        raise ValueError(f"its degrees and its eastings and northings are two places{far}; leave one pair out")
