"""The due list, and what the use of bins advises, as files for spreadsheets."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from io import StringIO

from fastapi import APIRouter, Response

from dashboard.api.places import place_item
from dashboard.pages.parts import Site
from dashboard.town import most_urgent_first

COLUMNS = (
    "ref", "name", "location", "depot", "stream", "longitude", "latitude", "fill_level", "reason", "due_class",
    "priority", "due_since", "explanation",
)  # fmt: skip
PLACE_COLUMNS = (
    "ref", "name", "location", "area", "depot", "stream", "longitude", "latitude", "capacity_l", "advice", "every_days",
    "explanation", "litres", "known_h", "full_h", "days", "emptyings", "mean_fill", "max_fill", "found_full",
)  # fmt: skip
ADVICE_DAYS = 28
# A spreadsheet takes a text that starts so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def make_export_router(site: Site) -> APIRouter:
    """Make the routes `/due.csv` and `/places.csv`, for whoever is signed in."""
    router = APIRouter(include_in_schema=False)

    @router.get("/due.csv")
    async def due_csv() -> Response:
        town = await site.towns.now()
        rows = [asdict(place) for place in most_urgent_first(list(town.places))]
        return _file(f"due-{site.now():%Y-%m-%d}.csv", to_csv(COLUMNS, rows))

    @router.get("/places.csv")
    async def places_csv() -> Response:
        rows = [place_item(one) for one in await site.uses.advised(ADVICE_DAYS)]
        return _file(f"places-{site.now():%Y-%m-%d}.csv", to_csv(PLACE_COLUMNS, rows))

    return router


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Write rows as CSV, one a line, with the API's names and units."""
    file = StringIO()
    table = csv.writer(file)
    table.writerow(columns)
    for row in rows:
        table.writerow([_harmless(row[column]) for column in columns])
    return file.getvalue()


def _file(name: str, text: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
