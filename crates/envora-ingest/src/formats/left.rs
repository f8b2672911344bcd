//! Records of a table that are no activities: counted, and told in groups of bounded number, so that a word
//! that is misspelt is seen and not only missed in the total.

use envora_api::writes::{SkipReason, SkippedCell, SkippedRows};
use envora_domain::words::slip_of;

use crate::mapping::values::Test;

/// How many groups are told apart; what comes later is only counted, unless it seems to be misspelt.
pub const GROUPS_MAX: usize = 20;
/// How many lines a group names.
pub const LINES_LISTED_MAX: usize = 5;
/// How much of a cell is told.
const LETTERS_MAX: usize = 100;

/// What a reader left out so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many records.
    pub rows: u64,
    /// Like ones together, in the order of their first lines.
    pub groups: Vec<SkippedRows>,
}

impl LeftOut {
    /// Adds a record that `skip_if` leaves out, for what this cell says.
    pub(super) fn declared(&mut self, line: u64, (test, cell): (&Test, &str)) {
        self.add(line, (SkipReason::SkipIf, &[(test, cell)]));
    }

    /// Adds a record that no `when` takes, for what these cells say.
    pub(super) fn not_taken(&mut self, line: u64, asked: &[(&Test, &str)]) {
        self.add(line, (SkipReason::NotTaken, asked));
    }

    /// Adds an interval of a wide table that has no reading.
    pub(super) fn blank(&mut self, line: u64, column: &str) {
        self.rows += 1;
        let like = |group: &&mut SkippedRows| group.reason == SkipReason::BlankInterval;
        if let Some(group) = self.groups.iter_mut().find(like) {
            group.rows += 1;
            if group.lines.len() < LINES_LISTED_MAX && group.lines.last() != Some(&line) {
                group.lines.push(line);
            }
            return;
        }
        if self.groups.len() < GROUPS_MAX {
            let cells = vec![SkippedCell { column: column.to_owned(), value: String::new() }];
            let (rows, lines, reason) = (1, vec![line], SkipReason::BlankInterval);
            self.groups.push(SkippedRows { reason, cells, rows, lines, did_you_mean: None });
        }
    }

    fn add(&mut self, line: u64, (reason, asked): (SkipReason, &[(&Test, &str)])) {
        self.rows += 1;
        let mut cells: Vec<SkippedCell> = Vec::new();
        for (test, text) in asked {
            if cells.iter().all(|cell| cell.column != test.column) {
                let value = text.chars().take(LETTERS_MAX).collect();
                cells.push(SkippedCell { column: test.column.clone(), value });
            }
        }
        let like = |group: &&mut SkippedRows| group.reason == reason && group.cells == cells;
        if let Some(group) = self.groups.iter_mut().find(like) {
            group.rows += 1;
            if group.lines.len() < LINES_LISTED_MAX {
                group.lines.push(line);
            }
            return;
        }
        let slip = |(test, text): &(&Test, &str)| {
            slip_of(text, test.texts.iter().map(String::as_str)).map(str::to_owned)
        };
        let near = asked.iter().filter(|_| reason == SkipReason::NotTaken).find_map(slip);
        if self.groups.len() == GROUPS_MAX {
            // What may be misspelt is told rather than what is not.
            let other = self.groups.iter().rposition(|group| group.did_you_mean.is_none());
            let Some(other) = other.filter(|_| near.is_some()) else { return };
            self.groups.remove(other);
        }
        let (rows, lines) = (1, vec![line]);
        self.groups.push(SkippedRows { reason, cells, rows, lines, did_you_mean: near });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_bounded_and_a_slip_has_a_place_among_them() {
        let test = Test { column: "Product".to_owned(), texts: vec!["Diesel".to_owned()] };
        let mut left = LeftOut::default();
        for line in 1..=500 {
            let product = format!("Product {line}");
            left.not_taken(line, &[(&test, &product), (&test, &product)]);
        }
        assert_eq!((left.rows, left.groups.len()), (500, GROUPS_MAX));
        assert!(left.groups.iter().all(|group| group.did_you_mean.is_none()));
        for line in 501..=510 {
            left.not_taken(line, &[(&test, "diesel")]);
        }
        assert_eq!((left.rows, left.groups.len()), (510, GROUPS_MAX));
        let last = left.groups.last().expect("there are some");
        assert_eq!((last.rows, last.lines.as_slice()), (10, [501, 502, 503, 504, 505].as_slice()));
        assert_eq!(last.did_you_mean.as_deref(), Some("Diesel"));
        assert_eq!(last.cells_text(), "Product \"diesel\"");
    }
}
