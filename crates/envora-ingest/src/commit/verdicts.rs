//! Verdicts: what becomes of each row of a batch, by what the row says, by the tenant's look-ups, and
//! by what is stored already.

use std::collections::HashMap;

use envora_domain::activities::Activity;
use envora_domain::activities::problems::{Outcome, PROBLEMS_MAX, RowCode, RowProblem};
use envora_domain::id::ActivityId;

use super::RowResult;
use crate::registry::{Registry, Wanted};
use crate::rows::ParsedRow;

/// A row on its way: its result so far, and what of it may be stored.
pub(super) struct Judged {
    pub(super) result: RowResult,
    pub(super) activity: Option<Activity>,
    /// The earlier row of the batch that it repeats.
    pub(super) repeats: Option<usize>,
}

impl Judged {
    /// The activity, unless the row is not to be stored.
    pub(super) fn storable(&self) -> Option<&Activity> {
        let stored = matches!(self.result.outcome, Outcome::Accepted | Outcome::Quarantined);
        self.activity.as_ref().filter(|_| stored)
    }

    /// Takes the row out for this reason.
    pub(super) fn reject(&mut self, problem: RowProblem) {
        let problem = problem.at(self.result.row, self.result.line);
        self.result.outcome = Outcome::Rejected;
        self.result.problems.retain(|known| is_rejection(known.code));
        if self.result.problems.len() < PROBLEMS_MAX {
            self.result.problems.push(problem);
        }
    }

    /// The row is stored already.
    fn is_duplicate_of(&mut self, id: Option<ActivityId>) {
        self.result.outcome = Outcome::Duplicate;
        self.result.problems.clear();
        self.result.id = id;
    }
}

fn is_rejection(code: RowCode) -> bool {
    code.effect() == envora_domain::activities::problems::Effect::Reject
}

/// What a row comes to by itself and by the tenant's nouns.
pub(super) fn judge(row: ParsedRow, registry: &Registry) -> Judged {
    let ParsedRow { activity, mut quarantine, row, line, .. } = row;
    let mut result = RowResult {
        row,
        line,
        external_id: None,
        outcome: Outcome::Accepted,
        id: None,
        problems: Vec::new(),
        flags: Default::default(),
    };
    let activity = match activity {
        Ok(activity) => activity,
        Err(problems) => {
            result.outcome = Outcome::Rejected;
            result.problems = problems;
            return Judged { result, activity: None, repeats: None };
        }
    };
    result.external_id.clone_from(&activity.external_id);
    result.flags.clone_from(&activity.flags);
    if activity.void {
        // It cancels another row and counts nowhere: none of its words has to be known.
        quarantine.clear();
    } else {
        quarantine.extend(unknown_words(&activity, registry));
    }
    if !quarantine.is_empty() {
        result.outcome = Outcome::Quarantined;
        result.problems = quarantine.into_iter().map(|problem| problem.at(row, line)).collect();
    }
    Judged { result, activity: Some(activity), repeats: None }
}

fn unknown_words(activity: &Activity, registry: &Registry) -> Vec<RowProblem> {
    let now = u64::MAX;
    let facility = activity.facility.as_ref().filter(|word| registry.facility(word, now).is_none());
    let source = activity.source.as_ref().filter(|word| registry.source(word, now).is_none());
    let entity = activity.entity.as_ref().filter(|word| registry.entity(word, now).is_none());
    let supplier = activity.supplier.as_ref().filter(|word| registry.supplier(word, now).is_none());
    [
        (Wanted::Facility, facility.map(ToString::to_string)),
        (Wanted::Source, source.map(ToString::to_string)),
        (Wanted::Entity, entity.cloned()),
        (Wanted::Supplier, supplier.cloned()),
    ]
    .into_iter()
    .filter_map(|(wanted, word)| Some(wanted.unknown(&word?)))
    .collect()
}

/// A row with the same id is stored.
pub(super) const STORED: &str = "stored before";
/// A row with the same id came before in the same file or body.
pub(super) const EARLIER: &str = "earlier in this batch";

/// A stored row that may be the one an id names.
pub(super) struct Candidate<'a> {
    pub(super) id: ActivityId,
    pub(super) activity: &'a Activity,
    /// Where it is, for a conflict: stored before, or earlier in what is being stored.
    pub(super) place: &'static str,
}

/// Ids that rows of the batch have taken so far.
#[derive(Default)]
pub(super) struct Taken {
    rows: HashMap<String, usize>,
}

impl Taken {
    /// The row of the batch, to be stored, that has this id.
    pub(super) fn row(&self, external_id: &str) -> Option<usize> {
        self.rows.get(external_id).copied()
    }

    /// Compares a row that has an id with what is stored under it and with the rows before it.
    pub(super) fn check(&self, place: usize, rows: &mut [Judged], stored: &[Candidate<'_>]) {
        let Some((this, before)) = rows.get_mut(..=place).and_then(<[_]>::split_last_mut) else {
            return;
        };
        let Some(activity) = this.storable() else { return };
        let Some(external_id) = activity.external_id.clone() else { return };
        let same_id = |candidate: &&Candidate<'_>| {
            candidate.activity.external_id.as_deref() == Some(external_id.as_str())
        };
        if let Some(known) = stored.iter().find(same_id) {
            if same_content(activity, known.activity) {
                this.is_duplicate_of(Some(known.id));
            } else {
                this.reject(conflict(&external_id, known.place));
            }
            return;
        }
        let earlier = self.rows.get(&external_id).copied();
        match earlier.and_then(|row| Some((row, before.get(row)?.activity.as_ref()?))) {
            Some((row, other)) if same_content(activity, other) => {
                this.repeats = Some(row);
                this.is_duplicate_of(None);
            }
            Some(_) => this.reject(conflict(&external_id, EARLIER)),
            None => {}
        }
    }

    /// A row that is to be stored takes its id.
    pub(super) fn keep(&mut self, place: usize, judged: &Judged) {
        if let Some(external_id) = judged.storable().and_then(|row| row.external_id.as_ref()) {
            self.rows.insert(external_id.clone(), place);
        }
    }
}

/// Whether two rows say the same. Most that do are equal field by field, which is cheap to see; what
/// may still differ is how a number is written, and that the content hash knows.
fn same_content(a: &Activity, b: &Activity) -> bool {
    let mut same = a.clone();
    same.origin.clone_from(&b.origin);
    same.flags.clone_from(&b.flags);
    same == *b || a.content_hash() == b.content_hash()
}

fn conflict(external_id: &str, when: &str) -> RowProblem {
    let detail = format!("another row with this id and other content was {when}");
    RowProblem::new(RowCode::ExternalIdConflict, "/external_id", detail)
        .hint("to correct a row, send a new id and name the old one in `supersedes`")
        .value(external_id)
}
