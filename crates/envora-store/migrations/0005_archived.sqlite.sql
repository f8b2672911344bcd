-- Since when a version says that its noun is archived; 0 while it is not. Archived ones are left out
-- of lists and stay what they are to the rows that name them.
ALTER TABLE entity_version ADD COLUMN archived_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE facility_version ADD COLUMN archived_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mapping ADD COLUMN archived_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source_version ADD COLUMN archived_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE supplier_version ADD COLUMN archived_at INTEGER NOT NULL DEFAULT 0;
