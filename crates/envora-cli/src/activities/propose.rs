//! `envora data map propose`: a mapping for a file that nobody has described yet.

use std::path::Path;

use envora_domain::decimal::count_of;
use envora_ingest::sniff::{LookError, look_at, propose};

use crate::failures::{Exit, Failure};
use crate::inputs::{Input, Telling};
use crate::session::{Printed, Session};

/// Looks at a file and writes down what can be told of it.
///
/// # Errors
/// A file that cannot be read, or is no table; questions that stay open.
pub(super) fn run(
    file: &Path,
    (name, sheet): (Option<&str>, Option<&str>),
    session: &mut Session,
) -> Result<(), Failure> {
    let input = Input::of(file, Telling::default())?;
    let place = input.name();
    let (bytes, _) = input.open()?;
    let found = look_at(bytes, sheet).map_err(|error| match error {
        LookError::NoTable { why, remedy } => {
            Failure::known((Exit::Error, "malformed_body"), format!("{place}: {why}"), remedy)
        }
        LookError::Io(error) => {
            Failure::Unexpected(anyhow::Error::new(error).context(format!("read {place}")))
        }
    })?;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let stem = stem.filter(|stem| stem != "-").unwrap_or_else(|| "my-file".to_owned());
    let name = name.map_or(stem, str::to_owned);
    let proposal = propose(&found, &name);
    let ended =
        if proposal.questions.is_empty() { Ok(()) } else { Err(Failure::Said(Exit::Partial)) };
    if session.print_json(&proposal)? == Printed::AsJson {
        return ended;
    }
    session.terminal.data.text(&proposal.mapping);
    let words = &mut session.terminal.words;
    let columns = u64::try_from(found.columns.len()).unwrap_or(u64::MAX);
    let (rows, columns) =
        (count_of(found.records, "row", "rows"), count_of(columns, "column", "columns"));
    words.line(format!("{place}: {rows} of {columns}"));
    for reason in &proposal.reasons {
        let sure = reason.confidence.as_str();
        words.line(format!("  {}: {} ({sure})", reason.what, reason.why));
    }
    let open = proposal.questions.len();
    if open == 0 {
        let sure = proposal.confidence.as_str();
        words.line(format!(
            "all in all {sure}: read it, save it, then: envora data check {place} --mapping FILE.toml"
        ));
    } else {
        let (things, lines) = if open == 1 {
            ("one thing".to_owned(), "the line that starts")
        } else {
            (format!("{open} things"), "the lines that start")
        };
        words.line(format!("{things} the file does not tell: see {lines} with `# ?`"));
    }
    ended
}
