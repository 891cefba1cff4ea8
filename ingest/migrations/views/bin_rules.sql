-- One row per bin: the threshold and the maximum age that hold for it, from the most specific rule that says something.
drop view if exists bin_rules;
create view bin_rules as
select
    bins.id as bin_id,
    coalesce(
        bins.threshold, of_both.threshold, of_depot.threshold, of_stream.threshold, of_all.threshold, 0.8::real
    ) as threshold,
    coalesce(
        bins.max_age_days, of_both.max_age_days, of_depot.max_age_days, of_stream.max_age_days, of_all.max_age_days,
        7::real
    ) as max_age_days
from bins
left join service_rules as of_both on of_both.depot_id = bins.depot_id and of_both.stream = bins.stream
left join service_rules as of_depot on of_depot.depot_id = bins.depot_id and of_depot.stream is null
left join service_rules as of_stream on of_stream.depot_id is null and of_stream.stream = bins.stream
left join service_rules as of_all on of_all.depot_id is null and of_all.stream is null;

grant select on bin_rules to brimwatch_ingest;
