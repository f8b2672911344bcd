//! Mentions: which segments name a word, so that a change re-decides only the rows that name it.
//!
//! A segment of few words has a row of the index for each. One of many, such as ten thousand readings of as
//! many meters, has them in one row, by their numbers: as many rows in the index would touch nearly all of
//! its pages with each commit.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, ensure};
use envora_domain::access::{Grant, actions::Calculate, actions::WriteActivities};

use crate::sheaves;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    MENTION_ADD = "INSERT INTO mention (kind, word, seq) VALUES (?1, ?2, ?3)
        ON CONFLICT (kind, word, seq) DO NOTHING";
    MENTIONS_OF_WORD = "SELECT seq FROM mention
        WHERE kind = ?1 AND word = ?2 AND seq >= ?3 ORDER BY seq LIMIT ?4";
    MENTION_WORD = "SELECT number FROM mention_word WHERE kind = ?1 AND word = ?2";
    MENTION_WORD_LAST = "SELECT COALESCE(max(number), 0) FROM mention_word";
    MENTION_WORD_ADD = "INSERT INTO mention_word (number, kind, word) VALUES (?1, ?2, ?3)";
    MENTIONED_ADD = "INSERT INTO mentioned (seq, words) VALUES (?1, ?2)";
    MENTIONED_FROM = "SELECT seq, words FROM mentioned WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
}

/// Up to so many words of a segment have a row each.
const FEW: usize = 16;
/// Segments of many words that are looked at by one read.
const SLICE: u32 = 256;
/// The most words whose numbers are remembered.
const NUMBERS_MAX: usize = 65_536;

/// A word of rows and what it is meant to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Word<'a> {
    /// `facility`, `source`, `unit` …
    pub kind: &'a str,
    /// The word as the rows have it: a code, or an id's text.
    pub word: &'a str,
}

/// The numbers of words that were looked up before. Clones share them.
#[derive(Clone, Default)]
pub struct Numbers {
    /// By kind, then by word.
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    kinds: HashMap<Box<str>, HashMap<Box<str>, u32>>,
    count: usize,
}

/// Words with their numbers, to be remembered once the transaction that looked them up has committed.
#[derive(Debug, Default)]
pub struct Learned(Vec<(Box<str>, Box<str>, u32)>);

impl Numbers {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what is durable now.
    pub fn learn(&self, learned: Learned) {
        let mut held = self.lock();
        for (kind, word, number) in learned.0 {
            if held.count >= NUMBERS_MAX {
                *held = Held::default();
            }
            if held.kinds.entry(kind).or_default().insert(word, number).is_none() {
                held.count += 1;
            }
        }
    }

    fn of(&self, words: &[Word<'_>]) -> Vec<Option<u32>> {
        let held = self.lock();
        let number = |word: &Word<'_>| held.kinds.get(word.kind)?.get(word.word).copied();
        words.iter().map(number).collect()
    }
}

/// Notes that the segment of this seq names these words. Called in the transaction that adds it.
///
/// # Errors
/// The database's.
pub fn mentions_add(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    (seq, words): (u64, &[Word<'_>]),
    numbers: &Numbers,
) -> anyhow::Result<Learned> {
    tx.allow(grant)?;
    let mut learned = Learned::default();
    if words.len() <= FEW {
        for word in words {
            tx.execute(MENTION_ADD, &[word.kind.into(), word.word.into(), seq.into()])?;
        }
        return Ok(learned);
    }
    let mut last = None;
    let mut named = BTreeSet::new();
    for (word, known) in words.iter().zip(numbers.of(words)) {
        if let Some(number) = known {
            named.insert(number);
            continue;
        }
        let place = [word.kind.into(), word.word.into()];
        let number = match tx.first(MENTION_WORD, &place, |row| row.small())? {
            Some(number) => number,
            None => {
                let before = match last {
                    Some(last) => last,
                    None => tx.one(MENTION_WORD_LAST, &[], |row| row.small())?,
                };
                let number = before.checked_add(1).context("number a word")?;
                last = Some(number);
                let [kind, word] = place;
                tx.execute_one(MENTION_WORD_ADD, &[number.into(), kind, word])?;
                number
            }
        };
        learned.0.push((word.kind.into(), word.word.into(), number));
        named.insert(number);
    }
    let bytes = encode(&named);
    tx.execute_one(MENTIONED_ADD, &[seq.into(), (&bytes).into()])?;
    Ok(learned)
}

fn encode(named: &BTreeSet<u32>) -> Vec<u8> {
    let (mut bytes, mut before) = (Vec::with_capacity(named.len() * 2), 0);
    for number in named {
        sheaves::write(u128::from(number - before), &mut bytes);
        before = *number;
    }
    bytes
}

/// Whether a row of numbers has one of these.
fn names(bytes: &[u8], wanted: &BTreeSet<u32>) -> anyhow::Result<bool> {
    let (mut at, mut number) = (0, 0_u32);
    while at < bytes.len() {
        let more = u32::try_from(sheaves::read(bytes, &mut at)?).ok();
        let next = more.and_then(|more| number.checked_add(more));
        number = next.context("a word has no such number")?;
        if wanted.contains(&number) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// The first seq.
    pub from: u64,
    /// How many at most.
    pub limit: u32,
}

/// The seqs of segments that name one of these words, ascending.
///
/// # Errors
/// The database's.
pub fn mentions_of<'w>(
    rd: &mut TenantReader,
    grant: &Grant<Calculate>,
    words: impl IntoIterator<Item = Word<'w>>,
    Slice { from, limit }: Slice,
) -> anyhow::Result<Vec<u64>> {
    rd.allow(grant)?;
    let (mut found, mut wanted) = (BTreeSet::new(), BTreeSet::new());
    for Word { kind, word } in words {
        let values = [kind.into(), word.into(), from.into(), limit.into()];
        found.extend(rd.all(MENTIONS_OF_WORD, &values, |row| row.count())?);
        wanted.extend(rd.first(MENTION_WORD, &[kind.into(), word.into()], |row| row.small())?);
    }
    let (mut next, mut of_many) = (from, 0);
    while !wanted.is_empty() && of_many < limit {
        let (mut looked, mut more) = (0, next);
        rd.each(MENTIONED_FROM, &[next.into(), SLICE.into()], |row| {
            let seq = row.count()?;
            ensure!(seq >= more, "segments are not in their order");
            (looked, more) = (looked + 1, seq + 1);
            if of_many < limit && names(&row.blob()?, &wanted)? {
                of_many += 1;
                found.insert(seq);
            }
            Ok(())
        })?;
        if looked < SLICE {
            break;
        }
        next = more;
    }
    Ok(found.into_iter().take(usize::try_from(limit)?).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_as_they_were_written() {
        let named: BTreeSet<u32> = [1, 2, 130, 70_000, u32::MAX].into();
        let bytes = encode(&named);
        for number in &named {
            assert!(names(&bytes, &[*number].into()).expect("as written"));
        }
        assert!(!names(&bytes, &[3, 129, 131].into()).expect("as written"));
        assert!(names(&[0x80], &[1].into()).is_err(), "cut off");
        assert!(names(&[&bytes[..], &[1]].concat(), &[9].into()).is_err(), "above all numbers");
    }
}
