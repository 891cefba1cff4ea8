"""Bins that somebody at the council asked to have emptied; any emptying later than that fulfils it."""

from datetime import datetime

from psycopg import Connection

from ingest.registry.audit import Change, record_changes
from ingest.registry.errors import RegistryError
from ingest.registry.queue import announce

NOTE_LENGTH = 200
_OPEN = """
select bins.id, bin_requests.requested_at, bin_requests.note
from bins
left join bin_requests on bin_requests.bin_id = bins.id
    and not exists (
        select from emptyings
        where emptyings.bin_id = bins.id and emptyings.emptied_at > bin_requests.requested_at
            and emptyings.outcome is distinct from 'contradicted'
    )
where bins.ref = %s and bins.removed_at is null
for update of bins
"""
_STORE = """
insert into bin_requests (bin_id, requested_at, note) values (%(bin_id)s, %(requested_at)s, %(note)s)
on conflict (bin_id) do update set requested_at = excluded.requested_at, note = excluded.note
"""


def request_emptying(connection: Connection, ref: str, *, note: str, now: datetime, actor: str) -> datetime:
    """Ask for a bin to be emptied; gives since when it is asked for.

    A bin that is asked for already stays so from then on, with the new note.

    Args:
        connection: of the caller's transaction.
        ref: of the bin.
        note: why, for whoever reads the list of due bins; may be empty.
        now: aware.
        actor: for the audit log.

    Raises:
        RegistryError: no such bin stands, or the note is too long.
    """
    if len(note) > NOTE_LENGTH:
        raise RegistryError(f"The note is longer than {NOTE_LENGTH} characters.")
    bin_id, asked_at, old_note = _find(connection, ref)
    wanted = {"requested_at": asked_at or now, "note": note}
    connection.execute(_STORE, {"bin_id": bin_id, **wanted})
    before = None if asked_at is None else {"requested_at": asked_at, "note": old_note}
    record_changes(connection, actor, [Change("bin.request", ref, before, wanted)])
    announce(connection)
    return asked_at or now


def cancel_request(connection: Connection, ref: str, *, actor: str) -> None:
    """Take back that a bin is asked for.

    Raises:
        RegistryError: no such bin stands, or it is not asked for.
    """
    bin_id, asked_at, note = _find(connection, ref)
    if asked_at is None:
        raise RegistryError(f"Nobody asks for {ref}, or it was emptied since.")
    connection.execute("delete from bin_requests where bin_id = %s", (bin_id,))
    record_changes(
        connection, actor, [Change("bin.cancel_request", ref, {"requested_at": asked_at, "note": note}, None)]
    )
    announce(connection)


def _find(connection: Connection, ref: str) -> tuple[int, datetime | None, str | None]:
    """Give a bin's id, and the request that waits with its note."""
    row: tuple[int, datetime | None, str | None] | None = connection.execute(_OPEN, (ref,)).fetchone()
    if row is None:
        raise RegistryError(f"There is no bin {ref}.")
    return row
