"""Configurations: what devices are to be set to, and what they say that they are set to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from ingest.configuration import fault_of
from ingest.registry.audit import Change, record_changes
from ingest.registry.errors import RegistryError

# First and alone: only a later statement sees what somebody changed meanwhile.
LOCK = "select from devices where ref = any(%s) order by id for update"
KNOWN = """
select ref, id, model, retired_at, coalesce(version, 0) as version, coalesce(settings, '{}') as settings
from devices left join device_config on device_id = id
where ref = any(%s)
"""
STORE = """
insert into device_config (device_id, version, settings, changed_at)
values (%(device_id)s, %(version)s, %(settings)s, %(now)s)
on conflict (device_id) do update
set version = excluded.version, settings = excluded.settings, changed_at = excluded.changed_at
"""
LIST = """
select
    ref as device, version, settings, changed_at,
    status ->> 'config_version' as reported_version, status ->> 'config_refused' as refused
from devices
join device_config on device_config.device_id = devices.id
left join device_state on device_state.device_id = devices.id
where retired_at is null and (%(refs)s::text[] is null or ref = any(%(refs)s))
order by ref
"""


@dataclass(slots=True)
class Configured:
    """What configuring did: references of devices."""

    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


def configure(
    connection: Connection, refs: Sequence[str], changes: Mapping[str, int | None], *, now: datetime, actor: str
) -> Configured:
    """Have devices set to something else; each is told when it reports next.

    Args:
        connection: of the transaction.
        refs: of the devices.
        changes: by setting; None for as the device was provisioned. What is not named stays as it was wanted.
        now: UTC.
        actor: who does it.

    Raises:
        RegistryError: a device is not enrolled, is of another maker, or would refuse the settings; nothing is changed.
    """
    connection.execute(LOCK, (list(refs),))
    with connection.cursor(row_factory=dict_row) as cursor:
        known = {row["ref"]: row for row in cursor.execute(KNOWN, (list(refs),)).fetchall()}
    result, made = Configured(), []
    for ref in dict.fromkeys(refs):
        row = known.get(ref)
        if row is None or row["retired_at"] is not None:
            raise RegistryError(f"No device {ref} is enrolled." if row is None else f"The device {ref} is retired.")
        if row["model"] is not None:
            raise RegistryError(f"The device {ref} came over LoRaWAN: it is configured by its network server.")
        merged = row["settings"] | changes
        after = {name: value for name, value in sorted(merged.items()) if value is not None}
        fault = fault_of(after)
        if fault:
            raise RegistryError(f"{ref}: {fault}")
        if after == row["settings"]:
            result.unchanged.append(ref)
            continue
        version = row["version"] + 1
        connection.execute(STORE, {"device_id": row["id"], "version": version, "settings": Jsonb(after), "now": now})
        result.changed.append(ref)
        before = {name: row["settings"].get(name) for name in changes}
        made.append(Change("device.configure", ref, before, {name: after.get(name) for name in changes}))
    record_changes(connection, actor, made)
    return result


def list_configurations(connection: Connection, refs: Sequence[str] | None) -> list[dict[str, object]]:
    """Give what devices are to be set to, and what they said last, by reference.

    Args:
        connection: to ask.
        refs: of devices; None for all that ever were configured.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(LIST, {"refs": None if refs is None else list(refs)}).fetchall()
    for row in rows:
        row["settings"] = " ".join(f"{name}={value}" for name, value in sorted(row["settings"].items()))
    return rows
