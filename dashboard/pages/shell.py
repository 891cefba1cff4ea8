"""What surrounds every page: head of the document, bar with the ways, sign-out, and the place the page is put into."""

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.accounts.gate import current_visitor
from dashboard.accounts.sessions import Visitor
from dashboard.pages.parts import aria

WAYS = (("/", "Map"), ("/due", "Due list"), ("/alerts", "Alerts"), ("/devices", "Sensors"))

# Dash fills in the braces. The banner lies outside of what Dash draws, so that it can speak when Dash cannot.
INDEX = """<!doctype html>
<html lang="en">
  <head>
    {%metas%}
    <meta name="color-scheme" content="light dark">
    <title>{%title%}</title>
    <link rel="icon" href="/assets/mark.svg" type="image/svg+xml">
    {%css%}
  </head>
  <body>
    <a class="skip" href="#site-main">Skip to content</a>
    <div id="banner" role="status" aria-live="polite"></div>
    {%app_entry%}
    <footer>
      {%config%}
      {%scripts%}
      {%renderer%}
    </footer>
  </body>
</html>
"""


def layout() -> Component:
    """Lay out what surrounds the pages, for whoever asks."""
    visitor = current_visitor()
    frame: Component = dmc.MantineProvider(
        id="site-provider",
        forceColorScheme=visitor.window.theme,
        theme={"fontFamily": "inherit", "primaryColor": "blue", "defaultRadius": "md"},
        children=html.Div(
            [
                dcc.Location(id="site-location", refresh="callback-nav"),
                dcc.Store(id="site-theme", data=visitor.window.theme),
                dcc.Store(id="site-beat"),
                dcc.Store(id="site-title"),
                _bar(visitor),
                html.Main(id="site-main", tabIndex=-1, children=waiting()),
            ],
            className="site",
        ),
    )
    return frame


def ways(pathname: str) -> list[Component]:
    """Link the pages; the one in hand is marked."""
    return [_way(href, label, here=pathname == href) for href, label in WAYS]


def waiting() -> Component:
    """Show that the page is on its way."""
    return html.Div(html.Div(className="waiting-bar"), className="waiting", role="status", **aria(label="Loading"))


def _bar(visitor: Visitor) -> Component:
    brand = dcc.Link(
        [html.Img(src="/assets/mark.svg", alt="", width=28, height=28), html.Span("Brimwatch")],
        href="/",
        className="brand",
    )
    theme = html.Button(
        html.Span(className="theme-icon"), id="site-theme-button", className="icon-button", title="Light or dark",
        **aria(label="Switch between light and dark"),
    )  # fmt: skip
    sign_out = html.Form(
        [
            dcc.Input(type="hidden", name="form", value=visitor.csrf, id="site-csrf"),
            html.Button("Sign out", type="submit", className="text-button", title=f"Signed in as {visitor.name}"),
        ],
        action="/logout",
        method="post",
    )
    nav = html.Nav(ways("/"), id="site-ways", className="ways", **aria(label="Pages"))
    who = html.Span(visitor.name, className="who")
    return html.Header([brand, nav, html.Div([who, theme, sign_out], className="bar-end")], className="bar")


def _way(href: str, label: str, *, here: bool) -> Component:
    link = dcc.Link(label, href=href, className="way way-here" if here else "way")
    return html.Span(link, **(aria(current="page") if here else {}))
