-- What forecasts are made from and what they say, written by the assess runner alone.

-- One row: a bin's sensor watched it fill from one emptying to the next, or until a long silence. Revised like emptyings.
create table cycles (
    bin_id integer not null references bins (id),
    -- The emptying that began it, as `emptyings.emptied_at`; else the first reading after a silence, or of all.
    began_at timestamptz not null,
    -- The last reading before the emptying or the silence that ended it.
    ended_at timestamptz not null,
    after_emptying boolean not null,
    -- A silence ended it, after which nobody knows.
    ended_by_gap boolean not null,
    level_first real not null,
    level_last real not null,
    -- Seconds from `began_at` until the level first reached 0, 0.1 ... 1; NaN where it did not.
    passed_s real[] not null check (array_length(passed_s, 1) = 11),
    primary key (bin_id, began_at),
    check (began_at <= ended_at)
);

grant select, insert, update, delete on cycles to brimwatch_ingest;

alter table bin_state
    -- End of the round until which the bin has to wait when the coming one leaves it out, and the chance that it
    -- overflows before then if nobody empties it; null without a forecast.
    add column horizon_at timestamptz,
    add column overflow_chance real check (overflow_chance between 0 and 1);
