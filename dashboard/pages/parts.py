"""What several pages share: what they need to work, and small pieces of layout."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import ClientsideFunction, Dash, dcc, html
from dash.development.base_component import Component

from dashboard.basemap import Basemap
from dashboard.database import Pool
from dashboard.rows import Place
from dashboard.town import Towns
from dashboard.uses import Uses
from dashboard.words import CLASSES, REASONS, STREAMS, clock, percent

TICK_MS = 3000


@dataclass(frozen=True, slots=True)
class Site:
    """What every page works with.

    Attributes:
        pool: to the database.
        towns: all bins as they are now.
        basemap: what lies under them.
        uses: how they were used.
        zone: in which times are shown.
    """

    pool: Pool
    towns: Towns
    basemap: Basemap
    uses: Uses
    zone: ZoneInfo

    def now(self) -> datetime:
        """Give the time in the council's own zone."""
        return datetime.now(self.zone)


def aria(**names: str) -> dict[str, Any]:
    """Name a part for those who hear the page: `aria(label="Map")` as keyword arguments of a component."""
    return {f"aria-{name}": value for name, value in names.items()}


def in_browser(app: Dash, script: str, function: str, *arguments: object, **options: object) -> None:
    """Let a function of `assets/*.js` answer instead of the server; nothing is written into the page itself."""
    app.clientside_callback(ClientsideFunction(script, function), *arguments, **options)  # type: ignore[no-untyped-call]


def tick(page: str) -> Component:
    """Ask for news every few seconds while the page is shown."""
    return dcc.Interval(id=f"{page}-tick", interval=TICK_MS)


async def beat(site: Site) -> dict[str, str]:
    """Tell the browser that the database answered, and since when levels are no longer worked out, if so."""
    now = site.now()
    waiting_since = await site.towns.waiting_since()
    return {"at": now.isoformat(), "waiting": clock(waiting_since, now) if waiting_since else ""}


def reason_chip(reason: str, due_class: str | None) -> Component:
    """Show why a bin is due; the class is in words too, not only in the colour."""
    name = f"chip chip-{due_class or 'fine'} reason-{reason.lower()}"
    return html.Span(REASONS[reason], className=name, title=CLASSES.get(due_class or "", "Not due"))


def level_bar(fill_level: float | None, threshold: float) -> Component:
    """Show a level as a bar with its threshold, and in numbers."""
    share = 100 * (fill_level or 0)
    over = fill_level is not None and fill_level >= threshold
    return html.Div(
        [
            html.Div(
                [
                    html.Div(className="level-fill over" if over else "level-fill", style={"width": f"{share:.0f}%"}),
                    html.Div(className="level-threshold", style={"left": f"{100 * threshold:.0f}%"}),
                ],
                className="level-track",
            ),
            html.Span("not known" if fill_level is None else percent(fill_level), className="level-number"),
        ],
        className="level" if fill_level is not None else "level level-none",
    )


def facts(pairs: list[tuple[str, Any]]) -> Component:
    """List facts by name."""
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in pairs], className="facts")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | Component]]) -> Component:
    """Show a small table under its title; says so when it is empty."""
    head = html.Thead(html.Tr([html.Th(column, scope="col") for column in columns]))
    body = html.Tbody([html.Tr([html.Td(value) for value in row]) for row in rows])
    content = html.Div(
        html.Table([head, body]), className="table-scroll", tabIndex=0, role="region", **aria(label=title)
    )
    return html.Section([html.H2(title), content if rows else html.P("None.", className="none")], className="card")


def due_row(place: Place, now: datetime) -> dict[str, Any]:
    """Give a bin as a row of the lists."""
    return {
        "ref": place.ref,
        "name": place.name,
        "location": place.location,
        "depot": place.depot or "",
        "stream": STREAMS.get(place.stream, place.stream),
        "level": None if place.fill_level is None else round(100 * place.fill_level),
        "threshold": round(100 * place.threshold),
        "reason": place.reason,
        "why": REASONS[place.reason],
        "due_class": place.due_class,
        "urgency": CLASSES.get(place.due_class or "", "Not due"),
        "priority": place.priority,
        "since": clock(place.due_since, now) if place.due_since else "",
        "explanation": place.explanation,
        "lon": round(place.longitude, 6),
        "lat": round(place.latitude, 6),
    }


def grid_theme() -> dict[str, str]:
    """Let AG Grid take its colours from our style sheet, which knows light and dark."""
    parameters = (
        "backgroundColor: 'var(--paper)', foregroundColor: 'var(--text)', borderColor: 'var(--line)', "
        "accentColor: 'var(--accent)', headerBackgroundColor: 'var(--paper)', headerTextColor: 'var(--muted)', "
        "rowHoverColor: 'var(--hover)', selectedRowBackgroundColor: 'var(--selected)', "
        "oddRowBackgroundColor: 'var(--paper)', "
        "fontFamily: 'inherit', fontSize: 14, "
        "cellHorizontalPadding: 10, wrapperBorder: false, wrapperBorderRadius: 0, headerFontWeight: 600"
    )
    return {"function": f"themeQuartz.withParams({{{parameters}}})"}
