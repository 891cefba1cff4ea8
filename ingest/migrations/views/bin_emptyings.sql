-- One row per emptying, whoever knows of it, with the bin's own reference.
drop view if exists bin_emptyings;
create view bin_emptyings as
select
    emptyings.bin_id,
    bins.ref,
    emptyings.emptied_at,
    emptyings.not_before,
    emptyings.fill_before,
    emptyings.fill_after,
    -- Two who say the same are surer than one.
    greatest(
        emptyings.confidence,
        (
            select max(told.confidence) from emptyings as told
            where told.bin_id = emptyings.bin_id and told.same_as = emptyings.emptied_at
        )
    ) as confidence,
    emptyings.source,
    (
        select array_agg(distinct told.source order by told.source) from emptyings as told
        where told.bin_id = emptyings.bin_id
            and (
                told.same_as = emptyings.emptied_at
                or (told.emptied_at, told.source) = (emptyings.emptied_at, emptyings.source)
            )
    ) as sources,
    case
        when emptyings.source <> 'sensor' then coalesce(emptyings.outcome, 'unseen')
        when exists (
            select from emptyings as told
            where told.bin_id = emptyings.bin_id and told.same_as = emptyings.emptied_at
        ) then 'confirmed'
        else 'seen'
    end as outcome
from emptyings
join bins on bins.id = emptyings.bin_id
where emptyings.same_as is null
    -- What it was the same as is gone: a late reading told that the sensor saw none.
    or not exists (
        select from emptyings as other
        where other.bin_id = emptyings.bin_id and other.emptied_at = emptyings.same_as and other.same_as is null
    );

grant select on bin_emptyings to brimwatch_dashboard, brimwatch_ingest;
