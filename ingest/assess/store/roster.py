"""The bins that stand, with what the council wants of each, the sensor in it, and what others know of its emptying."""

from datetime import datetime, timedelta

from psycopg import Connection

from ingest.assess.decisions.calendar import Calendar
from ingest.assess.decisions.due import Due
from ingest.assess.decisions.rules import Request, Rules
from ingest.assess.levels.readings import instant
from ingest.assess.levels.reports import Report, Source
from ingest.assess.levels.sensor import Sensor
from ingest.assess.memory.entry import Entry
from ingest.assess.memory.roll import REPORTS
from ingest.assess.store.calendars import load_calendars

# Sensors are found for all bins in one go. The newest emptyings that somebody reported are looked up bin by bin, which
# an index answers: there are years of them. What a sensor saw is in its readings.
_QUERY = """
select
    bins.id, bins.depot_id, bins.stream, bin_rules.threshold, bin_rules.max_age_days, bins.out_of_service_until,
    bin_requests.requested_at, bin_requests.note,
    fitting.fitted_at, fitting.next_report_s, fitting.last_received_at, report.emptied_at, report.source
from bins
join bin_rules on bin_rules.bin_id = bins.id
left join bin_requests on bin_requests.bin_id = bins.id
left join (
    select distinct on (fittings.bin_id)
        fittings.bin_id, fittings.fitted_at, device_state.next_report_s, device_state.last_received_at
    from fittings
    join devices on devices.id = fittings.device_id and devices.retired_at is null
    left join device_state
        on device_state.device_id = fittings.device_id and device_state.last_received_at >= fittings.fitted_at
    where fittings.removed_at is null and (%(bin_ids)s::int[] is null or fittings.bin_id = any(%(bin_ids)s::int[]))
    order by fittings.bin_id, device_state.last_received_at desc nulls last, fittings.fitted_at desc
) as fitting on fitting.bin_id = bins.id
left join lateral (
    select array_agg(newest.emptied_at) as emptied_at, array_agg(newest.source) as source
    from (
        select emptyings.emptied_at, emptyings.source from emptyings
        where emptyings.bin_id = bins.id and emptyings.source <> 'sensor'
        order by emptyings.emptied_at desc
        limit %(reports)s
    ) as newest
) as report on true
where bins.removed_at is null and (%(bin_ids)s::int[] is null or bins.id = any(%(bin_ids)s::int[]))
"""
_DECISIONS = """
select bin_id, sensor, reason, due_class, priority, due_since, due_by, explanation from bin_state
where due_class is not null
"""


def load_roster(
    connection: Connection, calendar: Calendar, now: datetime, bin_ids: list[int] | None = None
) -> dict[int, Entry]:
    """Load bins by id, with three queries.

    Args:
        connection: read only.
        calendar: with the council's time zone and bank holidays; its hours hold where the council says nothing.
        now: aware; horizons are as of then.
        bin_ids: which; None for all.
    """
    horizons = load_calendars(connection, calendar).horizons(now)
    return {
        bin_id: Entry(
            Rules(
                threshold,
                timedelta(days=max_age_days),
                out_of_service_until,
                calendar.zone,
                None if requested_at is None else Request(requested_at, note),
            ),
            None if fitted_at is None else Sensor(fitted_at, next_report_s, last_received_at),
            _reports(emptied_at, sources),
            horizons.of(depot_id),
            stream,
        )
        for (
            bin_id,
            depot_id,
            stream,
            threshold,
            max_age_days,
            out_of_service_until,
            requested_at,
            note,
            fitted_at,
            next_report_s,
            last_received_at,
            emptied_at,
            sources,
        ) in connection.execute(_QUERY, {"bin_ids": bin_ids, "reports": REPORTS})
    }


def _reports(emptied_at: list[datetime] | None, sources: list[Source] | None) -> tuple[Report, ...]:
    if not emptied_at or not sources:
        return ()
    return tuple(Report(instant(at), source) for at, source in zip(emptied_at, sources, strict=True))


def load_decisions(connection: Connection) -> dict[int, Due]:
    """Load what was decided last of the bins that are due, by bin id: a runner that starts goes on from there."""
    return {bin_id: Due(*columns) for bin_id, *columns in connection.execute(_DECISIONS)}
