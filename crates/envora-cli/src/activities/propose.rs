//! `envora data map propose`: a mapping for a file that nobody has described yet.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use envora_ingest::sniff::{LookError, look, propose};

use crate::failures::{Exit, Failure};
use crate::session::{Printed, Session};

/// Looks at a file and writes down what can be told of it.
///
/// # Errors
/// A file that cannot be read, or is no table of text; questions that stay open.
pub(super) fn run(file: &Path, name: Option<&str>, session: &mut Session) -> Result<(), Failure> {
    let place = file.display().to_string();
    let input = File::open(file).with_context(|| format!("read {place}"))?;
    let found = look(input).map_err(|error| match error {
        LookError::NoTable(why) => anyhow::anyhow!("{place}: {why}"),
        LookError::Io(error) => anyhow::Error::new(error).context(format!("read {place}")),
    })?;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = name.map_or_else(|| stem.unwrap_or_else(|| "mapping".to_owned()), str::to_owned);
    let proposal = propose(&found, &name);
    let ended =
        if proposal.questions.is_empty() { Ok(()) } else { Err(Failure::Said(Exit::Partial)) };
    if session.print_json(&proposal)? == Printed::AsJson {
        return ended;
    }
    session.terminal.data.text(&proposal.mapping);
    let words = &mut session.terminal.words;
    let rows = envora_domain::decimal::group_thousands(&found.records.to_string());
    words.line(format!("{place}: {rows} rows of {} columns", found.columns.len()));
    for reason in &proposal.reasons {
        words.line(format!("  {}: {}", reason.what, reason.why));
    }
    let open = proposal.questions.len();
    if open == 0 {
        words.line(format!("save it, then: envora data check {place} --mapping FILE.toml"));
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
