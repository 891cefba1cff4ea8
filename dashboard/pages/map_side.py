"""What stands around the map: counts, filters, the list of due bins, and the bin that was chosen."""

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.pages.parts import Site, aria, due_row, facts, grid_theme, level_bar, reason_chip
from dashboard.rows import Bin, Place
from dashboard.town import KINDS, Choice, Town, most_urgent_first
from dashboard.words import NOTHING, REASONS, SENSORS, STREAMS, ago, clock

TILES = {
    "must_go": "Must go",
    "may_go": "May go",
    "unknown": "Silent or unsure",
    "fine": "Fine",
    "bare": "No sensor",
}
HINTS = {
    "unknown": "Show only bins whose sensor is silent or sends what cannot be believed; those due count there too",
}
# Beside the due ones a search finds the others too, but nobody reads more than this.
MOST_FOUND = 200


def tiles(town: Town) -> Component:
    """Count bins by state; pressing one shows only these."""
    return html.Div(
        [
            html.Button(
                [
                    html.Span(className=f"tile-mark mark-{kind}"),
                    html.Span(count, id=f"map-count-{kind}", className="tile-count"),
                    html.Span(TILES[kind], className="tile-label"),
                ],
                id=f"map-tile-{kind}",
                className=f"tile tile-{kind}",
                title=HINTS.get(kind, f"Show only: {TILES[kind].lower()}"),
                **aria(pressed="false"),
            )
            for kind, count in zip(KINDS, counts(town), strict=True)
        ],
        className="tiles",
        role="group",
        **aria(label="Bins by state; press one to see only these"),
    )


def controls() -> Component:
    """Move the map without a mouse or finger on it."""
    buttons = (("map-zoom-in", "+", "Zoom in"), ("map-zoom-out", "−", "Zoom out"), ("map-fit", "⤢", "Show all bins"))  # noqa: RUF001 - a minus sign is wanted
    return html.Div(
        [
            *[html.Button(sign, id=name, title=words, **aria(label=words)) for name, sign, words in buttons],
        ],
        className="map-controls",
    )


def legend() -> Component:
    """Say what the marks mean."""
    return html.Div(
        [
            html.Div([html.Span("93", className="mark-must_go"), "Must go"]),
            html.Div([html.Span("", className="mark-may_go"), "May go"]),
            html.Div([html.Span("", className="mark-fine"), "Fine; stronger is fuller"]),
            html.Div([html.Span("?", className="mark-must_go"), "Due, sensor trouble"]),
            html.Div([html.Span("", className="mark-unknown"), "Level not known"]),
        ],
        className="legend",
        **aria(hidden="true"),
    )


def filters(town: Town) -> Component:
    """Narrow down what map and list show."""
    depots = sorted({place.depot for place in town.places if place.depot})
    streams = sorted({place.stream for place in town.places})
    find = dmc.TextInput(
        id="map-words", placeholder="Find a bin: street, place or number", debounce=250,
        **aria(label="Find a bin"),
    )  # fmt: skip
    reasons = dmc.ChipGroup(
        [dmc.Chip(REASONS[reason], value=reason, size="xs", variant="outline") for reason in _due_reasons(town.places)],
        id="map-reasons",
        multiple=True,
        value=[],
    )
    stream = dmc.Select(
        id="map-stream", placeholder="All streams", clearable=True, size="xs",
        data=[{"value": name, "label": STREAMS.get(name, name)} for name in streams], **aria(label="Stream"),
    )  # fmt: skip
    depot = dmc.Select(
        id="map-depot", placeholder="All depots", clearable=True, size="xs", data=depots, **aria(label="Depot")
    )
    return html.Div(
        [
            find,
            html.Div(reasons, className="reasons", role="group", **aria(label="Reasons")),
            html.Div([stream, depot], className="selects"),
        ],
        className="filters",
    )


def _due_reasons(places: Sequence[Place]) -> list[str]:
    # Forecasts appear among the filters once there are any.
    present = {place.reason for place in places}
    return [reason for reason in REASONS if reason != "NOT_READY" and (reason != "FORECAST" or reason in present)]


def due_list(town: Town, choice: Choice, site: Site) -> Component:
    """List the due bins beside the map."""
    heading = html.Div(
        [
            html.H2("Due now"),
            html.Span(summary(town, choice), id="map-summary", role="status", className="summary"),
        ],
        className="list-head",
    )
    grid = dag.AgGrid(
        id="map-list",
        rowData=rows(town, choice, site),
        columnDefs=[{"field": "ref", "headerName": "Bin", "flex": 1, "cellRenderer": "DueBin"}],
        getRowId="params.data.ref",
        dashGridOptions={
            "theme": grid_theme(),
            "headerHeight": 0,
            "rowHeight": 132,
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "suppressCellFocus": False,
            "animateRows": False,
            "localeText": {"noRowsToShow": "No bin is due."},
        },
        className="due-list",
        style={"height": "100%", "width": "100%"},
    )
    return html.Section([heading, html.Div(grid, className="list-body")], className="list", **aria(label="Due bins"))


def rows(town: Town, choice: Choice, site: Site) -> list[dict[str, Any]]:
    """List the due bins that fit, most urgent first; a search lists fitting others after them."""
    now = site.now()
    places = choice.pick(town)
    rows = [due_row(place, now) for place in most_urgent_first(places)]
    if choice.words or choice.kind in {"fine", "unknown", "bare"}:
        others = [place for place in places if not place.due_class][:MOST_FOUND]
        rows += [due_row(place, now) for place in others]
    return rows


def counts(town: Town) -> list[str]:
    """Count the bins of each kind, in words."""
    return [f"{town.counts[kind]:,}" for kind in KINDS]


def summary(town: Town, choice: Choice) -> str:
    """Say in one line how much is due."""
    due = sum(1 for place in choice.pick(town) if place.due_class)
    everything = town.counts["must_go"] + town.counts["may_go"]
    if choice == Choice():
        return f"{due:,} of {len(town.places):,} bins are due"
    return f"{due:,} of {everything:,} due bins fit"


def panel(row: Bin, site: Site) -> Component:
    """Show the chosen bin."""
    now = site.now()
    return html.Section(
        [
            html.Div(
                [
                    html.H2(row.name),
                    html.Button("✕", id={"type": "map-close", "ref": row.ref}, className="icon-button", title="Close"),
                ],
                className="panel-head",
            ),
            html.P([row.location or NOTHING, html.Span(row.ref, className="ref")], className="panel-place"),
            html.Div([reason_chip(row.reason, row.due_class), level_bar(row.fill_level, row.threshold)]),
            html.P(row.explanation, className="explanation"),
            facts(
                [
                    ("Measured", ago(row.measured_at, now)),
                    ("Sensor", SENSORS[row.sensor]),
                    ("Last emptied", clock(row.last_emptied_at, now)),
                    ("Stream", STREAMS.get(row.stream, row.stream)),
                ]
            ),
            dcc.Link("History and details", href=f"/bins/{row.ref}", className="button"),
        ],
        className="panel",
        **aria(live="polite", label=f"Bin {row.ref}"),
    )
