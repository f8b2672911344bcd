//! Segments: rows that were committed and sealed together, and the proof that the log holds them.

use envora_domain::id::{ImportId, SegmentId};
use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::traces::TracedLeaf;

/// Rows that were committed and sealed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Segment {
    /// Its id: those of its activities begin alike.
    #[schema(value_type = String)]
    pub id: SegmentId,
    /// The entry of the log that holds its root.
    pub seq: u64,
    /// When it was committed.
    #[schema(value_type = String, format = DateTime)]
    pub committed_at: Timestamp,
    /// How many rows it has.
    pub rows: u32,
    /// The RFC 6962 root over runs of 256 canonical rows, hex.
    pub root: String,
    /// The earliest start of a row.
    #[schema(value_type = String, format = DateTime)]
    pub first_start: Timestamp,
    /// The latest start of a row.
    #[schema(value_type = String, format = DateTime)]
    pub last_start: Timestamp,
    /// The import that its rows came with; absent for an inline body.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub import_id: Option<ImportId>,
    /// How many bytes it has, sealed.
    pub bytes: u64,
    /// The version of the key that sealed it.
    pub key_version: u32,
    /// The epoch of the database in which it was committed.
    pub epoch: u64,
}

/// The proof that the log holds a segment, and, of one row, that the segment holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SegmentProof {
    /// The segment.
    #[schema(value_type = String)]
    pub segment: SegmentId,
    /// How many rows it has: key 6 of its entry.
    pub rows: u32,
    /// The RFC 6962 root over runs of 256 canonical rows, hex: key 5 of its entry.
    pub root: String,
    /// The entry of the log, with its proof under a checkpoint signed now.
    pub leaf: TracedLeaf,
    /// Of the row that was asked for: the way of its run to the root.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slice: Option<SegmentSlice>,
}

/// An ordinary RFC 6962 inclusion proof of a run of 256 canonical rows, which are told by their hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SegmentSlice {
    /// The row that was asked for, from 0.
    pub row: u32,
    /// Which run holds it, from 0.
    pub index: u64,
    /// How many runs the segment has.
    pub size: u64,
    /// The RFC 6962 leaf hash of the run's canonical rows, hex.
    pub leaf_hash: String,
    /// The hashes from the leaf upwards, hex.
    pub proof: Vec<String>,
}
