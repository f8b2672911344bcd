-- Which segments name a word. A segment of few words has a row of mention for each; one of many has all its
-- words in one row of mentioned, by their numbers.

-- number: from 1, in the order in which words were first named by a segment of many.
CREATE TABLE mention_word (
    number INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    word TEXT NOT NULL,
    UNIQUE (kind, word)
) STRICT;

-- words: the numbers of its words, ascending, each as what it is more than the one before, in groups of
-- seven bits, the lowest first.
CREATE TABLE mentioned (
    seq INTEGER NOT NULL PRIMARY KEY,
    words BLOB NOT NULL
) STRICT;
