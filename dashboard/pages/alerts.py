"""The alerts' page: what is wrong, the open ones first, and who looks after it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dash_ag_grid as dag
from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboard import queries
from dashboard.accounts.gate import current_visitor
from dashboard.accounts.sessions import Window
from dashboard.alerts import MAY_DECIDE, acknowledge
from dashboard.pages.parts import Site, beat, grid_theme, tick
from dashboard.rows import Alert
from dashboard.words import NOTHING, NOTICES, clock
from ingest.assess.decisions.alerts import NAMES, TYPES

COLUMNS: list[dict[str, Any]] = [
    {"field": "what", "headerName": "Alert", "width": 176, "cellRenderer": "AlertType", "autoHeight": True},
    {"field": "name", "headerName": "Bin", "minWidth": 170, "flex": 3, "cellRenderer": "AlertBin", "autoHeight": True},
    {"field": "text", "headerName": "In words", "minWidth": 200, "flex": 4, "autoHeight": True},
    {"field": "since", "headerName": "Since", "width": 124, "sortable": False, "autoHeight": True},
    {"field": "seen", "headerName": "Last seen", "width": 124, "sortable": False, "autoHeight": True},
    {"field": "depot", "headerName": "Depot", "width": 90},
    {"field": "notice", "headerName": "Notice", "width": 124, "cellRenderer": "Notice", "autoHeight": True},
    {"field": "who", "headerName": "Acknowledged", "width": 158, "cellRenderer": "Acknowledge", "autoHeight": True},
]
# A tablet has room for less, a phone for what is wrong, where, and the button; the bin's own page has the rest.
TABLET_PX, PHONE_PX = 1100, 700
ON_TABLET = ("what", "name", "text", "since", "who")
PHONE_COLUMNS: list[dict[str, Any]] = [
    {"field": "what", "headerName": "Alert", "width": 128, "cellRenderer": "AlertType", "autoHeight": True},
    {"field": "name", "headerName": "Bin", "minWidth": 90, "flex": 1, "cellRenderer": "AlertBin", "autoHeight": True},
    {"field": "who", "headerName": "Taken by", "width": 146, "cellRenderer": "Acknowledge", "autoHeight": True},
]
CLOSED_DAYS = 7
MOST = 5000


async def layout(site: Site, window: Window) -> Component:
    """Lay out the page as things are now, with as many columns as the window has room for."""
    alerts = await _read(site)
    grid = dag.AgGrid(
        id="alerts-grid",
        rowData=_rows(alerts, site.now()),
        columnDefs=_columns(window),
        defaultColDef={
            "filter": True,
            "sortable": True,
            "resizable": True,
            "suppressHeaderFilterButton": True,
            "wrapText": True,
        },
        getRowId="params.data.id",
        dashGridOptions={
            "theme": grid_theme(),
            "animateRows": False,
            "localeText": {"noRowsToShow": "Nothing is wrong."},
        },
        style={"height": "100%", "width": "100%"},
    )
    head = [html.H1("Alerts"), html.P(_summary(alerts), id="alerts-summary", role="status")]
    return html.Div(
        [
            tick("alerts"),
            # The button in a row says here which it is.
            dcc.Store(id="alerts-pressed"),
            html.Div(html.Div(head), className="page-head"),
            html.Div(grid, className="grid-box"),
        ],
        className="page due-page",
    )


def register(app: Dash, site: Site) -> None:
    """Make the page live."""

    @app.callback(
        Output("alerts-grid", "rowData"),
        Output("alerts-summary", "children"),
        Output("site-beat", "data", allow_duplicate=True),
        Input("alerts-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    async def refresh(_: int) -> list[Any]:
        alerts = await _read(site)
        return [_rows(alerts, site.now()), _summary(alerts), await beat(site)]

    @app.callback(
        Output("alerts-grid", "rowData", allow_duplicate=True),
        Output("alerts-summary", "children", allow_duplicate=True),
        Input("alerts-pressed", "data"),
        prevent_initial_call=True,
    )
    async def take(pressed: str) -> list[Any]:
        # Whatever the browser shows: the role is looked at here.
        await acknowledge(site.pool, int(pressed), current_visitor())
        alerts = await _read(site)
        return [_rows(alerts, site.now()), _summary(alerts)]


def _columns(window: Window) -> list[dict[str, Any]]:
    if window.width_px < PHONE_PX:
        return PHONE_COLUMNS
    return COLUMNS if window.width_px >= TABLET_PX else [one for one in COLUMNS if one["field"] in ON_TABLET]


async def _read(site: Site) -> list[Alert]:
    recently = site.now().astimezone(UTC) - timedelta(days=CLOSED_DAYS)
    opened = await queries.list_alerts(site.pool, limit=MOST, state="open")
    closed = await queries.list_alerts(site.pool, limit=MOST, state="closed", closed_since=recently)
    return [*sorted(opened, key=lambda alert: (TYPES.index(alert.type), alert.since)), *closed]


def _rows(alerts: Sequence[Alert], now: datetime) -> list[dict[str, Any]]:
    may = current_visitor().role in MAY_DECIDE
    return [
        {
            "id": str(alert.id),
            "type": alert.type,
            "open": alert.state == "open",
            "what": NAMES[alert.type],
            "ref": alert.bin,
            "name": alert.name,
            "location": alert.location,
            "text": alert.text,
            "since": clock(alert.since, now),
            "seen": clock(alert.observed_at, now),
            "depot": alert.depot or NOTHING,
            "told": alert.notice,
            "notice": NOTICES[alert.notice],
            "who": alert.acknowledged_by or "",
            "when": clock(alert.acknowledged_at, now),
            "may": may,
        }
        for alert in alerts
    ]


def _summary(alerts: Sequence[Alert]) -> str:
    opened = [alert for alert in alerts if alert.state == "open"]
    alone = sum(1 for alert in opened if alert.acknowledged_by is None)
    failed = sum(1 for alert in opened if alert.notice == "failed")
    sentence = (
        f"{len(opened):,} open, of which nobody has acknowledged {alone:,}; "
        f"{len(alerts) - len(opened):,} closed in the last {CLOSED_DAYS} days."
    )
    return f"{sentence} Nobody could be told of {failed:,}." if failed else sentence
