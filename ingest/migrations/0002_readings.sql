-- Telemetry: readings as they were measured, what was refused, and which devices have news to assess.

-- One row: one measurement. Identity is (device, epoch, seq); the hypertable's key has to hold the time too.
-- `received_at` is the only column that a resend may differ in.
create table readings (
    device_id integer not null,
    epoch bigint not null check (epoch between 0 and 4294967295),
    seq bigint not null check (seq >= 0),
    measured_at timestamptz not null,
    received_at timestamptz not null default now(),
    distance_mm integer check (distance_mm between 0 and 65535),
    spread_mm integer check (spread_mm between 0 and 65535),
    valid_count smallint check (valid_count between 0 and 255),
    temperature_c real check (temperature_c between -100 and 500),
    battery_mv integer check (battery_mv between 0 and 65535),
    tilt_deg smallint check (tilt_deg between 0 and 180),
    flags integer not null default 0 check (flags between 0 and 65535),
    primary key (device_id, epoch, seq, measured_at)
);
select create_hypertable('readings', by_range('measured_at', interval '7 days'), create_default_indexes => false);
create index readings_by_device_and_time on readings (device_id, measured_at desc);

-- One row: a message, or one reading of a message, that was not stored as a reading, with the reason.
create table rejects (
    id bigint generated always as identity,
    received_at timestamptz not null default now(),
    topic text not null,
    -- As the topic named it; null where the topic itself was not ours.
    device text,
    reason text not null check (reason ~ '^[a-z_]+$'),
    detail text not null default '',
    payload bytea not null,
    primary key (id, received_at)
);
select create_hypertable('rejects', by_range('received_at', interval '7 days'), create_default_indexes => false);
create index rejects_by_time on rejects (received_at desc);

-- One row: what a device last said of itself, and when it promised to be back.
create table device_state (
    device_id integer primary key references devices (id),
    last_received_at timestamptz not null,
    last_measured_at timestamptz,
    -- Seconds from its last report until its next, as the device promised.
    next_report_s integer check (next_report_s between 1 and 604800),
    battery_mv integer,
    -- The last status report, as sent (docs/contract.md).
    status jsonb,
    status_received_at timestamptz
);

-- One row: this device sent something that was not assessed yet, measured from `from_measured_at` on.
create table assess_queue (
    device_id integer primary key references devices (id),
    from_measured_at timestamptz not null,
    queued_at timestamptz not null default now()
);

grant select, insert on readings to brimwatch_ingest;
grant select, insert, delete on rejects to brimwatch_ingest;
grant select, insert, update, delete on device_state, assess_queue to brimwatch_ingest;
