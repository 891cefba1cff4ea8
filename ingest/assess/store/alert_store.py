"""The alerts in the database, kept up by the assess runner: only what changed is written."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from psycopg import Connection

from ingest.assess.decisions.alerts import LONGEST_REOPENING, Alert, reconcile
from ingest.assess.decisions.conditions import (
    BATTERY_FINE_MV,
    BATTERY_FINE_PERCENT,
    BATTERY_READINGS,
    CERTIFICATE_NOTICE,
    Device,
    conditions,
)
from ingest.assess.levels.findings import Findings
from ingest.assess.memory.entry import Entry

# That an open alert's condition still holds is written no more often than this.
OBSERVED_EVERY = timedelta(minutes=15)
# How old what is known of batteries and certificates may be.
DEVICES_EVERY = timedelta(minutes=5)

_KNOWN = """
select bin_id, type, since, text, opened_at, observed_at, closed_at, id
from alerts
where closed_at is null or closed_at > %s
order by closed_at nulls last
"""
# Only the few devices that something may be wrong with.
_DEVICES = """
select
    fittings.bin_id,
    min(case when state.battery_mv <= %(fine_mv)s then greatest(state.battery_mv, lately.highest_mv) end),
    min(state.battery_percent),
    min(devices.certificate_expires_at),
    max(case when state.last_received_at is null then devices.enrolled_at end)
from fittings
join devices on devices.id = fittings.device_id and devices.retired_at is null
left join lateral (
    select battery_mv, last_received_at, (status ->> 'battery_percent')::numeric::int as battery_percent
    from device_state
    where device_state.device_id = devices.id
) as state on true
left join lateral (
    select max(newest.battery_mv) as highest_mv
    from (
        select readings.battery_mv from readings
        where state.battery_mv <= %(fine_mv)s and readings.device_id = devices.id
        order by readings.measured_at desc
        limit %(readings)s
    ) as newest
) as lately on true
where fittings.removed_at is null
    and (
        state.last_received_at is null
        or state.battery_mv <= %(fine_mv)s
        or state.battery_percent <= %(fine_percent)s
        or devices.certificate_expires_at <= %(expires_by)s
    )
group by fittings.bin_id
"""
_CLOSE_REMOVED = """
update alerts set closed_at = greatest(%(now)s, observed_at)
from bins
where bins.id = alerts.bin_id and bins.removed_at is not null and alerts.closed_at is null
returning alerts.bin_id
"""
_OPEN = """
insert into alerts (bin_id, type, text, since, opened_at, observed_at)
select * from unnest(%s::int[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
on conflict (bin_id, type) where closed_at is null do update set observed_at = excluded.observed_at
returning id, bin_id, type
"""
_CHANGE = """
update alerts set text = news.text, observed_at = news.observed_at, closed_at = news.closed_at
from unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[]) as news (id, text, observed_at, closed_at)
where alerts.id = news.id
"""


class AlertStore:
    """The alerts of all bins.

    Args:
        connection: of the one runner that works; whoever calls holds the transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # The latest of each bin and type; None until they were loaded.
        self._latest: dict[int, dict[str, Alert]] | None = None
        self._observed_as_written: dict[int, datetime] = {}
        self._devices: dict[int, Device] = {}
        self._devices_until: datetime | None = None

    def update(self, seen: Iterable[tuple[int, Findings, Entry]], now: datetime) -> None:
        """Bring the alerts of bins to what is wrong at them now; call it last in a transaction.

        Args:
            seen: of each bin that was looked at: its id, what its readings say, and its entry in the roster.
            now: aware.
        """
        if self._latest is None:
            self._latest = self._load(now)
        if self._devices_until is None or now >= self._devices_until:
            self._close_removed(self._latest, now)
            self._devices = self._load_devices(now)
            self._devices_until = now + DEVICES_EVERY
        changed = []
        for bin_id, findings, entry in seen:
            serves = entry.rules.out_of_service_until is None or now >= entry.rules.out_of_service_until
            found = conditions(findings, entry.sensor, self._devices.get(bin_id), now, in_service=serves)
            known = self._latest.get(bin_id)
            if found or known:
                alerts = list(known.values()) if known else []
                changed += [(bin_id, alert) for alert in reconcile(alerts, found, now)]
        self._write(self._latest, changed)

    def _load(self, now: datetime) -> dict[int, dict[str, Alert]]:
        latest: dict[int, dict[str, Alert]] = defaultdict(dict)
        for bin_id, *columns in self._connection.execute(_KNOWN, (now - LONGEST_REOPENING,)):
            alert = Alert(*columns)
            latest[bin_id][alert.type] = alert
            self._observed_as_written[columns[-1]] = alert.observed_at
        return latest

    def _load_devices(self, now: datetime) -> dict[int, Device]:
        limits = {
            "fine_mv": BATTERY_FINE_MV,
            "readings": BATTERY_READINGS,
            "fine_percent": BATTERY_FINE_PERCENT,
            "expires_by": now + CERTIFICATE_NOTICE,
        }
        return {bin_id: Device(*columns) for bin_id, *columns in self._connection.execute(_DEVICES, limits)}

    def _close_removed(self, latest: dict[int, dict[str, Alert]], now: datetime) -> None:
        for (bin_id,) in self._connection.execute(_CLOSE_REMOVED, {"now": now}):
            latest.pop(bin_id, None)

    def _write(self, latest: dict[int, dict[str, Alert]], changed: Iterable[tuple[int, Alert]]) -> None:
        opened, altered = [], []
        for bin_id, alert in changed:
            if alert.id is None:
                opened.append((bin_id, alert))
            elif self._is_news(latest[bin_id][alert.type], alert):
                altered.append(alert)
                self._observed_as_written[alert.id] = alert.observed_at
            latest[bin_id][alert.type] = alert
        if altered:
            columns = zip(*((one.id, one.text, one.observed_at, one.closed_at) for one in altered), strict=True)
            self._connection.execute(_CHANGE, [list(column) for column in columns])
        if opened:
            rows = ((bin_id, one.type, one.text, one.since, one.opened_at, one.observed_at) for bin_id, one in opened)
            for alert_id, bin_id, type_ in self._connection.execute(
                _OPEN, [list(column) for column in zip(*rows, strict=True)]
            ):
                latest[bin_id][type_] = replace(latest[bin_id][type_], id=alert_id)
                self._observed_as_written[alert_id] = latest[bin_id][type_].observed_at

    def _is_news(self, before: Alert, after: Alert) -> bool:
        """Say whether a change is worth writing: more than that the trouble still is there."""
        if (before.closed_at is None) != (after.closed_at is None) or after.id is None:
            return True
        return after.observed_at - self._observed_as_written[after.id] >= OBSERVED_EVERY
