"""What the page about places advises: bins that need more visits as plainly as those that need fewer."""

from collections import Counter
from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.uses import Advised
from dashboard.words import ADVICE, STREAMS
from ingest.assess.places.placement import ALWAYS_FULL, AS_IT_IS, FEWER_VISITS, MORE_VISITS, NEVER_FULL, UNKNOWN

# In pairs: too little, and too much.
KINDS = (MORE_VISITS, FEWER_VISITS, ALWAYS_FULL, NEVER_FULL)
LEADS = {
    MORE_VISITS: "Full too often or too long.",
    FEWER_VISITS: "Surely found with room to spare.",
    ALWAYS_FULL: "Full although they are emptied every day or nearly: double them, or move others here.",
    NEVER_FULL: "Never half full: remove them, or take smaller ones.",
}
# Nobody reads more than this; the file has all.
FIRST, MOST = 6, 60


def cards(advised: Sequence[Advised]) -> list[Component]:
    """Show what is advised, a card a kind, most at stake first."""
    return [_card(kind, [one for one in advised if one.advice.kind == kind]) for kind in KINDS]


def summary(advised: Sequence[Advised]) -> str:
    """Sum up in one or two sentences."""
    counts = Counter(one.advice.kind for one in advised)
    if not advised:
        return "Nothing is known yet: use shows from the second day of readings on."
    parts = [f"{counts[kind]:,} {words}" for kind, words in _COUNTED.items() if counts[kind]]
    return f"{len(advised):,} bins with a sensor: {', '.join(parts)}."


_COUNTED = {
    MORE_VISITS: "need more visits",
    FEWER_VISITS: "need fewer",
    ALWAYS_FULL: "are too small",
    NEVER_FULL: "are hardly used",
    AS_IT_IS: "are about right",
    UNKNOWN: "are not known for long enough",
}


def _card(kind: str, advised: list[Advised]) -> Component:
    ordered = sorted(advised, key=lambda one: (-one.advice.weight, one.use.id))
    head = html.Div(
        [html.H2(ADVICE[kind]), html.Span(f"{len(advised):,}", className="advice-count")], className="section-head"
    )
    parts: list[Component] = [head, html.P(LEADS[kind], className="advice-lead")]
    if not advised:
        parts.append(html.P("None.", className="none"))
    else:
        parts.append(html.Ol([_item(one) for one in ordered[:FIRST]], className="advice-list"))
    if more := ordered[FIRST:MOST]:
        rest = html.Ol([_item(one) for one in more], className="advice-list", start=str(FIRST + 1))
        parts.append(html.Details([html.Summary(f"{len(more):,} more"), rest]))
    if len(ordered) > MOST:
        parts.append(html.P(f"{len(ordered) - MOST:,} others are in the CSV file.", className="none"))
    return html.Section(parts, className=f"card advice advice-{kind}")


def _item(one: Advised) -> Component:
    use = one.use
    place = " · ".join(part for part in (use.location, use.ref, STREAMS.get(use.stream, use.stream)) if part)
    return html.Li(
        [
            html.Div([dcc.Link(use.name, href=f"/bins/{use.ref}"), html.Span(place, className="advice-place")]),
            html.P(one.advice.sentence),
        ]
    )
