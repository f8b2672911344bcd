//! `envora data preview`: the first rows of a file as the mapping reads them, without storing them. Where a
//! server is named it is asked what it would make of them.

use anyhow::Context as _;
use envora_api::writes::{Outcome as Told, RowResult};
use envora_domain::activities::problems::Outcome;
use envora_ingest::rows::ParsedRow;
use envora_ingest::words;
use serde_json::{Map, Value};

use super::check::stored::{is_stored, judge};
use super::check::{asked, known, not_asked};
use super::reading::{Reading, said_mapping};
use crate::arguments::PreviewArguments;
use crate::failures::Failure;
use crate::imports::print_warning;
use crate::inputs::{Input, Telling};
use crate::json;
use crate::session::{Printed, Session};
use crate::tables::Table;

/// Reads the first rows of a file and shows what they say.
///
/// # Errors
/// A file or mapping that cannot be read.
pub(super) async fn run(
    arguments: &PreviewArguments,
    session: &mut Session,
) -> Result<(), Failure> {
    let mapping = said_mapping(arguments.mapping.as_deref(), session).await?;
    let mut reading = Reading::new(mapping, &arguments.set)?;
    let mut client = asked(session, arguments.offline.into())?.ok();
    if let Some(server) = &client {
        match known(server).await {
            Ok((_, clocks)) => reading = reading.by(clocks),
            Err(failure) => {
                let why = not_asked(failure)?;
                session.terminal.words.line(format!("The server was not asked ({why})."));
                client = None;
            }
        }
    }
    let telling = Telling { format: None, mapping: arguments.mapping.as_deref() };
    let input = Input::of(&arguments.file, telling)?;
    let read = reading.open(&input)?.take(usize::from(arguments.rows));
    let read: std::io::Result<Vec<ParsedRow>> = read.collect();
    let read = read.with_context(|| format!("read {}", input.name()))?;
    let (told, warnings) = match &client {
        Some(client) => judge(client, &read).await?,
        None => (read.iter().map(|_| None).collect(), Vec::new()),
    };
    let rows: Vec<_> =
        read.iter().zip(&told).map(|(row, told)| fields(row, told.as_ref())).collect();
    if session.print_json(&rows)? == Printed::NotYet {
        table(&rows).print(&mut session.terminal.data);
    }
    for warning in &warnings {
        print_warning(&input.name(), warning, &mut session.terminal.words);
    }
    Ok(())
}

/// A row as the activity that it would be stored as, or what is wrong with it, by itself and by what the
/// server tells.
fn fields(row: &ParsedRow, told: Option<&RowResult>) -> Map<String, Value> {
    let unclear = || row.unclear.as_deref().filter(|_| told.is_some_and(is_stored));
    let activity = row.activity.as_ref().ok().or_else(unclear);
    let mut fields: Map<String, Value> =
        activity.map(|activity| words::fields(activity).into_iter().collect()).unwrap_or_default();
    // Where it came from is this file: nothing was stored.
    fields.remove("origin");
    let told = told.filter(|_| activity.is_some());
    let outcome = match (told.map(|told| told.status), row.outcome()) {
        (Some(Told::Duplicate), _) => "duplicate",
        (Some(Told::Rejected), _) | (None, Outcome::Rejected) => "would be refused",
        (Some(Told::Quarantined), _) | (None, Outcome::Quarantined) => "would wait",
        (Some(Told::Accepted), Outcome::Quarantined) => "would wait",
        (Some(Told::Accepted), _) | (None, Outcome::Accepted | Outcome::Duplicate) => "good",
    };
    fields.insert("line".to_owned(), row.line.into());
    fields.insert("outcome".to_owned(), outcome.into());
    let said = |code: &str, detail: &str| Value::from(format!("{code}: {detail}"));
    let errors = told.map(|told| told.errors.as_slice()).unwrap_or_default();
    let problems: Vec<Value> = match (outcome, errors) {
        ("duplicate", _) => Vec::new(),
        (_, []) => {
            let own = row.problems().iter();
            own.map(|problem| said(problem.code.as_str(), &problem.detail)).collect()
        }
        (_, errors) => errors.iter().map(|error| said(&error.code, &error.detail)).collect(),
    };
    if !problems.is_empty() {
        fields.insert("problems".to_owned(), problems.into());
    }
    fields
}

fn table(rows: &[Map<String, Value>]) -> Table {
    let headers =
        [">line", "type", "from", "to", ">quantity", "unit", "facility", "source", "outcome"];
    let mut table = Table::new(&headers);
    for row in rows {
        let one = |names: &[&str]| {
            let value = names.iter().find_map(|name| row.get(*name));
            json::cell(value)
        };
        let problem = row.get("problems").and_then(|problems| problems.get(0));
        let outcome = match problem {
            Some(problem) => format!("{}, {}", one(&["outcome"]), json::cell(Some(problem))),
            None => one(&["outcome"]),
        };
        table.row([
            one(&["line"]),
            one(&["type"]),
            one(&["start", "start_date", "occurred_at"]),
            one(&["end", "end_date"]),
            one(&["quantity"]),
            one(&["unit"]),
            one(&["facility_code", "facility_id"]),
            one(&["source_code", "source_id"]),
            outcome,
        ]);
    }
    table
}
