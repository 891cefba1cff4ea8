-- One row per bin that stands: the registry and its state side by side. What pages and API read.
drop view if exists bin_status;
create view bin_status as
select
    bins.id,
    bins.ref,
    bins.name,
    bins.location,
    depots.ref as depot,
    bins.stream,
    bins.model,
    bins.capacity_l,
    bins.longitude,
    bins.latitude,
    bin_rules.threshold,
    bin_rules.max_age_days,
    bins.service_time_s,
    bins.out_of_service_until,
    fitting.device,
    fitting.empty_mm,
    fitting.full_mm,
    state.fill_level,
    state.quality,
    state.measured_at,
    state.last_received_at,
    state.last_emptied_at,
    coalesce(state.sensor, 'none') as sensor,
    coalesce(state.reason, 'NOT_READY') as reason,
    state.due_class,
    coalesce(state.priority, 0::smallint) as priority,
    state.due_since,
    state.due_by,
    coalesce(state.explanation, 'Not assessed yet.') as explanation,
    state.threshold_at_p10,
    state.threshold_at_p50,
    state.threshold_at_p90,
    state.full_at_p10,
    state.full_at_p50,
    state.full_at_p90,
    state.assessed_at,
    areas.ref as area,
    bins.uprn,
    bins.usrn,
    bins.open_data,
    bins.position_source,
    bins.position_licence,
    state.horizon_at,
    state.overflow_chance,
    -- Only worked out where it is asked for.
    coalesce(
        (
            select json_agg(bin_proposals.described order by bin_proposals.device) from bin_proposals
            where bin_proposals.bin_id = bins.id
        ),
        '[]'
    ) as proposals
from bins
join bin_rules on bin_rules.bin_id = bins.id
left join depots on depots.id = bins.depot_id
left join areas on areas.id = bins.area_id
left join bin_state as state on state.bin_id = bins.id
left join lateral (
    select devices.ref as device, fittings.empty_mm, fittings.full_mm
    from fittings
    join devices on devices.id = fittings.device_id
    where fittings.bin_id = bins.id and fittings.removed_at is null
    order by fittings.fitted_at desc
    limit 1
) as fitting on true
where bins.removed_at is null;

grant select on bin_status to brimwatch_dashboard, brimwatch_ingest;
