"""The map page: all bins, those that are due beside them, and the one that was chosen."""

from dataclasses import asdict
from typing import Any

from dash import ALL, Dash, Input, Output, Patch, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import map as bins_map
from dashboard import queries
from dashboard.accounts.sessions import Window
from dashboard.colours import palette
from dashboard.pages import map_side as side
from dashboard.pages.parts import Site, aria, beat, in_browser, tick
from dashboard.rows import Place
from dashboard.town import KINDS, Choice, Town
from dashboard.view import bounds_of

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
            side.tiles(town),
            html.Section([graph, side.controls(), side.legend()], className="map-box", **aria(label="Map of bins")),
            html.Aside(
                [side.filters(town), html.Div(id="map-panel"), side.due_list(town, choice, site)], className="due-box"
            ),
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
        rows = side.rows(town, choice, site)
        return [figure, rows, side.summary(town, choice), keys, news, *side.counts(town)]

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
        content: Any = side.panel(row, site) if row else []
        if ctx.triggered_id != "map-chosen":  # other news of the same bin: the map has them already
            return content, no_update
        town = await site.towns.now()
        place = _place(town, ref)
        patch = Patch()
        patch["data"][bins_map.CHOSEN] = bins_map.mark(place, bins_map.size_for(len(town.places)), palette(theme))
        return content, patch

    _register_clientside(app)


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
