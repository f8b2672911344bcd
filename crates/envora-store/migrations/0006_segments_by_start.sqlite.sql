-- Activities by their start: the segments that a page can be in, from the latest or the earliest on.
CREATE INDEX segment_by_start_max ON segment (start_max, seq);
CREATE INDEX segment_by_start_min ON segment (start_min, seq);
