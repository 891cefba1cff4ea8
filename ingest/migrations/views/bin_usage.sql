-- One row per bin and local day of which something is known: what was thrown in, hour by hour, and where the bin stands
-- or stood. Hour 0..23 of the town's clocks stands at place 1..24 of each list.
drop view if exists bin_usage;
create view bin_usage as
select
    usage_days.bin_id,
    bins.ref,
    bins.name,
    bins.location,
    -- The street in words: what the location says before its first comma.
    coalesce(nullif(trim(split_part(bins.location, ',', 1)), ''), bins.name) as street,
    bins.usrn,
    areas.ref as area,
    areas.name as area_name,
    depots.ref as depot,
    bins.stream,
    bins.capacity_l,
    bins.removed_at is null as stands,
    usage_days.day,
    -- 1 Monday .. 7 Sunday.
    extract(isodow from usage_days.day)::smallint as weekday,
    usage_days.litres,
    usage_days.observed_h,
    usage_days.spread_h,
    usage_days.full_h,
    usage_days.day_litres,
    usage_days.day_observed_h,
    usage_days.day_spread_h,
    usage_days.day_full_h
from usage_days
join bins on bins.id = usage_days.bin_id
left join areas on areas.id = bins.area_id
left join depots on depots.id = bins.depot_id;

grant select on bin_usage to brimwatch_dashboard, brimwatch_ingest;
