-- One row per emptying, with the bin's own reference.
drop view if exists bin_emptyings;
create view bin_emptyings as
select
    emptyings.bin_id,
    bins.ref,
    emptyings.emptied_at,
    emptyings.not_before,
    emptyings.fill_before,
    emptyings.fill_after,
    emptyings.confidence,
    emptyings.source
from emptyings
join bins on bins.id = emptyings.bin_id;

grant select on bin_emptyings to brimwatch_dashboard, brimwatch_ingest;
