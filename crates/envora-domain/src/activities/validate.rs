//! The rules that an activity must meet by itself, whatever format it came in.

use crate::activities::Activity;
use crate::activities::problems::{RowCode, RowProblem};

/// What is wrong with the activity; codes of [`Effect::Quarantine`](super::problems::Effect) among
/// them leave the row storable.
#[must_use]
pub fn validate(activity: &Activity) -> Vec<RowProblem> {
    let mut problems = Vec::new();
    if activity.period.is_reversed() {
        problems.push(
            RowProblem::new(RowCode::PeriodReversed, "/end", "the period ends before it starts")
                .hint("give an end after the start; both days of a span of days are included"),
        );
    }
    problems
}
