"""The bins that stand, with what the council wants of each, the sensor in it, and what others know of its emptying."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg import Connection

from ingest.assess.due import Rules
from ingest.assess.sensor import Sensor

_QUERY = """
select
    bins.id, bins.threshold, bins.max_age_days, bins.out_of_service_until,
    fitting.fitted_at, fitting.next_report_s, fitting.last_received_at, emptying.emptied_at
from bins
left join lateral (
    select
        fittings.fitted_at,
        device_state.next_report_s,
        device_state.last_received_at
    from fittings
    join devices on devices.id = fittings.device_id and devices.retired_at is null
    left join device_state
        on device_state.device_id = fittings.device_id and device_state.last_received_at >= fittings.fitted_at
    where fittings.bin_id = bins.id and fittings.removed_at is null
    order by device_state.last_received_at desc nulls last, fittings.fitted_at desc
    limit 1
) as fitting on true
left join lateral (
    select max(emptyings.emptied_at) as emptied_at from emptyings where emptyings.bin_id = bins.id
) as emptying on true
where bins.removed_at is null and (%(bin_ids)s::int[] is null or bins.id = any(%(bin_ids)s::int[]))
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One bin.

    Attributes:
        rules: what the council wants.
        sensor: that sits in it now; None for none.
        last_emptied_at: newest emptying on record, whoever reported it; None for none.
    """

    rules: Rules
    sensor: Sensor | None
    last_emptied_at: datetime | None


def load_roster(connection: Connection, zone: ZoneInfo, bin_ids: list[int] | None = None) -> dict[int, Entry]:
    """Load bins by id.

    Args:
        connection: read only.
        zone: the council's time zone.
        bin_ids: which; None for all.
    """
    return {
        bin_id: Entry(
            Rules(threshold, timedelta(days=max_age_days), out_of_service_until, zone),
            None if fitted_at is None else Sensor(fitted_at, next_report_s, last_received_at),
            last_emptied_at,
        )
        for (
            bin_id,
            threshold,
            max_age_days,
            out_of_service_until,
            fitted_at,
            next_report_s,
            last_received_at,
            last_emptied_at,
        ) in connection.execute(_QUERY, {"bin_ids": bin_ids})
    }
