-- Sums of one month of a run, many in a row of this table: what a step of the calculation adds is one more
-- row for each month that it touches, and rows that are alike in size are put together. Sums that lie one
-- by one in rollup are put here when the folder is opened.

-- grain: 0 by day, 1 by month, 2 by month wherever the rows are. month: its first day. number: from 1 in
-- each month, the youngest last. sums: how many there are in bytes.
CREATE TABLE rollup_sheaf (
    run_id BLOB NOT NULL,
    grain INTEGER NOT NULL,
    month INTEGER NOT NULL,
    number INTEGER NOT NULL,
    sums INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (run_id, grain, month, number)
) STRICT;
