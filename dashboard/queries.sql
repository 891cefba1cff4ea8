-- The read side's questions to the views. Each block is named; `queries.py` asks them.

-- list_bins --
-- Bins that stand, by id; every filter is off when null.
select
    id, ref, name, location, depot, stream, model, capacity_l, longitude, latitude, threshold, max_age_days,
    service_time_s, out_of_service_until, device, empty_mm, full_mm, fill_level, quality, measured_at, last_received_at,
    last_emptied_at, sensor, reason, due_class, priority, due_since, due_by, explanation, threshold_at_p10,
    threshold_at_p50, threshold_at_p90, full_at_p10, full_at_p50, full_at_p90, assessed_at, area, uprn, usrn, open_data,
    horizon_at, overflow_chance, proposals
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
    horizon_at, overflow_chance, proposals
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
select emptied_at, not_before, fill_before, fill_after, confidence, source, sources, outcome
from bin_emptyings
where bin_id = %(bin_id)s
    and (%(until)s::timestamptz is null or (emptied_at, source) < (%(until)s, %(source)s))
order by emptied_at desc, source desc
limit %(limit)s

-- list_usage --
-- What was thrown in by bin, street, area or stream over some local days, most first.
select key, name, bins, litres, observed_h, spread_h, full_h, round(litres * 1000)::bigint as millilitres
from (
    select
        place.key,
        min(place.name) as name,
        count(distinct bin_id) as bins,
        sum(day_litres::double precision) as litres,
        sum(day_observed_h::double precision) as observed_h,
        sum(day_spread_h::double precision) as spread_h,
        sum(day_full_h::double precision) as full_h
    from bin_usage
    cross join lateral (
        select
            case %(by)s
                when 'bin' then ref
                when 'street' then coalesce(usrn::text, street)
                when 'area' then area
                else stream
            end as key,
            case %(by)s when 'bin' then bin_usage.name when 'street' then street when 'area' then area_name else stream end
                as name
    ) as place
    where day >= %(first)s and day < %(end)s
        and (%(stream)s::text is null or stream = %(stream)s)
        and (%(depot)s::text is null or depot = %(depot)s)
        and (%(area)s::text is null or area = %(area)s)
    group by 1
) as sums
where key is not null
    and (%(after)s::text is null
        or round(litres * 1000)::bigint < %(millilitres)s
        or (round(litres * 1000)::bigint = %(millilitres)s and key > %(after)s))
order by round(litres * 1000)::bigint desc, key
limit %(limit)s

-- list_weeks --
-- The same by weekday (1 Monday .. 7 Sunday) and hour, for the keys that are wanted; all of the town as one with none.
select
    case when %(keys)s::text[] is null then '' else place.key end as key,
    weekday,
    array[
        sum(litres[1]), sum(litres[2]), sum(litres[3]), sum(litres[4]), sum(litres[5]), sum(litres[6]),
        sum(litres[7]), sum(litres[8]), sum(litres[9]), sum(litres[10]), sum(litres[11]), sum(litres[12]),
        sum(litres[13]), sum(litres[14]), sum(litres[15]), sum(litres[16]), sum(litres[17]), sum(litres[18]),
        sum(litres[19]), sum(litres[20]), sum(litres[21]), sum(litres[22]), sum(litres[23]), sum(litres[24])
    ] as litres,
    array[
        sum(observed_h[1] + coalesce(spread_h[1], 0)), sum(observed_h[2] + coalesce(spread_h[2], 0)),
        sum(observed_h[3] + coalesce(spread_h[3], 0)), sum(observed_h[4] + coalesce(spread_h[4], 0)),
        sum(observed_h[5] + coalesce(spread_h[5], 0)), sum(observed_h[6] + coalesce(spread_h[6], 0)),
        sum(observed_h[7] + coalesce(spread_h[7], 0)), sum(observed_h[8] + coalesce(spread_h[8], 0)),
        sum(observed_h[9] + coalesce(spread_h[9], 0)), sum(observed_h[10] + coalesce(spread_h[10], 0)),
        sum(observed_h[11] + coalesce(spread_h[11], 0)), sum(observed_h[12] + coalesce(spread_h[12], 0)),
        sum(observed_h[13] + coalesce(spread_h[13], 0)), sum(observed_h[14] + coalesce(spread_h[14], 0)),
        sum(observed_h[15] + coalesce(spread_h[15], 0)), sum(observed_h[16] + coalesce(spread_h[16], 0)),
        sum(observed_h[17] + coalesce(spread_h[17], 0)), sum(observed_h[18] + coalesce(spread_h[18], 0)),
        sum(observed_h[19] + coalesce(spread_h[19], 0)), sum(observed_h[20] + coalesce(spread_h[20], 0)),
        sum(observed_h[21] + coalesce(spread_h[21], 0)), sum(observed_h[22] + coalesce(spread_h[22], 0)),
        sum(observed_h[23] + coalesce(spread_h[23], 0)), sum(observed_h[24] + coalesce(spread_h[24], 0))
    ] as known_h
from bin_usage
cross join lateral (
    select
        case %(by)s
            when 'bin' then ref
            when 'street' then coalesce(usrn::text, street)
            when 'area' then area
            else stream
        end as key
) as place
where day >= %(first)s and day < %(end)s
    and (%(stream)s::text is null or stream = %(stream)s)
    and (%(depot)s::text is null or depot = %(depot)s)
    and (%(area)s::text is null or area = %(area)s)
    and (%(keys)s::text[] is null or place.key = any(%(keys)s::text[]))
group by 1, 2
order by 1, 2

-- list_bin_uses --
-- How each bin that stands was used and emptied over some local days; bins of which nothing is known are left out.
select
    bin_status.id, bin_status.ref, bin_status.name, bin_status.location, bin_status.area, bin_status.depot,
    bin_status.stream, bin_status.longitude, bin_status.latitude, bin_status.capacity_l, bin_status.max_age_days,
    known.litres, known.known_h, known.full_h, known.days, known.day_sd_l, coalesce(emptied.emptyings, 0) as emptyings,
    emptied.mean_fill, emptied.sd_fill, emptied.max_fill, coalesce(emptied.found_full, 0) as found_full
from bin_status
join (
    select
        bin_id,
        sum(day_litres::double precision) as litres,
        sum(day_observed_h::double precision + day_spread_h) as known_h,
        sum(day_full_h::double precision) as full_h,
        count(*) filter (where day_observed_h + day_spread_h + day_full_h >= %(whole_day_h)s) as days,
        stddev_samp(day_litres::double precision)
            filter (where day_observed_h + day_spread_h + day_full_h >= %(whole_day_h)s) as day_sd_l
    from bin_usage
    where day >= %(first)s and day < %(end)s
    group by bin_id
) as known on known.bin_id = bin_status.id
left join (
    select
        bin_id,
        count(*) as emptyings,
        avg(fill_before) as mean_fill,
        stddev_samp(fill_before) as sd_fill,
        max(fill_before) as max_fill,
        count(*) filter (where fill_before >= %(full)s) as found_full
    from bin_emptyings
    where source = 'sensor' and fill_before is not null
        and emptied_at >= %(first)s::date::timestamp at time zone %(zone)s
        and emptied_at < %(end)s::date::timestamp at time zone %(zone)s
    group by bin_id
) as emptied on emptied.bin_id = bin_status.id
order by bin_status.id

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
    status, status_received_at, proposal
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
    and (%(bin)s::text is null or bin = %(bin)s)
    and (%(depot)s::text is null or depot = %(depot)s)
    and (%(type)s::text is null or type = %(type)s)
    and (%(closed_since)s::timestamptz is null or closed_at >= %(closed_since)s)
order by id desc
limit %(limit)s
