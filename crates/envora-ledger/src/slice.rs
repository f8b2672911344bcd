//! The proof that a row belongs to a segment.
//!
//! The leaves of a segment's tree are runs of 256 canonical rows (`envora_domain::activities`). A
//! slice proof is one run with its path: an ordinary inclusion proof, checkable with any library for
//! RFC 6962.

use envora_domain::activities::canonical::{RUN_ROWS, rows, run_leaves};
use envora_domain::hash::{Digest, leaf_hash};

use crate::proof::{Inclusion, ProofError, ProofRefused, inclusion_proof, verify_inclusion};
use crate::tree::CompactRange;

/// A run of rows and its way to the segment's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceProof {
    /// Which run, from 0: it begins with row `run * 256`.
    pub run: u64,
    /// How many runs the segment has.
    pub runs: u64,
    /// The canonical rows of the run, one after the other.
    pub rows: Vec<u8>,
    /// The way to the root, from the leaf up.
    pub path: Vec<Digest>,
}

/// The proof of the run that holds row `row`, from all canonical rows of the segment.
///
/// # Errors
/// [`ProofError::OutOfRange`] when there is no such row.
pub fn slice_proof(row: u32, rows: &[&[u8]]) -> Result<SliceProof, ProofError> {
    let row = usize::try_from(row).map_err(|_| ProofError::OutOfRange)?;
    if row >= rows.len() {
        return Err(ProofError::OutOfRange);
    }
    let run = rows.chunks(RUN_ROWS).nth(row / RUN_ROWS).ok_or(ProofError::OutOfRange)?;
    run_proof(row / RUN_ROWS, &run_leaves(rows), run.concat())
}

/// The proof of a run, from 0, with these rows, from the leaves of all runs of the segment.
///
/// # Errors
/// [`ProofError::OutOfRange`] when there is no such run.
pub fn run_proof(run: usize, leaves: &[Digest], rows: Vec<u8>) -> Result<SliceProof, ProofError> {
    let mut range = CompactRange::new();
    let nodes: Vec<_> = leaves.iter().flat_map(|leaf| range.append(*leaf)).collect();
    let lookup = |level, index| {
        nodes.iter().find(|node| node.level == level && node.index == index).map(|node| node.hash)
    };
    let (run, runs) = (run as u64, range.size());
    let path = inclusion_proof(run, runs, &lookup)?;
    Ok(SliceProof { run, runs, rows, path })
}

/// A row and the segment that is said to hold it, both from the segment's leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentRow {
    /// The row, from 0.
    pub row: u32,
    /// How many rows the segment has: key 6 of its leaf.
    pub count: u64,
    /// The root over them: key 5 of its leaf.
    pub root: Digest,
}

/// Checks a slice against its segment and returns the canonical row that was asked for.
///
/// # Errors
/// [`ProofRefused`].
pub fn verify_slice<'a>(
    asked: &SegmentRow,
    slice: &'a SliceProof,
) -> Result<&'a [u8], ProofRefused> {
    let run_rows = RUN_ROWS as u64;
    let row = u64::from(asked.row);
    if row >= asked.count || row / run_rows != slice.run {
        return Err(ProofRefused::OutOfRange);
    }
    if slice.runs != asked.count.div_ceil(run_rows) {
        return Err(ProofRefused::WrongLength);
    }
    let inclusion = Inclusion { leaf: leaf_hash(&slice.rows), index: slice.run, size: slice.runs };
    verify_inclusion(&inclusion, &slice.path, &asked.root)?;
    let rows = rows(&slice.rows).map_err(|_| ProofRefused::WrongLength)?;
    if rows.len() as u64 != run_rows.min(asked.count - slice.run * run_rows) {
        return Err(ProofRefused::WrongLength);
    }
    usize::try_from(row % run_rows)
        .ok()
        .and_then(|place| rows.get(place).copied())
        .ok_or(ProofRefused::OutOfRange)
}
