//! `envora data check`: the server's own validator, here, without a server.
//!
//! What needs the organization's own tables (facilities, sources, rows stored before) stays open, and
//! is said to be open: a file that has such words is never called fine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use envora_api::problems::{RowError, RowPlace};
use envora_domain::activities::problems::RowProblem;
use envora_domain::decimal::group_thousands;
use envora_domain::hash::Digest;
use envora_domain::id::{Id, ImportId};
use envora_ingest::check::{self, Report};
use envora_ingest::formats::{self, Format, OpenError, Opening, OriginHead};
use envora_ingest::mapping::Mapping;

use crate::arguments::CheckArguments;
use crate::failures::{Exit, Failure, row_view};
use crate::imports::ROWS_SHOWN;
use crate::session::Session;
use crate::tables::Table;

/// Checks files.
///
/// # Errors
/// A file or mapping that cannot be read; rows that would be refused, or need the server's word.
pub(super) fn run(arguments: &CheckArguments, session: &mut Session) -> Result<(), Failure> {
    let mapping = arguments.mapping.as_deref().map(mapping).transpose()?;
    let set = constants(&arguments.set)?;
    let mut table = Table::new(&[
        "file",
        ">good",
        ">duplicate",
        ">would wait",
        ">would be refused",
        ">left out",
    ]);
    let mut open = 0;
    for path in &arguments.files {
        let report = check_file(path, mapping.clone(), &set)?;
        let name = path.display().to_string();
        for problem in report.problems.iter().take(ROWS_SHOWN) {
            let words = &mut session.terminal.words;
            words.text(row_view(words.paint, &name, &row_error(problem)));
        }
        let more = report.codes.values().sum::<u64>();
        let more = more.saturating_sub(u64::try_from(ROWS_SHOWN).unwrap_or(0));
        if more > 0 {
            session.terminal.words.line(format!("  … and {more} more problems"));
        }
        let rows = [
            report.accepted,
            report.duplicate,
            report.quarantined,
            report.rejected,
            report.skipped,
        ];
        table
            .row(core::iter::once(name).chain(rows.map(|rows| group_thousands(&rows.to_string()))));
        open += report.rejected + report.quarantined;
    }
    table.print(&mut session.terminal.data);
    let words = &mut session.terminal.words;
    words.line(
        "Left for the server: whether facilities and sources are known, and rows stored before.",
    );
    if open > 0 { Err(Failure::Said(Exit::Partial)) } else { Ok(()) }
}

fn mapping(path: &Path) -> Result<Arc<Mapping>, Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("read {place}"))?;
    let mapping = Mapping::from_toml(&text)
        .map_err(|error| Failure::usage(format!("{place}: {error}"), "see docs: mapping files"))?;
    Ok(Arc::new(mapping))
}

fn constants(pairs: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |pair: &String| match pair.split_once('=') {
        Some((field, value)) => Ok((field.to_owned(), value.to_owned())),
        None => Err(Failure::usage(
            format!("--set {pair:?} sets nothing"),
            "write it as --set facility_code=b24",
        )),
    };
    pairs.iter().map(pair).collect()
}

fn check_file(
    path: &Path,
    mapping: Option<Arc<Mapping>>,
    set: &BTreeMap<String, String>,
) -> Result<Report, Failure> {
    let name = path.display().to_string();
    let format = Format::of_name(&name).ok_or_else(|| {
        Failure::usage(
            format!("{name} has no ending that says what it is"),
            "name it .csv, .json or .ndjson",
        )
    })?;
    let bytes = std::fs::read(path).with_context(|| format!("read {name}"))?;
    let import: ImportId = Id::from_bytes([0; 16]);
    let head = OriginHead::File { import, file: Digest::of(&bytes) };
    let opening = Opening { head, mapping, set: set.clone() };
    let reader = formats::open(format, Box::new(bytes.as_slice()), &opening);
    let reader = reader.map_err(|error| refused(&name, error))?;
    Ok(check::check(reader).with_context(|| format!("check {name}"))?)
}

fn refused(name: &str, error: OpenError) -> Failure {
    match error {
        OpenError::File(problems) => {
            let what: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let hints: Vec<String> = problems
                .into_iter()
                .map(|problem| problem.hint)
                .filter(|hint| !hint.is_empty())
                .collect();
            Failure::known(
                (Exit::Error, "malformed_body"),
                format!("{name}: {}", what.join("; ")),
                hints.join("; "),
            )
        }
        OpenError::Io(error) => {
            Failure::Unexpected(anyhow::Error::from(error).context(format!("read {name}")))
        }
    }
}

fn row_error(problem: &RowProblem) -> RowError {
    RowError {
        code: problem.code.as_str().to_owned(),
        pointer: Some(format!("#{}", problem.field)),
        row: Some(RowPlace { record: problem.row, line: problem.line }),
        column: problem.column.clone(),
        parameter: None,
        sheet: None,
        value: problem.value.clone(),
        detail: problem.detail.clone(),
        hint: problem.hint.clone(),
    }
}
