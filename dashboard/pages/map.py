"""The map page: all bins, those that are due beside them, and the one that was chosen."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, Patch, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import map as bins_map
from dashboard import queries
from dashboard.accounts.sessions import Window
from dashboard.colours import palette
from dashboard.pages.parts import Site, aria, beat, due_row, facts, grid_theme, in_browser, level_bar, reason_chip, tick
from dashboard.rows import Bin, Place
from dashboard.town import KINDS, Choice, Town, most_urgent_first
from dashboard.view import bounds_of
from dashboard.words import NOTHING, REASONS, SENSORS, STREAMS, ago, clock

TILES = {
    "must_go": "Must go",
    "may_go": "May go",
    "unknown": "Sensor silent",
    "fine": "Fine",
    "bare": "No sensor",
}
# Beside the due ones a search finds the others too, but nobody reads more than this.
MOST_FOUND = 200

# What `assets/brimwatch.css` leaves for the map.
NARROW_PX = 900
NARROW_SHARE = 0.52
BESIDE_PX = 420
ABOVE_PX = 120

_COUNTS = [Output(f"map-count-{kind}", "children") for kind in KINDS]
_CHOICE = [
    Input("map-kind", "data"),
    Input("map-reasons", "value"),
    Input("map-stream", "value"),
    Input("map-depot", "value"),
    Input("map-words", "value"),
]


async def layout(site: Site, window: Window) -> Component:
    """Lay the page out with the bins as they are now."""
    town = await site.towns.now()
    choice, colours = Choice(), palette(window.theme)
    traces = bins_map.traces(town.places, None, bins_map.size_for(len(town.places)), colours)
    layout = bins_map.layout(bounds_of(town.places), _box_px(window), site.basemap, colours)
    graph = dcc.Graph(
        id="map-graph",
        figure={"data": traces, "layout": layout},
        config={"displayModeBar": False, "scrollZoom": True, "responsive": True},
        className="map-graph",
        responsive=True,
    )
    return html.Div(
        [
            tick("map"),
            dcc.Store(id="map-keys", data=_keys(town, choice, window.theme)),
            dcc.Store(id="map-view"),
            dcc.Store(id="map-theme", data=window.theme),
            dcc.Store(id="map-kind", data=""),
            dcc.Store(id="map-chosen", data=None),
            html.H1("Bins on the map", className="visually-hidden"),
            _tiles(town),
            html.Section([graph, _controls(), _legend()], className="map-box", **aria(label="Map of bins")),
            html.Aside([_filters(town), html.Div(id="map-panel"), _list(town, choice, site)], className="due-box"),
        ],
        className="map-page",
    )


def register(app: Dash, site: Site) -> None:
    """Make the page live."""

    @app.callback(
        Output("map-graph", "figure"),
        Output("map-list", "rowData"),
        Output("map-summary", "children"),
        Output("map-keys", "data"),
        Output("site-beat", "data", allow_duplicate=True),
        *_COUNTS,
        Input("map-tick", "n_intervals"),
        *_CHOICE,
        Input("map-theme", "data"),
        State("map-keys", "data"),
        State("map-chosen", "data"),
        prevent_initial_call=True,
    )
    async def refresh(  # noqa: PLR0917 - Dash passes what it is asked for in order
        _: int,
        kind: str,
        reasons: list[str] | None,
        stream: str | None,
        depot: str | None,
        words: str | None,
        theme: str,
        known: dict[str, str],
        chosen: str | None,
    ) -> list[Any]:
        town = await site.towns.now()
        choice = Choice(kind or "", tuple(reasons or ()), stream or "", depot or "", words or "")
        keys = _keys(town, choice, theme)
        news = await beat(site)
        if keys == known:
            return [no_update, no_update, no_update, no_update, news, *[no_update] * len(KINDS)]
        figure = (
            _update(town, choice, theme)
            if keys["layout"] == known.get("layout")
            else _redraw(site, town, choice, chosen, theme)
        )
        rows = _rows(town, choice, site)
        return [figure, rows, _summary(town, choice), keys, news, *_counts(town)]

    @app.callback(
        Output("map-panel", "children"),
        Output("map-graph", "figure", allow_duplicate=True),
        Input("map-chosen", "data"),
        Input("map-keys", "data"),
        State("map-theme", "data"),
        State("map-panel", "children"),
        prevent_initial_call=True,
    )
    async def show_chosen(ref: str | None, _: dict[str, str], theme: str, shown: object) -> tuple[Any, Any]:
        if not ref and not shown:
            return no_update, no_update
        row = await queries.find_bin(site.pool, ref) if ref else None
        content: Any = panel(row, site) if row else []
        if ctx.triggered_id != "map-chosen":  # other news of the same bin: the map has them already
            return content, no_update
        town = await site.towns.now()
        place = _place(town, ref)
        patch = Patch()
        patch["data"][bins_map.CHOSEN] = bins_map.mark(place, bins_map.size_for(len(town.places)), palette(theme))
        return content, patch

    _register_clientside(app)


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


def _register_clientside(app: Dash) -> None:
    in_browser(
        app,
        "map",
        "toggleKind",
        Output("map-kind", "data"),
        *[Output(f"map-tile-{kind}", "aria-pressed") for kind in KINDS],
        *[Input(f"map-tile-{kind}", "n_clicks") for kind in KINDS],
        State("map-kind", "data"),
        prevent_initial_call=True,
    )
    in_browser(
        app,
        "map",
        "choose",
        Output("map-chosen", "data"),
        Input("map-graph", "clickData"),
        Input("map-list", "selectedRows"),
        Input({"type": "map-close", "ref": ALL}, "n_clicks"),
        State("map-chosen", "data"),
        prevent_initial_call=True,
    )
    in_browser(
        app,
        "map",
        "show",
        Output("map-graph", "figure", allow_duplicate=True),
        Input("map-view", "data"),
        State("map-graph", "figure"),
        prevent_initial_call=True,
    )
    in_browser(
        app,
        "map",
        "move",
        Output("map-graph", "className"),
        Input("map-zoom-in", "n_clicks"),
        Input("map-zoom-out", "n_clicks"),
        Input("map-fit", "n_clicks"),
        prevent_initial_call=True,
    )


def _keys(town: Town, choice: Choice, theme: str) -> dict[str, str]:
    places = choice.pick(town)
    # What the search adds to the list, and the counts, depend on all bins.
    return {
        "layout": f"{theme} {bins_map.layout_key(places)}",
        "state": f"{bins_map.state_key(town.places)} {choice}",
    }


def _redraw(site: Site, town: Town, choice: Choice, chosen: str | None, theme: str) -> Patch:
    """Draw all bins anew in the view that somebody has moved to."""
    colours, bounds = palette(theme), bounds_of(town.places)
    size = bins_map.size_for(len(town.places))
    patch = Patch()
    patch["data"] = bins_map.traces(choice.pick(town), _place(town, chosen), size, colours)
    for name, value in bins_map.look(colours).items():
        patch["layout"][name] = value
    patch["layout"]["map"]["style"] = site.basemap.style(colours, bounds)
    patch["layout"]["meta"] = asdict(bounds)
    return patch


def _update(town: Town, choice: Choice, theme: str) -> Patch:
    """Bring levels and due bins up to date, and nothing else."""
    places = choice.pick(town)
    patch = Patch()
    patch["data"][bins_map.KNOWN]["marker"]["color"] = bins_map.levels(places)
    due = bins_map.due_traces(places, bins_map.size_for(len(town.places)), palette(theme))
    for number, trace in enumerate(due, start=bins_map.RING):
        patch["data"][number] = trace
    return patch


def _box_px(window: Window) -> tuple[float, float]:
    """Say how large the map's box will be in a window, as the style sheet lays it out."""
    if window.width_px <= NARROW_PX:
        return window.width_px, window.height_px * NARROW_SHARE
    return window.width_px - BESIDE_PX, window.height_px - ABOVE_PX


def _place(town: Town, ref: str | None) -> Place | None:
    return next((place for place in town.places if place.ref == ref), None) if ref else None


def _rows(town: Town, choice: Choice, site: Site) -> list[dict[str, Any]]:
    now = site.now()
    places = choice.pick(town)
    rows = [due_row(place, now) for place in most_urgent_first(places)]
    if choice.words or choice.kind in {"fine", "unknown", "bare"}:
        others = [place for place in places if not place.due_class][:MOST_FOUND]
        rows += [due_row(place, now) for place in others]
    return rows


def _counts(town: Town) -> list[str]:
    return [f"{town.counts[kind]:,}" for kind in KINDS]


def _summary(town: Town, choice: Choice) -> str:
    due = sum(1 for place in choice.pick(town) if place.due_class)
    everything = town.counts["must_go"] + town.counts["may_go"]
    if choice == Choice():
        return f"{due:,} of {len(town.places):,} bins are due"
    return f"{due:,} of {everything:,} due bins fit"


def _tiles(town: Town) -> Component:
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
                title=f"Show only: {TILES[kind].lower()}",
                **aria(pressed="false"),
            )
            for kind, count in zip(KINDS, _counts(town), strict=True)
        ],
        className="tiles",
        role="group",
        **aria(label="Bins by state; press one to see only these"),
    )


def _controls() -> Component:
    buttons = (("map-zoom-in", "+", "Zoom in"), ("map-zoom-out", "−", "Zoom out"), ("map-fit", "⤢", "Show all bins"))  # noqa: RUF001 - a minus sign is wanted
    return html.Div(
        [
            *[html.Button(sign, id=name, title=words, **aria(label=words)) for name, sign, words in buttons],
        ],
        className="map-controls",
    )


def _legend() -> Component:
    return html.Div(
        [
            html.Div([html.Span("93", className="mark-must_go"), "Must go"]),
            html.Div([html.Span("", className="mark-may_go"), "May go"]),
            html.Div([html.Span("", className="mark-fine"), "Fine; stronger is fuller"]),
            html.Div([html.Span("", className="mark-bare"), "Level not known"]),
        ],
        className="legend",
        **aria(hidden="true"),
    )


def _filters(town: Town) -> Component:
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


def _list(town: Town, choice: Choice, site: Site) -> Component:
    heading = html.Div(
        [
            html.H2("Due now"),
            html.Span(_summary(town, choice), id="map-summary", role="status", className="summary"),
        ],
        className="list-head",
    )
    grid = dag.AgGrid(
        id="map-list",
        rowData=_rows(town, choice, site),
        columnDefs=[{"field": "ref", "headerName": "Bin", "flex": 1, "cellRenderer": "DueBin"}],
        getRowId="params.data.ref",
        dashGridOptions={
            "theme": grid_theme(),
            "headerHeight": 0,
            "rowHeight": 112,
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "suppressCellFocus": False,
            "animateRows": False,
            "localeText": {"noRowsToShow": "No bin is due."},
        },
        className="due-list",
        style={"height": "100%", "width": "100%"},
    )
    return html.Section([heading, html.Div(grid, className="list-body")], className="list", **aria(label="Due bins"))
