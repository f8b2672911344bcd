-- What rows come to, as sums of the few masses that all their lines are made of: one row for all lines
-- of a group's rows in some time. Cells of runs that began before stay where they are (cell, chosen);
-- what such a run goes on to count is here, and both are added up.

-- How the lines of a choice are made of masses, as JSON.
CREATE TABLE rollup_form (
    run_id BLOB NOT NULL,
    why INTEGER NOT NULL,
    form TEXT NOT NULL,
    PRIMARY KEY (run_id, why)
) STRICT, WITHOUT ROWID;

-- What rows are put together by, numbered from 1 in each run.
CREATE TABLE rollup_group (
    run_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    facility_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    data_kind TEXT NOT NULL,
    is_primary INTEGER NOT NULL,
    why INTEGER NOT NULL,
    PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

-- grain: 0 by day, 1 by month (on its first day), 2 by month wherever the rows are.
-- masses: one number after the other, as many as the choice has.
CREATE TABLE rollup (
    run_id BLOB NOT NULL,
    grain INTEGER NOT NULL,
    day INTEGER NOT NULL,
    number INTEGER NOT NULL,
    activities INTEGER NOT NULL,
    masses BLOB NOT NULL,
    PRIMARY KEY (run_id, grain, day, number)
) STRICT, WITHOUT ROWID;
