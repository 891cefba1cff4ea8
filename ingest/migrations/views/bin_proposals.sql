-- One row per sensor that sits in a bin and whose readings propose another calibration than it was fitted with.
drop view if exists bin_proposals;
create view bin_proposals as
select
    checks.fitting_id,
    fittings.bin_id,
    devices.ref as device,
    bins.ref as bin,
    bins.name,
    checks.known_empty_mm,
    checks.known_full_mm,
    checks.empty_mm,
    checks.full_mm,
    checks.empty_low_mm,
    checks.empty_high_mm,
    checks.emptyings,
    checks.sureness,
    checks.reason,
    checks.checked_at,
    checks.answer,
    checks.answered_by,
    -- As pages and API show it.
    json_build_object(
        'device', devices.ref,
        'empty_mm', checks.empty_mm,
        'full_mm', checks.full_mm,
        'empty_low_mm', checks.empty_low_mm,
        'empty_high_mm', checks.empty_high_mm,
        'emptyings', checks.emptyings,
        'sureness', checks.sureness,
        'reason', checks.reason,
        'answer', checks.answer,
        'answered_by', checks.answered_by
    ) as described
from calibration_checks as checks
join fittings
    on fittings.id = checks.fitting_id
    and fittings.removed_at is null
    and (fittings.empty_mm, fittings.full_mm) = (checks.known_empty_mm, checks.known_full_mm)
join devices on devices.id = fittings.device_id and devices.retired_at is null
join bins on bins.id = fittings.bin_id and bins.removed_at is null
where checks.empty_mm is not null;

grant select on bin_proposals to brimwatch_dashboard, brimwatch_ingest;
