//! `envora query`: SQL, over files here or over what the server stores.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use envora_api::queries::{Query, QueryAnswer, QueryColumn, ROWS_MAX, ROWS_USUAL};
use envora_domain::decimal::group_thousands;
use envora_query::QueryError;
use envora_query::answer::Answer;
use envora_query::limits::{End, Limits, SQL_BYTES_MAX, Watch};
use envora_query::table::Table as Rows;
use serde_json::Value;

use crate::activities::reading::{Reading, said_mapping};
use crate::arguments::QueryArguments;
use crate::failures::{Exit, Failure};
use crate::inputs::{Input, Telling};
use crate::json;
use crate::session::{Printed, Session};
use crate::tables::Table;

mod files;
mod out;

/// What answering may hold beside the answer. Files of any length are gone through in it, one row after
/// the other.
const MEMORY_BYTES_MAX: usize = 512 << 20;
/// The text of an answer.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Asks, and prints the answer.
///
/// # Errors
/// A question that is none, a file or mapping that cannot be read, the server's problem.
pub async fn run(arguments: &QueryArguments, session: &mut Session) -> Result<(), Failure> {
    let sql = sql(&arguments.sql)?;
    if let Some(path) = &arguments.out {
        return out::run((arguments, path), sql, session).await;
    }
    let answer = if arguments.files.is_empty() {
        stored(arguments, sql, session).await?
    } else {
        of_files(arguments, sql, session).await?
    };
    if session.print_json(&answer)? == Printed::NotYet {
        table(&answer).print(&mut session.terminal.data);
    }
    if answer.truncated {
        let rows = group_thousands(&answer.data.len().to_string());
        session.terminal.words.prose(format!(
            "These are the first {rows} rows; more were left off. --limit N gives more, and a sum, a count or LIMIT in the question fewer."
        ));
    }
    Ok(())
}

/// The question: `-` stands for what comes on stdin.
fn sql(word: &str) -> Result<String, Failure> {
    if word != "-" {
        return Ok(word.to_owned());
    }
    let mut text = String::new();
    let most = u64::try_from(SQL_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    std::io::stdin().lock().take(most).read_to_string(&mut text).context("read stdin")?;
    Ok(text)
}

/// Refuses what no server can do.
fn server_is_asked(arguments: &QueryArguments) -> Result<(), Failure> {
    if arguments.mapping.is_some() || !arguments.set.is_empty() {
        return Err(Failure::usage(
            "--mapping and --set say how a file is read, and no file is named",
            "name the files after the question; without any, what is stored is asked",
        ));
    }
    if arguments.limit.is_some_and(|limit| limit > ROWS_MAX) {
        return Err(Failure::usage(
            format!("the server gives at most {ROWS_MAX} rows"),
            "ask for sums, or take rows out with envora data export",
        ));
    }
    Ok(())
}

/// Asks the server.
async fn stored(
    arguments: &QueryArguments,
    sql: String,
    session: &mut Session,
) -> Result<QueryAnswer, Failure> {
    server_is_asked(arguments)?;
    let client = session.client()?;
    client.post("/query", &Query { sql, limit: Some(arguments.limit.unwrap_or(ROWS_USUAL)) }).await
}

/// The files that are named, as tables.
async fn files_asked(
    arguments: &QueryArguments,
    session: &mut Session,
) -> Result<Vec<Arc<dyn Rows>>, Failure> {
    let mapping = said_mapping(arguments.mapping.as_deref(), session).await?;
    let reading = Reading::new(mapping, &arguments.set)?;
    let telling = Telling { format: None, mapping: arguments.mapping.as_deref() };
    let inputs = Input::all(&arguments.files, telling)?;
    Ok(files::tables(inputs, reading))
}

/// Asks files, here.
async fn of_files(
    arguments: &QueryArguments,
    sql: String,
    session: &mut Session,
) -> Result<QueryAnswer, Failure> {
    let tables = files_asked(arguments, session).await?;
    let limits = Limits {
        rows_max: usize::try_from(arguments.limit.unwrap_or(ROWS_USUAL)).unwrap_or(usize::MAX),
        answer_bytes_max: ANSWER_BYTES_MAX,
        memory_bytes_max: MEMORY_BYTES_MAX,
    };
    let gone = Gone::default();
    let watch = gone.watch();
    let asking = move || envora_query::ask(&sql, tables, (limits, watch));
    let answer = tokio::task::spawn_blocking(asking).await.context("answer a question")?;
    drop(gone);
    answer.map(told).map_err(failure)
}

/// Ends the question when nobody waits for it any more: at Ctrl-C this is dropped.
#[derive(Default)]
struct Gone(Arc<AtomicBool>);

impl Gone {
    fn watch(&self) -> Watch {
        let gone = Arc::clone(&self.0);
        Watch::new(move || gone.load(Ordering::Relaxed).then_some(End::Gone))
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn told(answer: Answer) -> QueryAnswer {
    let column = |column: &envora_query::answer::AnswerColumn| QueryColumn {
        name: column.name.clone(),
        kind: column.kind.clone(),
    };
    QueryAnswer {
        columns: answer.columns.iter().map(column).collect(),
        data: answer.objects(),
        truncated: answer.is_cut,
    }
}

fn failure(error: QueryError) -> Failure {
    let what = error.to_string();
    match error {
        QueryError::Invalid { place, hint, .. } => {
            let at = place.map(|(line, column)| format!(" (line {line}, column {column})"));
            let what = format!("{what}{}", at.unwrap_or_default());
            Failure::known((Exit::Usage, "query_invalid"), what, hint.unwrap_or_default())
        }
        QueryError::Value { hint, .. } => {
            Failure::known((Exit::Error, "query_invalid"), what, hint.unwrap_or_default())
        }
        QueryError::Answer(_) | QueryError::Memory(_) | QueryError::Ended(_) => Failure::known(
            (Exit::Error, "query_too_large"),
            what,
            "ask for fewer columns, for sums, or of fewer days",
        ),
        // A file that could not be opened says so in its own words.
        QueryError::Unexpected(error) => match error.downcast::<Failure>() {
            Ok(failure) => failure,
            Err(error) => Failure::Unexpected(error),
        },
    }
}

fn table(answer: &QueryAnswer) -> Table {
    let is_number = |kind: &str| {
        ["DECIMAL", "BIGINT", "INT", "DOUBLE", "REAL"].iter().any(|word| kind.starts_with(word))
    };
    let header = |column: &QueryColumn| {
        if is_number(&column.kind) { format!(">{}", column.name) } else { column.name.clone() }
    };
    let headers: Vec<String> = answer.columns.iter().map(header).collect();
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let mut table = Table::new(&headers);
    for row in &answer.data {
        let cell = |column: &QueryColumn| -> String {
            let value: Option<&Value> = row.get(&column.name);
            json::cell(value)
        };
        table.row(answer.columns.iter().map(cell));
    }
    table
}
