//! What `data check --json` prints.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Checked, row_error};
use crate::failures::Failure;
use envora_api::footprints::Warning;
use envora_api::problems::RowError;
use envora_api::writes::{Counts, SkippedRows};
use envora_ingest::check::Named;

/// The answer: each file, and what is left for the server.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// Whether nothing is left for the server.
    complete: bool,
    /// Why something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_because: Option<String>,
    files: Vec<FileAnswer>,
}

#[derive(Debug, Serialize)]
struct FileAnswer {
    file: String,
    rows: u64,
    counts: Counts,
    codes: BTreeMap<&'static str, u64>,
    flags: BTreeMap<&'static str, u64>,
    problems: Vec<Problems>,
    /// Rows that are no activities, like ones together.
    skipped: Vec<SkippedRows>,
    /// What the server says of rows that it would store.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
    /// Rows by what they name: facilities, sources, entities, suppliers.
    named: BTreeMap<&'static str, BTreeMap<String, u64>>,
}

/// One kind of problem: how often, on which first lines, and the first of them in full.
#[derive(Debug, Serialize)]
struct Problems {
    count: u64,
    lines: Vec<u64>,
    /// The first line as it stands in the file.
    text: String,
    first: RowError,
}

pub(super) fn answer(checked: &[Checked], left: Option<&str>) -> Result<Answer, Failure> {
    let files = checked.iter().map(file).collect::<Result<_, Failure>>()?;
    Ok(Answer { complete: left.is_none(), left_because: left.map(str::to_owned), files })
}

fn file(checked: &Checked) -> Result<FileAnswer, Failure> {
    let report = &checked.report;
    let problems = report.groups.iter().map(|group| {
        let (lines, first) = (group.lines.clone(), row_error(&group.first, checked.format()));
        Ok(Problems { count: group.problems, lines, text: checked.line(group)?, first })
    });
    Ok(FileAnswer {
        file: checked.input.name(),
        rows: report.rows,
        counts: checked.counts(),
        codes: report.codes.iter().map(|(code, count)| (code.as_str(), *count)).collect(),
        flags: report.flags.iter().map(|(flag, count)| (flag.as_str(), *count)).collect(),
        problems: problems.collect::<Result<_, Failure>>()?,
        skipped: report.left.groups.clone(),
        warnings: checked.all_warnings().collect(),
        named: report.named.iter().map(|(wanted, words)| (wanted.as_str(), named(words))).collect(),
    })
}

fn named(named: &Named) -> BTreeMap<String, u64> {
    named.words.iter().map(|(word, naming)| (word.clone(), naming.rows)).collect()
}
