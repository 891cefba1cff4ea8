-- One row per alert of a bin that stands, with whether somebody was told. What `alerts list`, pages and API show.
drop view if exists alert_list;
create view alert_list as
select
    alerts.id,
    alerts.type,
    case when alerts.closed_at is null then 'open' else 'closed' end as state,
    alerts.text,
    bins.ref as bin,
    bins.name,
    bins.location,
    depots.ref as depot,
    alerts.since,
    alerts.opened_at,
    alerts.observed_at,
    alerts.closed_at,
    alerts.acknowledged_at,
    alerts.acknowledged_by,
    -- `failed` when one letter at least was given up, `waiting` when one is still on its way.
    coalesce(letters.notice, 'none') as notice,
    alerts.notified_at,
    alerts.escalated_at
from alerts
join bins on bins.id = alerts.bin_id and bins.removed_at is null
left join depots on depots.id = bins.depot_id
left join lateral (
    select
        case
            when bool_or(outbox.failed_at is not null) then 'failed'
            when bool_or(outbox.sent_at is null) then 'waiting'
            when count(*) > 0 then 'sent'
        end as notice
    from outbox
    where outbox.alert_ids @> array[alerts.id]
) as letters on true;

grant select on alert_list to brimwatch_dashboard, brimwatch_ingest;
