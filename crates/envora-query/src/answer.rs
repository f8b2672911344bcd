//! The answer to a question: its columns and rows, as they cross the wire.

use serde_json::{Map, Value};

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerColumn {
    /// Its name.
    pub name: String,
    /// Its type, as SQL calls it.
    pub kind: String,
    /// Whether it holds numbers.
    pub is_number: bool,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its columns, in the order in which they were asked for.
    pub columns: Vec<AnswerColumn>,
    /// Its rows, a value for each column.
    pub rows: Vec<Vec<Value>>,
    /// Whether there are more rows, which were left off.
    pub is_cut: bool,
}

impl Answer {
    /// Its rows, each as an object by column.
    #[must_use]
    pub fn objects(&self) -> Vec<Map<String, Value>> {
        let object = |row: &Vec<Value>| {
            let names = self.columns.iter().map(|column| column.name.clone());
            names.zip(row.iter().cloned()).collect()
        };
        self.rows.iter().map(object).collect()
    }
}
