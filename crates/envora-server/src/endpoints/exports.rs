//! `…/activities/export`: stored activities as a file, in the order of the log.

use std::sync::Arc;

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use envora_api::media;
use envora_api::problems::Problem;
use envora_domain::access::actions::ReadActivities;
use envora_ingest::export::{Export, ExportError, Shape as FileShape};
use tokio::sync::OwnedSemaphorePermit;

use super::activities::{NARROWS, nouns_are_known, question};
use crate::access::Allowed;
use crate::app::App;
use crate::gate;
use crate::openapi::Shape;
use crate::params::Params;
use crate::refusals::Refusal;
use crate::routes::Route;

const EXPORT: &str = "/v2/organizations/{org_id}/activities/export";
const TYPES: &[&str] = &[media::NDJSON, media::CSV];

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadActivities, _, _>(EXPORT, export)
            .says("Gives the stored activities as a file that can be sent again, with _envora_id, _envora_state and _envora_code, which are not read back, and _envora_local, by which times without an offset are what they were.")
            .asks(&[
                ("format", "csv or ndjson; what Accept names, or ndjson, when absent."),
                ("type", "Only of this activity type; may be repeated."),
                ("facility_id", "Only at this facility, by id or code; may be repeated."),
                ("entity_id", "Only of this legal entity, by id or code: rows that name it, and rows that name none at its facilities; may be repeated."),
                ("source_id", "Only of this source, by id or code; may be repeated."),
                ("from", "Only those that last into this day of the reporting zone, or later."),
                ("to", "Only those that begin before this day of the reporting zone."),
                ("state", "counted, unresolved, superseded, voided or pending; may be repeated."),
                ("import_id", "Only of this import."),
                ("segment_id", "Only of this segment."),
                ("line", "With import_id: only from this line of the file."),
                ("factor", "Only those that are calculated with this factor, by its id."),
                ("flag", "Only those with this flag, of the row or of how it is calculated; may be repeated."),
            ])
            .gives(200, Shape::Free("The file, sent as it is read."))
            .as_types(TYPES),
    ]
}

pub(crate) async fn export(
    State(app): State<App>,
    allowed: Allowed<ReadActivities>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Refusal> {
    params.only(&[&["format"], NARROWS].concat())?;
    let (shape, media_type, name) = shape(&headers, &params)?;
    let question = question(&params)?;
    let parts = Arc::clone(allowed.tenant.parts());
    nouns_are_known(&app, &parts, &question).await?;
    let turn = app.export_turn()?;
    let begin = move || Export::begin(parts, question, shape);
    let begun = app.tracker().spawn_blocking(begin).await.context("begin a file")?;
    let export = begun.map_err(|error| match error {
        ExportError::TooManyColumns => Refusal::from(Problem::unknown_parameter(format!(
            "As CSV this cannot be written: {error}. Narrow it, or ask for format=ndjson."
        ))),
        ExportError::Unexpected(error) => error.into(),
    })?;
    let mut response = Response::new(body(app, export, turn));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static(name));
    Ok(response)
}

/// How the file is written, its type, and its name.
fn shape(
    headers: &HeaderMap,
    params: &Params,
) -> Result<(FileShape, &'static str, &'static str), Problem> {
    let shape = params.read("format", "csv or ndjson", |text| match text {
        "csv" => Some(FileShape::Csv),
        "ndjson" => Some(FileShape::Ndjson),
        _ => None,
    })?;
    let asked = gate::wanted(headers, TYPES).filter(|wanted| *wanted == media::CSV);
    let shape = shape.or(asked.map(|_| FileShape::Csv)).unwrap_or(FileShape::Ndjson);
    Ok(match shape {
        FileShape::Csv => (shape, media::CSV, "attachment; filename=\"activities.csv\""),
        FileShape::Ndjson => (shape, media::NDJSON, "attachment; filename=\"activities.ndjson\""),
    })
}

/// The file, read on as the client takes it: no more than one part is held. A fault on the way breaks
/// the answer off, so that nobody takes a part for the whole.
fn body(app: App, export: Export, turn: OwnedSemaphorePermit) -> Body {
    let parts = futures_util::stream::unfold(Some((app, export, turn)), |state| async {
        let (app, mut export, turn) = state?;
        let read = app.tracker().spawn_blocking(move || {
            let part = export.next_part();
            (export, part)
        });
        let (export, part) = match read.await {
            Ok(read) => read,
            Err(error) => return Some((Err(broken(&error.into())), None)),
        };
        match part {
            Ok(None) => None,
            Ok(Some(bytes)) => Some((Ok(bytes), Some((app, export, turn)))),
            Err(error) => Some((Err(broken(&error)), None)),
        }
    });
    Body::from_stream(parts)
}

fn broken(error: &anyhow::Error) -> std::io::Error {
    tracing::error!(cause = format!("{error:#}"), "a file could not be written to its end");
    std::io::Error::other("the file could not be written to its end")
}
