//! `…/import-mappings`: which column of a file means what, saved under a name.

use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use envora_api::codes::Code;
use envora_api::mappings::ImportMapping;
use envora_api::problems::{Problem, RowError};
use envora_domain::access::actions::{ReadActivities, WriteActivities};
use envora_ingest::mapping::{Mapping, MappingError};
use envora_store::mappings::{
    self as store, NewMapping, mapping_by_name, mapping_put, mappings_all,
};
use envora_store::transaction::TenantTx;

use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies;
use crate::gate::{Format, body_format};
use crate::idempotency::{self, Sent, Written, once};
use crate::listing::{WHOLE, whole};
use crate::openapi::Shape;
use crate::params::Params;
use crate::routes::Route;

const ALL: &str = "/v2/organizations/{org_id}/import-mappings";
const ONE: &str = "/v2/organizations/{org_id}/import-mappings/{name}";

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadActivities, _, _>(ALL, list)
            .says("Lists the mappings, each in its newest version.")
            .asks(WHOLE)
            .gives(200, Shape::page::<ImportMapping>()),
        Route::post::<WriteActivities, _, _>(ALL, add)
            .says("Saves a mapping; the same tree again adds nothing.")
            .takes(&[Format::Json, Format::Toml], Shape::Free("The mapping's tree."))
            .gives(201, Shape::one::<ImportMapping>()),
        Route::get::<ReadActivities, _, _>(ONE, read)
            .says("Reads a mapping in its newest version.")
            .gives(200, Shape::one::<ImportMapping>()),
    ]
}

pub(crate) async fn list(allowed: Allowed<ReadActivities>, params: Params) -> Answer {
    let cut = whole::<ImportMapping>(&params)?;
    let grant = allowed.grant;
    let found = allowed.tenant.parts().db.read(move |rd| mappings_all(rd, &grant)).await?;
    cut(found.into_iter().map(wire).collect::<anyhow::Result<Vec<_>>>()?)
}

async fn read(
    allowed: Allowed<ReadActivities>,
    Path((_, name)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let grant = allowed.grant;
    let found =
        allowed.tenant.parts().db.read(move |rd| mapping_by_name(rd, &grant, &name)).await?;
    Reply::ok(&wire(found.ok_or_else(nothing_here)?)?)
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
        tree: serde_json::from_str(&mapping.tree)?,
    })
}
