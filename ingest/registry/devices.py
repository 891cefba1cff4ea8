"""Devices: which sensors may publish, and the certificate that each one proves itself with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from psycopg import Connection
from psycopg.rows import dict_row

from ingest.lorawan.models import MODELS
from ingest.registry.audit import Change, record_changes
from ingest.registry.bundles import Broker, make_bundle
from ingest.registry.errors import RegistryError
from ingest.registry.identity import Identity, serial_of
from ingest.registry.queue import queue_assessment
from ingest.registry.references import require_dev_eui, require_device_reference


@dataclass(slots=True)
class Enrolment:
    """What enrolling did: references of devices, in the order given."""

    added: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


def enrol(
    connection: Connection,
    refs: Sequence[str],
    *,
    out: Path,
    authority: Identity,
    broker: Broker,
    now: datetime,
    actor: str,
) -> Enrolment:
    """Let devices publish: a row, and a bundle in the folder of the device's name below `out`.

    A device that is enrolled and has a good bundle stays as it is; one without gets a new certificate; a retired one is
    taken back.

    Raises:
        RegistryError: a reference is not legal, or a bundle cannot be written. Nothing is enrolled then.
    """
    wanted = [require_device_reference(ref) for ref in dict.fromkeys(refs)]
    known = _known(connection, wanted)
    columns = {ref: _columns(make_bundle(out / ref, ref, authority, broker, now)[0]) for ref in wanted}
    return _enrol(connection, known, columns, actor)


def enrol_lorawan(connection: Connection, refs: Sequence[str], *, model: str, actor: str) -> Enrolment:
    """Let LoRaWAN devices be heard through their network server: a row with the model, and no certificate.

    Args:
        connection: of the transaction.
        refs: DevEUIs as they stand on the devices.
        model: a name of `MODELS`.
        actor: who does it.

    Raises:
        RegistryError: the model is not known, or a reference is no DevEUI. Nothing is enrolled then.
    """
    if model not in MODELS:
        raise RegistryError(f"The model {model!r} is not known; these are: {', '.join(MODELS)}.")
    wanted = list(dict.fromkeys(require_dev_eui(ref) for ref in refs))
    columns = {ref: _columns(None, model) for ref in wanted}
    return _enrol(connection, _known(connection, wanted), columns, actor)


def retire(connection: Connection, ref: str, *, now: datetime, actor: str) -> None:
    """Refuse whatever this device sends from now on, and take it out of its bin.

    Raises:
        RegistryError: no such device is enrolled.
    """
    row = connection.execute("select id, retired_at from devices where ref = %s for update", (ref,)).fetchone()
    if row is None:
        raise RegistryError(f"No device {ref} is enrolled.")
    if row[1] is not None:
        return
    connection.execute("update devices set retired_at = %s where id = %s", (now, row[0]))
    left = connection.execute(
        "update fittings set removed_at = greatest(%s, fitted_at + interval '1 microsecond') from bins"
        " where bins.id = bin_id and device_id = %s and fittings.removed_at is null"
        " returning bins.ref, fittings.removed_at",
        (now, row[0]),
    ).fetchall()
    queue_assessment(connection, {row[0]: now})
    changes = [Change("device.retire", ref, {"retired_at": None}, {"retired_at": now})]
    for bin_ref, at in left:
        before, after = {"bin": bin_ref, "removed_at": None}, {"bin": None, "removed_at": at}
        changes.append(Change("device.unfit", ref, before, after))
    record_changes(connection, actor, changes)


def list_devices(connection: Connection) -> list[dict[str, object]]:
    """Give the rows of the view `device_status`, by reference."""
    query = (
        "select device, model, bin, enrolled_at, certificate_expires_at, last_received_at, battery_mv"
        " from device_status order by device"
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def _enrol(
    connection: Connection, known: dict[str, dict[str, object]], columns: dict[str, dict[str, object]], actor: str
) -> Enrolment:
    result, changes = Enrolment(), []
    for ref, after in columns.items():
        before = known.get(ref)
        if before == after:
            result.unchanged.append(ref)
            continue
        (result.added if before is None else result.renewed).append(ref)
        changes.append(Change("device.enrol" if before is None else "device.renew", ref, before, after))
    _store(connection, changes)
    record_changes(connection, actor, changes)
    return result


def _known(connection: Connection, refs: list[str]) -> dict[str, dict[str, object]]:
    # Two people enrolling at once must not both issue: the second waits here, then sees what the first one did.
    connection.execute("lock table devices in share row exclusive mode")
    query = "select ref, certificate_serial, certificate_expires_at, model, retired_at from devices where ref = any(%s)"
    with connection.cursor(row_factory=dict_row) as cursor:
        return {row.pop("ref"): row for row in cursor.execute(query, (refs,)).fetchall()}


def _columns(identity: Identity | None, model: str | None = None) -> dict[str, object]:
    return {
        "certificate_serial": None if identity is None else serial_of(identity),
        "certificate_expires_at": None if identity is None else identity.certificate.not_valid_after_utc,
        "model": model,
        "retired_at": None,
    }


def _store(connection: Connection, changes: list[Change]) -> None:
    rows = [{"ref": change.subject, **(change.after or {})} for change in changes]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into devices (ref, certificate_serial, certificate_expires_at, model)"
            " values (%(ref)s, %(certificate_serial)s, %(certificate_expires_at)s, %(model)s)"
            " on conflict (ref) do update set certificate_serial = excluded.certificate_serial,"
            " certificate_expires_at = excluded.certificate_expires_at, model = excluded.model, retired_at = null",
            rows,
        )
