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

/// Why rows of a file are no activities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The mapping leaves them out on purpose, by `skip_if`.
    SkipIf,
    /// No `when` of the mapping takes them.
    NotTaken,
    /// The cell of a wide table's interval is blank: there is no reading.
    BlankInterval,
}

/// A cell that a condition of a mapping looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkippedCell {
    /// Its column.
    #[schema(example = "Product")]
    pub column: String,
    /// Its text, cut to 100 characters.
    #[schema(example = "Petrol")]
    pub value: String,
}

/// Rows of a file that are no activities and say the same in the cells that decided it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkippedRows {
    /// Why.
    pub reason: SkipReason,
    /// The cells that decided it.
    pub cells: Vec<SkippedCell>,
    /// How many rows.
    pub rows: u64,
    /// The first of their lines, at most five.
    pub lines: Vec<u64>,
    /// The text that a `when` takes and that one of the cells is, but for letter case or one letter.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub did_you_mean: Option<String>,
}

impl SkippedRows {
    /// What the cells say, for people.
    #[must_use]
    pub fn cells_text(&self) -> String {
        let cell = |cell: &SkippedCell| format!("{} {:?}", cell.column, cell.value);
        self.cells.iter().map(cell).collect::<Vec<_>>().join(", ")
    }

    /// How many rows, on which lines, for people.
    #[must_use]
    pub fn rows_text(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(ToString::to_string).collect();
        let more = if self.rows > lines.len() as u64 { ", …" } else { "" };
        let (rows, on) = if self.rows == 1 { ("row", "line") } else { ("rows", "lines") };
        format!("{} {rows}, on {on} {}{more}", self.rows, lines.join(", "))
    }
}

/// The code of the warning of a file without a row.
pub const NO_ROWS: &str = "no_rows";

/// The code of the warning of rows that are stored already and were voided.
pub const VOIDED_BEFORE: &str = "voided_before";

/// The warning of a file of which no row is an activity.
#[must_use]
pub fn no_rows(counts: &Counts) -> Option<Warning> {
    let Counts { accepted, duplicate, quarantined, rejected, skipped } = counts;
    if accepted + duplicate + quarantined + rejected > 0 {
        return None;
    }
    let detail = match skipped {
        0 => "the file holds no row, so nothing was stored".to_owned(),
        1 => "the only row of the file is no activity, so nothing was stored".to_owned(),
        rows => {
            format!("none of the {rows} rows of the file is an activity, so nothing was stored")
        }
    };
    let detail = format!("{detail}: see whether it is the file, and the mapping, that was meant");
    Some(Warning { code: NO_ROWS.to_owned(), detail, activities: 0 })
}

/// The warning of rows that are stored and are of the source and interval of a row before them in their file.
#[must_use]
pub fn repeated((rows, line): (u64, u64)) -> Warning {
    let words = match rows {
        1 => format!("1 row is of the same source and period as a row before it: line {line}"),
        _ => format!(
            "{rows} rows are of the same source and period as a row before them, the first on line {line}"
        ),
    };
    let detail = format!(
        "{words}. What is there twice counts twice: leave it out, or void it once it is stored; if these are things of their own, leave them, or give each meter its own source"
    );
    Warning { code: "possible_duplicate".to_owned(), detail, activities: rows }
}

/// The warning of a table whose last row, on this line, is the sum of so many rows before it.
#[must_use]
pub fn sums_up((line, rows): (u64, u64)) -> Warning {
    let detail = format!(
        "the last row, line {line}, is the sum of the {rows} rows before it, and counts beside them: if it is their total, leave it out, or name its first cell in the mapping's `footer`; once it is stored, void it"
    );
    Warning { code: "looks_like_total".to_owned(), detail, activities: 1 }
}

/// The code of the warning of rows that are skipped and seem to be misspelt.
pub const NEARLY_TAKEN: &str = "nearly_taken";

/// The warning of rows that no `when` takes though one takes almost the same text.
#[must_use]
pub fn nearly_taken(skipped: &[SkippedRows]) -> Option<Warning> {
    let near = |rows: &&SkippedRows| rows.did_you_mean.is_some();
    let activities = skipped.iter().filter(near).map(|rows| rows.rows).sum();
    let first = skipped.iter().find(near)?;
    let words = if activities == 1 { "1 row is" } else { &format!("{activities} rows are") };
    Some(Warning {
        code: NEARLY_TAKEN.to_owned(),
        detail: format!(
            "{words} left out and may be misspelt, such as {} ({}), where a `when` of the mapping takes {:?}: correct the file, or add the text to the `when`, and push the file again",
            first.cells_text(),
            first.rows_text(),
            first.did_you_mean.as_deref().unwrap_or_default(),
        ),
        activities,
    })
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
    /// Rows of a file that are no activities, at most 20 groups of them; `counts.skipped` counts all.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub skipped: Vec<SkippedRows>,
    /// What a reader should know of rows that were stored, such as `possible_duplicate`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<Warning>,
    /// The commit: once the footprint's watermark has reached its `seq`, these rows are in it.
    pub watermark: Watermark,
}
