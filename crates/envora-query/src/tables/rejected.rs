//! `rejected`: what is wrong with rows that would not be stored.

use envora_domain::activities::problems::RowProblem;

use crate::columns::{Cell, columns};

/// The table's name.
pub const NAME: &str = "rejected";

columns! {
    /// The columns of `rejected`: a row for each problem.
    pub enum RejectedColumn {
        File = "file" Text, "The file.";
        Line = "line" Whole, "The line on which the row starts, from 1.";
        Record = "record" Whole, "The record, from 1; a header is none.";
        ExternalId = "external_id" Text, "The sender's id, where it could be read.";
        Code = "code" Text, "The code of the problem, as the API spells it.";
        Column = "column_name" Text, "The column of the file, or the field.";
        Value = "value" Text, "The cell, cut to 80 characters.";
        Detail = "detail" Text, "What is wrong.";
        Hint = "hint" Text, "What to do.";
    }
}

/// A problem and the row that has it.
#[derive(Clone, Copy, Debug)]
pub struct Rejected<'a> {
    /// The file.
    pub file: &'a str,
    /// The line on which the row starts.
    pub line: u64,
    /// The record.
    pub record: u64,
    /// The sender's id.
    pub external_id: Option<&'a str>,
    /// The problem.
    pub problem: &'a RowProblem,
}

impl<'a> Rejected<'a> {
    /// What it has in a column.
    #[must_use]
    pub fn cell(self, column: RejectedColumn) -> Cell<'a> {
        let problem = self.problem;
        match column {
            RejectedColumn::File => self.file.into(),
            RejectedColumn::Line => self.line.into(),
            RejectedColumn::Record => self.record.into(),
            RejectedColumn::ExternalId => self.external_id.into(),
            RejectedColumn::Code => problem.code.as_str().into(),
            RejectedColumn::Column => match &problem.column {
                Some(column) => column.into(),
                None => problem.field.trim_start_matches('/').replace('/', ".").into(),
            },
            RejectedColumn::Value => problem.value.as_ref().into(),
            RejectedColumn::Detail => (&problem.detail).into(),
            RejectedColumn::Hint => problem.hint.as_ref().into(),
        }
    }
}
