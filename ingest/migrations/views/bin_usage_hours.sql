-- One row per bin, local day and hour of which something is known. What is unknown is not there: it is not nothing.
drop view if exists bin_usage_hours;
create view bin_usage_hours as
select
    bin_usage.bin_id,
    bin_usage.ref,
    bin_usage.street,
    bin_usage.usrn,
    bin_usage.area,
    bin_usage.depot,
    bin_usage.stream,
    bin_usage.day,
    bin_usage.weekday,
    (hours.place - 1)::smallint as hour,
    hours.litres,
    hours.observed_h,
    coalesce(hours.spread_h, 0) as spread_h,
    coalesce(hours.full_h, 0) as full_h
from bin_usage
cross join lateral unnest(bin_usage.litres, bin_usage.observed_h, bin_usage.spread_h, bin_usage.full_h)
    with ordinality as hours (litres, observed_h, spread_h, full_h, place)
where hours.observed_h > 0 or hours.spread_h > 0 or hours.full_h > 0;

grant select on bin_usage_hours to brimwatch_dashboard, brimwatch_ingest;
