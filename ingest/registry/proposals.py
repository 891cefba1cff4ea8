"""Calibrations that sensors' own readings propose, and what people decide about them."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from psycopg import Connection
from psycopg.rows import class_row, dict_row

from ingest.registry.audit import Change, record_changes
from ingest.registry.errors import RegistryError
from ingest.registry.fittings import Fit, fit, running_fit

_ANSWERS = "select fitting_id, device, answer, answered_by from bin_proposals where answer is not null"
# Where the sensor was taken out or calibrated meanwhile there is nothing left to answer.
_FORGET = """
update calibration_checks set answer = null, answered_by = null
where answer is not null and (fitting_id = %(fitting_id)s or fitting_id not in (select fitting_id from bin_proposals))
"""


@dataclass(frozen=True, slots=True)
class _Proposal:
    """A row of `bin_proposals`."""

    fitting_id: int
    known_empty_mm: int
    empty_mm: int
    full_mm: int


def list_proposals(connection: Connection) -> list[dict[str, object]]:
    """List what is proposed, what is furthest off first."""
    query = """
        select device, bin, name, known_empty_mm, empty_mm, full_mm, emptyings, sureness, reason
        from bin_proposals
        order by abs(empty_mm - known_empty_mm) desc, device
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def accept(connection: Connection, device: str, *, at: datetime | None, now: datetime, actor: str) -> Fit:
    """Give a sensor the calibration that is proposed for it; gives the fitting as it is now.

    Args:
        connection: of the caller's transaction.
        device: its reference.
        at: None to correct the fitting, its past with it; aware, to fit the sensor anew from then on.
        now: aware.
        actor: for the audit log.

    Raises:
        RegistryError: nothing is proposed for it, or it cannot be fitted so.
    """
    proposal = _find(connection, device)
    running = running_fit(connection, device, empty_mm=proposal.empty_mm, full_mm=proposal.full_mm)
    wanted = Fit(device, running.bin, running.empty_mm, running.full_mm, at or running.fitted_at)
    result = fit(connection, [wanted], now=now, actor=actor)
    if result.refused:
        raise RegistryError(result.refused[0].reason)
    _clear(connection, proposal.fitting_id, dismissed_mm=None)
    return wanted


def dismiss(connection: Connection, device: str, *, actor: str) -> int:
    """Take back what is proposed for a sensor; gives the distance, millimetres, that is not proposed again.

    Raises:
        RegistryError: nothing is proposed for it.
    """
    proposal = _find(connection, device)
    _clear(connection, proposal.fitting_id, dismissed_mm=proposal.empty_mm)
    before, after = {"empty_mm": proposal.known_empty_mm}, {"dismissed_empty_mm": proposal.empty_mm}
    record_changes(connection, actor, [Change("calibration.dismiss", device, before, after)])
    return proposal.empty_mm


def carry_out_answers(connection: Connection, now: datetime) -> None:
    """Do what people said on the page; what cannot be done is logged, and stays proposed.

    Args:
        connection: outside of a transaction; each answer has one of its own.
        now: aware.
    """
    for fitting_id, device, answer, answered_by in connection.execute(_ANSWERS).fetchall():
        try:
            with connection.transaction():
                if answer == "accept":
                    accept(connection, device, at=None, now=now, actor=f"page: {answered_by}")
                else:
                    dismiss(connection, device, actor=f"page: {answered_by}")
        except RegistryError as error:
            structlog.get_logger("assess").warning("an answer could not be carried out", device=device, why=str(error))
            connection.execute(_FORGET, {"fitting_id": fitting_id})
    connection.execute(_FORGET, {"fitting_id": None})


def _find(connection: Connection, device: str) -> _Proposal:
    """Give what is proposed for a device; the assess runner does not change it until the transaction ends."""
    connection.execute(
        "select from calibration_checks where fitting_id in (select fitting_id from bin_proposals where device = %s)"
        " for update",
        (device,),
    )
    query = "select fitting_id, known_empty_mm, empty_mm, full_mm from bin_proposals where device = %s"
    with connection.cursor(row_factory=class_row(_Proposal)) as cursor:
        proposal = cursor.execute(query, (device,)).fetchone()
    if proposal is None:
        raise RegistryError(_nothing(connection, device))
    return proposal


def _clear(connection: Connection, fitting_id: int, *, dismissed_mm: int | None) -> None:
    connection.execute(
        "update calibration_checks set dismissed_empty_mm = coalesce(%s, dismissed_empty_mm), known_empty_mm = null,"
        " known_full_mm = null, empty_mm = null, full_mm = null, empty_low_mm = null, empty_high_mm = null,"
        " emptyings = null, sureness = null, reason = null, answer = null, answered_by = null where fitting_id = %s",
        (dismissed_mm, fitting_id),
    )


def _nothing(connection: Connection, ref: str) -> str:
    """Say why nothing is proposed for what somebody called a device."""
    if connection.execute("select 1 from devices where ref = %s and retired_at is null", (ref,)).fetchone():
        return f"No other calibration is proposed for {ref}."
    query = "select device from bin_proposals where bin = %s order by device"
    devices = [device for (device,) in connection.execute(query, (ref,))]
    if devices:
        return f"{ref} is a bin; name its sensor: {' or '.join(devices)}."
    return f"No device {ref} is enrolled."
