-- How many counted activities stand on each choice, by the first day of each. What a footprint warns of
-- is told from these, so that it is true of its own rows. Runs of before have none.
CREATE TABLE chosen (
    run_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    facility_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    why INTEGER NOT NULL,
    activities INTEGER NOT NULL,
    PRIMARY KEY (run_id, day, facility_id, source_id, why)
) STRICT, WITHOUT ROWID;
