"""The page of one bin: how it is, how its level went, when it was emptied, and what its sensor sent."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import queries
from dashboard.colours import palette
from dashboard.figures import level_history
from dashboard.forecast import forecast_lines
from dashboard.pages.parts import Site, aria, beat, facts, level_bar, reason_chip, table, tick
from dashboard.pages.proposals import proposals_of, register_answers
from dashboard.readings import Reading, read_page
from dashboard.rows import Alert, Bin, Emptying
from dashboard.words import CLASSES, NOTHING, OUTCOMES, QUALITIES, SENSORS, STREAMS, ago, clock, percent
from ingest.assess.decisions.alerts import NAMES

PERIODS = {"1": "24 hours", "7": "7 days", "28": "28 days", "90": "90 days"}
FIRST_PERIOD = "7"
MOST_READINGS = 10_000
LISTED = 40
MOST_ALERTS = 20


@dataclass(frozen=True, slots=True)
class History:
    """What is known of one bin's past, newest first, and what is wrong at it now."""

    readings: tuple[Reading, ...]
    emptyings: tuple[Emptying, ...]
    alerts: tuple[Alert, ...]

    @property
    def key(self) -> str:
        """Sum up what is new: while it stays, nothing is to be drawn again."""
        newest = self.readings[0].raw if self.readings else None
        emptied = [(one.emptied_at, one.outcome) for one in self.emptyings[:LISTED]]
        alerts = [(alert.id, alert.text, alert.acknowledged_by) for alert in self.alerts]
        return f"{len(self.readings)} {newest and (newest.measured_at, newest.seq)} {emptied} {alerts}"


async def layout(site: Site, row: Bin, theme: str) -> Component:
    """Lay out the page of a bin."""
    history = await _read(site, row, FIRST_PERIOD)
    period = dmc.SegmentedControl(
        id="bin-period",
        data=[{"value": days, "label": words} for days, words in PERIODS.items()],
        value=FIRST_PERIOD,
        size="xs",
    )
    graph = dcc.Graph(
        id="bin-graph",
        figure=_figure(site, row, history, FIRST_PERIOD, theme),
        config={"displayModeBar": False, "responsive": True},
        responsive=True,
    )
    return html.Div(
        [
            tick("bin"),
            dcc.Store(id="bin-ref", data=row.ref),
            dcc.Store(id="bin-theme", data=theme),
            dcc.Store(id="bin-key", data=_key(row, history, FIRST_PERIOD, theme)),
            dcc.Link("← Map", href="/", className="back"),
            html.Div(_head(row, history, site), id="bin-head"),
            html.Section(
                [
                    html.Div([html.H2("Level"), period], className="section-head"),
                    html.Div(graph, className="bin-graph"),
                ],
                className="card",
                **aria(label="History of the level"),
            ),
            html.Div(_tables(site, history), id="bin-tables", className="columns"),
        ],
        className="page bin-page",
    )


def register(app: Dash, site: Site) -> None:
    """Make the page live."""
    register_answers(app, site)

    @app.callback(
        Output("bin-head", "children"),
        Output("bin-graph", "figure"),
        Output("bin-tables", "children"),
        Output("bin-key", "data"),
        Output("site-beat", "data", allow_duplicate=True),
        Input("bin-tick", "n_intervals"),
        Input("bin-period", "value"),
        Input("bin-theme", "data"),
        State("bin-ref", "data"),
        State("bin-key", "data"),
        prevent_initial_call=True,
    )
    async def refresh(_: int, period: str, theme: str, ref: str, known: str) -> list[Any]:
        row = await queries.find_bin(site.pool, ref)
        news = await beat(site)
        if row is None:
            return [*[no_update] * 4, news]
        history = await _read(site, row, period)
        key = _key(row, history, period, theme)
        if key == known:
            return [*[no_update] * 4, news]
        return [
            _head(row, history, site),
            _figure(site, row, history, period, theme),
            _tables(site, history),
            key,
            news,
        ]


async def _read(site: Site, row: Bin, period: str) -> History:
    now = site.now()
    since = now.astimezone(UTC) - _length(period)
    until = now + timedelta(minutes=5)
    page = await read_page(site.pool, row.id, since=since, until=until, limit=MOST_READINGS)
    emptyings = await queries.list_emptyings(site.pool, row.id, limit=200)
    alerts = await queries.list_alerts(site.pool, limit=MOST_ALERTS, state="open", bin_ref=row.ref)
    return History(page.readings, tuple(emptyings), tuple(alerts))


def _key(row: Bin, history: History, period: str, theme: str) -> str:
    proposed = [(one["reason"], one["answer"]) for one in row.proposals]
    return f"{row.assessed_at} {row.reason} {history.key} {proposed} {period} {theme}"


def _figure(site: Site, row: Bin, history: History, period: str, theme: str) -> dict[str, Any]:
    now = site.now()
    span = (now - _length(period), now)
    return level_history(history.readings, history.emptyings, row.threshold, span, palette(theme))


def _length(period: str) -> timedelta:
    return timedelta(days=int(period if period in PERIODS else FIRST_PERIOD))


def _head(row: Bin, history: History, site: Site) -> Component:
    now = site.now()
    place: list[str | Component] = [row.location, html.Span(row.ref, className="ref")]
    state = html.Section(
        [
            html.Div([reason_chip(row.reason, row.due_class), html.Strong(CLASSES.get(row.due_class or "", ""))]),
            level_bar(row.fill_level, row.threshold),
            html.P(row.explanation, className="explanation", role="status"),
            *[html.P(line, className="forecast") for line in forecast_lines(row, now, site.zone)],
            *[_alert(alert, now) for alert in history.alerts],
            proposals_of(row.proposals),
        ],
        className=f"card state state-{row.due_class or 'fine'}",
        **aria(label="State now"),
    )
    details = html.Section(
        facts(
            [
                (
                    "Measured",
                    f"{clock(row.measured_at, now)} ({ago(row.measured_at, now)})" if row.measured_at else NOTHING,
                ),
                ("Last heard", ago(row.last_received_at, now) if row.device else NOTHING),
                ("Sensor", f"{SENSORS[row.sensor]}{f', {row.device}' if row.device else ''}"),
                ("Last emptied", clock(row.last_emptied_at, now)),
                ("Due since", clock(row.due_since, now)),
                ("Due by", clock(row.due_by, now)),
                ("Priority", f"{row.priority} of 100" if row.due_class else NOTHING),
                ("Stream", STREAMS.get(row.stream, row.stream)),
                ("Depot", row.depot or NOTHING),
                ("Capacity", f"{row.capacity_l:g} l"),
                ("Emptied at least every", f"{row.max_age_days:g} days"),
                ("Position", f"{row.latitude:.5f}, {row.longitude:.5f}"),
                ("Area", row.area or NOTHING),
                ("UPRN", NOTHING if row.uprn is None else str(row.uprn)),
                ("USRN", NOTHING if row.usrn is None else str(row.usrn)),
            ]
        ),
        className="card",
        **aria(label="Details"),
    )
    return html.Div(
        [
            html.Div([html.H1(row.name), html.P(place, className="place")]),
            html.Div([state, details], className="columns"),
        ]
    )


def _alert(alert: Alert, now: datetime) -> Component:
    who = f" {alert.acknowledged_by} looks after it." if alert.acknowledged_by else ""
    kind = html.Span(NAMES[alert.type], className=f"alert alert-{alert.type}")
    return html.P([kind, f" since {clock(alert.since, now)}: {alert.text}{who}"], className="bin-alert")


def _tables(site: Site, history: History) -> list[Component]:
    now = site.now()
    readings = [
        (
            clock(reading.raw.measured_at, now),
            percent(reading.fill_level),
            NOTHING if reading.raw.distance_mm is None else f"{reading.raw.distance_mm:,} mm",
            NOTHING if reading.raw.temperature_c is None else f"{reading.raw.temperature_c:.1f} °C",
            QUALITIES[reading.quality] + (f": {reading.quality_reason}" if reading.quality_reason else ""),
        )
        for reading in history.readings[:LISTED]
    ]
    emptyings = [
        (
            clock(item.emptied_at, now),
            percent(item.fill_before),
            f"{item.confidence:.0%}",
            ", ".join(source.replace("_", " ") for source in item.sources),
            OUTCOMES[item.outcome],
        )
        for item in history.emptyings[:LISTED]
    ]
    return [
        table("Newest readings", ("Measured", "Level", "Distance", "Temperature", "Quality"), readings),
        table("Emptyings", ("Emptied", "Was", "Sure", "Known from", "Outcome"), emptyings),
    ]
