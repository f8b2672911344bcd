//! `…/sources`: meters, vehicles, assets.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use envora_api::listing::Page;
use envora_api::problems::Problem;
use envora_api::sources::{NewSource, Source};
use envora_domain::access::Action;
use envora_domain::access::actions::{EditSources, ReadFacilities, ReadSources};
use envora_domain::catalogue;
use envora_domain::id::{FacilityId, SourceId};
use envora_store::facilities::{Saving, facilities_all};
use envora_store::sources::{
    self as store, SourceFields, source_by_code, source_by_id, source_put, sources_all,
};
use serde_json::Value;

use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply, is_known, must_match, not_modified};
use crate::app::App;
use crate::bodies;
use crate::cursors::{self, Place, Walk};
use crate::endpoints::organization::changed_meanwhile;
use crate::fields::{Fields, Need};
use crate::gate::Format;
use crate::openapi::Shape;
use crate::params::{Params, shown};
use crate::refusals::Refusal;
use crate::routes::Route;

const ALL: &str = "/v2/organizations/{org_id}/sources";
const ONE: &str = "/v2/organizations/{org_id}/sources/{id}";

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadSources, _, _>(ALL, list)
            .says("Lists the sources, by code.")
            .asks(&[
                ("limit", "How many, 1 to 1000; 100 when absent."),
                ("cursor", "The page to continue from."),
                ("code", "Only the source of this code."),
            ])
            .gives(200, Shape::page::<Source>()),
        Route::post::<EditSources, _, _>(ALL, add)
            .says("Adds a source. One that is there and says the same is given back with 200.")
            .takes(&[Format::Json], Shape::one::<NewSource>())
            .gives(201, Shape::one::<Source>())
            .also(&[(200, "It was there already and says the same.")]),
        Route::get::<ReadSources, _, _>(ONE, read)
            .says("Reads a source, by its id or its code.")
            .gives(200, Shape::one::<Source>())
            .also(&[(304, "Not changed since the version in If-None-Match.")]),
        Route::patch::<EditSources, _, _>(ONE, change)
            .says("Changes a source.")
            .takes(&[Format::MergePatch], Shape::one::<NewSource>())
            .gives(200, Shape::one::<Source>()),
    ]
}

async fn list(State(app): State<App>, allowed: Allowed<ReadSources>, params: Params) -> Answer {
    params.only(&["limit", "cursor", "code"])?;
    let (parts, grant, now) = (allowed.tenant.parts(), allowed.grant, app.clock().now());
    let walk = Walk { route: ALL, params: &params };
    let place = cursors::decode(&parts.keys, walk, now)?;
    let limit = params.limit()?;
    let code = params.one("code")?.map(str::to_owned);
    let all = parts.db.read(move |rd| sources_all(rd, &grant)).await?;
    let after = place.map(|place| place.after);
    let mut found = all
        .into_iter()
        .filter(|source| code.as_ref().is_none_or(|code| source.fields.code == *code))
        .filter(|source| after.as_ref().is_none_or(|after| source.fields.code > *after));
    let data: Vec<Source> = found.by_ref().take(limit).map(wire).collect();
    let next_cursor = found.next().and(data.last()).map(|last| {
        cursors::encode(&parts.keys, walk, Place { after: last.code.clone(), seq: 0 }, now)
    });
    let next = next_cursor
        .as_ref()
        .map(|cursor| cursors::next_path(&allowed.tenant.path(ALL), &params, cursor));
    Ok(Reply::ok(&Page { data, next_cursor })?.next(next.as_deref()))
}

async fn add(
    State(app): State<App>,
    allowed: Allowed<EditSources>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    params.only(&[])?;
    let body = bodies::json(&headers, body, &[Format::Json]).await?;
    let (reads, edits) = (allowed.also::<ReadSources>()?, allowed.grant);
    let db = &allowed.tenant.parts().db;
    let now = app.clock().now();
    let blank = blank(SourceId::new(now, app.entropy()));
    let facility = facility_named(&allowed, &body).await?;
    let wanted = parse(body, None, (blank, facility))?;
    let code = wanted.code.clone();
    let saved = db
        .write(move |tx| {
            // The same source sent again is no conflict: nothing is added.
            if let Some(there) = source_by_code(tx, &reads, &wanted.code)? {
                let same = SourceFields { id: there.fields.id, ..wanted };
                return Ok((there.fields == same).then_some((there, StatusCode::OK)));
            }
            Ok(match source_put(tx, &edits, &wanted, now)? {
                Saving::Saved(source) => Some((source, StatusCode::CREATED)),
                Saving::Unchanged(source) => Some((source, StatusCode::OK)),
                Saving::CodeTaken => None,
            })
        })
        .await?;
    let (source, status) = saved.ok_or_else(|| taken(&code))?;
    let source = wire(source);
    let path = format!("{}/{}", allowed.tenant.path(ALL), source.id);
    Ok(Reply::with(status, &source)?.version(source.version).location(&path))
}

async fn read(
    allowed: Allowed<ReadSources>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
    headers: HeaderMap,
) -> Answer {
    params.only(&[])?;
    let grant = allowed.grant;
    let found = allowed
        .tenant
        .parts()
        .db
        .read(move |rd| match SourceId::parse(&id) {
            Ok(id) => source_by_id(rd, &grant, id),
            Err(_) => source_by_code(rd, &grant, &id),
        })
        .await?;
    let source = wire(found.ok_or_else(nothing_here)?);
    if is_known(&headers, source.version) {
        return Ok(not_modified(source.version));
    }
    Ok(Reply::ok(&source)?.version(source.version))
}

async fn change(
    State(app): State<App>,
    allowed: Allowed<EditSources>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let body = bodies::json(&headers, body, &[Format::MergePatch]).await?;
    let id = SourceId::parse(&id).map_err(|_| nothing_here())?;
    let (reads, edits) = (allowed.also::<ReadSources>()?, allowed.grant);
    let db = &allowed.tenant.parts().db;
    let now = app.clock().now();
    let before = db.read(move |rd| source_by_id(rd, &reads, id)).await?.ok_or_else(nothing_here)?;
    must_match(&headers, before.version)?;
    let facility = facility_named(&allowed, &body).await?;
    let wanted = parse(body, Some(&before.fields), (before.fields.clone(), facility))?;
    let (code, version) = (wanted.code.clone(), before.version);
    let saved = db
        .write(move |tx| {
            let current = source_by_id(tx, &reads, id)?;
            if current.is_none_or(|current| current.version != version) {
                return Ok(None);
            }
            source_put(tx, &edits, &wanted, now).map(Some)
        })
        .await?;
    match saved.ok_or_else(changed_meanwhile)? {
        Saving::CodeTaken => Err(taken(&code).into()),
        Saving::Saved(source) | Saving::Unchanged(source) => {
            let source = wire(source);
            Ok(Reply::ok(&source)?.version(source.version))
        }
    }
}

fn taken(code: &str) -> Problem {
    Problem::conflict(format!(
        "Another source has the code {} and says something else. Change that one, or choose another code.",
        shown(code)
    ))
}

fn blank(id: SourceId) -> SourceFields {
    SourceFields {
        id,
        code: String::new(),
        name: String::new(),
        facility: None,
        kind: String::new(),
        unit: String::new(),
        time_zone: String::new(),
        opened: None,
        closed: None,
    }
}

/// What the body's word for its facility leads to.
enum Named {
    /// It says nothing.
    Silent,
    /// It says none.
    None,
    /// This one.
    Found(FacilityId),
    /// A word that no facility has.
    Unknown(String),
}

/// Looks up the facility that the body names by id or code.
async fn facility_named<A: Action>(allowed: &Allowed<A>, body: &Value) -> Result<Named, Refusal> {
    let word = match body.get("facility") {
        None => return Ok(Named::Silent),
        Some(Value::Null) => return Ok(Named::None),
        Some(word) => word.as_str().unwrap_or("").trim().to_owned(),
    };
    let grant = allowed.also::<ReadFacilities>()?;
    let all = allowed.tenant.parts().db.read(move |rd| facilities_all(rd, &grant)).await?;
    let id = FacilityId::parse(&word).ok();
    let found = all
        .into_iter()
        .find(|facility| facility.fields.code == word || Some(facility.fields.id) == id);
    Ok(found.map_or(Named::Unknown(word), |facility| Named::Found(facility.fields.id)))
}

/// The fields of a body over those before; of a new source, code, name and type are due.
fn parse(
    body: Value,
    before: Option<&SourceFields>,
    (mut fields, facility): (SourceFields, Named),
) -> Result<SourceFields, Problem> {
    let mut sent = Fields::of(body, NewSource::FIELDS)?;
    let is_due = |sent: &Fields, name| before.is_none() || sent.has(name);
    if is_due(&sent, "code") {
        fields.code = sent.code("code", Need::Required);
    }
    if is_due(&sent, "name") {
        fields.name = sent.text("name", Need::Required);
    }
    if is_due(&sent, "type") {
        fields.kind = kind(&mut sent);
    }
    sent.text("facility", Need::Optional);
    match facility {
        Named::Silent => {}
        Named::None => fields.facility = None,
        Named::Found(id) => fields.facility = Some(id),
        Named::Unknown(word) => {
            let detail = format!("no facility has the code {}", shown(&word));
            sent.fault_with(("unknown_facility", "facility"), &detail, "Add the facility first.");
        }
    }
    if sent.has("unit") {
        fields.unit = sent.text("unit", Need::Optional);
    }
    if sent.has("time_zone") {
        fields.time_zone = sent.zone("time_zone", Need::Optional);
    }
    if sent.has("opened") {
        fields.opened = sent.day("opened");
    }
    if sent.has("closed") {
        fields.closed = sent.day("closed");
    }
    if let (Some(opened), Some(closed)) = (fields.opened, fields.closed)
        && closed <= opened
    {
        sent.fault("period_reversed", "closed", "it lies before the day of opening");
    }
    sent.finish()?;
    Ok(fields)
}

/// The activity type that the source measures.
fn kind(sent: &mut Fields) -> String {
    let kind = sent.text("type", Need::Required);
    if !kind.is_empty() && catalogue::find(&kind).is_none() {
        let hint = catalogue::did_you_mean(&kind).map_or_else(
            || "Use a type of the catalogue, such as electricity.purchased.".to_owned(),
            |near| format!("Did you mean {near}?"),
        );
        sent.fault_with(("unknown_type", "type"), "there is no such activity type", &hint);
    }
    kind
}

/// The source as the wire shows it.
#[must_use]
pub fn wire(source: store::Source) -> Source {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let fields = source.fields;
    Source {
        id: fields.id,
        code: fields.code,
        name: fields.name,
        facility_id: fields.facility,
        kind: fields.kind,
        unit: some(fields.unit),
        time_zone: some(fields.time_zone),
        opened: fields.opened,
        closed: fields.closed,
        version: source.version,
    }
}
