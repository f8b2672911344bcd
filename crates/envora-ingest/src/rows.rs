//! What a reader of any format gives: rows, each an activity or the reasons why it is none.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use envora_domain::activities::Activity;
use envora_domain::activities::problems::{Outcome, PROBLEMS_MAX, RowCode, RowProblem};
use envora_domain::id::ActivityId;

use crate::formats::left::LeftOut;
use crate::formats::{Reader, Tally};

/// Rows on their way in.
pub enum Rows {
    /// All of them, read.
    Listed(std::vec::IntoIter<ParsedRow>),
    /// A file's, read as they are wanted.
    Read(Box<Reader<'static>>),
    /// The same; at the end it is counted how they were read.
    Counted(Box<Reader<'static>>, Option<Arc<Tally>>),
}

impl Rows {
    /// Records that gave no row.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        match self {
            Self::Listed(_) => LeftOut::default(),
            Self::Read(reader) | Self::Counted(reader, _) => reader.left_out(),
        }
    }
}

impl From<Vec<ParsedRow>> for Rows {
    fn from(rows: Vec<ParsedRow>) -> Self {
        Self::Listed(rows.into_iter())
    }
}

impl From<Reader<'static>> for Rows {
    fn from(reader: Reader<'static>) -> Self {
        Self::Read(Box::new(reader))
    }
}

impl Iterator for Rows {
    type Item = io::Result<ParsedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Listed(rows) => rows.next().map(Ok),
            Self::Read(reader) => reader.next(),
            Self::Counted(reader, tally) => {
                let row = reader.next();
                if row.is_none()
                    && let Some(tally) = tally.take()
                {
                    tally.add(reader.tiers());
                }
                row
            }
        }
    }
}

/// One row as a reader gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedRow {
    /// The activity, or every reason (at most ten) why the row is rejected.
    pub activity: Result<Activity, Vec<RowProblem>>,
    /// Of a row that is rejected for what the clock of its place says alone, or read otherwise by that clock,
    /// the activity that it was as long as it was not known: where that is stored, the row is a duplicate of it.
    pub unclear: Option<Box<Activity>>,
    /// Why an activity that can be stored must wait: words that no table knows. What needs the
    /// tenant's own tables (facilities, sources) is added by whoever has them.
    pub quarantine: Vec<RowProblem>,
    /// Of a row that was exported, the activity that it was there: without an id of its sender's it is
    /// known again by that.
    pub ours: Option<ActivityId>,
    /// Of a row that is rejected, the sender's id, where that could be read.
    pub external_id: Option<String>,
    /// The record, from 1.
    pub row: u64,
    /// The physical line on which it starts, from 1.
    pub line: u64,
    /// Where its bytes start in the decoded file or body.
    pub offset: u64,
    /// How many bytes it has, line end not counted.
    pub length: u32,
    /// Of a row of a table, which column each field comes from.
    pub columns: Option<Arc<Columns>>,
}

/// The columns of a table by the pointers of the fields that they feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(pub BTreeMap<String, String>);

impl Columns {
    /// Says of a problem which column it is about. Of a field that no column feeds, it says that.
    #[must_use]
    pub fn name(&self, mut problem: RowProblem) -> RowProblem {
        if problem.column.is_some() || problem.field.is_empty() {
            return problem;
        }
        let field = problem.field.as_str();
        let other = field.strip_suffix("_code").map(|word| format!("{word}_id"));
        let part = format!("{field}/");
        let parts = || self.0.iter().find(|(field, _)| field.starts_with(&part));
        let column = self.0.get(field).or_else(|| self.0.get(&other?));
        let column = column.or_else(|| parts().map(|(_, column)| column));
        if let Some(column) = column {
            problem.column = Some(column.clone());
        } else if problem.code != RowCode::MissingField {
            let name = field.trim_start_matches('/').replace('/', ".");
            problem.detail = format!("{} ({name}, which no column gives)", problem.detail);
        }
        problem
    }
}

impl ParsedRow {
    /// What becomes of the row, as far as the row alone tells.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match &self.activity {
            Err(_) => Outcome::Rejected,
            Ok(_) if self.quarantine.is_empty() => Outcome::Accepted,
            Ok(_) => Outcome::Quarantined,
        }
    }

    /// Rejects the row for what the clock of its place says; what it is but for that stays known.
    pub(crate) fn refuse_by_clock(&mut self, problem: RowProblem) {
        let problem = problem.at(self.row, self.line);
        match core::mem::replace(&mut self.activity, Err(Vec::new())) {
            Ok(activity) => {
                (self.unclear, self.activity) = (Some(Box::new(activity)), Err(vec![problem]));
                self.quarantine.clear();
            }
            Err(mut problems) => {
                if problems.len() < PROBLEMS_MAX {
                    problems.push(problem);
                }
                self.activity = Err(problems);
            }
        }
    }

    /// Everything that is wrong with it.
    #[must_use]
    pub fn problems(&self) -> &[RowProblem] {
        self.activity.as_ref().err().map_or(&self.quarantine, |problems| problems)
    }
}
