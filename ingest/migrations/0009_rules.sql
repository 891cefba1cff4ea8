-- What the council wants: rules for many bins at once, when rounds are, and bins asked for by hand.

-- One row: what holds for the bins of a depot, of a stream or, with both, of a depot's stream; with neither, for all.
-- The most specific one that says something counts: a bin's own column, depot and stream, depot, stream, all bins.
create table service_rules (
    depot_id integer references depots (id),
    stream text check (stream in ('general', 'recycling', 'paper', 'glass', 'organic', 'bottles_cans')),
    -- As the columns of `bins`; null where the rule does not say.
    threshold real check (threshold between 0.05 and 1),
    max_age_days real check (max_age_days between 0.1 and 366),
    unique nulls not distinct (depot_id, stream),
    check (threshold is not null or max_age_days is not null)
);

-- From now on null where a bin has no rule of its own. What bins have stays: nobody knows whether it was meant.
alter table bins
    alter column threshold drop not null,
    alter column threshold drop default,
    alter column max_age_days drop not null,
    alter column max_age_days drop default;

-- One row: on such a day a depot has a round, between these local hours; one that ends at or before its beginning ends on
-- the next day. A depot without a row has the council's (depot_id null), and a council without one daily 06:00 to 14:00.
create table service_hours (
    depot_id integer references depots (id),
    day text not null
        check (day in ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday', 'holiday')),
    begins time not null,
    ends time not null,
    unique nulls not distinct (depot_id, day)
);

-- One row: no round begins on this day; depot_id is null where that holds for all depots.
create table service_closures (
    depot_id integer references depots (id),
    day date not null,
    note text not null default '' check (length(note) <= 200),
    unique nulls not distinct (depot_id, day)
);

-- One row: somebody at the council asked for this bin to be emptied. Any emptying later than `requested_at` fulfils it;
-- the row stays until it is cancelled or the bin is asked for again.
create table bin_requests (
    bin_id integer primary key references bins (id),
    requested_at timestamptz not null,
    note text not null default '' check (length(note) <= 200)
);

grant select, insert, update, delete on service_rules, service_hours, service_closures, bin_requests to brimwatch_ingest;
