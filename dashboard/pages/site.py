"""The pages as one Dash application: which address shows which page, and what all pages share."""

import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component
from fastapi import FastAPI

from dashboard import queries
from dashboard.accounts.gate import current_visitor
from dashboard.accounts.sessions import Window
from dashboard.basemap import find_basemap, make_basemap_router
from dashboard.database import Pool
from dashboard.export import make_export_router
from dashboard.pages import alerts as alerts_page
from dashboard.pages import bin as bin_page
from dashboard.pages import devices as devices_page
from dashboard.pages import due as due_page
from dashboard.pages import map as map_page
from dashboard.pages import missing
from dashboard.pages import places as places_page
from dashboard.pages.known import KnownPages
from dashboard.pages.parts import Site, in_browser
from dashboard.pages.shell import INDEX, layout, ways
from dashboard.settings import Settings
from dashboard.town import Towns

ASSETS = Path(__file__).parents[1] / "assets"
# Pages that are drawn for the window that they will be shown in.
FITTED = {
    "/": ("Map", map_page.layout),
    "/due": ("Due list", due_page.layout),
    "/alerts": ("Alerts", alerts_page.layout),
    "/places": ("Use of places", places_page.layout),
    "/devices": ("Sensors", devices_page.layout),
}
BIN = re.compile(r"/bins/([A-Za-z0-9][A-Za-z0-9._-]{0,63})/?")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """A page and its title."""

    title: str
    content: Component


def make_site(server: FastAPI, pool: Pool, settings: Settings) -> Dash:
    """Add the pages to a server.

    Args:
        server: of this process.
        pool: to the database.
        settings: of the read side.
    """
    zone = ZoneInfo(settings.time_zone)
    site = Site(pool, Towns(pool, time.monotonic), find_basemap(settings), server.state.uses, zone)
    server.include_router(make_basemap_router(settings))
    server.include_router(make_export_router(site))
    app = Dash(
        "dashboard",
        server=server,  # type: ignore[arg-type]  # Dash's hints know only Flask
        assets_folder=str(ASSETS),
        assets_ignore=r"login\.css",
        index_string=INDEX,
        title="Brimwatch",
        update_title=None,  # type: ignore[arg-type]  # its hints forget that None is documented
        suppress_callback_exceptions=True,
        use_pages=False,
        on_error=_log_fault,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
        add_log_handler=False,
    )
    _register_frame(app, site)
    for page in (map_page, due_page, alerts_page, bin_page, places_page, devices_page):
        page.register(app, site)
    _collect_assets(app)
    app.layout = layout
    server.add_middleware(KnownPages, bin_exists=lambda ref: _exists(pool, ref))
    return app


async def show(site: Site, pathname: str, window: Window) -> Shown:
    """Make the page at an address.

    Args:
        site: what pages need.
        pathname: of the address.
        window: that it will be shown in.
    """
    match = BIN.fullmatch(pathname)
    if pathname in FITTED:
        title, lay_out = FITTED[pathname]
        return Shown(title, await lay_out(site, window))
    if match and (row := await queries.find_bin(site.pool, match[1])):
        return Shown(row.name, await bin_page.layout(site, row, window.theme))
    if match:
        return Shown("No such bin", missing.no_bin(match[1]))
    return Shown("No such page", missing.no_page())


def _register_frame(app: Dash, site: Site) -> None:
    @app.callback(
        Output("site-main", "children"),
        Output("site-ways", "children"),
        Output("site-title", "data"),
        Input("site-location", "pathname"),
    )
    async def route(pathname: str | None) -> tuple[Any, ...]:
        shown = await show(site, pathname or "/", current_visitor().window)
        return shown.content, ways(pathname or "/"), f"{shown.title} · Brimwatch"

    in_browser(app, "site", "setTitle", Output("site-main", "title"), Input("site-title", "data"))
    in_browser(
        app,
        "site",
        "switchTheme",
        Output("site-theme", "data"),
        Output("site-provider", "forceColorScheme"),
        Input("site-theme-button", "n_clicks"),
        State("site-theme", "data"),
        prevent_initial_call=True,
    )
    in_browser(app, "site", "heard", Output("site-beat", "storage_type"), Input("site-beat", "data"))


def _collect_assets(app: Dash) -> None:
    # Dash does this at the first request for "/" or one of its own scripts, when another page may have been served
    # without its styles already; and it tries the layout then, which needs a visitor.
    app.layout = html.Div()
    app._setup_server()  # type: ignore[no-untyped-call]  # noqa: SLF001 - Dash offers no other way


def _log_fault(error: Exception) -> None:
    # Dash answers a fault without a word in the log.
    _log.error("fault in a page: %s", error, exc_info=error)


async def _exists(pool: Pool, ref: str) -> bool:
    return await queries.find_bin_id(pool, ref) is not None
