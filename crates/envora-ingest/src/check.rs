//! Looking at a file without storing it: what would be accepted, what not, and why.

use std::collections::{BTreeMap, HashMap};
use std::io;

use envora_domain::activities::problems::{Flag, Outcome, RowCode, RowProblem};
use envora_domain::hash::Digest;

use crate::formats::Reader;

/// How many problems a report lists in full; all are counted.
pub const PROBLEMS_LISTED_MAX: usize = 100;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows read, each counted once below.
    pub rows: u64,
    /// Rows that would be stored and calculated, as far as the file alone tells.
    pub accepted: u64,
    /// Rows that say the same as an earlier row with the same id.
    pub duplicate: u64,
    /// Rows that would be stored and wait for a word.
    pub quarantined: u64,
    /// Rows that would not be stored.
    pub rejected: u64,
    /// Records that the mapping leaves out.
    pub skipped: u64,
    /// How often each code came up.
    pub codes: BTreeMap<RowCode, u64>,
    /// How many rows have each flag.
    pub flags: BTreeMap<Flag, u64>,
    /// The first problems, in file order.
    pub problems: Vec<RowProblem>,
}

impl Report {
    fn list(&mut self, problems: &[RowProblem]) {
        for problem in problems {
            *self.codes.entry(problem.code).or_insert(0) += 1;
            if self.problems.len() < PROBLEMS_LISTED_MAX {
                self.problems.push(problem.clone());
            }
        }
    }
}

/// Reads a file to its end and reports. What needs the tenant's own tables (whether a facility is
/// known, whether a row is stored already) stays open; two rows of the file with one id do not.
///
/// # Errors
/// What the input says.
pub fn check(mut reader: Reader<'_>) -> io::Result<Report> {
    let mut report = Report::default();
    let mut contents: HashMap<String, Digest> = HashMap::new();
    for row in reader.by_ref() {
        let row = row?;
        report.rows += 1;
        let Ok(activity) = &row.activity else {
            report.rejected += 1;
            report.list(row.problems());
            continue;
        };
        for flag in &activity.flags {
            *report.flags.entry(*flag).or_insert(0) += 1;
        }
        if let Some(id) = &activity.external_id {
            let hash = activity.content_hash();
            match contents.insert(id.clone(), hash) {
                Some(before) if before == hash => {
                    report.duplicate += 1;
                    continue;
                }
                Some(before) => {
                    contents.insert(id.clone(), before);
                    report.rejected += 1;
                    report.list(&[conflict(id).at(row.row, row.line)]);
                    continue;
                }
                None => {}
            }
        }
        if row.outcome() == Outcome::Quarantined {
            report.quarantined += 1;
            report.list(&row.quarantine);
        } else {
            report.accepted += 1;
        }
    }
    report.skipped = reader.skipped();
    Ok(report)
}

fn conflict(id: &str) -> RowProblem {
    RowProblem::new(
        RowCode::ExternalIdConflict,
        "/external_id",
        "an earlier row of the file has this id and says something else",
    )
    .value(id)
    .hint("give the row its own id; to correct the earlier one, send supersedes = ext:… with a new id")
}
