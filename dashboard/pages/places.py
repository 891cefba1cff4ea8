"""The page about places: where and when most is thrown in, and which bins are visited or placed wrongly for it."""

from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.accounts.sessions import Window
from dashboard.colours import palette
from dashboard.pages import places_advice
from dashboard.pages.parts import Site, aria, beat, tick
from dashboard.place_figures import Figure, busiest, heat_of, per_day, place_bars, week_heat
from dashboard.uses import Hotspots, last_days
from dashboard.words import STREAMS

PERIODS = {"28": "4 weeks", "84": "12 weeks", "364": "1 year"}
FIRST_PERIOD = "28"
BY = {"street": "Streets", "area": "Areas"}
# So many places are shown; one of so many can be chosen.
SHOWN = 10
EVERYWHERE = "Everywhere"


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants to see.

    Attributes:
        days: whole days before today.
        by: `street` or `area`.
        stream: only these bins; None for all.
        where: key of the street or area whose week is shown; None for all.
        theme: `light` or `dark`.
    """

    days: int
    by: str
    stream: str | None
    where: str | None
    theme: str

    @classmethod
    def checked(
        cls, period: str | None, by: str | None, stream: str | None, where: str | None, theme: str | None
    ) -> "Choice":
        """Take what a browser sent; what cannot be chosen is as if nothing was."""
        days = int(period if period in PERIODS else FIRST_PERIOD)
        return cls(days, by if by in BY else "street", stream or None, where or None, theme or "light")


async def layout(site: Site, window: Window) -> Component:
    """Lay out the page as things are now."""
    choice = Choice.checked(None, None, None, None, window.theme)
    advised = await site.uses.advised(choice.days)
    hotspots = await _hotspots(site, choice)
    bars, heat, words = _shown(hotspots, choice)
    return html.Div(
        [
            tick("places"),
            dcc.Store(id="places-theme", data=window.theme),
            dcc.Store(id="places-key", data=_key(choice, hotspots)),
            html.Div(
                [
                    html.Div(
                        [
                            html.H1("Use of places"),
                            html.P(places_advice.summary(advised), id="places-summary", role="status"),
                            html.P(_days(site, choice), id="places-days"),
                        ]
                    ),
                    html.Div(
                        html.A(
                            "Save as CSV", href="/places.csv", className="button button-plain", download="places.csv"
                        ),
                        className="actions",
                    ),
                ],
                className="page-head",
            ),
            _controls(hotspots),
            html.Div(
                [
                    _figure_card("Where most is thrown in", "places-graph", bars, "places-where-words", words[0]),
                    _figure_card("When", "places-heat", heat, "places-when-words", words[1]),
                ],
                className="columns",
            ),
            html.Div(places_advice.cards(advised), id="places-advice", className="columns advice-columns"),
        ],
        className="page places-page",
    )


def register(app: Dash, site: Site) -> None:
    """Make the page live."""

    @app.callback(
        Output("places-graph", "figure"),
        Output("places-heat", "figure"),
        Output("places-where-words", "children"),
        Output("places-when-words", "children"),
        Output("places-where", "data"),
        Output("places-summary", "children"),
        Output("places-days", "children"),
        Output("places-advice", "children"),
        Output("places-key", "data"),
        Output("site-beat", "data", allow_duplicate=True),
        Input("places-tick", "n_intervals"),
        Input("places-period", "value"),
        Input("places-by", "value"),
        Input("places-stream", "value"),
        Input("places-where", "value"),
        Input("places-theme", "data"),
        State("places-key", "data"),
        prevent_initial_call=True,
    )
    async def refresh(_: int, *asked: str | None) -> list[Any]:
        *chosen, known = asked
        choice = Choice.checked(*chosen)
        hotspots = await _hotspots(site, choice)
        key = _key(choice, hotspots)
        news = await beat(site)
        if key == known:
            return [*[no_update] * 9, news]
        advised = await site.uses.advised(choice.days)
        bars, heat, words = _shown(hotspots, choice)
        told = [one for one in advised if choice.stream in {None, one.use.stream}]
        said = [places_advice.summary(told), _days(site, choice), places_advice.cards(told)]
        return [bars, heat, *words, _choices(hotspots), *said, key, news]


async def _hotspots(site: Site, choice: Choice) -> Hotspots:
    return await site.uses.hotspots(choice.by, choice.days, choice.stream, choice.where)


def _controls(hotspots: Hotspots) -> Component:
    streams = [{"value": name, "label": label} for name, label in STREAMS.items()]
    return html.Div(
        [
            _switch("places-period", PERIODS, FIRST_PERIOD, "Period"),
            _switch("places-by", BY, "street", "Count by"),
            dmc.Select(
                id="places-stream", placeholder="All streams", clearable=True, size="xs", data=streams,
                **aria(label="Stream"),
            ),
            dmc.Select(
                id="places-where", placeholder=EVERYWHERE, clearable=True, searchable=True, size="xs",
                data=_choices(hotspots), nothingFoundMessage="No such place", **aria(label="Street or area"),
            ),
        ],
        className="places-controls",
    )  # fmt: skip


def _switch(name: str, choices: dict[str, str], first: str, label: str) -> Component:
    data = [{"value": value, "label": words} for value, words in choices.items()]
    return html.Div(dmc.SegmentedControl(id=name, data=data, value=first, size="xs"), role="group", **aria(label=label))


def _choices(hotspots: Hotspots) -> list[dict[str, str]]:
    return [{"value": place.key, "label": place.name} for place in hotspots.places]


def _figure_card(title: str, name: str, figure: Figure, words_name: str, words: str) -> Component:
    graph = dcc.Graph(id=name, figure=figure, config={"displayModeBar": False, "responsive": True}, responsive=True)
    # A responsive graph is as high as what it stands in, which therefore has to have a height.
    box = html.Div(graph, className="places-figure")
    return html.Section(
        [html.H2(title), html.P(words, id=words_name, className="advice-lead", role="status"), box],
        className="card",
        **aria(label=title),
    )


def _shown(hotspots: Hotspots, choice: Choice) -> tuple[Figure, Figure, tuple[str, str]]:
    colours = palette(choice.theme)
    places = sorted(hotspots.places, key=per_day, reverse=True)[:SHOWN]
    heat = heat_of(hotspots.weekdays, hotspots.bins)
    return place_bars(places, colours), week_heat(heat, colours), (_where(hotspots, choice.by), _when(hotspots))


def _where(hotspots: Hotspots, by: str) -> str:
    if not hotspots.places:
        return "No bin has an area." if by == "area" else "Nothing is known of these days."
    total = sum(per_day(place) for place in hotspots.places)
    return f"Litres a day, by {by}. About {total:,.0f} l a day in all."


def _when(hotspots: Hotspots) -> str:
    found = busiest(heat_of(hotspots.weekdays, hotspots.bins))
    if found is None:
        return "Nothing is known of these days."
    weekday, hour, litres = found
    place = hotspots.chosen or EVERYWHERE
    return f"{place}: most on {weekday} from {hour:02}:00 to {(hour + 1) % 24:02}:00, about {litres:,.0f} l."


def _days(site: Site, choice: Choice) -> str:
    days = last_days(choice.days, site.uses.today())
    return f"{days.first:%a} {days.first.day} {days.first:%b} to yesterday; late readings are included."


def _key(choice: Choice, hotspots: Hotspots) -> str:
    return f"{choice} {hotspots.read_at}"
