-- The legal entity that a facility belongs to; empty while none is said, as of versions of before.
ALTER TABLE facility_version ADD COLUMN entity_id BYTEA NOT NULL DEFAULT '';
