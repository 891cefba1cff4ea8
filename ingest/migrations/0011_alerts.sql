-- What is wrong that somebody has to know of, and the letters that tell them.

-- One row: an alert of one bin, written by the assess runner; `notify` and people only note what they did about it.
create table alerts (
    id bigint generated always as identity primary key,
    bin_id integer not null references bins (id),
    -- `ingest/assess/decisions/alerts.py` says what each means.
    type text not null
        check (type in ('fire', 'tilt', 'obstruction', 'silent', 'stuck', 'unreliable', 'battery', 'certificate')),
    -- One sentence for people.
    text text not null,
    -- When the trouble began as far as is known, when the alert opened first, and when the trouble was last seen: exactly
    -- for a closed alert, to a quarter of an hour for an open one.
    since timestamptz not null,
    opened_at timestamptz not null,
    observed_at timestamptz not null check (observed_at >= opened_at),
    closed_at timestamptz check (closed_at >= opened_at),
    acknowledged_at timestamptz,
    acknowledged_by text check (length(acknowledged_by) between 1 and 200),
    -- When its letters were put into the outbox, to those who are told first, and to those who are told when nobody
    -- acknowledges.
    notified_at timestamptz,
    escalated_at timestamptz,
    check ((acknowledged_at is null) = (acknowledged_by is null))
);
create unique index alerts_one_open on alerts (bin_id, type) where closed_at is null;
create index alerts_closed on alerts (closed_at);
create index alerts_to_notify on alerts (opened_at) where notified_at is null;

-- One row: one letter to one target. It is written in the transaction that marks its alerts, and delivered at least once.
create table outbox (
    id bigint generated always as identity primary key,
    -- The same however often it is delivered: receivers tell a repetition by it.
    key text not null unique,
    kind text not null check (kind in ('alert', 'digest', 'escalation')),
    alert_ids bigint[] not null check (cardinality(alert_ids) > 0),
    -- Reference of the depot, empty for bins without one.
    depot text not null,
    -- 0 for the most severe; the order of delivery.
    severity smallint not null check (severity >= 0),
    -- Its place in the file of targets, such as `north first 1`; the address itself is a secret and stays there.
    target text not null,
    subject text not null,
    body text not null,
    created_at timestamptz not null,
    attempts integer not null default 0,
    next_try_at timestamptz not null,
    sent_at timestamptz,
    -- It was given up, and why; or why the last attempt failed.
    failed_at timestamptz,
    error text not null default '',
    check (sent_at is null or failed_at is null)
);
create index outbox_waiting on outbox (severity, id) where sent_at is null and failed_at is null;
create index outbox_by_depot on outbox (depot, kind, created_at);
create index outbox_by_alert on outbox using gin (alert_ids);

grant select, insert, update on alerts, outbox to brimwatch_ingest;
-- People acknowledge on the page, and can change nothing else.
grant select (id, acknowledged_at), update (acknowledged_at, acknowledged_by) on alerts to brimwatch_dashboard;
