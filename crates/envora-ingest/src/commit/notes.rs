//! Notes: what is wrong with the rows of an import, packed until its commit keeps them.

use std::io::{self, BufRead as _, BufReader, Write as _};

use anyhow::Context as _;
use envora_domain::activities::problems::Outcome;
use envora_store::imports::ImportRow;

use super::{PROBLEMS_KEPT_MAX, RowResult};

/// Fast: problems of one file are much alike.
const LEVEL: i32 = 1;
/// How many are unpacked at a time.
const SLICE: usize = 1_000;

type Line = (u64, u64, String, String, String, String, String, String, String);

/// Problems of rows that were not accepted as they stood, in the order of the rows.
pub(super) struct Notes {
    packer: zstd::stream::write::Encoder<'static, Vec<u8>>,
    count: u64,
}

impl Notes {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { packer: zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?, count: 0 })
    }

    /// Notes each problem of a row, up to [`PROBLEMS_KEPT_MAX`] of all rows.
    pub(super) fn add(&mut self, result: &RowResult) -> anyhow::Result<()> {
        if !matches!(result.outcome, Outcome::Rejected | Outcome::Quarantined) {
            return Ok(());
        }
        for problem in &result.problems {
            if self.count == PROBLEMS_KEPT_MAX {
                return Ok(());
            }
            self.count += 1;
            let word = |word: &Option<String>| word.clone().unwrap_or_default();
            let line: Line = (
                result.row,
                result.line,
                result.outcome.as_str().to_owned(),
                problem.code.as_str().to_owned(),
                problem.field.clone(),
                problem.detail.clone(),
                word(&problem.hint),
                word(&problem.column),
                word(&problem.value),
            );
            serde_json::to_writer(&mut self.packer, &line).context("note a problem")?;
            self.packer.write_all(b"\n").context("note a problem")?;
        }
        Ok(())
    }

    /// No more will come.
    pub(super) fn finish(self) -> io::Result<PackedNotes> {
        Ok(PackedNotes(self.packer.finish()?))
    }
}

/// Notes that are whole.
pub(super) struct PackedNotes(Vec<u8>);

impl PackedNotes {
    /// Hands them out, some at a time.
    pub(super) fn each_slice(
        self,
        mut take: impl FnMut(&[ImportRow]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let unpacked = zstd::stream::read::Decoder::new(self.0.as_slice()).context("read notes")?;
        let (mut slice, mut number) = (Vec::new(), 0);
        for line in BufReader::new(unpacked).lines() {
            let line = line.context("read a note")?;
            let (row, line, outcome, code, field, detail, hint, column, cell): Line =
                serde_json::from_str(&line).context("read a note")?;
            slice.push(ImportRow {
                number,
                row,
                line,
                outcome,
                code,
                field,
                detail,
                hint,
                column,
                cell,
            });
            number += 1;
            if slice.len() == SLICE {
                take(&slice)?;
                slice.clear();
            }
        }
        take(&slice)
    }
}

#[cfg(test)]
mod tests {
    use envora_domain::activities::problems::{RowCode, RowProblem};

    use super::*;

    #[test]
    fn notes_come_back_as_they_were_up_to_the_limit() {
        let problem =
            RowProblem::new(RowCode::NotANumber, "/quantity", "no\nnumber").value("\u{7}");
        let result = |row, outcome, problems: &[RowProblem]| RowResult {
            row,
            line: row + 1,
            external_id: None,
            outcome,
            id: None,
            problems: problems.to_vec(),
            flags: Default::default(),
            like: None,
            archived: None,
            outside: None,
            voided: None,
        };
        let mut notes = Notes::new().expect("packs");
        let refused = result(7, Outcome::Rejected, &[problem.clone(), problem.hint("say it")]);
        notes.add(&result(1, Outcome::Accepted, &[])).expect("packs");
        for _ in 0..PROBLEMS_KEPT_MAX {
            notes.add(&refused).expect("packs");
        }
        let mut rows = Vec::new();
        let packed = notes.finish().expect("packs");
        assert!(packed.0.len() < 1 << 20, "{} bytes", packed.0.len());
        packed
            .each_slice(|slice| {
                rows.extend_from_slice(slice);
                Ok(())
            })
            .expect("reads");
        assert_eq!(rows.len() as u64, PROBLEMS_KEPT_MAX);
        let [first, second, ..] = rows.as_slice() else { panic!("two problems") };
        assert_eq!((first.number, first.row, first.line), (0, 7, 8));
        assert_eq!((first.detail.as_str(), first.hint.as_str()), ("no\nnumber", ""));
        assert_eq!(
            (second.number, second.hint.as_str(), second.cell.as_str()),
            (1, "say it", "\u{7}")
        );
    }
}
