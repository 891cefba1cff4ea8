"""What sensors' own readings propose for their calibration, on the pages; managers answer with a button."""

from collections.abc import Sequence
from urllib.parse import quote

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard import queries
from dashboard.accounts.gate import current_visitor
from dashboard.alerts import MAY_DECIDE
from dashboard.calibration import answer_proposal
from dashboard.pages.parts import Site, aria, table
from dashboard.rows import Device, Proposal

_BUTTONS = (("accept", "Accept", "button button-small"), ("dismiss", "Dismiss", "button button-small button-plain"))
_SAID = {"accept": "accepted", "dismiss": "dismissed"}


def proposals_of(proposals: Sequence[Proposal]) -> Component:
    """Show what is proposed for the sensors of a bin; nothing where nothing is."""
    return html.Div([_proposal(one) for one in proposals], id="bin-proposals")


def proposals_table(devices: Sequence[Device]) -> list[Component]:
    """List what is proposed for all sensors, each with the way to the page where it is answered."""
    rows = [
        (
            device.device,
            dcc.Link(device.bin, href=f"/bins/{quote(device.bin)}", className="nowrap"),
            device.proposal["reason"],
        )
        for device in devices
        if device.bin and device.proposal
    ]
    return [table("Distances that may be wrong", ("Sensor", "In bin", "In words"), rows)] if rows else []


def register_answers(app: Dash, site: Site) -> None:
    """Make the buttons work."""

    @app.callback(
        Output("bin-proposals", "children"),
        Input({"type": "bin-answer", "device": ALL, "empty_mm": ALL, "answer": ALL}, "n_clicks"),
        State("bin-ref", "data"),
        prevent_initial_call=True,
    )
    async def answer(clicks: list[int | None], ref: str) -> list[Component]:
        # The buttons appear, too, without being pressed.
        if not any(clicks):
            raise PreventUpdate
        said = ctx.triggered_id
        # Whatever the browser shows: the role is looked at here.
        await answer_proposal(site.pool, said["device"], said["empty_mm"], said["answer"], current_visitor())
        row = await queries.find_bin(site.pool, ref)
        return [_proposal(one) for one in row.proposals] if row else []


def _proposal(proposal: Proposal) -> Component:
    subject = html.Strong(f"Distances of {proposal['device']}")
    return html.Div([html.P([subject, f": {proposal['reason']}"]), _answer(proposal)], className="proposal")


def _answer(proposal: Proposal) -> Component:
    if proposal["answer"]:
        said = f"{proposal['answered_by']} {_SAID[proposal['answer']]} this; it takes effect in a moment."
        return html.P(said, className="proposal-note", role="status")
    if current_visitor().role not in MAY_DECIDE:
        return html.P("A manager may accept or dismiss this.", className="proposal-note")
    wanted = {"type": "bin-answer", "device": proposal["device"], "empty_mm": proposal["empty_mm"]}
    buttons = [
        html.Button(
            words, id={**wanted, "answer": answer}, className=look, **aria(label=f"{words}: {proposal['device']}")
        )
        for answer, words, look in _BUTTONS
    ]
    effect = (
        f"Accepting sets empty to {proposal['empty_mm']:,} mm and full to {proposal['full_mm']:,} mm, in the past, too."
    )
    return html.Div([*buttons, html.Span(effect, className="proposal-note")], className="proposal-answer")
