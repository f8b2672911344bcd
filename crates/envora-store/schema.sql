-- The whole schema, as all migrations make it from an empty database (SQLite dialect).
-- Read it here; change it by adding a pair of migrations. Reasons stand there.
CREATE TABLE audit_entry (
    seq INTEGER NOT NULL PRIMARY KEY,
    object_id BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    leaf BLOB NOT NULL,
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT;
CREATE TABLE audit_head (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL,
    nodes BLOB NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE audit_node (
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE calc_block (
    run_id BLOB NOT NULL REFERENCES run (run_id),
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('segment', 'delta')),
    place TEXT NOT NULL CHECK (place IN ('inline', 'object')),
    path TEXT NOT NULL,
    byte_length INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (run_id, seq, kind)
) STRICT;
CREATE TABLE calc_delta (
    run_id BLOB NOT NULL REFERENCES run (run_id),
    segment_seq INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('inline', 'object')),
    path TEXT NOT NULL,
    byte_length INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (run_id, segment_seq, seq)
) STRICT;
CREATE TABLE cell (
    run_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    facility_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    slot TEXT NOT NULL,
    scope INTEGER NOT NULL,
    category INTEGER NOT NULL,
    market INTEGER NOT NULL,
    bucket TEXT NOT NULL,
    gas TEXT NOT NULL,
    carbon TEXT NOT NULL,
    basis TEXT NOT NULL,
    tier INTEGER NOT NULL,
    data_kind TEXT NOT NULL,
    is_primary INTEGER NOT NULL,
    kg BLOB NOT NULL CHECK (length(kg) = 16),
    activities INTEGER NOT NULL,
    co2e_1 BLOB,
    co2e_2 BLOB,
    co2e_3 BLOB,
    co2e_4 BLOB,
    PRIMARY KEY (run_id, day, facility_id, source_id, kind, slot, scope, category, market, bucket,
        gas, carbon, basis, tier, data_kind, is_primary)
) STRICT, WITHOUT ROWID;
CREATE TABLE chosen (
    run_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    facility_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    why INTEGER NOT NULL,
    activities INTEGER NOT NULL,
    PRIMARY KEY (run_id, day, facility_id, source_id, why)
) STRICT, WITHOUT ROWID;
CREATE TABLE credential (
    credential_id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL
) STRICT;
CREATE TABLE entity (
    entity_id BLOB NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL
) STRICT;
CREATE TABLE entity_version (
    entity_id BLOB NOT NULL REFERENCES entity (entity_id),
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL UNIQUE,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    lei TEXT NOT NULL,
    share TEXT NOT NULL,
    control TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor BLOB NOT NULL, archived_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (entity_id, version)
) STRICT;
CREATE TABLE facility (
    facility_id BLOB NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL
) STRICT;
CREATE TABLE facility_version (
    facility_id BLOB NOT NULL REFERENCES facility (facility_id),
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL UNIQUE,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    region TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    grid TEXT NOT NULL,
    opened_day INTEGER,
    closed_day INTEGER,
    at INTEGER NOT NULL,
    actor BLOB NOT NULL, archived_at INTEGER NOT NULL DEFAULT 0, entity_id BLOB NOT NULL DEFAULT x'',
    PRIMARY KEY (facility_id, version)
) STRICT;
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
CREATE TABLE idempotency (
    number INTEGER NOT NULL PRIMARY KEY,
    key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    status INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('inline', 'object')),
    path TEXT NOT NULL,
    sealed BLOB NOT NULL,
    key_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE import (
    import_id BLOB NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('atomic', 'partial')),
    file_sha256 BLOB NOT NULL CHECK (length(file_sha256) = 32),
    file_name TEXT NOT NULL,
    file_length INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    mapping TEXT NOT NULL,
    mapping_digest BLOB NOT NULL,
    accepted INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    quarantined INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    source_until INTEGER NOT NULL,
    actor BLOB NOT NULL
, skipped_rows TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE import_row (
    import_id BLOB NOT NULL REFERENCES import (import_id),
    number INTEGER NOT NULL,
    row_number INTEGER NOT NULL,
    line INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT NOT NULL,
    field TEXT NOT NULL,
    detail TEXT NOT NULL,
    hint TEXT NOT NULL,
    column_name TEXT NOT NULL,
    cell TEXT NOT NULL,
    keep_until INTEGER NOT NULL,
    PRIMARY KEY (import_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE likeness (
    seq INTEGER NOT NULL PRIMARY KEY REFERENCES segment (seq),
    prints BLOB NOT NULL,
    alike INTEGER NOT NULL,
    first_new BLOB NOT NULL,
    first_known BLOB NOT NULL
) STRICT;
CREATE TABLE mapping (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    name TEXT NOT NULL,
    seq INTEGER NOT NULL UNIQUE,
    tree TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    actor BLOB NOT NULL
, archived_at INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE mention (
    kind TEXT NOT NULL,
    word TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (kind, word, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE mention_word (
    number INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    word TEXT NOT NULL,
    UNIQUE (kind, word)
) STRICT;
CREATE TABLE mentioned (
    seq INTEGER NOT NULL PRIMARY KEY,
    words BLOB NOT NULL
) STRICT;
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
CREATE TABLE open_part (
    import_id BLOB NOT NULL REFERENCES open_import (import_id),
    number INTEGER NOT NULL,
    name BLOB NOT NULL CHECK (length(name) = 32),
    part_sha256 BLOB NOT NULL CHECK (length(part_sha256) = 32),
    length INTEGER NOT NULL,
    PRIMARY KEY (import_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE organization_version (
    seq INTEGER NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    slug TEXT NOT NULL,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    domain TEXT NOT NULL,
    default_gwp_set TEXT NOT NULL,
    source_retention_days INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor BLOB NOT NULL
) STRICT;
CREATE TABLE pack_activation (
    seq INTEGER NOT NULL PRIMARY KEY,
    pack TEXT NOT NULL,
    version TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    activated_at INTEGER NOT NULL,
    actor BLOB NOT NULL
) STRICT;
CREATE TABLE rollup (
    run_id BLOB NOT NULL,
    grain INTEGER NOT NULL,
    day INTEGER NOT NULL,
    number INTEGER NOT NULL,
    activities INTEGER NOT NULL,
    masses BLOB NOT NULL,
    PRIMARY KEY (run_id, grain, day, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollup_form (
    run_id BLOB NOT NULL,
    why INTEGER NOT NULL,
    form TEXT NOT NULL,
    PRIMARY KEY (run_id, why)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE rollup_sheaf (
    run_id BLOB NOT NULL,
    grain INTEGER NOT NULL,
    month INTEGER NOT NULL,
    number INTEGER NOT NULL,
    sums INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (run_id, grain, month, number)
) STRICT;
CREATE TABLE run (
    run_id BLOB NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    identity TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('catching_up', 'current', 'retired')),
    started_seq INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    switched_seq INTEGER NOT NULL,
    calculated_to INTEGER NOT NULL,
    calculated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE schema_version (
    version INTEGER NOT NULL PRIMARY KEY
) STRICT;
CREATE TABLE segment (
    seq INTEGER NOT NULL PRIMARY KEY,
    segment_id BLOB NOT NULL UNIQUE,
    epoch INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('inline', 'file', 'journal', 'object')),
    path TEXT NOT NULL,
    byte_offset INTEGER NOT NULL,
    byte_length INTEGER NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    key_version INTEGER NOT NULL,
    start_min INTEGER NOT NULL,
    start_max INTEGER NOT NULL,
    import_id BLOB NOT NULL,
    committed_at INTEGER NOT NULL
) STRICT;
CREATE TABLE segment_fingerprints (
    seq INTEGER NOT NULL PRIMARY KEY REFERENCES segment (seq),
    fingerprints BLOB NOT NULL
) STRICT;
CREATE TABLE segment_inline (
    seq INTEGER NOT NULL PRIMARY KEY REFERENCES segment (seq),
    sealed BLOB NOT NULL
) STRICT;
CREATE TABLE session (
    token_hash BLOB NOT NULL PRIMARY KEY,
    credential_id BLOB NOT NULL REFERENCES credential (credential_id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL
) STRICT;
CREATE TABLE sign_in_code (
    code_hash BLOB NOT NULL PRIMARY KEY,
    credential_id BLOB NOT NULL REFERENCES credential (credential_id),
    expires_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) STRICT;
CREATE TABLE source (
    source_id BLOB NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL
) STRICT;
CREATE TABLE source_part (
    file_sha256 BLOB NOT NULL CHECK (length(file_sha256) = 32),
    number INTEGER NOT NULL,
    name BLOB NOT NULL CHECK (length(name) = 32),
    part_sha256 BLOB NOT NULL CHECK (length(part_sha256) = 32),
    length INTEGER NOT NULL,
    PRIMARY KEY (file_sha256, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE source_version (
    source_id BLOB NOT NULL REFERENCES source (source_id),
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL UNIQUE,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    facility_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    unit TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    opened_day INTEGER,
    closed_day INTEGER,
    at INTEGER NOT NULL,
    actor BLOB NOT NULL, archived_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (source_id, version)
) STRICT;
CREATE TABLE supersession (
    old_id BLOB NOT NULL PRIMARY KEY CHECK (length(old_id) = 16),
    new_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    is_void INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE supplier (
    supplier_id BLOB NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL
) STRICT;
CREATE TABLE supplier_version (
    supplier_id BLOB NOT NULL REFERENCES supplier (supplier_id),
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL UNIQUE,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    lei TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor BLOB NOT NULL, archived_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (supplier_id, version)
) STRICT;
CREATE TABLE tenant (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    tenant_id BLOB NOT NULL CHECK (length(tenant_id) = 16),
    epoch INTEGER NOT NULL
) STRICT;
CREATE TABLE unresolved (
    run_id BLOB NOT NULL REFERENCES run (run_id),
    seq INTEGER NOT NULL,
    code TEXT NOT NULL,
    word TEXT NOT NULL,
    day_min INTEGER NOT NULL,
    day_max INTEGER NOT NULL,
    activities INTEGER NOT NULL,
    example BLOB NOT NULL,
    remedy TEXT NOT NULL,
    PRIMARY KEY (run_id, seq, code, word)
) STRICT, WITHOUT ROWID;
CREATE TABLE why (
    run_id BLOB NOT NULL REFERENCES run (run_id),
    why INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    json TEXT NOT NULL,
    PRIMARY KEY (run_id, why),
    UNIQUE (run_id, digest)
) STRICT;
CREATE INDEX audit_entry_by_object ON audit_entry (object_id, seq);
CREATE INDEX calc_block_whole ON calc_block (run_id, seq) WHERE kind = 'delta';
CREATE INDEX entity_version_by_code ON entity_version (code, seq);
CREATE INDEX facility_version_by_code ON facility_version (code, seq);
CREATE UNIQUE INDEX factor_pack_seq ON factor_pack (pack, seq);
CREATE INDEX mapping_by_name ON mapping (name, seq);
CREATE UNIQUE INDEX run_current ON run (state) WHERE state = 'current';
CREATE INDEX segment_by_import ON segment (import_id);
CREATE INDEX segment_by_start_max ON segment (start_max, seq);
CREATE INDEX segment_by_start_min ON segment (start_min, seq);
CREATE INDEX source_version_by_code ON source_version (code, seq);
CREATE INDEX supersession_by_seq ON supersession (seq);
CREATE INDEX supplier_version_by_code ON supplier_version (code, seq);
