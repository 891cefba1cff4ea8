-- Areas such as wards, the national references of where a bin stands, and whether its position may be published.

-- One row: a ward, a district or whatever else the council counts by.
create table areas (
    id integer generated always as identity primary key,
    ref text not null unique check (ref ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    name text not null check (length(name) between 1 and 200)
);

alter table bins
    add column area_id integer references areas (id),
    -- Unique Property Reference Number and Unique Street Reference Number, as GeoPlace gives them out. Many bins may
    -- share one: all of a park's.
    add column uprn bigint check (uprn between 1 and 999999999999),
    add column usrn integer check (usrn between 1 and 99999999),
    -- The position may be published, under `position_licence`.
    add column open_data boolean not null default false,
    add constraint bins_open_under_a_licence check (not open_data or position_licence <> '');

grant select, insert, update on areas to brimwatch_ingest;
