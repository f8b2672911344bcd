//! Importers of publishers' files: each keeps the publisher's words, lines and digits.

mod csv;
pub mod desnz;
pub mod epa;
pub mod ipcc;
mod meanings;

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the publisher's file: {detail}")]
pub struct ImportError {
    /// The line, the first being 1.
    pub line: u32,
    /// What is wrong.
    pub detail: String,
}

impl ImportError {
    fn at<T>(line: u32, detail: &str) -> Result<T, Self> {
        Err(Self { line, detail: detail.to_owned() })
    }
}

/// What an edition came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What its pack says once for all.
    pub recipe: super::Recipe,
    /// Its factors, by key.
    pub factors: Vec<super::Factor>,
    /// What was left out: the table, the reason, and how many rows.
    pub left_out: std::collections::BTreeMap<(String, &'static str), u32>,
}
