//! The root over a segment's rows, and the proof that a row belongs to it.
//!
//! The leaves of a segment's tree are runs of 256 canonical rows. A slice proof is one run with its
//! path: an ordinary inclusion proof, checkable with any library for RFC 6962.

use envora_domain::hash::{Digest, leaf_hash};

use crate::proof::{Inclusion, ProofError, ProofRefused, inclusion_proof, verify_inclusion};
use crate::tree::CompactRange;

/// How many rows one leaf of a segment's tree covers.
pub const RUN_ROWS: usize = 256;

/// The canonical rows of a segment, cut apart; each keeps its four bytes of length. `None` when the
/// lengths do not add up to the bytes.
#[must_use]
pub fn split_rows(stream: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rows = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk::<4>()?)).ok()?;
        let (row, more) = rest.split_at_checked(length.checked_add(4)?)?;
        rows.push(row);
        rest = more;
    }
    Some(rows)
}

/// The root over these rows.
#[must_use]
pub fn segment_root(rows: &[&[u8]]) -> Digest {
    let mut range = CompactRange::new();
    for run in rows.chunks(RUN_ROWS) {
        range.append(run_hash(run));
    }
    range.root()
}

fn run_hash(run: &[&[u8]]) -> Digest {
    leaf_hash(&run.concat())
}

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

/// The proof of the run that holds row `row`.
///
/// # Errors
/// [`ProofError::OutOfRange`] when there is no such row.
pub fn slice_proof(row: u32, rows: &[&[u8]]) -> Result<SliceProof, ProofError> {
    let place = usize::try_from(row).map_err(|_| ProofError::OutOfRange)? / RUN_ROWS;
    let run = rows.chunks(RUN_ROWS).nth(place).ok_or(ProofError::OutOfRange)?;
    let mut range = CompactRange::new();
    let nodes: Vec<_> = rows.chunks(RUN_ROWS).flat_map(|run| range.append(run_hash(run))).collect();
    let lookup = |level, index| {
        nodes.iter().find(|node| node.level == level && node.index == index).map(|node| node.hash)
    };
    let run_index = place as u64;
    let path = inclusion_proof(run_index, range.size(), &lookup)?;
    Ok(SliceProof { run: run_index, runs: range.size(), rows: run.concat(), path })
}

/// Checks the slice against the segment's root and its number of rows, both from its leaf, and
/// returns the canonical row that was asked for.
///
/// # Errors
/// [`ProofRefused`].
pub fn verify_slice<'a>(
    row: u32,
    count: u64,
    slice: &'a SliceProof,
    root: &Digest,
) -> Result<&'a [u8], ProofRefused> {
    let run_rows = RUN_ROWS as u64;
    if u64::from(row) >= count || u64::from(row) / run_rows != slice.run {
        return Err(ProofRefused::OutOfRange);
    }
    if slice.runs != count.div_ceil(run_rows) {
        return Err(ProofRefused::WrongLength);
    }
    let inclusion = Inclusion { leaf: leaf_hash(&slice.rows), index: slice.run, size: slice.runs };
    verify_inclusion(&inclusion, &slice.path, root)?;
    let rows = split_rows(&slice.rows).ok_or(ProofRefused::WrongLength)?;
    if rows.len() as u64 != run_rows.min(count - slice.run * run_rows) {
        return Err(ProofRefused::WrongLength);
    }
    usize::try_from(u64::from(row) % run_rows)
        .ok()
        .and_then(|place| rows.get(place).copied())
        .ok_or(ProofRefused::OutOfRange)
}
