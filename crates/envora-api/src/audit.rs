//! The audit log: checkpoints, entries, proofs.

use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The log's head, signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checkpoint {
    /// Which log.
    #[schema(example = "envora.localhost/018f0000000070008000000000000001")]
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The RFC 6962 root, hex.
    pub root: String,
    /// The signed note, as C2SP's checkpoint format has it.
    pub note: String,
    /// The verifier key of the note.
    pub vkey: String,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its index, from 0.
    pub seq: u64,
    /// What it records.
    #[schema(example = "segment")]
    pub kind: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The object, hex.
    pub object: String,
    /// The object's digest, hex; absent when it has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
    /// Rows of a segment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub count: Option<u64>,
    /// The entry's bytes (deterministic CBOR), base64.
    pub leaf: String,
    /// RFC 6962 leaf hash, hex.
    pub leaf_hash: String,
}

/// Proof that an entry is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InclusionProof {
    /// The entry.
    pub index: u64,
    /// The size of the tree.
    pub size: u64,
    /// RFC 6962 leaf hash, hex.
    pub leaf_hash: String,
    /// The hashes from the leaf upwards, hex.
    pub proof: Vec<String>,
    /// The root of that tree, hex.
    pub root: String,
    /// The checkpoint it leads to, when the size is the log's head.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checkpoint: Option<Checkpoint>,
}

/// Proof that a smaller log is the beginning of a larger one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsistencyProof {
    /// The smaller size.
    pub first: u64,
    /// The larger size.
    pub second: u64,
    /// The root at the smaller size, hex.
    pub first_root: String,
    /// The root at the larger size, hex.
    pub second_root: String,
    /// The hashes, hex.
    pub proof: Vec<String>,
}
