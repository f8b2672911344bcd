//! `…/query`: read-only SQL over what the organization stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use envora_api::media;
use envora_api::problems::{Problem, RowError};
use envora_api::queries::{Query, QueryAnswer, QueryColumn, ROWS_MAX, ROWS_USUAL};
use envora_domain::access::actions::{ReadActivities, ReadResults};
use envora_domain::time::Span;
use envora_ingest::footprint::AskError;
use envora_query::QueryError;
use envora_query::answer::{Answer as Rows, AnswerColumn};
use envora_query::files::{self, Form};
use envora_query::limits::{End, Limits, SQL_BYTES_MAX, Watch};

use super::footprints::unanswered;
use crate::access::Allowed;
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies;
use crate::fields::Fields;
use crate::gate::{self, Format};
use crate::openapi::Shape;
use crate::params::Params;
use crate::queries::tables;
use crate::refusals::Refusal;
use crate::routes::Route;

const QUERY: &str = "/v2/organizations/{org_id}/query";

/// How long a question is worked on.
const SECONDS_MAX: i64 = 10;
/// What a question may hold.
const MEMORY_BYTES_MAX: usize = 128 << 20;
/// The text of an answer's cells.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// What helps where a limit was met.
const LESS: &str = "Ask for fewer columns, for sums, or of fewer days.";

/// The types of an answer, the usual one first.
const TYPES: &[&str] = &[media::VENDOR, media::JSON, media::PARQUET, media::CSV, media::NDJSON];

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post::<ReadActivities, _, _>(QUERY, query)
            .says("Answers a question in SQL, which reads and changes nothing: over activities, activities_all and emissions, for up to 10 seconds. As Parquet, CSV or NDJSON where Accept names that; Envora-Truncated then says whether rows were left off.")
            .takes(&[Format::Json], Shape::one::<Query>())
            .with_headers(&[])
            .gives(200, Shape::one::<QueryAnswer>())
            .as_types(TYPES),
    ]
}

pub(crate) async fn query(
    State(app): State<App>,
    allowed: Allowed<ReadActivities>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    params.only(&[])?;
    let body = bodies::json(&headers, body, &[Format::Json]).await?;
    let mut sent = Fields::of(body, &["sql", "limit"])?;
    let sql = sent.lines("sql", SQL_BYTES_MAX);
    let limit = sent.integer("limit", 1..=ROWS_MAX).unwrap_or(ROWS_USUAL);
    sent.finish()?;
    let limits = Limits {
        rows_max: usize::try_from(limit).unwrap_or(usize::MAX),
        answer_bytes_max: ANSWER_BYTES_MAX,
        memory_bytes_max: MEMORY_BYTES_MAX,
    };
    let file = match gate::wanted(&headers, TYPES) {
        Some(kind @ media::PARQUET) => Some((kind, Form::Parquet)),
        Some(kind @ media::CSV) => Some((kind, Form::Csv)),
        Some(kind @ media::NDJSON) => Some((kind, Form::Ndjson)),
        _ => None,
    };
    let results = allowed.also::<ReadResults>()?;
    let (parts, grant, turn) =
        (Arc::clone(allowed.tenant.parts()), allowed.grant, app.query_turn()?);
    let waiting = Waiting::default();
    let watch = waiting.watch(&app);
    let work = move || {
        // Kept until the work has ended, also where nobody waits for it any more.
        let _turn = turn;
        let (tables, limits) = (tables(&parts, grant, results)?, (limits, watch));
        let Some((kind, form)) = file else {
            return envora_query::ask(&sql, tables, limits).map(Given::Rows);
        };
        let mut file = Vec::new();
        let told = files::ask_as((&sql, form), tables, limits, &mut file)?;
        Ok(Given::File { kind, file, is_cut: told.is_cut })
    };
    let answer = app.tracker().spawn_blocking(work).await.context("answer a question")?;
    drop(waiting);
    match answer.map_err(refused)? {
        Given::Rows(rows) => Reply::ok(&told(rows)),
        Given::File { kind, file, is_cut } => {
            Ok(Reply::written(200, file).of_type(kind).truncated(is_cut))
        }
    }
}

/// An answer, as it was asked for.
enum Given {
    Rows(Rows),
    /// No longer than an answer may be.
    File {
        kind: &'static str,
        file: Vec<u8>,
        is_cut: bool,
    },
}

/// Somebody waits for an answer: when the connection is gone this is dropped, and the question ends.
#[derive(Default)]
struct Waiting {
    gone: Arc<AtomicBool>,
}

impl Waiting {
    fn watch(&self, app: &App) -> Watch {
        let (gone, app) = (Arc::clone(&self.gone), app.clone());
        let end = app.clock().now() + Span::from_secs(SECONDS_MAX);
        Watch::new(move || {
            if gone.load(Ordering::Relaxed) || app.late().is_cancelled() {
                return Some(End::Gone);
            }
            (app.clock().now() >= end).then_some(End::Late)
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

fn told(answer: Rows) -> QueryAnswer {
    let column = |column: &AnswerColumn| QueryColumn {
        name: column.name.clone(),
        kind: column.kind.clone(),
    };
    QueryAnswer {
        columns: answer.columns.iter().map(column).collect(),
        data: answer.objects(),
        truncated: answer.is_cut,
    }
}

/// The problem of a question without an answer.
fn refused(error: QueryError) -> Refusal {
    match error {
        QueryError::Invalid { what, place, hint } => invalid(&what, place, hint).into(),
        QueryError::Value { what, hint } => invalid(&what, None, hint).into(),
        error @ (QueryError::Answer(_) | QueryError::Memory(_)) => {
            Problem::query_too_large(format!("{}. {LESS}", sentence(&error.to_string()))).into()
        }
        QueryError::Ended(End::Late) => Problem::query_too_long(format!(
            "The question was not answered within {SECONDS_MAX} seconds, and was ended. {LESS}"
        ))
        .into(),
        QueryError::Ended(End::Gone) => Problem::draining("The server is shutting down.").into(),
        QueryError::Unexpected(error) => match error.downcast::<AskError>() {
            Ok(error) => unanswered(error),
            Err(error) => error.into(),
        },
    }
}

fn invalid(what: &str, place: Option<(u64, u64)>, hint: Option<String>) -> Problem {
    let at = place.map(|(line, column)| format!(" (line {line}, column {column})"));
    let detail = format!("{}{}", sentence(what), at.unwrap_or_default());
    let hint = hint.map(|hint| sentence(&hint));
    let full = match &hint {
        Some(hint) if hint.ends_with('?') => format!("{detail}. {hint}"),
        Some(hint) => format!("{detail}. {hint}."),
        None => format!("{detail}."),
    };
    let error = RowError {
        code: "query_invalid".to_owned(),
        pointer: Some("#/sql".to_owned()),
        detail,
        hint,
        ..RowError::default()
    };
    Problem::query_invalid(full).with_errors(vec![error])
}

/// The same with a capital letter and no stop.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
