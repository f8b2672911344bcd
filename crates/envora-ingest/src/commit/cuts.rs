//! Cuts: the rows of a batch in parts of bounded size, however long the file is.

use std::io;

use super::SEGMENT_ROWS;
use crate::formats::left::LeftOut;
use crate::rows::{ParsedRow, Rows};

/// The most bytes of the file that the rows of one cut come from: a row may be as long as a mebibyte.
const CUT_BYTES: u64 = 8 << 20;

/// Reads rows a cut at a time, one row ahead: so the last cut is known to be it.
pub(super) struct Cuts {
    rows: Rows,
    ahead: Option<ParsedRow>,
}

impl Cuts {
    pub(super) fn new(mut rows: Rows) -> io::Result<Self> {
        let ahead = rows.next().transpose()?;
        Ok(Self { rows, ahead })
    }

    /// The next rows; none when there are none left.
    pub(super) fn next(&mut self) -> io::Result<Vec<ParsedRow>> {
        let (mut cut, mut bytes) = (Vec::new(), 0);
        while let Some(row) = self.ahead.take() {
            bytes += u64::from(row.length);
            cut.push(row);
            self.ahead = self.rows.next().transpose()?;
            if cut.len() == SEGMENT_ROWS || bytes >= CUT_BYTES {
                break;
            }
        }
        Ok(cut)
    }

    /// Whether all rows have been given.
    pub(super) const fn is_over(&self) -> bool {
        self.ahead.is_none()
    }

    /// Records that gave no row.
    pub(super) fn left_out(&self) -> LeftOut {
        self.rows.left_out()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(rows: usize, length: u32) -> Vec<usize> {
        let row = |row: u64| ParsedRow {
            activity: Err(Vec::new()),
            quarantine: Vec::new(),
            unclear: None,
            ours: None,
            external_id: None,
            columns: None,
            row,
            line: row,
            offset: 0,
            length,
        };
        let rows: Vec<ParsedRow> = (1..=rows as u64).map(row).collect();
        let mut cuts = Cuts::new(rows.into()).expect("listed rows are there");
        let mut sizes = Vec::new();
        loop {
            sizes.push(cuts.next().expect("listed rows are there").len());
            if cuts.is_over() {
                return sizes;
            }
        }
    }

    #[test]
    fn a_cut_has_bounded_rows_and_bytes() {
        assert_eq!(cuts(0, 1), [0]);
        assert_eq!(cuts(3, 1), [3]);
        assert_eq!(cuts(SEGMENT_ROWS, 1), [SEGMENT_ROWS]);
        assert_eq!(cuts(SEGMENT_ROWS + 1, 1), [SEGMENT_ROWS, 1]);
        assert_eq!(cuts(20, 1 << 20), [8, 8, 4]);
    }
}
