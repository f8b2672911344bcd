//! Inclusion and consistency proofs of RFC 6962: made from the nodes of a log, and checked without.
//!
//! Making and checking are written twice, from the two descriptions of RFC 9162 §2.1: the maker splits
//! the tree from the top, the checker walks from the leaf up. A slip in one does not hide in the other.

use envora_domain::hash::{Digest, node_hash};
use envora_domain::planted::planted;

/// Looks up a complete node by level and index, see [`crate::tree::Node`].
pub type Lookup<'a> = &'a dyn Fn(u8, u64) -> Option<Digest>;

/// The longest proof that a log of 64-bit size can have.
pub const PROOF_NODES_MAX: usize = 64;

/// Why no proof was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf lies outside the log, or the old log is larger than the new.
    #[error("the log has no such place at this size")]
    OutOfRange,
    /// A node that belongs to the log is not there: the log is damaged.
    #[error("node {index} of level {level} is missing")]
    NodeMissing {
        /// Its level.
        level: u8,
        /// Its place in the level.
        index: u64,
    },
}

/// The audit path of leaf `index` in the log of this size, from the leaf up.
///
/// # Errors
/// [`ProofError`].
pub fn inclusion_proof(index: u64, size: u64, node: Lookup<'_>) -> Result<Vec<Digest>, ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let (mut first, mut end) = (0, size);
    let mut path = Vec::new();
    while end - first > 1 {
        let middle = first + split(end - first);
        if index < middle {
            path.push(range_root(middle, end, node)?);
            end = middle;
        } else {
            path.push(range_root(first, middle, node)?);
            first = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the log of size `old` is the beginning of the log of size `new`.
///
/// # Errors
/// [`ProofError`].
pub fn consistency_proof(old: u64, new: u64, node: Lookup<'_>) -> Result<Vec<Digest>, ProofError> {
    if old > new {
        return Err(ProofError::OutOfRange);
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut first, mut end) = (0, new);
    let mut path = Vec::new();
    // Whether the old log is, from the left edge, exactly the tree at hand: then its root is known.
    let mut from_left_edge = true;
    while end != old {
        let middle = first + split(end - first);
        if old <= middle {
            path.push(range_root(middle, end, node)?);
            end = middle;
        } else {
            path.push(range_root(first, middle, node)?);
            first = middle;
            from_left_edge = false;
        }
    }
    if !from_left_edge {
        path.push(range_root(first, end, node)?);
    }
    path.reverse();
    Ok(path)
}

/// The root that the log had at this size.
///
/// # Errors
/// [`ProofError::NodeMissing`].
pub fn root_at(size: u64, node: Lookup<'_>) -> Result<Digest, ProofError> {
    if size == 0 { Ok(Digest::of(&[])) } else { range_root(0, size, node) }
}

/// The root of the leaves from `first` to `end`, which is a tree of the split of RFC 6962.
fn range_root(first: u64, end: u64, node: Lookup<'_>) -> Result<Digest, ProofError> {
    let count = end - first;
    if count.is_power_of_two() {
        let level = u8::try_from(count.trailing_zeros()).unwrap_or(u8::MAX);
        let index = first >> level;
        return node(level, index).ok_or(ProofError::NodeMissing { level, index });
    }
    let middle = first + split(count);
    Ok(node_hash(&range_root(first, middle, node)?, &range_root(middle, end, node)?))
}

/// The largest power of two below `size` (at least two).
fn split(size: u64) -> u64 {
    1 << (size.max(2) - 1).ilog2()
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofRefused {
    /// The place lies outside the log, or the old log is larger than the new.
    #[error("the log has no such place at this size")]
    OutOfRange,
    /// More or fewer nodes than such a proof has.
    #[error("the proof has more or fewer nodes than one for this place")]
    WrongLength,
    /// The nodes lead to another root.
    #[error("the proof leads to another root")]
    OtherRoot,
}

/// A leaf and where it is said to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The leaf's hash.
    pub leaf: Digest,
    /// Its index.
    pub index: u64,
    /// The size of the log.
    pub size: u64,
}

/// Checks that the leaf lies at its index in the log with this root.
///
/// # Errors
/// [`ProofRefused`].
pub fn verify_inclusion(
    inclusion: &Inclusion,
    path: &[Digest],
    root: &Digest,
) -> Result<(), ProofRefused> {
    if inclusion.index >= inclusion.size {
        return Err(ProofRefused::OutOfRange);
    }
    let (mut place, mut last) = (inclusion.index, inclusion.size - 1);
    let mut hash = inclusion.leaf;
    for node in path {
        if last == 0 {
            return Err(ProofRefused::WrongLength);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(node, &hash);
            if place & 1 == 0 {
                let up = place.trailing_zeros();
                place = place.checked_shr(up).unwrap_or(0);
                last = last.checked_shr(up).unwrap_or(0);
            }
        } else {
            hash = node_hash(&hash, node);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofRefused::WrongLength);
    }
    meets(&hash, root, path)
}

/// Two states of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The size of the old log.
    pub old_size: u64,
    /// Its root.
    pub old_root: Digest,
    /// The size of the new log.
    pub new_size: u64,
    /// Its root.
    pub new_root: Digest,
}

/// Checks that the old log is the beginning of the new.
///
/// # Errors
/// [`ProofRefused`].
pub fn verify_consistency(growth: &Growth, path: &[Digest]) -> Result<(), ProofRefused> {
    let Growth { old_size, new_size, old_root, new_root } = growth;
    if old_size > new_size {
        return Err(ProofRefused::OutOfRange);
    }
    if *old_size == 0 || old_size == new_size {
        let expected = if *old_size == 0 { Digest::of(&[]) } else { *new_root };
        return match (path.is_empty(), *old_root == expected) {
            (false, _) => Err(ProofRefused::WrongLength),
            (true, false) => Err(ProofRefused::OtherRoot),
            (true, true) => Ok(()),
        };
    }
    // An old log that is one complete tree starts the walk itself; the proof leaves its root out.
    let (start, rest) = if old_size.is_power_of_two() {
        (old_root, path)
    } else {
        path.split_first().ok_or(ProofRefused::WrongLength)?
    };
    let up = (old_size - 1).trailing_ones();
    let mut place = (old_size - 1).checked_shr(up).unwrap_or(0);
    let mut last = (new_size - 1).checked_shr(up).unwrap_or(0);
    let (mut old_hash, mut new_hash) = (*start, *start);
    for node in rest {
        if last == 0 {
            return Err(ProofRefused::WrongLength);
        }
        if place & 1 == 1 || place == last {
            old_hash = node_hash(node, &old_hash);
            new_hash = node_hash(node, &new_hash);
            if place & 1 == 0 {
                let up = place.trailing_zeros();
                place = place.checked_shr(up).unwrap_or(0);
                last = last.checked_shr(up).unwrap_or(0);
            }
        } else {
            new_hash = node_hash(&new_hash, node);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofRefused::WrongLength);
    }
    meets(&old_hash, old_root, path)?;
    meets(&new_hash, new_root, path)
}

fn meets(hash: &Digest, root: &Digest, path: &[Digest]) -> Result<(), ProofRefused> {
    // The planted bug is a verifier that looks at a proof's ends and believes what lies between.
    let believed = planted("middle_of_proof_unchecked") && path.len() > 2;
    if hash == root || believed { Ok(()) } else { Err(ProofRefused::OtherRoot) }
}
