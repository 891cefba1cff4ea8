-- The read side's questions to the views. Each block is named; `queries.py` asks them.

-- list_bins --
-- Bins that stand, by id; every filter is off when null.
select
    id, ref, name, location, depot, stream, model, capacity_l, longitude, latitude, threshold, max_age_days,
    service_time_s, out_of_service_until, device, empty_mm, full_mm, fill_level, quality, measured_at, last_received_at,
    last_emptied_at, sensor, reason, due_class, priority, due_since, due_by, explanation, threshold_at_p10,
    threshold_at_p50, threshold_at_p90, full_at_p10, full_at_p50, full_at_p90, assessed_at, area, uprn, usrn, open_data,
    horizon_at, overflow_chance
from bin_status
where id > %(after)s
    and (%(ref)s::text is null or ref = %(ref)s)
    and (%(stream)s::text is null or stream = %(stream)s)
    and (%(depot)s::text is null or depot = %(depot)s)
    and (%(reason)s::text is null or reason = %(reason)s)
    and (%(due)s::boolean is null or (due_class is not null) = %(due)s)
order by id
limit %(limit)s

-- list_due --
-- Bins that are due, most urgent first; then those that likely overflow before a moment, when it is not null.
select
    id, ref, name, location, depot, stream, model, capacity_l, longitude, latitude, threshold, max_age_days,
    service_time_s, out_of_service_until, device, empty_mm, full_mm, fill_level, quality, measured_at, last_received_at,
    last_emptied_at, sensor, reason, due_class, priority, due_since, due_by, explanation, threshold_at_p10,
    threshold_at_p50, threshold_at_p90, full_at_p10, full_at_p50, full_at_p90, assessed_at, area, uprn, usrn, open_data,
    horizon_at, overflow_chance
from bin_status
where (due_class is not null
        or (full_at_p50 <= %(before)s::timestamptz and coalesce(out_of_service_until <= %(before)s, true)))
    and (%(due_class)s::text is null or due_class = %(due_class)s)
    and (%(stream)s::text is null or stream = %(stream)s)
    and (%(depot)s::text is null or depot = %(depot)s)
    and (%(reason)s::text is null or reason = %(reason)s)
    and (%(priority)s::integer is null or priority < %(priority)s or (priority = %(priority)s and id > %(after)s))
order by priority desc, id
limit %(limit)s

-- list_places --
-- What the map shows of every bin. The sentence is only wanted of those that are due.
select
    id, ref, name, location, depot, stream, longitude, latitude, threshold, fill_level, sensor, reason, due_class,
    priority, due_since, case when due_class is not null then explanation else '' end as explanation
from bin_status
order by id

-- sum_up_places --
-- One number that changes with anything `list_places` would give.
select coalesce(bit_xor(hashtextextended(places::text, 0)), 0)
from (
    select
        id, ref, name, location, depot, stream, longitude, latitude, threshold, fill_level, sensor, reason, due_class,
        priority, due_since, case when due_class is not null then explanation else '' end as explanation
    from bin_status
) as places

-- find_bin_id --
select id from bin_status where ref = %(ref)s

-- list_readings --
-- One bin's readings, newest first, at and before a moment; a cursor's keys are null on the first page.
select
    device, epoch, seq, measured_at, received_at, distance_mm, spread_mm, valid_count, temperature_c, battery_mv,
    tilt_deg, flags, empty_mm, full_mm
from bin_readings
where bin_id = %(bin_id)s
    and measured_at <= %(until)s
    and (%(device)s::text is null
        or (measured_at, device, epoch, seq) < (%(until)s, %(device)s, %(epoch)s, %(seq)s))
order by measured_at desc, device desc, epoch desc, seq desc
limit %(limit)s

-- list_readings_after --
-- The readings that come next after a moment, oldest first: neighbours to judge a page's newest readings by.
select
    device, epoch, seq, measured_at, received_at, distance_mm, spread_mm, valid_count, temperature_c, battery_mv,
    tilt_deg, flags, empty_mm, full_mm
from bin_readings
where bin_id = %(bin_id)s
    and measured_at >= %(moment)s
    and (measured_at, device, epoch, seq) > (%(moment)s, %(device)s, %(epoch)s, %(seq)s)
order by measured_at, device, epoch, seq
limit %(limit)s

-- list_emptyings --
-- One bin's emptyings, newest first.
select emptied_at, not_before, fill_before, fill_after, confidence, source
from bin_emptyings
where bin_id = %(bin_id)s
    and (%(until)s::timestamptz is null or (emptied_at, source) < (%(until)s, %(source)s))
order by emptied_at desc, source desc
limit %(limit)s

-- list_rejects --
-- What was refused, newest first.
select id, received_at, topic, device, reason, detail, payload
from reject_list
where id < %(before)s
order by id desc
limit %(limit)s

-- count_rejects --
-- How much was refused since a moment, by reason.
select reason, count(*) as count, count(distinct device) as devices, max(received_at) as last_received_at
from reject_list
where received_at >= %(since)s
group by reason
order by count(*) desc, reason

-- list_devices --
-- Devices in use, by reference.
select
    device, bin, enrolled_at, certificate_expires_at, last_received_at, last_measured_at, next_report_s, battery_mv,
    status, status_received_at
from device_status
where device > %(after)s
order by device
limit %(limit)s

-- find_oldest_unassessed --
-- Since when news of a sensor wait to be assessed; null when none waits longer than the grace.
select min(device_status.last_received_at)
from device_status
join bin_status on bin_status.device = device_status.device
where device_status.last_received_at > bin_status.assessed_at
    and device_status.last_received_at < now() - make_interval(secs => %(grace_s)s)

-- list_alerts --
-- What is or was wrong, newest first; every filter is off when null.
select
    id, type, state, text, bin, name, location, depot, since, opened_at, observed_at, closed_at, acknowledged_at,
    acknowledged_by, notice
from alert_list
where id < %(before)s
    and (%(state)s::text is null or state = %(state)s)
    and (%(depot)s::text is null or depot = %(depot)s)
    and (%(type)s::text is null or type = %(type)s)
    and (%(closed_since)s::timestamptz is null or closed_at >= %(closed_since)s)
order by id desc
limit %(limit)s
