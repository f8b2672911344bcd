//! The answer to every write of activities.

use envora_domain::id::{ActivityId, SegmentId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::amounts::Watermark;
use crate::footprints::Warning;
use crate::problems::RowError;

/// How many results a write lists before it lists only the rows that were not accepted.
pub const RESULTS_MAX: usize = 1_000;

/// Whether one bad row refuses all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All rows or none.
    Atomic,
    /// Good rows in, bad rows listed.
    Partial,
}

/// What became of a row. Final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Stored.
    Accepted,
    /// The same row was stored before; nothing was added.
    Duplicate,
    /// Stored; it counts as soon as the word it needs is known.
    Quarantined,
    /// Not stored.
    Rejected,
}

/// Rows by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Stored.
    pub accepted: u64,
    /// Stored before.
    pub duplicate: u64,
    /// Stored, waiting for a word.
    pub quarantined: u64,
    /// Not stored.
    pub rejected: u64,
    /// Rows of the file that are no activities: totals, footers, other products.
    pub skipped: u64,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowResult {
    /// The record, counted from 1.
    pub row: u64,
    /// The sender's id, or the derived one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external_id: Option<String>,
    /// Its outcome.
    pub status: Outcome,
    /// The activity: the new one, or of a duplicate the one that is there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub id: Option<ActivityId>,
    /// Why it was quarantined or rejected.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<RowError>,
    /// What was noticed without refusing the row.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub flags: Vec<String>,
    /// The stored activity, under another id, that it looks like: the flag `possible_duplicate`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub looks_like: Option<ActivityId>,
}

/// The answer to a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WriteAnswer {
    /// What the acknowledgement stands for: `local` = durable on this machine's disk.
    #[schema(example = "local")]
    pub ack: String,
    /// As asked.
    pub mode: Mode,
    /// Rows by outcome.
    pub counts: Counts,
    /// The segments that hold the stored rows.
    #[schema(value_type = Vec<String>)]
    pub segments: Vec<SegmentId>,
    /// Each row up to 1,000 of them; of more, the rows not accepted.
    pub results: Vec<RowResult>,
    /// What a reader should know of rows that were stored, such as `possible_duplicate`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<Warning>,
    /// The commit: once the footprint's watermark has reached its `seq`, these rows are in it.
    pub watermark: Watermark,
}
