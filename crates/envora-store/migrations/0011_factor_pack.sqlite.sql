-- Factors that the organization brought in, one row for each edition of a pack. The texts lie sealed
-- among the source files: the canonical one under `digest`, the file as it was sent under `file_sha256`.
CREATE TABLE factor_pack (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    pack TEXT NOT NULL,
    version TEXT NOT NULL,
    seq INTEGER NOT NULL,
    factors INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    file_sha256 BLOB NOT NULL CHECK (length(file_sha256) = 32),
    added_at INTEGER NOT NULL,
    actor BLOB NOT NULL
) STRICT;
-- The editions of a pack, the newest last.
CREATE UNIQUE INDEX factor_pack_seq ON factor_pack (pack, seq);
