-- What devices are to be set to. The ingester sends it until the device says that it has it (docs/contract.md).

-- One row: the configuration that one device is to have. Whole: what it does not name is as the device was provisioned.
create table device_config (
    device_id integer primary key references devices (id),
    -- Counts the changes; the device reports it back in its status, 0 for none.
    version integer not null check (version >= 1),
    settings jsonb not null check (jsonb_typeof(settings) = 'object'),
    changed_at timestamptz not null
);

grant select, insert, update on device_config to brimwatch_ingest;
grant select on device_config to brimwatch_dashboard;
