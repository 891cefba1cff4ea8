"""The sensors' page: which are silent, how their batteries are, and what was refused of what they sent."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dash_ag_grid as dag
from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from dashboard import queries
from dashboard.accounts.sessions import Window
from dashboard.api.items import payload_text
from dashboard.pages.parts import Site, beat, grid_theme, table, tick
from dashboard.pages.proposals import proposals_table
from dashboard.rows import Device, Reject, RejectCount
from dashboard.words import NOTHING, ago, clock

COLUMNS: list[dict[str, Any]] = [
    {"field": "device", "headerName": "Sensor", "minWidth": 140, "flex": 2},
    {"field": "bin", "headerName": "In bin", "width": 140, "cellRenderer": "RefLink"},
    {"field": "state", "headerName": "State", "width": 180, "cellRenderer": "SensorState"},
    {"field": "measured_min", "headerName": "Last reading", "width": 140, "cellRenderer": "Ago"},
    {"field": "heard_min", "headerName": "Last heard", "width": 140, "cellRenderer": "Ago"},
    {"field": "battery", "headerName": "Battery, V", "width": 120, "type": "numericColumn", "cellRenderer": "Volts"},
    {"field": "rssi", "headerName": "Signal, dBm", "width": 130, "type": "numericColumn"},
    {"field": "waiting", "headerName": "Holds back", "width": 130, "type": "numericColumn"},
    {"field": "firmware", "headerName": "Program", "width": 120},
]
# A phone has room for what is wrong and since when.
PHONE_PX = 700
PHONE_COLUMNS: list[dict[str, Any]] = [
    {"field": "bin", "headerName": "In bin", "width": 82, "cellRenderer": "RefLink"},
    {"field": "state", "headerName": "State", "minWidth": 120, "flex": 1, "cellRenderer": "SensorState"},
    {"field": "measured_min", "headerName": "Last reading", "width": 114, "cellRenderer": "Ago"},
]
ORDER = ("Silent", "Readings rejected", "Never heard", "Not fitted", "Working")
MOST_DEVICES = 100_000
NEWEST = 50
REJECT_DAYS = 7
LONGEST_PAYLOAD = 160


async def layout(site: Site, window: Window) -> Component:
    """Lay out the page as things are now, with as many columns as the window has room for."""
    rows, tables = await _read(site)
    grid = dag.AgGrid(
        id="devices-grid",
        rowData=rows,
        columnDefs=PHONE_COLUMNS if window.width_px < PHONE_PX else COLUMNS,
        defaultColDef={"filter": True, "sortable": True, "resizable": True, "suppressHeaderFilterButton": True},
        getRowId="params.data.device",
        dashGridOptions={
            "theme": grid_theme(),
            "animateRows": False,
            "localeText": {"noRowsToShow": "No sensor is enrolled."},
        },
        style={"height": "100%", "width": "100%"},
    )
    return html.Div(
        [
            tick("devices"),
            html.Div(
                html.Div([html.H1("Sensors"), html.P(_summary(rows), id="devices-summary", role="status")]),
                className="page-head",
            ),
            html.Div(grid, className="grid-box grid-half"),
            html.Div(tables, id="devices-tables"),
        ],
        className="page devices-page",
    )


def register(app: Dash, site: Site) -> None:
    """Make the page live."""

    @app.callback(
        Output("devices-grid", "rowData"),
        Output("devices-summary", "children"),
        Output("devices-tables", "children"),
        Output("site-beat", "data", allow_duplicate=True),
        Input("devices-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    async def refresh(_: int) -> list[Any]:
        rows, tables = await _read(site)
        return [rows, _summary(rows), tables, await beat(site)]


async def _read(site: Site) -> tuple[list[dict[str, Any]], list[Component]]:
    town = await site.towns.now()
    sensors = {place.ref: place.sensor for place in town.places}
    devices = await queries.list_devices(site.pool, limit=MOST_DEVICES)
    now = site.now()
    counts = await queries.count_rejects(site.pool, now.astimezone(UTC) - timedelta(days=REJECT_DAYS))
    newest = await queries.list_rejects(site.pool, limit=NEWEST)
    tables = [*proposals_table(devices), html.Div(_rejects(counts, newest, now), className="columns")]
    return _troubled_first([_row(device, sensors, now) for device in devices]), tables


def _row(device: Device, sensors: dict[str, str], now: datetime) -> dict[str, Any]:
    status = device.status or {}
    return {
        "device": device.device,
        "bin": device.bin or "",
        "state": _state(device, sensors),
        # Not the same: a sensor may hand over today what it measured last week, and is silent for all that.
        "measured_min": _minutes_since(device.last_measured_at, now),
        "heard_min": _minutes_since(device.last_received_at, now),
        "battery": None if device.battery_mv is None else device.battery_mv / 1000,
        "rssi": _number(status.get("rssi_dbm")),
        "waiting": _number(status.get("waiting_count")),
        "firmware": str(status.get("firmware") or NOTHING),
    }


def _minutes_since(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else int((now - moment).total_seconds() // 60)


def _troubled_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: ORDER.index(row["state"]))


def _state(device: Device, sensors: dict[str, str]) -> str:
    if device.bin is None:
        return "Not fitted"
    if device.last_received_at is None:
        return "Never heard"
    return {"silent": "Silent", "rejected": "Readings rejected"}.get(sensors.get(device.bin, ""), "Working")


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _summary(rows: Sequence[dict[str, Any]]) -> str:
    of = Counter(row["state"] for row in rows)
    silent = f"{of['Silent']:,} silent; {of['Never heard']:,} never heard"
    return f"{len(rows):,} sensors; {silent}; {of['Readings rejected']:,} whose readings cannot be believed."


def _rejects(counts: Sequence[RejectCount], newest: Sequence[Reject], now: datetime) -> list[Component]:
    by_reason = [(row.reason, f"{row.count:,}", f"{row.devices:,}", ago(row.last_received_at, now)) for row in counts]
    lines = [
        (clock(row.received_at, now), row.device or NOTHING, row.reason, row.detail, _short(payload_text(row.payload)))
        for row in newest
    ]
    return [
        table(f"Refused in the last {REJECT_DAYS} days", ("Reason", "Messages", "Sensors", "Last"), by_reason),
        table("Newest refused", ("Received", "Sensor", "Reason", "In words", "What was sent"), lines),
    ]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_PAYLOAD else f"{text[:LONGEST_PAYLOAD]}…"
