-- Imports that are still open: their parts arrive one by one. They go when they are committed, given up,
-- or when their time is over.
-- file_length, file_sha256: as announced; 0 and empty when they were not. constants: a JSON object.
-- failure: what the last commit was refused with, as JSON; empty when there was none.
CREATE TABLE open_import (
    import_id BYTEA NOT NULL PRIMARY KEY,
    file_name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    file_length BIGINT NOT NULL,
    file_sha256 BYTEA NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('atomic', 'partial')),
    mapping TEXT NOT NULL,
    mapping_digest BYTEA NOT NULL,
    constants TEXT NOT NULL,
    failure TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    keep_until BIGINT NOT NULL,
    actor BYTEA NOT NULL
);

-- Their parts. name: what the lake keeps it as.
CREATE TABLE open_part (
    import_id BYTEA NOT NULL REFERENCES open_import (import_id),
    number BIGINT NOT NULL,
    name BYTEA NOT NULL CHECK (length(name) = 32),
    part_sha256 BYTEA NOT NULL CHECK (length(part_sha256) = 32),
    length BIGINT NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- Of a source file that came in parts: where its bytes lie.
CREATE TABLE source_part (
    file_sha256 BYTEA NOT NULL CHECK (length(file_sha256) = 32),
    number BIGINT NOT NULL,
    name BYTEA NOT NULL CHECK (length(name) = 32),
    part_sha256 BYTEA NOT NULL CHECK (length(part_sha256) = 32),
    length BIGINT NOT NULL,
    PRIMARY KEY (file_sha256, number)
);
