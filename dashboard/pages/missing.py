"""What is shown where nothing is."""

from dash import dcc, html
from dash.development.base_component import Component


def no_bin(ref: str) -> Component:
    """Say that no bin has this reference."""
    return _page(f"There is no bin {ref}", "It may have been removed, or its reference has a slip in it.")


def no_page() -> Component:
    """Say that the address leads nowhere."""
    return _page("There is no such page", "The address may have a slip in it.")


def _page(heading: str, sentence: str) -> Component:
    return html.Div(
        [
            html.Img(src="/assets/mark.svg", alt="", width=64, height=64),
            html.H1(heading),
            html.P(sentence),
            html.P([dcc.Link("Find it on the map", href="/"), " or ", dcc.Link("see what is due", href="/due"), "."]),
        ],
        className="missing",
    )
