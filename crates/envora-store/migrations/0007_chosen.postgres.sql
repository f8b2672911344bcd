-- How many counted activities stand on each choice, by the first day of each. What a footprint warns of
-- is told from these, so that it is true of its own rows. Runs of before have none.
CREATE TABLE chosen (
    run_id BYTEA NOT NULL,
    day BIGINT NOT NULL,
    facility_id BYTEA NOT NULL,
    source_id BYTEA NOT NULL,
    why BIGINT NOT NULL,
    activities BIGINT NOT NULL,
    PRIMARY KEY (run_id, day, facility_id, source_id, why)
);
