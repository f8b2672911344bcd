-- Which version of an entity is the last, and who holds a code now.
CREATE TABLE entity (
    entity_id BLOB NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL
) STRICT;

-- Each change of an entity, with the seq from which calculation sees it.
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
    actor BLOB NOT NULL,
    PRIMARY KEY (entity_id, version)
) STRICT;
-- Words of rows are resolved by code, as of a seq.
CREATE INDEX entity_version_by_code ON entity_version (code, seq);

-- Which version of a supplier is the last, and who holds a code now.
CREATE TABLE supplier (
    supplier_id BLOB NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL
) STRICT;

-- Each change of a supplier, with the seq from which calculation sees it.
CREATE TABLE supplier_version (
    supplier_id BLOB NOT NULL REFERENCES supplier (supplier_id),
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL UNIQUE,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    lei TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor BLOB NOT NULL,
    PRIMARY KEY (supplier_id, version)
) STRICT;
-- Words of rows are resolved by code, as of a seq.
CREATE INDEX supplier_version_by_code ON supplier_version (code, seq);
