-- Which rows of a file gave no activity, grouped, as JSON; empty when none, and of imports of before.
ALTER TABLE import ADD COLUMN skipped_rows TEXT NOT NULL DEFAULT '';
