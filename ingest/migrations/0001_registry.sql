-- The registry: which bins stand where, which devices exist, and which device sat in which bin, when.
-- Roles: the migrator owns everything; `brimwatch_ingest` writes telemetry and the registry; `brimwatch_dashboard` reads
-- views and keeps accounts. Both get a password and `login` from whoever installs (`python -m ingest migrate` sets them).

create extension if not exists timescaledb;

do $$
begin
    if not exists (select from pg_roles where rolname = 'brimwatch_ingest') then
        create role brimwatch_ingest nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'brimwatch_dashboard') then
        create role brimwatch_dashboard nologin;
    end if;
end
$$;

-- One row: a yard that crews start from.
create table depots (
    id integer generated always as identity primary key,
    ref text not null unique check (ref ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    name text not null check (length(name) between 1 and 200),
    longitude double precision check (longitude between -180 and 180),
    latitude double precision check (latitude between -90 and 90)
);

-- One row: a bin that stands, or stood, somewhere.
create table bins (
    id integer generated always as identity primary key,
    ref text not null unique check (ref ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    name text not null check (length(name) between 1 and 200),
    location text not null default '' check (length(location) <= 500),
    depot_id integer references depots (id),
    stream text not null default 'general'
        check (stream in ('general', 'recycling', 'paper', 'glass', 'organic', 'bottles_cans')),
    model text not null default '' check (length(model) <= 200),
    capacity_l real not null default 120 check (capacity_l between 1 and 20000),
    longitude double precision not null check (longitude between -180 and 180),
    latitude double precision not null check (latitude between -90 and 90),
    position_source text not null default '' check (length(position_source) <= 200),
    position_licence text not null default '' check (length(position_licence) <= 200),
    -- A bin is due by FULLNESS from this fill level, 0..1.
    threshold real not null default 0.8 check (threshold between 0.05 and 1),
    -- A bin is due by AGE this many days after its last emptying.
    max_age_days real not null default 7 check (max_age_days between 0.1 and 366),
    service_time_s integer not null default 120 check (service_time_s between 0 and 7200),
    out_of_service_until timestamptz,
    created_at timestamptz not null default now(),
    removed_at timestamptz
);

-- One row: a sensor that may publish, under its `ref` (the certificate's common name and the topic's third level).
create table devices (
    id integer generated always as identity primary key,
    ref text not null unique check (ref ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    enrolled_at timestamptz not null default now(),
    -- Serial number of the certificate in use, hexadecimal; null for a device that uses none of ours.
    certificate_serial text,
    certificate_expires_at timestamptz,
    retired_at timestamptz
);

-- One row: from `fitted_at` until `removed_at` this device measured that bin.
create table fittings (
    id integer generated always as identity primary key,
    device_id integer not null references devices (id),
    bin_id integer not null references bins (id),
    fitted_at timestamptz not null,
    removed_at timestamptz check (removed_at > fitted_at),
    -- What the sensor measures, millimetres from its face: to the bottom of the empty bin, and to the waste of a full one.
    empty_mm integer not null check (empty_mm between 50 and 10000),
    full_mm integer not null default 150 check (full_mm between 0 and 9999),
    check (full_mm < empty_mm)
);
create unique index fittings_one_bin_at_a_time on fittings (device_id) where removed_at is null;
create index fittings_by_bin on fittings (bin_id, fitted_at);

-- One row: somebody changed something. `before` and `after` hold the changed columns.
create table audit_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor text not null,
    action text not null,
    subject text not null,
    before jsonb,
    after jsonb
);

grant select, insert, update on depots, bins, devices, fittings to brimwatch_ingest;
grant select, insert on audit_log to brimwatch_ingest;
