-- One row per device that is enrolled and not retired: where it sits and what it last said.
drop view if exists device_status;
create view device_status as
select
    devices.ref as device,
    devices.model,
    bins.ref as bin,
    devices.enrolled_at,
    devices.certificate_expires_at,
    device_state.last_received_at,
    device_state.last_measured_at,
    device_state.next_report_s,
    device_state.battery_mv,
    device_state.status,
    device_state.status_received_at,
    (select bin_proposals.described from bin_proposals where bin_proposals.fitting_id = fittings.id) as proposal
from devices
left join device_state on device_state.device_id = devices.id
left join fittings on fittings.device_id = devices.id and fittings.removed_at is null
left join bins on bins.id = fittings.bin_id
where devices.retired_at is null;

grant select on device_status to brimwatch_dashboard, brimwatch_ingest;
