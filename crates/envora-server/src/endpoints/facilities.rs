//! `…/facilities`: sites.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use envora_api::facilities::{Facility, NewFacility};
use envora_api::listing::Page;
use envora_api::problems::Problem;
use envora_domain::access::actions::{EditFacilities, ReadFacilities, ReadOrganization};
use envora_domain::id::FacilityId;
use envora_store::facilities::{
    self as store, FacilityFields, Saving, facilities_all, facility_by_code, facility_by_id,
    facility_put,
};
use envora_store::organization::organization_now;
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
use crate::routes::Route;

const ALL: &str = "/v2/organizations/{org_id}/facilities";
const ONE: &str = "/v2/organizations/{org_id}/facilities/{id}";

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadFacilities, _, _>(ALL, list)
            .says("Lists the facilities, by code.")
            .asks(&[
                ("limit", "How many, 1 to 1000; 100 when absent."),
                ("cursor", "The page to continue from."),
                ("code", "Only the facility of this code."),
            ])
            .gives(200, Shape::page::<Facility>()),
        Route::post::<EditFacilities, _, _>(ALL, add)
            .says("Adds a facility. One that is there and says the same is given back with 200.")
            .takes(&[Format::Json], Shape::one::<NewFacility>())
            .gives(201, Shape::one::<Facility>())
            .also(&[(200, "It was there already and says the same.")]),
        Route::get::<ReadFacilities, _, _>(ONE, read)
            .says("Reads a facility, by its id or its code.")
            .gives(200, Shape::one::<Facility>())
            .also(&[(304, "Not changed since the version in If-None-Match.")]),
        Route::patch::<EditFacilities, _, _>(ONE, change)
            .says("Changes a facility.")
            .takes(&[Format::MergePatch], Shape::one::<NewFacility>())
            .gives(200, Shape::one::<Facility>()),
    ]
}

async fn list(State(app): State<App>, allowed: Allowed<ReadFacilities>, params: Params) -> Answer {
    params.only(&["limit", "cursor", "code"])?;
    let (parts, grant, now) = (allowed.tenant.parts(), allowed.grant, app.clock().now());
    let walk = Walk { route: ALL, params: &params };
    let place = cursors::decode(&parts.keys, walk, now)?;
    let limit = params.limit()?;
    let code = params.one("code")?.map(str::to_owned);
    let all = parts.db.read(move |rd| facilities_all(rd, &grant)).await?;
    let after = place.map(|place| place.after);
    let mut found = all
        .into_iter()
        .filter(|facility| code.as_ref().is_none_or(|code| facility.fields.code == *code))
        .filter(|facility| after.as_ref().is_none_or(|after| facility.fields.code > *after));
    let data: Vec<Facility> = found.by_ref().take(limit).map(wire).collect();
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
    allowed: Allowed<EditFacilities>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    params.only(&[])?;
    let body = bodies::json(&headers, body, &[Format::Json]).await?;
    let organization = allowed.also::<ReadOrganization>()?;
    let (reads, edits) = (allowed.also::<ReadFacilities>()?, allowed.grant);
    let db = &allowed.tenant.parts().db;
    let now = app.clock().now();
    let blank = blank(FacilityId::new(now, app.entropy()));
    let settings = db.read(move |rd| organization_now(rd, &organization)).await?;
    let time_zone = settings.map(|now| now.settings.time_zone).unwrap_or_default();
    let wanted = parse(body, None, FacilityFields { time_zone, ..blank })?;
    let code = wanted.code.clone();
    let saved = db
        .write(move |tx| {
            // The same facility sent again is no conflict: nothing is added.
            if let Some(there) = facility_by_code(tx, &reads, &wanted.code)? {
                let same = FacilityFields { id: there.fields.id, ..wanted };
                return Ok((there.fields == same).then_some((there, StatusCode::OK)));
            }
            Ok(match facility_put(tx, &edits, &wanted, now)? {
                Saving::Saved(facility) => Some((facility, StatusCode::CREATED)),
                Saving::Unchanged(facility) => Some((facility, StatusCode::OK)),
                Saving::CodeTaken => None,
            })
        })
        .await?;
    let (facility, status) = saved.ok_or_else(|| taken(&code))?;
    let facility = wire(facility);
    let path = format!("{}/{}", allowed.tenant.path(ALL), facility.id);
    Ok(Reply::with(status, &facility)?.version(facility.version).location(&path))
}

async fn read(
    allowed: Allowed<ReadFacilities>,
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
        .read(move |rd| match FacilityId::parse(&id) {
            Ok(id) => facility_by_id(rd, &grant, id),
            Err(_) => facility_by_code(rd, &grant, &id),
        })
        .await?;
    let facility = wire(found.ok_or_else(nothing_here)?);
    if is_known(&headers, facility.version) {
        return Ok(not_modified(facility.version));
    }
    Ok(Reply::ok(&facility)?.version(facility.version))
}

async fn change(
    State(app): State<App>,
    allowed: Allowed<EditFacilities>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let body = bodies::json(&headers, body, &[Format::MergePatch]).await?;
    let id = FacilityId::parse(&id).map_err(|_| nothing_here())?;
    let (reads, edits) = (allowed.also::<ReadFacilities>()?, allowed.grant);
    let db = &allowed.tenant.parts().db;
    let now = app.clock().now();
    let before =
        db.read(move |rd| facility_by_id(rd, &reads, id)).await?.ok_or_else(nothing_here)?;
    must_match(&headers, before.version)?;
    let wanted = parse(body, Some(&before.fields), before.fields.clone())?;
    let (code, version) = (wanted.code.clone(), before.version);
    let saved = db
        .write(move |tx| {
            let current = facility_by_id(tx, &reads, id)?;
            if current.is_none_or(|current| current.version != version) {
                return Ok(None);
            }
            facility_put(tx, &edits, &wanted, now).map(Some)
        })
        .await?;
    match saved.ok_or_else(changed_meanwhile)? {
        Saving::CodeTaken => Err(taken(&code).into()),
        Saving::Saved(facility) | Saving::Unchanged(facility) => {
            let facility = wire(facility);
            Ok(Reply::ok(&facility)?.version(facility.version))
        }
    }
}

fn taken(code: &str) -> Problem {
    Problem::conflict(format!(
        "Another facility has the code {} and says something else. Change that one, or choose another code.",
        shown(code)
    ))
}

fn blank(id: FacilityId) -> FacilityFields {
    FacilityFields {
        id,
        code: String::new(),
        name: String::new(),
        country: String::new(),
        region: String::new(),
        time_zone: String::new(),
        grid: String::new(),
        opened: None,
        closed: None,
    }
}

/// The fields of a body over those before; of a new facility, code, name and country are due.
fn parse(
    body: Value,
    before: Option<&FacilityFields>,
    mut fields: FacilityFields,
) -> Result<FacilityFields, Problem> {
    let mut sent = Fields::of(body, NewFacility::FIELDS)?;
    let is_due = |sent: &Fields, name| before.is_none() || sent.has(name);
    if is_due(&sent, "code") {
        fields.code = sent.code("code", Need::Required);
    }
    if is_due(&sent, "name") {
        fields.name = sent.text("name", Need::Required);
    }
    if is_due(&sent, "country") {
        fields.country = sent.country("country", Need::Required);
    }
    if sent.has("time_zone") && !(before.is_none() && sent.is_null("time_zone")) {
        fields.time_zone = sent.zone("time_zone", Need::Required);
    }
    if sent.has("grid") {
        fields.grid = sent.text("grid", Need::Optional);
    }
    if sent.has("region") {
        fields.region = sent.text("region", Need::Optional);
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

/// The facility as the wire shows it.
#[must_use]
pub fn wire(facility: store::Facility) -> Facility {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let fields = facility.fields;
    Facility {
        id: fields.id,
        code: fields.code,
        name: fields.name,
        country: fields.country,
        region: some(fields.region),
        time_zone: fields.time_zone,
        grid: some(fields.grid),
        opened: fields.opened,
        closed: fields.closed,
        version: facility.version,
    }
}
