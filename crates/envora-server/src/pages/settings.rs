//! The page of the settings: what a person may change of the organization.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse as _;
use envora_api::media;
use envora_api::organizations::Organization;
use envora_api::problems::Problem;
use envora_domain::access::actions::EditOrganization;
use envora_domain::gwp::GwpSet;
use serde_json::{Value, json};

use super::shell::Shell;
use super::visits::{Shown, SignedIn, form as form_of, organization_of, own_form, to};
use super::{show, words};
use crate::access::Visitor;
use crate::app::App;
use crate::endpoints::organization;
use crate::params::Params;
use crate::refusals::Refusal;

/// The fields of the form, besides the version.
const FIELDS: [&str; 4] = ["name", "time_zone", "default_gwp_set", "source_retention_days"];

struct Field {
    value: String,
    fault: String,
}

struct Choice {
    value: &'static str,
    label: String,
    chosen: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "settings.html")]
pub(super) struct SettingsPage {
    shell: Shell,
    saved: bool,
    trouble: Option<String>,
    version: u64,
    name: Field,
    time_zone: Field,
    days: Field,
    sets: Vec<Choice>,
    facts: Vec<(&'static str, String)>,
}

/// What came of the form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Came<'a> {
    /// It was not sent yet.
    Unsent,
    /// It was saved.
    Saved,
    /// It was sent and not saved, and why.
    Refused(&'a Params, &'a Problem),
}

/// Lays the page out.
pub(super) fn page(organization: &Organization, came: Came<'_>) -> SettingsPage {
    let refused = match came {
        Came::Refused(sent, problem) => Some((sent, problem)),
        Came::Unsent | Came::Saved => None,
    };
    let sent = |name: &str, now: &str| {
        let sent = refused.and_then(|(sent, _)| sent.many(name).next());
        let fault = refused.and_then(|(_, problem)| {
            let errors = problem.errors.iter();
            let mut own = errors.filter(|error| {
                error.pointer.as_deref().is_some_and(|at| at.ends_with(&format!("/{name}")))
            });
            let error = own.next()?;
            let hint = error.hint.as_deref().map(words::prose).unwrap_or_default();
            Some(format!("{} {hint}", words::prose(&error.detail)))
        });
        Field { value: sent.unwrap_or(now).to_owned(), fault: fault.unwrap_or_default() }
    };
    let set = sent("default_gwp_set", &organization.default_gwp_set).value;
    let choice = |one: &GwpSet| {
        let value = one.as_str();
        Choice { value, label: words::gwp_set(value), chosen: value == set }
    };
    SettingsPage {
        shell: Shell::of("Settings", organization),
        saved: matches!(came, Came::Saved),
        trouble: refused.map(|(_, problem)| problem.detail.clone()),
        version: organization.version,
        name: sent("name", &organization.name),
        time_zone: sent("time_zone", &organization.time_zone),
        days: sent("source_retention_days", &organization.source_retention_days.to_string()),
        sets: GwpSet::ALL.iter().map(choice).collect(),
        facts: vec![
            ("Short name, part of the address", organization.slug.clone()),
            ("Environment", organization.environment.clone()),
            ("Origin of the log", organization.domain.clone()),
            ("Id", organization.id.to_string()),
        ],
    }
}

/// `GET /settings`: the form.
pub(super) async fn form(SignedIn(visitor): SignedIn, params: Params) -> Shown {
    params.only(&["saved"])?;
    let came = params.one("saved")?.map_or(Came::Unsent, |_| Came::Saved);
    Ok(show(&page(&organization_of(&visitor).await?, came)))
}

/// `POST /settings`: saves what differs.
pub(super) async fn sent(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    own_form(&headers)?;
    if visitor.actor.is_none() {
        return Ok(to("/sign-in"));
    }
    let sent = form_of(body).await?;
    sent.only(&[&FIELDS[..], &["version"]].concat())?;
    let allowed = visitor.allowed::<EditOrganization>()?;
    let (headers, body) = patch(&sent)?;
    let none = Params::of_pairs([]);
    match organization::change(State(app), allowed, none, headers, Body::from(body)).await {
        Ok(_) => Ok(to("/settings?saved=1")),
        Err(Refusal(problem)) if problem.status < 500 => {
            let now = organization_of(&visitor).await?;
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
            Ok((status, show(&page(&now, Came::Refused(&sent, &problem)))).into_response())
        }
        Err(refusal) => Err(refusal),
    }
}

/// The form as the patch that the interface takes.
fn patch(sent: &Params) -> Result<(HeaderMap, String), Problem> {
    let mut fields = serde_json::Map::new();
    for name in FIELDS {
        let Some(text) = sent.one(name)? else { continue };
        let number = (name == "source_retention_days").then(|| text.trim().parse::<u64>().ok());
        let value = number.flatten().map_or_else(|| json!(text.trim()), Value::from);
        fields.insert(name.to_owned(), value);
    }
    let mut headers = HeaderMap::new();
    let version = sent.integer("version")?.unwrap_or(0);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media::MERGE_PATCH));
    if let Ok(version) = HeaderValue::from_str(&format!("\"v{version}\"")) {
        headers.insert(IF_MATCH, version);
    }
    Ok((headers, Value::Object(fields).to_string()))
}
