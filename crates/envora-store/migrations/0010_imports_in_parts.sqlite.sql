-- Imports that are still open: their parts arrive one by one. They go when they are committed, given up,
-- or when their time is over.
-- file_length, file_sha256: as announced; 0 and empty when they were not. constants: a JSON object.
-- failure: what the last commit was refused with, as JSON; empty when there was none.
CREATE TABLE open_import (
    import_id BLOB NOT NULL PRIMARY KEY,
    file_name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    file_length INTEGER NOT NULL,
    file_sha256 BLOB NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('atomic', 'partial')),
    mapping TEXT NOT NULL,
    mapping_digest BLOB NOT NULL,
    constants TEXT NOT NULL,
    failure TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    keep_until INTEGER NOT NULL,
    actor BLOB NOT NULL
) STRICT;

-- Their parts. name: what the lake keeps it as.
CREATE TABLE open_part (
    import_id BLOB NOT NULL REFERENCES open_import (import_id),
    number INTEGER NOT NULL,
    name BLOB NOT NULL CHECK (length(name) = 32),
    part_sha256 BLOB NOT NULL CHECK (length(part_sha256) = 32),
    length INTEGER NOT NULL,
    PRIMARY KEY (import_id, number)
) STRICT, WITHOUT ROWID;

-- Of a source file that came in parts: where its bytes lie.
CREATE TABLE source_part (
    file_sha256 BLOB NOT NULL CHECK (length(file_sha256) = 32),
    number INTEGER NOT NULL,
    name BLOB NOT NULL CHECK (length(name) = 32),
    part_sha256 BLOB NOT NULL CHECK (length(part_sha256) = 32),
    length INTEGER NOT NULL,
    PRIMARY KEY (file_sha256, number)
) STRICT, WITHOUT ROWID;
