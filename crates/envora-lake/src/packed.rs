//! The canonical rows of a segment as they are sealed: runs of [`RUN_ROWS`] rows, each packed by itself,
//! so that one row is read without its thousands of neighbours.
//!
//! The bytes are described in `docs/formats/segment.md`. A segment that packing would not make shorter,
//! such as one of a single row, is its plain rows, as all were before.

use envora_domain::activities::canonical::{RUN_ROWS, rows, run_leaves};
use envora_domain::hash::{Digest, leaf_hash, tree_root};

/// No stream of rows begins so: the first would be of more than 4 GB.
const MAGIC: [u8; 4] = [0xFF, b'r', b'u', b'n'];
const HEAD: usize = 8;
/// Bytes in the directory for a run: its length packed, its length plain, its leaf.
const ENTRY: usize = 40;
/// The most that a run unpacks to: 256 rows, each from a line of at most 1 MiB.
const RUN_BYTES_MAX: usize = 512 * 1024 * 1024;
/// The fastest: rows of a run are so alike that more effort finds little more.
const LEVEL: i32 = 1;

/// Rows that were packed, and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// What is to be sealed.
    pub bytes: Vec<u8>,
    /// The audit root of the rows.
    pub root: Digest,
}

/// The bytes are no packed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the runs of the segment are not packed as they should be")]
pub struct NotPacked;

/// Packs a stream of canonical rows, of which each ends where `ends` says.
#[must_use]
pub fn pack(stream: Vec<u8>, ends: &[usize]) -> Packed {
    let mut begins = 0;
    let mut runs = Vec::with_capacity(ends.len().div_ceil(RUN_ROWS));
    for run in ends.chunks(RUN_ROWS) {
        let end = run.last().copied().unwrap_or(begins);
        runs.push(stream.get(begins..end).unwrap_or_default());
        begins = end;
    }
    let leaves: Vec<Digest> = runs.iter().map(|run| leaf_hash(run)).collect();
    let root = tree_root(&leaves);
    match shorter(&runs, &leaves, stream.len()) {
        Some(bytes) => Packed { bytes, root },
        None => Packed { bytes: stream, root },
    }
}

/// The runs packed, where that is shorter than they are.
fn shorter(runs: &[&[u8]], leaves: &[Digest], plain: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(plain / 4);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&u32::try_from(runs.len()).ok()?.to_be_bytes());
    let mut frames = Vec::with_capacity(plain / 4);
    let mut packer = zstd::bulk::Compressor::new(LEVEL).ok()?;
    for (run, leaf) in runs.iter().zip(leaves) {
        let frame = packer.compress(run).ok()?;
        bytes.extend_from_slice(&u32::try_from(frame.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(run.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(&leaf.0);
        frames.extend_from_slice(&frame);
    }
    bytes.extend_from_slice(&frames);
    (bytes.len() < plain).then_some(bytes)
}

/// A segment's bytes, opened: where its runs lie, and what each has to be.
pub struct Runs {
    bytes: Vec<u8>,
    shape: Shape,
}

enum Shape {
    /// Rows one after the other.
    Plain,
    Packed(Vec<Entry>),
}

#[derive(Clone, Copy)]
struct Entry {
    begins: usize,
    packed: usize,
    plain: usize,
    leaf: Digest,
}

impl Runs {
    /// Of what was sealed.
    ///
    /// # Errors
    /// [`NotPacked`].
    pub fn of(bytes: Vec<u8>) -> Result<Self, NotPacked> {
        let shape = if bytes.starts_with(&MAGIC) {
            Shape::Packed(directory(&bytes).ok_or(NotPacked)?)
        } else {
            Shape::Plain
        };
        Ok(Self { bytes, shape })
    }

    /// All rows, one after the other. What they hash to is for the reader to say.
    ///
    /// # Errors
    /// [`NotPacked`].
    pub fn whole(self) -> Result<Vec<u8>, NotPacked> {
        let Shape::Packed(entries) = &self.shape else { return Ok(self.bytes) };
        let length = entries.iter().map(|entry| entry.plain).sum();
        let mut stream = vec![0; length];
        let mut rest = stream.as_mut_slice();
        let mut unpacker = zstd::bulk::Decompressor::new().map_err(|_| NotPacked)?;
        for entry in entries {
            let (run, after) = rest.split_at_mut_checked(entry.plain).ok_or(NotPacked)?;
            let frame = self.frame(entry).ok_or(NotPacked)?;
            let found = unpacker.decompress_to_buffer(frame, run).map_err(|_| NotPacked)?;
            if found != entry.plain {
                return Err(NotPacked);
            }
            rest = after;
        }
        Ok(stream)
    }

    /// The leaf of each run: of plain rows as they hash, of packed ones as it was noted.
    ///
    /// # Errors
    /// [`NotPacked`].
    pub fn leaves(&self) -> Result<Vec<Digest>, NotPacked> {
        match &self.shape {
            Shape::Plain => Ok(run_leaves(&rows(&self.bytes).map_err(|_| NotPacked)?)),
            Shape::Packed(entries) => Ok(entries.iter().map(|entry| entry.leaf).collect()),
        }
    }

    /// The rows of a run, from 0. What they hash to is for the reader to say.
    ///
    /// # Errors
    /// [`NotPacked`], also of a run that there is not.
    pub fn run(&self, run: usize) -> Result<Vec<u8>, NotPacked> {
        match &self.shape {
            Shape::Plain => {
                let rows = rows(&self.bytes).map_err(|_| NotPacked)?;
                Ok(rows.chunks(RUN_ROWS).nth(run).ok_or(NotPacked)?.concat())
            }
            Shape::Packed(entries) => {
                let entry = entries.get(run).ok_or(NotPacked)?;
                let frame = self.frame(entry).ok_or(NotPacked)?;
                let found = zstd::bulk::decompress(frame, entry.plain).map_err(|_| NotPacked)?;
                if found.len() == entry.plain { Ok(found) } else { Err(NotPacked) }
            }
        }
    }

    fn frame(&self, entry: &Entry) -> Option<&[u8]> {
        self.bytes.get(entry.begins..entry.begins.checked_add(entry.packed)?)
    }
}

/// What the directory says; nothing where it and the bytes are of different lengths.
fn directory(bytes: &[u8]) -> Option<Vec<Entry>> {
    let number = |at: usize| {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(four)).ok()
    };
    let runs = number(4)?;
    let mut begins = runs.checked_mul(ENTRY)?.checked_add(HEAD)?;
    let listed = bytes.get(HEAD..begins)?;
    let mut entries = Vec::with_capacity(runs);
    for (run, entry) in listed.chunks_exact(ENTRY).enumerate() {
        let at = HEAD + run * ENTRY;
        let (packed, plain) = (number(at)?, number(at + 4)?);
        let leaf = Digest::from_slice(entry.get(8..)?)?;
        if plain > RUN_BYTES_MAX {
            return None;
        }
        entries.push(Entry { begins, packed, plain, leaf });
        begins = begins.checked_add(packed)?;
    }
    (begins == bytes.len()).then_some(entries)
}
