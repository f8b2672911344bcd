//! Mentions: which segments name a word, so that a change re-decides only the rows that name it.

use envora_domain::access::{Grant, actions::Calculate, actions::WriteActivities};

use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    MENTION_ADD = "INSERT INTO mention (kind, word, seq) VALUES (?1, ?2, ?3)
        ON CONFLICT (kind, word, seq) DO NOTHING";
    MENTIONS_OF_WORD = "SELECT seq FROM mention
        WHERE kind = ?1 AND word = ?2 AND seq >= ?3 ORDER BY seq LIMIT ?4";
}

/// A word of rows and what it is meant to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// `facility`, `source`, `unit` …
    pub kind: &'a str,
    /// The word as the rows have it: a code, or an id's text.
    pub word: &'a str,
}

/// Notes that the segment of this seq names these words. Called in the transaction that adds it.
///
/// # Errors
/// The database's.
pub fn mentions_add(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    seq: u64,
    words: &[Word<'_>],
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    for word in words {
        tx.execute(MENTION_ADD, &[word.kind.into(), word.word.into(), seq.into()])?;
    }
    Ok(())
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// The first seq.
    pub from: u64,
    /// How many at most.
    pub limit: u32,
}

/// The seqs of segments that name this word.
///
/// # Errors
/// The database's.
pub fn mentions_of_word(
    rd: &mut TenantReader,
    grant: &Grant<Calculate>,
    word: Word<'_>,
    slice: Slice,
) -> anyhow::Result<Vec<u64>> {
    rd.allow(grant)?;
    let values = [word.kind.into(), word.word.into(), slice.from.into(), slice.limit.into()];
    rd.all(MENTIONS_OF_WORD, &values, |row| row.count())
}
