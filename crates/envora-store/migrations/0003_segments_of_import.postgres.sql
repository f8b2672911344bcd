-- An import lists its segments.
CREATE INDEX segment_by_import ON segment (import_id);
