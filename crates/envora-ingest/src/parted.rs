//! Files that come in parts: each part is sealed by itself when it arrives, and read from there, one
//! part at a time, when rows are stored and when they are traced. No such file is ever held whole.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use envora_crypto::tenant::TenantKeys;
use envora_domain::hash::{Digest, Hasher};
use envora_domain::id::ImportId;
use envora_lake::segments::Lake;
use envora_lake::sources::SourceError;
use envora_store::imports::Counts;
use envora_store::parts::{Part, source_parts};
use tokio::sync::watch;

use crate::tenant::{Damaged, TenantParts};

/// How much is read at a time.
const BLOCK: usize = 64 * 1024;
/// In how many steps those who watch are told of the bytes.
const STEPS: u64 = 200;

/// What the lake keeps a part as: another import's part has another name, whatever its bytes are.
#[must_use]
pub fn part_name(import: ImportId, number: u32, sha256: &Digest) -> Digest {
    Digest::of_parts(&[b"envora-part/1\n", &import.bytes(), &number.to_be_bytes(), &sha256.0])
}

/// How far reading a file is, shared by who reads it and who asks.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of the file.
    total: u64,
    /// Bytes that have been hashed and that have been read for their rows: each byte counts twice.
    passed: AtomicU64,
    counts: Mutex<Counts>,
    given_up: AtomicBool,
    moved: watch::Sender<()>,
}

impl Progress {
    /// Of a file of so many bytes.
    #[must_use]
    pub fn of(total: u64) -> Arc<Self> {
        Arc::new(Self { total, ..Self::default() })
    }

    /// Bytes that are done, and bytes there are: hashing a byte and reading its row are a half each.
    #[must_use]
    pub fn done(&self) -> (u64, u64) {
        (self.passed.load(Ordering::Relaxed) / 2, self.total)
    }

    /// What became of the rows so far; none of them is stored before all are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Told whenever it went on by a step, from now on.
    #[must_use]
    pub fn moved(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    /// So many more bytes have passed.
    fn pass(&self, bytes: u64) {
        let before = self.passed.fetch_add(bytes, Ordering::Relaxed);
        let step = (self.total.saturating_mul(2) / STEPS).max(1);
        if before / step != before.saturating_add(bytes) / step {
            self.moved.send_replace(());
        }
    }

    /// So much became of the rows so far.
    pub(crate) fn judged(&self, counts: Counts) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        self.moved.send_replace(());
    }

    /// Ends the reading at its next step.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
    }

    /// Whether somebody gave it up.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}

/// The bytes of a file, part after part; each part has to be the one that was sent.
pub struct PartsReader {
    lake: Arc<Lake>,
    keys: Arc<TenantKeys>,
    ahead: std::vec::IntoIter<Part>,
    current: Option<Current>,
    progress: Option<Arc<Progress>>,
}

struct Current {
    part: Part,
    bytes: Box<dyn Read + Send>,
    hasher: Hasher,
}

impl PartsReader {
    /// Over these parts, in this order.
    #[must_use]
    pub fn new(
        (lake, keys): (&Arc<Lake>, &Arc<TenantKeys>),
        parts: Vec<Part>,
        progress: Option<Arc<Progress>>,
    ) -> Self {
        let (lake, keys) = (Arc::clone(lake), Arc::clone(keys));
        Self { lake, keys, ahead: parts.into_iter(), current: None, progress }
    }

    fn opened(&self, part: Part) -> io::Result<Current> {
        let bytes = self.lake.part_reader(&self.keys, &part.name).map_err(|error| match error {
            SourceError::Io(error) => error,
            other => io::Error::other(damaged(&part, &other)),
        })?;
        Ok(Current { part, bytes: Box::new(bytes), hasher: Hasher::default() })
    }
}

fn damaged(part: &Part, why: &SourceError) -> Damaged {
    Damaged::new(format!("part {} of a file", part.number), why.to_string())
}

impl Read for PartsReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.progress.as_ref().is_some_and(|progress| progress.is_given_up()) {
                return Err(io::Error::other("reading the file was given up"));
            }
            let mut current = match self.current.take() {
                Some(current) => current,
                None => match self.ahead.next() {
                    Some(part) => self.opened(part)?,
                    None => return Ok(0),
                },
            };
            let spoiled = || io::Error::other(damaged(&current.part, &SourceError::OtherBytes));
            let read = current.bytes.read(buffer).map_err(|_| spoiled())?;
            if read > 0 {
                current.hasher.update(buffer.get(..read).unwrap_or_default());
                if let Some(progress) = &self.progress {
                    progress.pass(read as u64);
                }
                self.current = Some(current);
                return Ok(read);
            }
            if !buffer.is_empty() && current.hasher.finish() != current.part.sha256 {
                return Err(io::Error::other(damaged(&current.part, &SourceError::OtherBytes)));
            }
        }
    }
}

/// The length and SHA-256 of a file, read to its end.
///
/// # Errors
/// The reader's; of parts, [`Damaged`] inside when one is not the one that was sent.
pub fn measure(mut file: impl Read) -> io::Result<(u64, Digest)> {
    let (mut hasher, mut block, mut length) = (Hasher::default(), vec![0; BLOCK], 0_u64);
    loop {
        let read = file.read(&mut block)?;
        let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        length += bytes.len() as u64;
    }
    Ok((length, hasher.finish()))
}

impl TenantParts {
    /// The parts of a file that came in parts; none of one that came whole.
    ///
    /// # Errors
    /// The database's.
    pub fn parts_of_source(&self, file: &Digest) -> anyhow::Result<Vec<Part>> {
        let (file, grant) = (*file, self.own.read_activities);
        self.read(move |rd| source_parts(rd, &grant, file))
    }

    /// A reader over parts of this tenant's files.
    #[must_use]
    pub fn parts_reader(&self, parts: Vec<Part>, progress: Option<Arc<Progress>>) -> PartsReader {
        PartsReader::new((&self.lake, &self.keys), parts, progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_watches_is_told_of_steps_and_of_rows_and_not_of_every_byte() {
        let progress = Progress::of(100_000);
        let mut moved = progress.moved();
        let mut told = 0;
        for _ in 0..200_000 {
            progress.pass(1);
            if moved.has_changed().expect("it is there") {
                moved.borrow_and_update();
                told += 1;
            }
        }
        assert_eq!((told, progress.done()), (STEPS, (100_000, 100_000)));
        let counts = Counts { accepted: 3, rejected: 1, ..Counts::default() };
        progress.judged(counts);
        assert!(moved.has_changed().expect("it is there"));
        assert_eq!(progress.counts(), counts);
        // A file of a few bytes has fewer steps than that.
        Progress::of(1).pass(2);
        Progress::of(0).pass(0);
    }
}
