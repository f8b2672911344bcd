-- What rows come to, as sums of the few masses that all their lines are made of: one row for all lines
-- of a group's rows in some time. Cells of runs that began before stay where they are (cell, chosen);
-- what such a run goes on to count is here, and both are added up.

-- How the lines of a choice are made of masses, as JSON.
CREATE TABLE rollup_form (
    run_id BYTEA NOT NULL,
    why BIGINT NOT NULL,
    form TEXT NOT NULL,
    PRIMARY KEY (run_id, why)
);

-- What rows are put together by, numbered from 1 in each run.
CREATE TABLE rollup_group (
    run_id BYTEA NOT NULL,
    number BIGINT NOT NULL,
    facility_id BYTEA NOT NULL,
    source_id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    data_kind TEXT NOT NULL,
    is_primary BIGINT NOT NULL,
    why BIGINT NOT NULL,
    PRIMARY KEY (run_id, number)
);

-- grain: 0 by day, 1 by month (on its first day), 2 by month wherever the rows are.
-- masses: one number after the other, as many as the choice has.
CREATE TABLE rollup (
    run_id BYTEA NOT NULL,
    grain BIGINT NOT NULL,
    day BIGINT NOT NULL,
    number BIGINT NOT NULL,
    activities BIGINT NOT NULL,
    masses BYTEA NOT NULL,
    PRIMARY KEY (run_id, grain, day, number)
);
