//! `…/import-mappings`: which column of a file means what, saved under a name.

use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, StatusCode};
use envora_api::codes::Code;
use envora_api::listing::Page;
use envora_api::mappings::{ChangeImportMapping, ImportMapping};
use envora_api::problems::{Problem, RowError};
use envora_domain::access::actions::{ReadActivities, WriteActivities};
use envora_domain::time::Timestamp;
use envora_ingest::mapping::{Mapping, MappingError};
use envora_store::mappings::{
    self as store, NewMapping, mapping_archive, mapping_by_name, mapping_put, mappings_all,
};
use envora_store::transaction::TenantTx;

use super::collection::state;
use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply, is_known, must_match, not_modified};
use crate::app::App;
use crate::bodies;
use crate::fields::Fields;
use crate::gate::{Format, body_format};
use crate::idempotency::{self, Sent, Written, once};
use crate::listing::Cut;
use crate::openapi::Shape;
use crate::params::Params;
use crate::routes::{Parameter, Route};

const ALL: &str = "/v2/organizations/{org_id}/import-mappings";
const ONE: &str = "/v2/organizations/{org_id}/import-mappings/{name}";

const LISTS: &[Parameter] = &[
    ("fields", "Only these fields of each, separated by commas."),
    ("include", "`total`: say how many there are in all."),
    ("state", "`archived`: only those that are archived; `any`: these too; `active` when absent."),
];

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadActivities, _, _>(ALL, list)
            .says("Lists the mappings, each in its newest version.")
            .asks(LISTS)
            .gives(200, Shape::page::<ImportMapping>()),
        Route::post::<WriteActivities, _, _>(ALL, add)
            .says("Saves a mapping; the same tree again adds nothing.")
            .takes(&[Format::Json, Format::Toml], Shape::Free("The mapping's tree."))
            .gives(201, Shape::one::<ImportMapping>()),
        Route::get::<ReadActivities, _, _>(ONE, read)
            .says("Reads a mapping in its newest version.")
            .gives(200, Shape::one::<ImportMapping>())
            .also(&[(304, "Not changed since the version in If-None-Match.")]),
        Route::patch::<WriteActivities, _, _>(ONE, change)
            .says("Archives a mapping or brings it back; another tree is saved by POST.")
            .takes(&[Format::MergePatch], Shape::one::<ChangeImportMapping>())
            .gives(200, Shape::one::<ImportMapping>()),
        Route::delete::<WriteActivities, _, _>(ONE, archive)
            .says("Archives a mapping: the list leaves it out, and files may name it as before.")
            .gives(200, Shape::one::<ImportMapping>()),
    ]
}

pub(crate) async fn list(allowed: Allowed<ReadActivities>, params: Params) -> Answer {
    params.only(&["fields", "include", "state"])?;
    let (cut, state, grant) = (Cut::of::<ImportMapping>(&params)?, state(&params)?, allowed.grant);
    let found = allowed.tenant.parts().db.read(move |rd| mappings_all(rd, &grant)).await?;
    let told = |one: &store::Mapping| state.is_none_or(|due| one.archived.is_some() == due);
    let data = found.into_iter().filter(told).map(wire).collect::<anyhow::Result<Vec<_>>>()?;
    let total = data.len() as u64;
    cut.page(&Page { data, next_cursor: None }, Some(total))
}

async fn read(
    allowed: Allowed<ReadActivities>,
    Path((_, name)): Path<(String, String)>,
    params: Params,
    headers: HeaderMap,
) -> Answer {
    params.only(&[])?;
    let grant = allowed.grant;
    let found =
        allowed.tenant.parts().db.read(move |rd| mapping_by_name(rd, &grant, &name)).await?;
    let found = found.ok_or_else(nothing_here)?;
    let version = found.seq;
    if is_known(&headers, version) {
        return Ok(not_modified(version));
    }
    Ok(Reply::ok(&wire(found)?)?.version(version))
}

async fn change(
    State(app): State<App>,
    allowed: Allowed<WriteActivities>,
    Path((_, name)): Path<(String, String)>,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Answer {
    params.only(&[])?;
    let body = bodies::json(&headers, body, &[Format::MergePatch]).await?;
    let mut sent = Fields::of(body, &["archived"])?;
    let archives = sent.truth("archived");
    sent.finish()?;
    archived(&app, &allowed, (name, archives), move |seq, _| must_match(&headers, seq)).await
}

async fn archive(
    State(app): State<App>,
    allowed: Allowed<WriteActivities>,
    Path((_, name)): Path<(String, String)>,
    (params, headers): (Params, HeaderMap),
) -> Answer {
    params.only(&[])?;
    archived(&app, &allowed, (name, Some(true)), move |seq, since| {
        // What is archived already was archived by this request, sent again, as far as one can tell.
        if since.is_some() && headers.contains_key(IF_MATCH) {
            return Ok(());
        }
        must_match(&headers, seq)
    })
    .await
}

/// Archives a mapping or brings it back, once the version that the request names is the one there is.
async fn archived(
    app: &App,
    allowed: &Allowed<WriteActivities>,
    (name, archives): (String, Option<bool>),
    matches: impl FnOnce(u64, Option<Timestamp>) -> Result<(), Problem> + Send + 'static,
) -> Answer {
    let (parts, now) = (allowed.tenant.parts(), app.clock().now());
    let (grant, reads) = (allowed.grant, allowed.also::<ReadActivities>()?);
    let saved = parts.db.write(move |tx| {
        let Some(before) = mapping_by_name(tx, &reads, &name)? else {
            return Ok(Err(nothing_here()));
        };
        if let Err(problem) = matches(before.seq, before.archived) {
            return Ok(Err(problem));
        }
        let since = match archives {
            None => before.archived,
            Some(true) => before.archived.or(Some(now)),
            Some(false) => None,
        };
        let saved = mapping_archive(tx, &grant, (&name, since), now)?;
        Ok(saved.ok_or_else(nothing_here))
    });
    let saved = saved.await??;
    let version = saved.seq;
    Ok(Reply::ok(&wire(saved)?)?.version(version))
}

pub(crate) async fn add(
    State(app): State<App>,
    allowed: Allowed<WriteActivities>,
    OriginalUri(uri): OriginalUri,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Answer {
    params.only(&[])?;
    let format = body_format(&headers, &[Format::Json, Format::Toml])?;
    let bytes = bodies::read(&headers, body, bodies::JSON_BYTES_MAX).await?;
    let mapping = if format == Format::Toml {
        let text = core::str::from_utf8(&bytes)
            .map_err(|_| Problem::malformed_body("The mapping is not UTF-8."))?;
        Mapping::from_toml(text)
    } else {
        Mapping::from_json(&bodies::parse(&bytes)?)
    };
    let mapping = mapping.map_err(|error| unfit(&error))?;
    let (parts, grant, now) = (allowed.tenant.parts(), allowed.grant, app.clock().now());
    let sent = Sent {
        actor: &allowed.actor,
        uri: &uri,
        params: &params,
        headers: &headers,
        body: *blake3::hash(&bytes).as_bytes(),
    };
    let marked = idempotency::marked(parts, &sent)?;
    let work = move |tx: &mut TenantTx| {
        let (digest, name, tree) = (mapping.version, mapping.name.as_str(), mapping.text.as_str());
        let saved = mapping_put(tx, &grant, NewMapping { digest, name, tree }, now)?;
        Ok(Ok(Written::of(StatusCode::CREATED, &wire(saved)?)?))
    };
    Ok(once(parts, grant, (marked, now), work).await?.reply())
}

/// What is wrong with a mapping, all of it.
#[must_use]
pub fn unfit(error: &MappingError) -> Problem {
    let errors: Vec<RowError> = error
        .problems
        .iter()
        .map(|problem| RowError {
            code: problem.code.to_owned(),
            pointer: Some(format!("#/{}", problem.at.replace('.', "/"))),
            detail: problem.detail.clone(),
            hint: problem.hint.clone(),
            ..RowError::default()
        })
        .collect();
    let unbuilt = error.problems.iter().all(|problem| problem.code == "feature_not_built");
    let code = if unbuilt { Code::feature_not_built } else { Code::validation_failed };
    Problem::new(code, format!("This is no mapping that can be used: {error}.")).with_errors(errors)
}

fn wire(mapping: store::Mapping) -> anyhow::Result<ImportMapping> {
    Ok(ImportMapping {
        name: mapping.name,
        version: mapping.digest.hex(),
        seq: mapping.seq,
        created_at: mapping.created_at,
        archived_at: mapping.archived,
        tree: serde_json::from_str(&mapping.tree)?,
    })
}
