"""Taking away: a device out of its bin, a bin out of the street. The past stays; what was measured keeps its bin."""

from datetime import datetime

from psycopg import Connection
from psycopg.rows import dict_row

from ingest.registry.audit import Change, record_changes
from ingest.registry.errors import RegistryError
from ingest.registry.fittings import AHEAD, when
from ingest.registry.queue import announce, queue_assessment


def unfit(connection: Connection, device: str, *, at: datetime | None, now: datetime, actor: str) -> str:
    """Take a device out of its bin; gives the bin's reference.

    Args:
        connection: of the caller's transaction.
        device: its reference.
        at: since when; None for now.
        now: aware.
        actor: for the audit log.

    Raises:
        RegistryError: it sits in no bin, was put there later, or `at` is in the future.
    """
    query = (
        "select device_id, bins.ref as bin, fitted_at from fittings"
        " join devices on devices.id = fittings.device_id join bins on bins.id = fittings.bin_id"
        " where devices.ref = %s and fittings.removed_at is null for update of fittings"
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(query, (device,)).fetchone()
    if row is None:
        raise RegistryError(f"{device} sits in no bin.")
    moment = at or now
    if moment > now + AHEAD:
        raise RegistryError(f"{when(moment)} is in the future.")
    if moment <= row["fitted_at"]:
        raise RegistryError(f"{device} was put into {row['bin']} later, at {when(row['fitted_at'])}.")
    _end(connection, {row["device_id"]: device}, row["bin"], moment, actor)
    return str(row["bin"])


def remove_bin(connection: Connection, ref: str, *, now: datetime, actor: str) -> tuple[str, ...]:
    """Take a bin away, and the devices out of it; gives their references. Importing the bin again puts it back.

    Raises:
        RegistryError: no such bin stands.
    """
    row = connection.execute("select id, removed_at from bins where ref = %s for update", (ref,)).fetchone()
    if row is None or row[1] is not None:
        raise RegistryError(f"There is no bin {ref}.")
    query = (
        "select device_id, devices.ref from fittings join devices on devices.id = device_id"
        " where bin_id = %s and removed_at is null order by devices.ref for update of fittings"
    )
    devices: dict[int, str] = dict(connection.execute(query, (row[0],)).fetchall())
    _end(connection, devices, ref, now, actor)
    connection.execute("update bins set removed_at = %s where id = %s", (now, row[0]))
    connection.execute("delete from bin_requests where bin_id = %s", (row[0],))
    record_changes(connection, actor, [Change("bin.remove", ref, {"removed_at": None}, {"removed_at": now})])
    announce(connection)
    return tuple(devices.values())


def _end(connection: Connection, devices: dict[int, str], bin_ref: str, at: datetime, actor: str) -> None:
    """End the running fittings of devices; one that begins later, by a clock ahead of ours, ends as it begins."""
    connection.execute(
        "update fittings set removed_at = greatest(%s, fitted_at + interval '1 microsecond')"
        " where device_id = any(%s) and removed_at is null",
        (at, list(devices)),
    )
    queue_assessment(connection, dict.fromkeys(devices, at))
    before = {"bin": bin_ref, "removed_at": None}
    record_changes(
        connection,
        actor,
        [Change("device.unfit", device, before, {"bin": None, "removed_at": at}) for device in devices.values()],
    )
