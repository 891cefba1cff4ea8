-- What crews and route engines report of emptyings, held against what sensors saw by the assess runner.

alter table emptyings
    -- Of a reported one: the sensor saw it too, cannot tell, or saw that the level did not fall; null until it is judged.
    add column outcome text check (outcome in ('confirmed', 'unseen', 'contradicted')),
    -- Of a reported one: `emptied_at` of the same event as the sensor saw it, or as it was reported first; null for none.
    add column same_as timestamptz;
create index emptyings_by_same on emptyings (bin_id, same_as) where same_as is not null;

-- What was thrown in before there was a table for it is worked out from the readings, once and a little at a time.
insert into usage_queue (bin_id, from_measured_at)
select distinct bin_id, timestamptz 'epoch' from fittings
on conflict (bin_id) do update set from_measured_at = excluded.from_measured_at;
