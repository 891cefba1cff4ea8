"""The due list as a file for spreadsheets."""

import csv
from io import StringIO

from fastapi import APIRouter, Response

from dashboard.pages.parts import Site
from dashboard.rows import Place
from dashboard.town import most_urgent_first

COLUMNS = (
    "ref", "name", "location", "depot", "stream", "longitude", "latitude", "fill_level", "reason", "due_class",
    "priority", "due_since", "explanation",
)  # fmt: skip
# A spreadsheet takes a text that starts so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def make_export_router(site: Site) -> APIRouter:
    """Make the route `/due.csv`, for whoever is signed in."""
    router = APIRouter(include_in_schema=False)

    @router.get("/due.csv")
    async def due_csv() -> Response:
        town = await site.towns.now()
        text = to_csv(most_urgent_first(list(town.places)))
        name = f"due-{site.now():%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    return router


def to_csv(places: list[Place]) -> str:
    """Write bins as CSV, one a line, with the API's names and units."""
    file = StringIO()
    table = csv.writer(file)
    table.writerow(COLUMNS)
    for place in places:
        table.writerow([_harmless(getattr(place, column)) for column in COLUMNS])
    return file.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
