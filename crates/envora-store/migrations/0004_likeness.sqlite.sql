-- Keyed fingerprints of what rows say, their ids left out: eight bytes per row in row order. So a row
-- that comes again under another id is seen. Segments of before have none.
-- alike: how many rows looked like one that was stored before; the first of them, and which it
-- looked like.
CREATE TABLE likeness (
    seq INTEGER NOT NULL PRIMARY KEY REFERENCES segment (seq),
    prints BLOB NOT NULL,
    alike INTEGER NOT NULL,
    first_new BLOB NOT NULL,
    first_known BLOB NOT NULL
) STRICT;
