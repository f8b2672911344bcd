//! Imports: a file on its way in, or taken in.

use envora_domain::id::{ImportId, SegmentId};
use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::amounts::Watermark;
use crate::footprints::Warning;
use crate::problems::RowError;
use crate::writes::{Counts, Mode, RowResult, SkippedRows};

/// A file taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Import {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ImportId,
    /// The file's name as sent.
    #[schema(example = "b24-electricity-2022.csv")]
    pub file_name: String,
    /// SHA-256 of the bytes as received, hex.
    pub sha256: String,
    /// Bytes as received.
    pub bytes: u64,
    /// The mapping's name; absent for JSON and NDJSON.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mapping: Option<String>,
    /// Whether one bad row refuses all.
    pub mode: Mode,
    /// `succeeded`, `partial` when rows were rejected or quarantined, or `failed` when all were rejected. A
    /// file without a row has succeeded, with the warning `no_rows`.
    #[schema(example = "succeeded")]
    pub status: String,
    /// What the acknowledgement stands for.
    #[schema(example = "local")]
    pub ack: String,
    /// Rows by outcome.
    pub counts: Counts,
    /// The segments that hold the stored rows; lists of imports leave them out.
    #[schema(value_type = Vec<String>)]
    pub segments: Vec<SegmentId>,
    /// The answer of the import itself lists rows here as a write does; later readings list none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub results: Vec<RowResult>,
    /// Rows that are no activities, at most 20 groups of them; `counts.skipped` counts all. Lists of imports
    /// leave them out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub skipped: Vec<SkippedRows>,
    /// What a reader should know of the rows, such as `possible_duplicate`, `nearly_taken` and `no_rows`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<Warning>,
    /// The commit.
    pub watermark: Watermark,
    /// When it was taken in.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A rejected row of an import, kept for 30 days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedRow {
    /// The record, counted from 1.
    pub row: u64,
    /// The physical line, counted from 1.
    pub line: u64,
    /// `rejected`, `quarantined` or `duplicate`.
    #[schema(example = "rejected")]
    pub outcome: String,
    /// The row as sent, when it is text; cut to 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// Why.
    pub errors: Vec<RowError>,
}
