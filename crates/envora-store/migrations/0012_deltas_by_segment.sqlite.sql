-- Rows decided anew, by the segment that they are of: whoever reads a segment opens what names it and
-- nothing else. The block of a cause that named several segments at once (calc_block, kind 'delta') is
-- of folders of before; it is split when the folder is opened.
-- seq: the cause's. segment_seq: the segment's.
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
-- Blocks that are yet to be split: none, as a rule, and every read asks.
CREATE INDEX calc_block_whole ON calc_block (run_id, seq) WHERE kind = 'delta';
