//! Answers as files: Parquet, CSV and NDJSON, written as the rows come, so that an answer of any length
//! takes no more memory than a part of it.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use serde_json::Value;

use crate::cells;
use crate::engine::{Taking, put};
use crate::faults::QueryError;
use crate::limits::{Limits, Watch};
use crate::table::Table;

mod parquet;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns of exact values.
    Parquet,
    /// A header and a line for each row; what is nothing is an empty cell.
    Csv,
    /// An object for each row, as in an answer of JSON.
    Ndjson,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How many rows.
    pub rows: usize,
    /// Whether there are more, which were left off.
    pub is_cut: bool,
}

/// Answers a question about these tables by a file, and blocks meanwhile. Where this fails, what was
/// written is no file.
///
/// # Errors
/// [`QueryError`].
pub fn ask_as(
    (sql, form): (&str, Form),
    tables: Vec<Arc<dyn Table>>,
    (limits, watch): (Limits, Watch),
    to: impl Write + Send,
) -> Result<Told, QueryError> {
    let mut told = Told::default();
    match form {
        Form::Parquet => {
            let columns = parquet::Columns::new(to);
            let mut taking = Counted { told: &mut told, limits, bytes: 0, writing: columns };
            put(sql, tables, (limits, watch), &mut taking)?;
            taking.writing.end()?;
        }
        Form::Csv | Form::Ndjson => {
            let lines = Lines { to, is_csv: form == Form::Csv, names: Vec::new() };
            let mut taking = Counted { told: &mut told, limits, bytes: 0, writing: lines };
            put(sql, tables, (limits, watch), &mut taking)?;
            taking.writing.to.flush().context("write an answer")?;
        }
    }
    Ok(told)
}

/// A file as it is written.
trait Writing: Send {
    fn begin(&mut self, schema: &Schema) -> Result<(), QueryError>;
    /// Takes rows, and says how many bytes they are.
    fn take(&mut self, rows: &RecordBatch) -> Result<usize, QueryError>;
}

/// A file that gets no more rows and bytes than an answer may have.
struct Counted<'a, W> {
    told: &'a mut Told,
    limits: Limits,
    bytes: usize,
    writing: W,
}

impl<W: Writing> Taking for Counted<'_, W> {
    fn begin(&mut self, schema: &Schema) -> Result<(), QueryError> {
        self.writing.begin(schema)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<bool, QueryError> {
        let room = self.limits.rows_max.saturating_sub(self.told.rows);
        let taken = batch.slice(0, batch.num_rows().min(room));
        self.bytes = self.bytes.saturating_add(self.writing.take(&taken)?);
        if self.bytes > self.limits.answer_bytes_max {
            return Err(QueryError::Answer(self.limits.answer_bytes_max));
        }
        self.told.rows += taken.num_rows();
        self.told.is_cut = batch.num_rows() > room;
        Ok(!self.told.is_cut)
    }
}

/// Text, a line for each row.
struct Lines<W> {
    to: W,
    is_csv: bool,
    names: Vec<String>,
}

impl<W: Write> Lines<W> {
    fn line(&mut self, row: Vec<Value>) -> anyhow::Result<usize> {
        let mut line = if self.is_csv {
            let cells: Vec<String> = row.iter().map(cell).collect();
            cells.join(",")
        } else {
            // By hand, in the order of the columns, which an object would not keep.
            let members: Vec<String> = self
                .names
                .iter()
                .zip(row)
                .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
                .collect();
            format!("{{{}}}", members.join(","))
        };
        line.push('\n');
        self.to.write_all(line.as_bytes()).context("write an answer")?;
        Ok(line.len())
    }
}

impl<W: Write + Send> Writing for Lines<W> {
    fn begin(&mut self, schema: &Schema) -> Result<(), QueryError> {
        self.names = schema.fields().iter().map(|field| field.name().clone()).collect();
        if self.is_csv {
            let header = self.names.iter().map(|name| Value::from(name.as_str())).collect();
            self.line(header)?;
        }
        Ok(())
    }

    fn take(&mut self, rows: &RecordBatch) -> Result<usize, QueryError> {
        let mut bytes = 0;
        for row in cells::rows(rows)? {
            bytes += self.line(row)?;
        }
        Ok(bytes)
    }
}

/// A cell of CSV (RFC 4180).
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}
