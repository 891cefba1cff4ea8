-- One row per reading, with the bin that its device measured at that moment.
drop view if exists bin_readings;
create view bin_readings as
select
    fittings.bin_id,
    fittings.empty_mm,
    fittings.full_mm,
    devices.ref as device,
    readings.epoch,
    readings.seq,
    readings.measured_at,
    readings.received_at,
    readings.distance_mm,
    readings.spread_mm,
    readings.valid_count,
    readings.temperature_c,
    readings.battery_mv,
    readings.tilt_deg,
    readings.flags
from fittings
join devices on devices.id = fittings.device_id
join readings
    on readings.device_id = fittings.device_id
    and readings.measured_at >= fittings.fitted_at
    and readings.measured_at < coalesce(fittings.removed_at, 'infinity');

grant select on bin_readings to brimwatch_dashboard, brimwatch_ingest;
