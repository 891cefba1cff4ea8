-- What was thrown into the bins, kept by the assess runner: a late reading changes the days that it belongs to.

-- One row: one bin on one local day. Hour 0..23 of the town's clocks stands at place 1..24; where the clocks show an hour
-- twice, both add up in it. What is not known is in none of the hours: a bin may be known for 3.5 of 24.
create table usage_days (
    bin_id integer not null references bins (id),
    day date not null,
    -- Litres thrown in, as far as is known; for what the bin held when the row was worked out.
    litres real[] not null check (cardinality(litres) = 24),
    -- Hours of which readings told when something was thrown in.
    observed_h real[] not null check (cardinality(observed_h) = 24),
    -- Hours between readings far apart, over which their rise was spread; null for none.
    spread_h real[] check (cardinality(spread_h) = 24),
    -- Hours in which the bin was full: nothing went in, however much was to be thrown away; null for none.
    full_h real[] check (cardinality(full_h) = 24),
    -- The sums of the day, so that a question about many days need not unfold the hours.
    day_litres real not null,
    day_observed_h real not null,
    day_spread_h real not null,
    day_full_h real not null,
    primary key (bin_id, day)
);
create index usage_days_by_day on usage_days (day);

grant select, insert, update, delete on usage_days to brimwatch_ingest;

-- One row: the use of this bin is to be worked out anew, for readings measured from `from_measured_at` on.
create table usage_queue (
    bin_id integer primary key references bins (id),
    from_measured_at timestamptz not null,
    queued_at timestamptz not null default now()
);

grant select, insert, update, delete on usage_queue to brimwatch_ingest;
