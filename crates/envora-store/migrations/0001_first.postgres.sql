-- The first schema of a tenant's database.
--
-- One tenant owns the whole database: no table has a tenant column. Ids are 16 bytes, hashes 32,
-- exact numbers 16 bytes big-endian with the top bit flipped (their byte order is their order),
-- instants microseconds, days their number since 1970-01-01. No key holds NULL: an absent id is
-- empty bytes, an absent word '', an absent number 0. No floating point anywhere.

-- Which migrations ran. The binary refuses a version it does not know.
CREATE TABLE schema_version (
    version BIGINT NOT NULL PRIMARY KEY
);

-- Whose database this is. Opening it for another tenant is refused; the epoch rises with each restore.
CREATE TABLE tenant (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    tenant_id BYTEA NOT NULL CHECK (length(tenant_id) = 16),
    epoch BIGINT NOT NULL
);

-- The audit log's leaves; seq is the leaf's index and the tenant's one sequence.
CREATE TABLE audit_entry (
    seq BIGINT NOT NULL PRIMARY KEY,
    object_id BYTEA NOT NULL,
    at_ms BIGINT NOT NULL,
    leaf BYTEA NOT NULL,
    leaf_hash BYTEA NOT NULL CHECK (length(leaf_hash) = 32)
);
-- An object's history, and the seq of its previous leaf.
CREATE INDEX audit_entry_by_object ON audit_entry (object_id, seq);

-- Roots of completed subtrees above the leaves, so that a proof reads a few rows, not the log.
CREATE TABLE audit_node (
    level BIGINT NOT NULL,
    place BIGINT NOT NULL,
    hash BYTEA NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, place)
);

-- Size, compact range and root of the log: written in the transaction that appends.
CREATE TABLE audit_head (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    size BIGINT NOT NULL,
    nodes BYTEA NOT NULL,
    root BYTEA NOT NULL CHECK (length(root) = 32),
    at_ms BIGINT NOT NULL
);

-- The organization's settings, one row per change: calculation reads the version of its seq.
CREATE TABLE organization_version (
    seq BIGINT NOT NULL PRIMARY KEY,
    organization_id BYTEA NOT NULL,
    slug TEXT NOT NULL,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    domain TEXT NOT NULL,
    default_gwp_set TEXT NOT NULL,
    source_retention_days BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor BYTEA NOT NULL
);

-- Who may sign in. Only hashes of tokens: a stolen copy opens nothing. The id goes into leaves.
CREATE TABLE credential (
    credential_id BYTEA NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);

-- Signed-in browsers, by the hash of their cookie.
CREATE TABLE session (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    credential_id BYTEA NOT NULL REFERENCES credential (credential_id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL
);

-- Sign-in codes: used_at is 0 until the one use.
CREATE TABLE sign_in_code (
    code_hash BYTEA NOT NULL PRIMARY KEY,
    credential_id BYTEA NOT NULL REFERENCES credential (credential_id),
    expires_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);

-- Which version of a facility is the last, and who holds a code now.
CREATE TABLE facility (
    facility_id BYTEA NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    version BIGINT NOT NULL
);

-- Each change of a facility, with the seq from which calculation sees it.
CREATE TABLE facility_version (
    facility_id BYTEA NOT NULL REFERENCES facility (facility_id),
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL UNIQUE,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    region TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    grid TEXT NOT NULL,
    opened_day BIGINT,
    closed_day BIGINT,
    at BIGINT NOT NULL,
    actor BYTEA NOT NULL,
    PRIMARY KEY (facility_id, version)
);
-- Words of rows are resolved by code, as of a seq.
CREATE INDEX facility_version_by_code ON facility_version (code, seq);

-- Which version of a source is the last, and who holds a code now.
CREATE TABLE source (
    source_id BYTEA NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    version BIGINT NOT NULL
);

-- Each change of a source; facility_id is empty for one that stands nowhere.
CREATE TABLE source_version (
    source_id BYTEA NOT NULL REFERENCES source (source_id),
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL UNIQUE,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    facility_id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    unit TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    opened_day BIGINT,
    closed_day BIGINT,
    at BIGINT NOT NULL,
    actor BYTEA NOT NULL,
    PRIMARY KEY (source_id, version)
);
-- Words of rows are resolved by code, as of a seq.
CREATE INDEX source_version_by_code ON source_version (code, seq);

-- The manifest: the truth about which segments exist. A file without a row is garbage.
CREATE TABLE segment (
    seq BIGINT NOT NULL PRIMARY KEY,
    segment_id BYTEA NOT NULL UNIQUE,
    epoch BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('inline', 'file', 'journal', 'object')),
    path TEXT NOT NULL,
    byte_offset BIGINT NOT NULL,
    byte_length BIGINT NOT NULL,
    root BYTEA NOT NULL CHECK (length(root) = 32),
    key_version BIGINT NOT NULL,
    start_min BIGINT NOT NULL,
    start_max BIGINT NOT NULL,
    import_id BYTEA NOT NULL,
    committed_at BIGINT NOT NULL
);

-- Sealed bytes of small segments, apart so that reading the manifest stays cheap.
CREATE TABLE segment_inline (
    seq BIGINT NOT NULL PRIMARY KEY REFERENCES segment (seq),
    sealed BYTEA NOT NULL
);

-- Keyed fingerprints of the external ids of a segment, eight bytes per row in row order.
-- A match is a question, never an answer: the stored row decides.
CREATE TABLE segment_fingerprints (
    seq BIGINT NOT NULL PRIMARY KEY REFERENCES segment (seq),
    fingerprints BYTEA NOT NULL
);

-- Files taken in, with what became of their rows.
CREATE TABLE import (
    import_id BYTEA NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('atomic', 'partial')),
    file_sha256 BYTEA NOT NULL CHECK (length(file_sha256) = 32),
    file_name TEXT NOT NULL,
    file_length BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    mapping TEXT NOT NULL,
    mapping_digest BYTEA NOT NULL,
    accepted BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    source_until BIGINT NOT NULL,
    actor BYTEA NOT NULL
);

-- Rows that were not accepted as they stood; dropped after 30 days.
CREATE TABLE import_row (
    import_id BYTEA NOT NULL REFERENCES import (import_id),
    number BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    line BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT NOT NULL,
    field TEXT NOT NULL,
    detail TEXT NOT NULL,
    hint TEXT NOT NULL,
    column_name TEXT NOT NULL,
    cell TEXT NOT NULL,
    keep_until BIGINT NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- Saved mappings; a version is its digest, the newest of a name is used.
CREATE TABLE mapping (
    digest BYTEA NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    name TEXT NOT NULL,
    seq BIGINT NOT NULL UNIQUE,
    tree TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    actor BYTEA NOT NULL
);
CREATE INDEX mapping_by_name ON mapping (name, seq);

-- Answers kept for repeated requests. Appended, never scattered: the hash is found through a table
-- in memory, because a random key would dirty one page per row.
CREATE TABLE idempotency (
    number BIGINT NOT NULL PRIMARY KEY,
    key_hash BYTEA NOT NULL CHECK (length(key_hash) = 32),
    fingerprint BYTEA NOT NULL CHECK (length(fingerprint) = 32),
    status BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('inline', 'object')),
    path TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    key_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Factor packs as they were activated; activation is a leaf.
CREATE TABLE pack_activation (
    seq BIGINT NOT NULL PRIMARY KEY,
    pack TEXT NOT NULL,
    version TEXT NOT NULL,
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    activated_at BIGINT NOT NULL,
    actor BYTEA NOT NULL
);

-- Runs: methods and factors applied to activities. calculated_to = how many seqs are calculated.
CREATE TABLE run (
    run_id BYTEA NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    identity TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('catching_up', 'current', 'retired')),
    started_seq BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    switched_seq BIGINT NOT NULL,
    calculated_to BIGINT NOT NULL,
    calculated_at BIGINT NOT NULL
);
-- One current run at most.
CREATE UNIQUE INDEX run_current ON run (state) WHERE state = 'current';

-- How methods and factors were chosen, once per run and distinct choice.
CREATE TABLE why (
    run_id BYTEA NOT NULL REFERENCES run (run_id),
    why BIGINT NOT NULL,
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    json TEXT NOT NULL,
    PRIMARY KEY (run_id, why),
    UNIQUE (run_id, digest)
);

-- What each row of a segment came to in a run, sealed; delta blocks are appended, blocks never change.
CREATE TABLE calc_block (
    run_id BYTEA NOT NULL REFERENCES run (run_id),
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('segment', 'delta')),
    place TEXT NOT NULL CHECK (place IN ('inline', 'object')),
    path TEXT NOT NULL,
    byte_length BIGINT NOT NULL,
    key_version BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (run_id, seq, kind)
);

-- Sums by day and every dimension a footprint is asked by. Added up by us, never by SUM.
CREATE TABLE cell (
    run_id BYTEA NOT NULL,
    day BIGINT NOT NULL,
    facility_id BYTEA NOT NULL,
    source_id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    slot TEXT NOT NULL,
    scope BIGINT NOT NULL,
    category BIGINT NOT NULL,
    market BIGINT NOT NULL,
    bucket TEXT NOT NULL,
    gas TEXT NOT NULL,
    carbon TEXT NOT NULL,
    basis TEXT NOT NULL,
    tier BIGINT NOT NULL,
    data_kind TEXT NOT NULL,
    is_primary BIGINT NOT NULL,
    kg BYTEA NOT NULL CHECK (length(kg) = 16),
    activities BIGINT NOT NULL,
    co2e_1 BYTEA,
    co2e_2 BYTEA,
    co2e_3 BYTEA,
    co2e_4 BYTEA,
    PRIMARY KEY (run_id, day, facility_id, source_id, kind, slot, scope, category, market, bucket,
        gas, carbon, basis, tier, data_kind, is_primary)
);

-- Which activity took the place of which; one successor each. Empty new_id: voided.
CREATE TABLE supersession (
    old_id BYTEA NOT NULL PRIMARY KEY CHECK (length(old_id) = 16),
    new_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    is_void BIGINT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX supersession_by_seq ON supersession (seq);

-- Which segments name a word (a facility's code, a unit …), so that a change re-decides only those.
CREATE TABLE mention (
    kind TEXT NOT NULL,
    word TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (kind, word, seq)
);

-- Rows of a segment that a run could not count, by reason; rewritten when a delta block re-decides.
CREATE TABLE unresolved (
    run_id BYTEA NOT NULL REFERENCES run (run_id),
    seq BIGINT NOT NULL,
    code TEXT NOT NULL,
    word TEXT NOT NULL,
    day_min BIGINT NOT NULL,
    day_max BIGINT NOT NULL,
    activities BIGINT NOT NULL,
    example BYTEA NOT NULL,
    remedy TEXT NOT NULL,
    PRIMARY KEY (run_id, seq, code, word)
);
