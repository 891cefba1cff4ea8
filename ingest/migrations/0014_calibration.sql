-- What the readings of a sensor say of its calibration: worked out by the assess runner, for people to decide on.

-- One row: the readings of one fitting were held against its calibration. With `empty_mm` another one is proposed.
create table calibration_checks (
    fitting_id integer primary key references fittings (id),
    checked_at timestamptz not null,
    -- The calibration that the proposal was compared with: it counts only as long as this is the fitting's.
    known_empty_mm integer,
    known_full_mm integer,
    -- The proposal; `ingest/assess/levels/calibration.py` says what each means.
    empty_mm integer,
    full_mm integer,
    empty_low_mm integer,
    empty_high_mm integer,
    emptyings integer,
    sureness real check (sureness between 0 and 1),
    -- One sentence for people.
    reason text,
    -- What somebody did not want the empty bin to be at: it is not proposed again.
    dismissed_empty_mm integer,
    -- What somebody said on the page; the assess runner carries it out, and then both are null again.
    answer text check (answer in ('accept', 'dismiss')),
    answered_by text check (length(answered_by) between 1 and 200),
    check ((answer is null) = (answered_by is null)),
    check (answer is null or empty_mm is not null),
    check (
        num_nulls(
            known_empty_mm, known_full_mm, empty_mm, full_mm, empty_low_mm, empty_high_mm, emptyings, sureness, reason
        ) in (0, 9)
    )
);

create index calibration_checks_answered on calibration_checks (fitting_id) where answer is not null;

grant select, insert, update on calibration_checks to brimwatch_ingest;
-- People answer on the page, and can change nothing else.
grant select (fitting_id, answer), update (answer, answered_by) on calibration_checks to brimwatch_dashboard;
