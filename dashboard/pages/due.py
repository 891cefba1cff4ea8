"""The due list for the morning: every bin that is due with its reason, to sort, to print, to take away as CSV."""

from typing import Any

import dash_ag_grid as dag
from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import map as bins_map
from dashboard.accounts.sessions import Window
from dashboard.pages.parts import Site, beat, due_row, grid_theme, in_browser, tick
from dashboard.town import Town, most_urgent_first
from dashboard.words import CLASSES, REASONS, clock, percent

COLUMNS: list[dict[str, Any]] = [
    {"field": "urgency", "headerName": "Urgency", "width": 108, "cellRenderer": "Urgency"},
    {"field": "priority", "headerName": "Priority", "width": 84},
    {"field": "name", "headerName": "Bin", "minWidth": 140, "flex": 2, "cellRenderer": "BinLink", "autoHeight": True},
    {"field": "location", "headerName": "Where", "minWidth": 140, "flex": 2, "autoHeight": True},
    {"field": "why", "headerName": "Reason", "width": 118, "autoHeight": True},
    {"field": "level", "headerName": "Level", "width": 140, "cellRenderer": "Level"},
    {"field": "since", "headerName": "Since", "width": 112, "sortable": False, "autoHeight": True},
    {"field": "stream", "headerName": "Stream", "width": 100, "autoHeight": True},
    {"field": "depot", "headerName": "Depot", "width": 84},
    {"field": "explanation", "headerName": "In words", "minWidth": 220, "flex": 4, "autoHeight": True},
    {"field": "ref", "headerName": "Number", "width": 100},
]
# A phone has room for what a driver asks first; the bin's own page has the rest.
NARROW_PX = 700
NARROW_COLUMNS: list[dict[str, Any]] = [
    {"field": "name", "headerName": "Bin", "minWidth": 100, "flex": 1, "cellRenderer": "BinLink", "autoHeight": True},
    {"field": "why", "headerName": "Reason", "width": 108, "cellRenderer": "Why", "autoHeight": True},
    {"field": "level", "headerName": "Level", "width": 66, "cellRenderer": "Level"},
    {"field": "since", "headerName": "Since", "width": 80, "sortable": False, "autoHeight": True},
]


async def layout(site: Site, window: Window) -> Component:
    """Lay out the list as it is now, with as many columns as the window has room for."""
    town = await site.towns.now()
    grid = dag.AgGrid(
        id="due-grid",
        rowData=_rows(town, site),
        columnDefs=NARROW_COLUMNS if window.width_px < NARROW_PX else COLUMNS,
        defaultColDef={
            "filter": True,
            "sortable": True,
            "resizable": True,
            "suppressHeaderFilterButton": True,
            "wrapText": True,
        },
        getRowId="params.data.ref",
        dashGridOptions={
            "theme": grid_theme(),
            "animateRows": False,
            "localeText": {"noRowsToShow": "No bin is due."},
        },
        className="due-grid screen-only",
        style={"height": "100%", "width": "100%"},
    )
    return html.Div(
        [
            tick("due"),
            dcc.Store(id="due-key", data=bins_map.state_key(town.places)),
            html.Div(
                [
                    html.Div([html.H1("Due list"), html.P(_summary(town, site), id="due-summary", role="status")]),
                    html.Div(
                        [
                            html.A("Save as CSV", href="/due.csv", className="button button-plain", download="due.csv"),
                            html.Button("Print", id="due-print", className="button"),
                        ],
                        className="actions screen-only",
                    ),
                ],
                className="page-head",
            ),
            html.Div(grid, className="grid-box screen-only"),
            html.Div(_print_table(town, site), id="due-print-table", className="print-only"),
        ],
        className="page due-page",
    )


def register(app: Dash, site: Site) -> None:
    """Make the page live."""

    @app.callback(
        Output("due-grid", "rowData"),
        Output("due-summary", "children"),
        Output("due-print-table", "children"),
        Output("due-key", "data"),
        Output("site-beat", "data", allow_duplicate=True),
        Input("due-tick", "n_intervals"),
        State("due-key", "data"),
        prevent_initial_call=True,
    )
    async def refresh(_: int, known: str) -> list[Any]:
        town = await site.towns.now()
        key = bins_map.state_key(town.places)
        news = await beat(site)
        if key == known:
            return [*[no_update] * 4, news]
        return [_rows(town, site), _summary(town, site), _print_table(town, site), key, news]

    in_browser(
        app,
        "site",
        "print",
        Output("due-print", "title"),
        Input("due-print", "n_clicks"),
        prevent_initial_call=True,
    )


def _rows(town: Town, site: Site) -> list[dict[str, Any]]:
    now = site.now()
    return [due_row(place, now) for place in most_urgent_first(list(town.places))]


def _summary(town: Town, site: Site) -> str:
    must, may = town.counts["must_go"], town.counts["may_go"]
    now = site.now()
    return f"{must:,} bins must go, {may:,} may go. {now:%A} {now.day} {now:%B %Y, %H:%M}."


def _print_table(town: Town, site: Site) -> Component:
    now = site.now()
    head = html.Tr(
        [
            html.Th(word, scope="col")
            for word in ("Done", "Urgency", "Bin", "Where", "Reason", "Level", "Since", "Depot")
        ]
    )
    rows = [
        html.Tr(
            [
                html.Td("☐"),
                html.Td(CLASSES[place.due_class or "may_go"]),
                html.Td(f"{place.name} ({place.ref})"),
                html.Td(place.location),
                html.Td(REASONS[place.reason]),
                html.Td(percent(place.fill_level)),
                html.Td(clock(place.due_since, now)),
                html.Td(place.depot or ""),
            ]
        )
        for place in most_urgent_first(list(town.places))
    ]
    return html.Table([html.Thead(head), html.Tbody(rows)])
