//! What a reader of any format gives: rows, each an activity or the reasons why it is none.

use envora_domain::activities::Activity;
use envora_domain::activities::problems::{Outcome, RowProblem};

/// One row as a reader gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedRow {
    /// The activity, or every reason (at most ten) why the row is rejected.
    pub activity: Result<Activity, Vec<RowProblem>>,
    /// Why an activity that can be stored must wait: words that no table knows. What needs the
    /// tenant's own tables (facilities, sources) is added by whoever has them.
    pub quarantine: Vec<RowProblem>,
    /// The record, from 1.
    pub row: u64,
    /// The physical line on which it starts, from 1.
    pub line: u64,
    /// Where its bytes start in the decoded file or body.
    pub offset: u64,
    /// How many bytes it has, line end not counted.
    pub length: u32,
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

    /// Everything that is wrong with it.
    #[must_use]
    pub fn problems(&self) -> &[RowProblem] {
        self.activity.as_ref().err().map_or(&self.quarantine, |problems| problems)
    }
}
