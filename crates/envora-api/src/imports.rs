//! Imports: a file on its way in, or taken in.

use std::collections::BTreeMap;

use envora_domain::id::{ImportId, SegmentId};
use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::amounts::Watermark;
use crate::footprints::Warning;
use crate::problems::{Problem, RowError};
use crate::writes::{Counts, Mode, Outcome, RowResult, SkippedRows};

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
    /// file without a row has succeeded, with the warning `no_rows`. Of an import in parts, before that:
    /// `open` while parts arrive, `running` while its rows are read, `refused` when its last commit was,
    /// with the `problem`: mend what it names and commit again, or delete it.
    #[schema(example = "succeeded")]
    pub status: String,
    /// What the acknowledgement stands for.
    #[schema(example = "local")]
    pub ack: String,
    /// Rows by outcome; while they are read, those so far.
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
    /// When it was taken in, or opened.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Of an import that is not taken in yet: the parts that have arrived, by number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parts: Option<Vec<ImportPart>>,
    /// Of one that is not taken in yet: the constants that all of its rows get.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub set: BTreeMap<String, String>,
    /// Of one that is `running`: how far it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub progress: Option<ImportProgress>,
    /// Of one that is not taken in yet: when it is given up by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Of one that is `refused`: why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<Problem>,
}

/// An import in parts, to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewImport {
    /// The file's name.
    #[schema(example = "half-hourly-2022.csv")]
    pub file_name: String,
    /// What the file is: `text/csv` or `application/x-ndjson`; other formats are sent whole.
    #[schema(example = "text/csv")]
    pub media_type: String,
    /// How many bytes it has; checked when it is committed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes: Option<u64>,
    /// SHA-256 of all of them, hex; checked when it is committed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    /// The name of a saved mapping, or name@version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mapping: Option<String>,
    /// Whether one bad row refuses all; `partial` when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mode: Option<Mode>,
    /// Constants by dotted field name, such as `facility_code`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub set: BTreeMap<String, String>,
}

/// How an open import is to be read from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportReading {
    /// The name of a saved mapping, or name@version; none when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mapping: Option<String>,
    /// Whether one bad row refuses all; `partial` when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mode: Option<Mode>,
    /// Constants by dotted field name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub set: BTreeMap<String, String>,
}

/// A part of a file that has arrived, durably.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportPart {
    /// Its place, from 1.
    pub number: u32,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: u64,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportProgress {
    /// Bytes that are done.
    pub bytes_done: u64,
    /// Bytes there are.
    pub bytes: u64,
}

/// What an import has come to, as its events tell it: the data of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportEvent {
    /// The import's id.
    #[schema(value_type = String)]
    pub id: ImportId,
    /// Its status, as of the import; `canceled` when it was given up.
    #[schema(example = "running")]
    pub status: String,
    /// Bytes of the file: those announced, or else those that have arrived.
    pub bytes: u64,
    /// How many of them have arrived.
    pub bytes_arrived: u64,
    /// While it is `running`, how many are done.
    pub bytes_done: u64,
    /// How many rows were read so far.
    pub rows: u64,
    /// What became of them; nothing is stored before `succeeded` or `partial`.
    pub counts: Counts,
    /// Of one that is `refused`: why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<Problem>,
}

impl ImportEvent {
    /// What an import has come to.
    #[must_use]
    pub fn of(import: &Import) -> Self {
        let counts = import.counts;
        let arrived = import.parts.as_ref().map(|parts| parts.iter().map(|part| part.bytes).sum());
        Self {
            id: import.id,
            status: import.status.clone(),
            bytes: import.bytes,
            bytes_arrived: arrived.unwrap_or(import.bytes),
            bytes_done: match (&import.progress, import.parts.is_some()) {
                (Some(progress), _) => progress.bytes_done,
                (None, true) => 0,
                (None, false) => import.bytes,
            },
            rows: counts.accepted + counts.duplicate + counts.quarantined + counts.rejected,
            counts,
            problem: import.problem.clone(),
        }
    }

    /// Whether nothing follows it, unless somebody mends what was refused.
    #[must_use]
    pub fn is_last(&self) -> bool {
        !matches!(self.status.as_str(), "open" | "running")
    }
}

/// The first rows of an open import, as they would be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportPreview {
    /// The first rows.
    pub rows: Vec<PreviewRow>,
    /// What would become of the rows that were looked at: the first thousand.
    pub counts: Counts,
    /// What a reader should know of them, such as `outside_facility_life`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<Warning>,
    /// Whether the whole file was looked at.
    pub complete: bool,
}

/// A row that is not stored yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewRow {
    /// The record, counted from 1.
    pub row: u64,
    /// The physical line, counted from 1.
    pub line: u64,
    /// What would become of it.
    pub status: Outcome,
    /// The activity that it would be stored as; absent when it would be rejected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<Object>)]
    pub activity: Option<Map<String, Value>>,
    /// Why it would not be accepted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<RowError>,
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
    /// The row waited, and what it waited for is known by now: it is let in.
    #[serde(skip_serializing_if = "core::ops::Not::not", default)]
    pub let_in: bool,
    /// Why.
    pub errors: Vec<RowError>,
}
