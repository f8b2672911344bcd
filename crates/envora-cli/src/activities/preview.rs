//! `envora data preview`: the first rows of a file as the mapping reads them, without sending them.

use anyhow::Context as _;
use envora_domain::activities::problems::Outcome;
use envora_ingest::rows::ParsedRow;
use envora_ingest::words;
use serde_json::{Map, Value};

use super::reading::{Reading, said_mapping};
use crate::arguments::PreviewArguments;
use crate::failures::Failure;
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
    let reading = Reading::new(mapping, &arguments.set)?;
    let telling = Telling { format: None, mapping: arguments.mapping.as_deref() };
    let input = Input::of(&arguments.file, telling)?;
    let mut rows = Vec::new();
    for row in reading.open(&input)?.take(usize::from(arguments.rows)) {
        rows.push(fields(&row.with_context(|| format!("read {}", input.name()))?));
    }
    if session.print_json(&rows)? == Printed::NotYet {
        table(&rows).print(&mut session.terminal.data);
    }
    Ok(())
}

/// A row as the activity that it would be stored as, or what is wrong with it.
fn fields(row: &ParsedRow) -> Map<String, Value> {
    let mut fields: Map<String, Value> = match &row.activity {
        Ok(activity) => words::fields(activity).into_iter().collect(),
        Err(_) => Map::new(),
    };
    // Where it came from is this file: nothing was stored.
    fields.remove("origin");
    let outcome = match row.outcome() {
        Outcome::Rejected => "would be refused",
        Outcome::Quarantined => "would wait",
        Outcome::Accepted | Outcome::Duplicate => "good",
    };
    fields.insert("line".to_owned(), row.line.into());
    fields.insert("outcome".to_owned(), outcome.into());
    let problem = |problem: &envora_domain::activities::problems::RowProblem| {
        Value::from(format!("{}: {}", problem.code, problem.detail))
    };
    let problems: Vec<Value> = row.problems().iter().map(problem).collect();
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
