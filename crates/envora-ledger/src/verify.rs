//! Offline verification: leaf, proof, signed checkpoint and the log's key, and nothing else.
//!
//! This is what `envora audit verify` runs, on a machine that need not know the server.

use envora_domain::hash::{Digest, leaf_hash};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::leaf::{Leaf, LeafError};
use crate::note::VerifierKey;
use crate::proof::{Growth, Inclusion, ProofRefused, verify_consistency, verify_inclusion};

/// What a stranger is handed to check one entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryProof {
    /// The leaf's bytes, as the log holds them.
    pub leaf: Vec<u8>,
    /// Its way to the root, from the leaf up.
    pub path: Vec<Digest>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// What a proof has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The leaf.
    pub leaf: Leaf,
    /// The state of the log that holds it.
    pub checkpoint: Checkpoint,
}

/// Which step of a verification failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The key is not of the form `name+id+key`.
    #[error("the log's key is not of the form name+id+key")]
    Key,
    /// The checkpoint is not believed.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[source] CheckpointError),
    /// The leaf is none.
    #[error("the leaf: {0}")]
    Leaf(#[source] LeafError),
    /// The leaf is not in the log.
    #[error("the inclusion proof: {0}")]
    Inclusion(#[source] ProofRefused),
    /// The old checkpoint is no beginning of the new.
    #[error("the consistency proof: {0}")]
    Consistency(#[source] ProofRefused),
    /// The two checkpoints are of different logs.
    #[error("the two checkpoints are of different logs")]
    OtherLog,
}

/// Reads the keys of a log, newest and older ones, each `name+id+key`.
///
/// # Errors
/// [`VerifyError::Key`].
pub fn keys(texts: &[&str]) -> Result<Vec<VerifierKey>, VerifyError> {
    texts.iter().map(|text| VerifierKey::parse(text.trim()).ok_or(VerifyError::Key)).collect()
}

/// Checks that a log whose owner holds one of these keys has the leaf. The leaf's own seq is its place.
///
/// # Errors
/// [`VerifyError`]: the first step that failed.
pub fn verify_entry(proof: &EntryProof, keys: &[VerifierKey]) -> Result<Verified, VerifyError> {
    let checkpoint = Checkpoint::open(&proof.checkpoint, keys).map_err(VerifyError::Checkpoint)?;
    let leaf = Leaf::decode(&proof.leaf).map_err(VerifyError::Leaf)?;
    let inclusion =
        Inclusion { leaf: leaf_hash(&proof.leaf), index: leaf.seq, size: checkpoint.size };
    verify_inclusion(&inclusion, &proof.path, &checkpoint.root).map_err(VerifyError::Inclusion)?;
    Ok(Verified { leaf, checkpoint })
}

/// Two signed checkpoints of a log and the proof between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrowthProof {
    /// The older note.
    pub old: String,
    /// The newer note.
    pub new: String,
    /// The consistency proof.
    pub path: Vec<Digest>,
}

/// Checks that the log of the old checkpoint is the beginning of the log of the new one.
///
/// # Errors
/// [`VerifyError`]: the first step that failed.
pub fn verify_growth(
    proof: &GrowthProof,
    keys: &[VerifierKey],
) -> Result<(Checkpoint, Checkpoint), VerifyError> {
    let old = Checkpoint::open(&proof.old, keys).map_err(VerifyError::Checkpoint)?;
    let new = Checkpoint::open(&proof.new, keys).map_err(VerifyError::Checkpoint)?;
    if old.origin != new.origin {
        return Err(VerifyError::OtherLog);
    }
    let growth =
        Growth { old_size: old.size, old_root: old.root, new_size: new.size, new_root: new.root };
    verify_consistency(&growth, &proof.path).map_err(VerifyError::Consistency)?;
    Ok((old, new))
}
