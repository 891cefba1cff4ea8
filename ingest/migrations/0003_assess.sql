-- What the readings mean, written by the assess runner and by nobody else.

-- One row: the state of one bin now. Null where we do not know.
create table bin_state (
    bin_id integer primary key references bins (id),
    assessed_at timestamptz not null,
    -- The newest level that can be believed, 0..1, when it was measured, and its quality (LwM2M 6042: 0..4).
    fill_level real check (fill_level between 0 and 1),
    quality smallint check (quality between 0 and 4),
    measured_at timestamptz,
    last_received_at timestamptz,
    last_emptied_at timestamptz,
    sensor text not null check (sensor in ('none', 'ok', 'silent', 'rejected')),
    reason text not null check (reason in ('FULLNESS', 'FORECAST', 'AGE', 'ALERT', 'STALE', 'NOT_READY')),
    due_class text check (due_class in ('must_go', 'may_go')),
    priority smallint not null default 0 check (priority between 0 and 100),
    due_since timestamptz,
    due_by timestamptz,
    -- One sentence for people.
    explanation text not null,
    -- Forecasts; null until they are made.
    threshold_at_p10 timestamptz,
    threshold_at_p50 timestamptz,
    threshold_at_p90 timestamptz,
    full_at_p10 timestamptz,
    full_at_p50 timestamptz,
    full_at_p90 timestamptz,
    check ((due_class is null) = (reason = 'NOT_READY'))
);

-- One row: a bin was emptied between `not_before` and `emptied_at` (the first reading after it).
create table emptyings (
    bin_id integer not null references bins (id),
    emptied_at timestamptz not null,
    not_before timestamptz not null,
    fill_before real check (fill_before between 0 and 1),
    fill_after real check (fill_after between 0 and 1),
    confidence real not null check (confidence between 0 and 1),
    source text not null check (source in ('sensor', 'crew', 'route_engine')),
    primary key (bin_id, emptied_at, source),
    check (not_before <= emptied_at)
);

grant select, insert, update, delete on bin_state, emptyings to brimwatch_ingest;
