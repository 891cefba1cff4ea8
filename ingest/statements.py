"""The statements that `store` writes a batch with: each unnests columns (`batch`, `columns`)."""

from psycopg import sql

# With the configuration that a device has neither taken nor refused, as far as its last status says.
DEVICES = """
select ref, id, model, coalesce(floor(extract(epoch from last_measured_at) * 1000)::bigint, 0), version, settings
from devices
left join device_state on device_state.device_id = id
left join device_config on device_config.device_id = id
    and to_jsonb(version) is distinct from status -> 'config_version'
    and not starts_with(coalesce(status ->> 'config_refused', ''), 'version ' || version || ':')
where ref = any(%s) and retired_at is null
"""

SENT = """
unnest(
    %(device_ids)b::integer[], %(epochs)b::bigint[], %(seqs)b::bigint[], %(measured_ms)b::bigint[],
    %(distance_mm)b::integer[], %(spread_mm)b::integer[], %(valid_count)b::integer[], %(temperature_c)b::float8[],
    %(battery_mv)b::integer[], %(tilt_deg)b::integer[], %(flags)b::integer[]
)"""

# In the order of the key in all writers, so that no two wait for each other.
INSERT_NEW = sql.SQL(
    """
insert into readings (
    device_id, epoch, seq, measured_at, received_at,
    distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags
)
select
    device_id, epoch, seq, timestamptz 'epoch' + measured_ms * interval '1 millisecond', %(received_at)s,
    distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags
from {sent} as sent (
    device_id, epoch, seq, measured_ms,
    distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags
)
order by device_id, measured_ms, epoch, seq
"""
).format(sent=sql.SQL(SENT))

# Costs the database half as much again: it looks for each row first, and logs it twice. Used where rows may be there.
INSERT = INSERT_NEW + sql.SQL("on conflict do nothing")

# The bounds let the database open only the chunks in question.
CONFLICTS = sql.SQL(
    """
select
    sent.place, stored.distance_mm, stored.spread_mm, stored.valid_count, stored.temperature_c,
    stored.battery_mv, stored.tilt_deg, stored.flags
from {sent} with ordinality as sent (
    device_id, epoch, seq, measured_ms,
    distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags, place
)
join readings as stored
    on stored.device_id = sent.device_id
    and stored.epoch = sent.epoch
    and stored.seq = sent.seq
    and stored.measured_at = timestamptz 'epoch' + sent.measured_ms * interval '1 millisecond'
    and stored.measured_at >= timestamptz 'epoch' + %(first_ms)s * interval '1 millisecond'
    and stored.measured_at <= timestamptz 'epoch' + %(last_ms)s * interval '1 millisecond'
where (
    stored.distance_mm, stored.spread_mm, stored.valid_count, stored.temperature_c,
    stored.battery_mv, stored.tilt_deg, stored.flags
) is distinct from (
    sent.distance_mm, sent.spread_mm, sent.valid_count, sent.temperature_c::real,
    sent.battery_mv, sent.tilt_deg, sent.flags
)
"""
).format(sent=sql.SQL(SENT))

REJECTS = """
insert into rejects (received_at, topic, device, reason, detail, payload)
select %(received_at)s, topic, device, reason, detail, payload
from unnest(
    %(topics)s::text[], %(devices)s::text[], %(reasons)s::text[], %(details)s::text[], %(payloads)b::bytea[]
) as refused (topic, device, reason, detail, payload)
"""

# The battery is that of the newest measurement, whatever order they arrive in.
HEARD = """
insert into device_state as known (device_id, last_received_at, last_measured_at, next_report_s, battery_mv)
select
    device_id, %(received_at)s, timestamptz 'epoch' + measured_ms * interval '1 millisecond', next_report_s, battery_mv
from unnest(
    %(device_ids)b::integer[], %(measured_ms)b::bigint[], %(next_report_s)b::integer[], %(battery_mv)b::integer[]
) as heard (device_id, measured_ms, next_report_s, battery_mv)
on conflict (device_id) do update set
    last_received_at = greatest(known.last_received_at, excluded.last_received_at),
    last_measured_at = greatest(known.last_measured_at, excluded.last_measured_at),
    next_report_s = coalesce(excluded.next_report_s, known.next_report_s),
    battery_mv = case
        when known.last_measured_at > excluded.last_measured_at then coalesce(known.battery_mv, excluded.battery_mv)
        else coalesce(excluded.battery_mv, known.battery_mv)
    end
"""

# The newest stays, also when an older one is replayed.
STATUS = """
update device_state
set status = said.status::jsonb, status_received_at = %(received_at)s
from unnest(%(device_ids)b::integer[], %(statuses)s::text[]) as said (device_id, status)
where device_state.device_id = said.device_id
    and coalesce(device_state.status_received_at <= %(received_at)s, true)
"""

QUEUE = """
insert into assess_queue as waiting (device_id, from_measured_at)
select device_id, timestamptz 'epoch' + measured_ms * interval '1 millisecond'
from unnest(%(device_ids)b::integer[], %(measured_ms)b::bigint[]) as news (device_id, measured_ms)
on conflict (device_id) do update
set from_measured_at = least(waiting.from_measured_at, excluded.from_measured_at)
"""
