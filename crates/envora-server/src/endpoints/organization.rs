//! `/v2/organizations/{org_id}`: the organization and its settings.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use envora_api::organizations::{ChangeOrganization, Organization};
use envora_api::problems::Problem;
use envora_domain::access::actions::{EditOrganization, ReadOrganization};
use envora_domain::gwp::GwpSet;
use envora_store::organization::{self as store, organization_now, organization_put};

use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply, is_known, must_match, not_modified};
use crate::app::App;
use crate::bodies;
use crate::fields::{Fields, Need};
use crate::gate::Format;
use crate::openapi::Shape;
use crate::params::Params;
use crate::routes::{ORGANIZATION, Route};

/// The settings that a patch may change.
const SETTINGS: &[&str] = &["name", "time_zone", "default_gwp_set", "source_retention_days"];

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadOrganization, _, _>(ORGANIZATION, read)
            .says("Reads the organization and its settings.")
            .gives(200, Shape::one::<Organization>())
            .also(&[(304, "Not changed since the version in If-None-Match.")]),
        Route::patch::<EditOrganization, _, _>(ORGANIZATION, change)
            .says("Changes settings of the organization.")
            .takes(&[Format::MergePatch], Shape::one::<ChangeOrganization>())
            .gives(200, Shape::one::<Organization>()),
    ]
}

async fn read(allowed: Allowed<ReadOrganization>, params: Params, headers: HeaderMap) -> Answer {
    params.only(&[])?;
    let grant = allowed.grant;
    let found = allowed.tenant.parts().db.read(move |rd| organization_now(rd, &grant)).await?;
    let organization = wire(found.ok_or_else(nothing_here)?);
    if is_known(&headers, organization.version) {
        return Ok(not_modified(organization.version));
    }
    Ok(Reply::ok(&organization)?.version(organization.version))
}

pub(crate) async fn change(
    State(app): State<App>,
    allowed: Allowed<EditOrganization>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    params.only(&[])?;
    let body = bodies::json(&headers, body, &[Format::MergePatch]).await?;
    let mut fields = Fields::of(body, SETTINGS)?;
    let (reads, edits) = (allowed.also::<ReadOrganization>()?, allowed.grant);
    let db = &allowed.tenant.parts().db;
    let now = app.clock().now();
    let before = db.read(move |rd| organization_now(rd, &reads)).await?.ok_or_else(nothing_here)?;
    must_match(&headers, before.seq)?;
    let mut settings = before.settings.clone();
    merge(&mut settings, &mut fields);
    fields.finish()?;
    let version = before.seq;
    let saved = db
        .write(move |tx| {
            let current = organization_now(tx, &reads)?;
            if current.is_none_or(|current| current.seq != version) {
                return Ok(None);
            }
            organization_put(tx, &edits, &settings, now)?;
            organization_now(tx, &reads)
        })
        .await?;
    let organization = wire(saved.ok_or_else(changed_meanwhile)?);
    Ok(Reply::ok(&organization)?.version(organization.version))
}

/// Someone else was faster.
#[must_use]
pub fn changed_meanwhile() -> Problem {
    Problem::version_mismatch("It was changed meanwhile. Read it again, then change it.")
}

fn merge(settings: &mut store::OrganizationSettings, fields: &mut Fields) {
    if fields.has("name") {
        settings.name = fields.text("name", Need::Required);
    }
    if fields.has("time_zone") {
        settings.time_zone = fields.zone("time_zone", Need::Required);
    }
    if fields.has("default_gwp_set") {
        let set = fields.text("default_gwp_set", Need::Required);
        if !set.is_empty() && GwpSet::parse(&set).is_none() {
            let known: Vec<&str> = GwpSet::ALL.iter().map(|set| set.as_str()).collect();
            let hint = format!("The sets are {}.", known.join(", "));
            fields.fault_with(("wrong_type", "default_gwp_set"), "there is no such GWP set", &hint);
        }
        settings.default_gwp_set = set;
    }
    if fields.has("source_retention_days") {
        match fields.integer("source_retention_days", 30..=36_600) {
            Some(days) => settings.source_retention_days = days,
            None if fields.is_null("source_retention_days") => {
                fields.fault("missing_field", "source_retention_days", "it cannot be removed");
            }
            None => {}
        }
    }
}

/// The organization as the wire shows it.
#[must_use]
pub fn wire(found: store::Organization) -> Organization {
    let settings = found.settings;
    Organization {
        id: settings.id,
        slug: settings.slug,
        name: settings.name,
        environment: settings.environment,
        time_zone: settings.time_zone,
        default_gwp_set: settings.default_gwp_set,
        source_retention_days: settings.source_retention_days,
        domain: settings.domain,
        version: found.seq,
    }
}
