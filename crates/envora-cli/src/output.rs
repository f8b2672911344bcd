//! The form of an answer: what `--json`, `--ndjson`, `--csv`, `--plain` and `--quiet` mean, for all
//! verbs at once.

use serde::Serialize;

use crate::failures::Failure;
use crate::json;
use crate::paint::Paint;
use crate::session::Printed;
use crate::tables::Layout;
use crate::terminal::{Audience, Channel, Terminal};

/// What is asked of the answer's form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Tables and stories, fit for who reads.
    #[default]
    Fit,
    /// JSON; of these fields alone, or of all where none is named.
    Json(Vec<String>),
    /// A line of JSON for each item.
    Ndjson(Vec<String>),
    /// Tables as CSV.
    Csv,
    /// Tables as tab-separated text, also at a terminal, and no colours.
    Plain,
}

impl Form {
    /// Prints an answer as JSON if that is the form, and says whether it was.
    ///
    /// # Errors
    /// When a field was asked for that the answer does not have.
    pub fn print<T: Serialize>(&self, answer: &T, to: &mut Channel) -> Result<Printed, Failure> {
        let text = match self {
            Self::Json(fields) => json::render(answer, fields)? + "\n",
            Self::Ndjson(fields) => json::render_lines(answer, fields)?,
            Self::Fit | Self::Csv | Self::Plain => return Ok(Printed::NotYet),
        };
        to.text(text);
        Ok(Printed::AsJson)
    }

    /// Gives the streams this form.
    pub fn shape(&self, terminal: &mut Terminal) {
        let data = &mut terminal.data;
        match self {
            Self::Fit | Self::Json(_) | Self::Ndjson(_) => {}
            Self::Csv => {
                (data.audience, data.layout, data.paint) =
                    (Audience::Programs, Layout::Csv, Paint::Plain);
            }
            Self::Plain => {
                (data.audience, data.layout, data.paint) =
                    (Audience::Programs, Layout::Tabs, Paint::Plain);
                (terminal.words.audience, terminal.words.paint) =
                    (Audience::Programs, Paint::Plain);
            }
        }
    }
}
