//! What a table of text cannot say of the cells of a sheet.

use std::borrow::Cow;
use std::collections::BTreeMap;

use envora_domain::activities::problems::{RowCode, RowProblem};

use super::archive::Part;
use super::{FileProblem, too_much};

/// How many cells may be flawed, one by one or in merged areas.
const FLAWS_MAX: usize = 1_000_000;
/// How many stretches of cells of one kind there may be.
const RUNS_MAX: usize = 4_000_000;

/// What a cell holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text, to be read as the mapping says.
    #[default]
    Text,
    /// A number, with a point whatever signs the mapping declares.
    Number,
    /// The same, taken from a binary float by its shortest text.
    Float,
    /// A date or time, in ISO 8601 whatever format the mapping declares.
    Time,
}

/// Why a cell's text is not its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It holds an error, such as `#N/A`.
    Error,
    /// It is a formula, and the workbook does not say what it comes to.
    NoValue,
    /// It is shown as a date, and its number is none.
    NoDay,
}

/// A stretch of rows in one column whose cells are of one kind: first, last.
type Run = (u32, u32, Kind);

/// What stands beside the text of a sheet. Rows are counted from 1, columns from 0.
pub(crate) struct Notes {
    sheet: String,
    kinds: BTreeMap<u32, Vec<Run>>,
    runs: usize,
    flaws: BTreeMap<u32, Vec<(u32, Flaw)>>,
    merged: BTreeMap<u32, Vec<(u32, u32, usize)>>,
    areas: Vec<String>,
    flawed: usize,
    hidden_rows: Vec<(u32, u32)>,
    hidden_columns: Vec<(u32, u32)>,
}

/// What is said of the cells of one record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    kinds: Vec<Kind>,
    flaws: Vec<(usize, RowProblem)>,
}

impl Told {
    /// What each cell holds, and of some why their text is not their value.
    pub(in crate::formats) const fn of(kinds: Vec<Kind>, flaws: Vec<(usize, RowProblem)>) -> Self {
        Self { kinds, flaws }
    }

    /// What a cell holds; text where nothing is said.
    pub(crate) fn kind(&self, place: usize) -> Kind {
        self.kinds.get(place).copied().unwrap_or_default()
    }

    /// Why a cell's text is not its value.
    pub(crate) fn flaw(&self, place: usize) -> Option<&RowProblem> {
        self.flaws.iter().find(|(own, _)| *own == place).map(|(_, flaw)| flaw)
    }

    /// Says of the cell that is laid behind so many others what is said of its first place.
    pub(in crate::formats) fn lay(&mut self, columns: usize, from: usize) {
        if self.kinds.is_empty() && self.flaws.is_empty() {
            return;
        }
        self.kinds.resize(columns, Kind::Text);
        self.kinds.push(self.kinds.get(from).copied().unwrap_or_default());
        self.flaws.retain(|(place, _)| *place < columns);
        let flaw = self.flaw(from).cloned();
        self.flaws.extend(flaw.map(|flaw| (columns, flaw)));
    }
}

impl Notes {
    pub(super) fn new(sheet: &str, part: &Part) -> Self {
        Self {
            sheet: sheet.to_owned(),
            kinds: BTreeMap::new(),
            runs: 0,
            flaws: BTreeMap::new(),
            merged: BTreeMap::new(),
            areas: Vec::new(),
            flawed: 0,
            hidden_rows: apart(part.hidden_rows.clone()),
            hidden_columns: apart(part.hidden_columns.clone()),
        }
    }

    pub(super) fn kind(
        &mut self,
        (line, column): (u32, u32),
        kind: Kind,
    ) -> Result<(), FileProblem> {
        if kind == Kind::Text {
            return Ok(());
        }
        let runs = self.kinds.entry(column).or_default();
        match runs.last_mut() {
            Some((_, last, own)) if *own == kind && *last + 1 == line => *last = line,
            _ => {
                runs.push((line, line, kind));
                self.runs += 1;
            }
        }
        if self.runs > RUNS_MAX {
            return Err(too_much("numbers and texts change places too often in its columns"));
        }
        Ok(())
    }

    pub(super) fn flaw(
        &mut self,
        (line, column): (u32, u32),
        flaw: Flaw,
    ) -> Result<(), FileProblem> {
        self.flaws.entry(line).or_default().push((column, flaw));
        self.count()
    }

    fn count(&mut self) -> Result<(), FileProblem> {
        self.flawed += 1;
        if self.flawed > FLAWS_MAX {
            return Err(too_much(
                "more than a million of its cells are merged, errors, or formulas without a value",
            ));
        }
        Ok(())
    }

    /// Notes a merged area, as far as the sheet has rows.
    pub(super) fn merge(
        &mut self,
        (start, end): ((u32, u32), (u32, u32)),
        rows: u32,
    ) -> Result<(), FileProblem> {
        let area = self.areas.len();
        self.areas.push(format!(
            "{}:{}",
            cell_name(start.0 + 1, start.1),
            cell_name(end.0 + 1, end.1)
        ));
        for line in start.0 + 1..=(end.0 + 1).min(rows) {
            self.merged.entry(line).or_default().push((start.1, end.1, area));
            self.count()?;
        }
        Ok(())
    }

    /// Why a whole row is not read.
    pub(crate) fn hides(&self, line: u64) -> Option<RowProblem> {
        let line = u32::try_from(line).ok()?;
        let place = self.hidden_rows.partition_point(|(_, last)| *last < line);
        let hidden = self.hidden_rows.get(place).is_some_and(|(first, _)| *first <= line);
        hidden.then(|| {
            let detail = format!("the row {line} of the sheet {:?} is hidden", self.sheet);
            RowProblem::new(RowCode::MalformedRow, "", detail)
                .hint("show it, or clear the filter that hides it; delete it if it is not meant")
        })
    }

    /// What is said of the cells of a row.
    pub(crate) fn of(&self, line: u64, texts: &[Cow<'_, str>]) -> Told {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let mut told = Told { kinds: vec![Kind::Text; texts.len()], flaws: Vec::new() };
        for (column, runs) in &self.kinds {
            let place = runs.partition_point(|(_, last, _)| *last < line);
            if let Some((first, _, kind)) = runs.get(place)
                && *first <= line
                && let Some(own) = told.kinds.get_mut(*column as usize)
            {
                *own = *kind;
            }
        }
        for (column, flaw) in self.flaws.get(&line).into_iter().flatten() {
            let text = texts.get(*column as usize).map_or("", |text| text.as_ref());
            told.flaws.push((*column as usize, self.problem((line, *column), *flaw, text)));
        }
        for (first, last, area) in self.merged.get(&line).into_iter().flatten() {
            let area = self.areas.get(*area).map_or("", String::as_str);
            for column in *first..=*last {
                if texts.get(column as usize).is_none() {
                    break;
                }
                let detail = format!(
                    "{} is one of the merged cells {area}, which say one thing for several",
                    self.cell(line, column)
                );
                let problem = RowProblem::new(RowCode::MalformedRow, "", detail)
                    .hint("unmerge them, and give each cell its own value");
                told.flaws.push((column as usize, problem));
            }
        }
        for (first, last) in &self.hidden_columns {
            for column in *first..=*last {
                let Some(text) = texts.get(column as usize) else { break };
                if !text.is_empty() {
                    let detail = format!("{} is in a hidden column", self.cell(line, column));
                    let problem = RowProblem::new(RowCode::MalformedRow, "", detail)
                        .value(text)
                        .hint("show the column; or leave it out of the mapping if it is not meant");
                    told.flaws.push((column as usize, problem));
                }
            }
        }
        told
    }

    fn cell(&self, line: u32, column: u32) -> String {
        format!("the cell {} of the sheet {:?}", cell_name(line, column), self.sheet)
    }

    fn problem(&self, (line, column): (u32, u32), flaw: Flaw, text: &str) -> RowProblem {
        let cell = self.cell(line, column);
        match flaw {
            Flaw::Error => {
                RowProblem::new(RowCode::WrongType, "", format!("{cell} holds the error {text}"))
                    .value(text)
                    .hint("mend the cell's formula, or write the value; if it means none, name the error under null in the mapping")
            }
            Flaw::NoValue => {
                let detail = format!("{cell} is a formula, and the file does not hold its value");
                RowProblem::new(RowCode::MissingField, "", detail)
                    .hint("open the file in a spreadsheet, let it calculate, and save it again")
            }
            Flaw::NoDay => {
                let detail = format!("{cell} is shown as a date, and {text} is the number of none");
                RowProblem::new(RowCode::WrongType, "", detail)
                    .value(text)
                    .hint("write the date, or show the cell as a number if it is one")
            }
        }
    }
}

/// The same stretches in order, none of which touches another.
fn apart(mut all: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    all.sort_unstable();
    let mut kept: Vec<(u32, u32)> = Vec::new();
    for (first, last) in all {
        match kept.last_mut() {
            Some((_, before)) if first <= before.saturating_add(1) => *before = last.max(*before),
            _ => kept.push((first, last)),
        }
    }
    kept
}

/// A cell as a spreadsheet names it: `B7`.
fn cell_name(line: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut left = column + 1;
    while left > 0 {
        let letter = u8::try_from((left - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + letter));
        left = (left - 1) / 26;
    }
    let letters: String = letters.iter().rev().collect();
    format!("{letters}{line}")
}

#[cfg(test)]
mod tests {
    use super::{apart, cell_name};

    #[test]
    fn stretches_are_in_order_and_apart() {
        let all = vec![(7, 9), (1, 2), (3, 3), (8, 12), (20, 20)];
        assert_eq!(apart(all), [(1, 3), (7, 12), (20, 20)]);
    }

    #[test]
    fn cells_are_named_as_a_spreadsheet_names_them() {
        for (line, column, want) in
            [(1, 0, "A1"), (7, 25, "Z7"), (2, 26, "AA2"), (1_048_576, 16_383, "XFD1048576")]
        {
            assert_eq!(cell_name(line, column), want);
        }
    }
}
