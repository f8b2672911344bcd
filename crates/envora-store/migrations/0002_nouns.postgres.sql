-- Which version of an entity is the last, and who holds a code now.
CREATE TABLE entity (
    entity_id BYTEA NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    version BIGINT NOT NULL
);

-- Each change of an entity, with the seq from which calculation sees it.
CREATE TABLE entity_version (
    entity_id BYTEA NOT NULL REFERENCES entity (entity_id),
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL UNIQUE,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    lei TEXT NOT NULL,
    share TEXT NOT NULL,
    control TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor BYTEA NOT NULL,
    PRIMARY KEY (entity_id, version)
);
-- Words of rows are resolved by code, as of a seq.
CREATE INDEX entity_version_by_code ON entity_version (code, seq);

-- Which version of a supplier is the last, and who holds a code now.
CREATE TABLE supplier (
    supplier_id BYTEA NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    version BIGINT NOT NULL
);

-- Each change of a supplier, with the seq from which calculation sees it.
CREATE TABLE supplier_version (
    supplier_id BYTEA NOT NULL REFERENCES supplier (supplier_id),
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL UNIQUE,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    lei TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor BYTEA NOT NULL,
    PRIMARY KEY (supplier_id, version)
);
-- Words of rows are resolved by code, as of a seq.
CREATE INDEX supplier_version_by_code ON supplier_version (code, seq);
