//! Listing: what an answer says of the rows, however many they are.

use envora_api::writes::SkippedRows;
use envora_domain::activities::problems::{Flag, Outcome};
use envora_domain::time::Timestamp;
use envora_store::imports::{Counts, Mode};
use envora_store::likenesses::Alike;

use super::verdicts::Judged;
use super::{Accepted, RESULTS_MAX, RowResult, Voided};
use crate::formats::left::LeftOut;
use crate::repeats::LastRow;

/// Counts of all rows, and the results of some.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) counts: Counts,
    rows: u64,
    /// All rows, as long as they are few.
    all: Vec<RowResult>,
    /// Those rejected, and the others not accepted: at most as many of each.
    rejected: Vec<RowResult>,
    others: Vec<RowResult>,
    /// Records that gave no row, like ones together.
    skipped: Vec<SkippedRows>,
    /// Rows that look like rows that were stored before.
    alike: Option<Alike>,
    /// How many stored rows name what is archived, and the first such words.
    archived: Option<(u64, String)>,
    /// How many stored rows lie outside of their facility's days, and the first such facility.
    outside: Option<(u64, String)>,
    /// How many stored rows repeat the interval of a row before them, and the line of the first.
    repeated: Option<(u64, u64)>,
    last_row: LastRow,
    /// Where the last row of a table is new and the sum of those before it, its line and how many they are.
    sums_up: Option<(u64, u64)>,
    /// How many rows are stored before and voided, and the first of them.
    voided: Option<(u64, Voided)>,
}

impl Listing {
    /// Looks at the rows of a cut: the last one may be the sum of the others, those stored before among them.
    pub(super) fn look_at(&mut self, rows: &[Judged]) {
        for row in rows.iter().filter(|row| row.columns.is_some()) {
            if let Some(activity) = &row.activity {
                self.last_row.add(row.result.line, activity);
            }
            self.sums_up = self.last_row.found().filter(|_| row.storable().is_some());
        }
    }

    /// Takes in what became of the next row.
    pub(super) fn add(&mut self, result: RowResult) {
        self.rows += 1;
        if let Some((known, new)) = result.like.zip(result.id) {
            let alike = Alike { rows: 1, new, known };
            self.alike = Some(self.alike.map_or(alike, |before| before.and(alike)));
        }
        let stored = matches!(result.outcome, Outcome::Accepted | Outcome::Quarantined);
        if let Some(words) = result.archived.as_ref().filter(|_| stored) {
            self.archived.get_or_insert_with(|| (0, words.clone())).0 += 1;
        }
        if let Some(words) = result.outside.as_ref().filter(|_| stored) {
            self.outside.get_or_insert_with(|| (0, words.clone())).0 += 1;
        }
        if stored && result.like.is_none() && result.flags.contains(Flag::PossibleDuplicate) {
            self.repeated.get_or_insert((0, result.line)).0 += 1;
        }
        if let Some(voided) = result.voided {
            self.voided.get_or_insert((0, voided)).0 += 1;
        }
        match result.outcome {
            Outcome::Accepted => self.counts.accepted += 1,
            Outcome::Duplicate => self.counts.duplicate += 1,
            Outcome::Quarantined => self.counts.quarantined += 1,
            Outcome::Rejected => self.counts.rejected += 1,
        }
        if self.rows > RESULTS_MAX as u64 {
            self.all = Vec::new();
        } else {
            self.all.push(result.clone());
        }
        let list = match result.outcome {
            Outcome::Accepted => return,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Duplicate | Outcome::Quarantined => &mut self.others,
        };
        if list.len() < RESULTS_MAX {
            list.push(result);
        }
    }

    /// Takes in which records gave no row.
    pub(super) fn leave_out(&mut self, left: LeftOut) {
        self.counts.skipped += left.rows;
        self.skipped.extend(left.groups);
    }

    /// The answer; where it was stored is not known yet.
    pub(super) fn answer(self, mode: Mode, now: Timestamp) -> Accepted {
        let results = if self.rows <= RESULTS_MAX as u64 {
            self.all
        } else {
            // Whoever has to mend something needs the rejected rows most.
            let room = RESULTS_MAX - self.rejected.len();
            let mut listed = self.rejected;
            listed.extend(self.others.into_iter().take(room));
            listed.sort_by_key(|result| result.row);
            listed
        };
        Accepted {
            mode,
            counts: self.counts,
            segments: Vec::new(),
            results,
            skipped: self.skipped,
            alike: self.alike,
            archived: self.archived,
            outside: self.outside,
            repeated: self.repeated,
            sums_up: self.sums_up,
            voided: self.voided,
            import: None,
            watermark: 0,
            committed_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(rows: u64, outcome: impl Fn(u64) -> Outcome) -> (u64, Vec<u64>) {
        let mut listing = Listing::default();
        for row in 1..=rows {
            listing.add(RowResult {
                row,
                line: row,
                external_id: None,
                outcome: outcome(row),
                id: None,
                problems: Vec::new(),
                flags: Default::default(),
                like: None,
                archived: None,
                outside: None,
                voided: None,
            });
        }
        let answer = listing.answer(Mode::Partial, Timestamp::from_micros(0));
        (answer.counts.rejected, answer.results.iter().map(|result| result.row).collect())
    }

    #[test]
    fn an_answer_lists_a_thousand_rows_at_most() {
        let only = |wrong: u64| {
            move |row| if row == wrong { Outcome::Rejected } else { Outcome::Accepted }
        };
        assert_eq!(listed(3, only(2)), (1, vec![1, 2, 3]));
        assert_eq!(listed(1_000, only(0)).1.len(), 1_000);
        assert_eq!(listed(1_001, only(7)), (1, vec![7]));
        let (rejected, rows) = listed(5_000, |_| Outcome::Rejected);
        assert_eq!((rejected, rows), (5_000, (1..=1_000).collect()));
        let late = |row| if row == 4_999 { Outcome::Rejected } else { Outcome::Duplicate };
        let (_, rows) = listed(5_000, late);
        assert_eq!((rows.len(), rows.last()), (1_000, Some(&4_999)), "the rejected row is there");
    }
}
