//! The page of facilities: where things happen, with the sources of each, and the form that adds or
//! changes one.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse as _;
use envora_api::media;
use envora_api::organizations::Organization;
use envora_api::problems::Problem;
use envora_domain::access::actions::{EditFacilities, ReadEntities, ReadFacilities, ReadSources};
use envora_domain::time::Day;
use envora_store::entities::{Entity, EntityFields};
use envora_store::facilities::{Facility, FacilityFields};
use envora_store::nouns::nouns_all;
use envora_store::sources::{Source, SourceFields};
use serde_json::{Map, Value};

use super::shell::Shell;
use super::visits::{Shown, SignedIn, form as form_of, organization_of, own_form, to};
use super::{show, words};
use crate::access::{Visitor, nothing_here};
use crate::app::App;
use crate::endpoints::collection;
use crate::params::{Params, encoded};
use crate::refusals::Refusal;

/// How many facilities a page shows.
const LISTED: usize = 40;
/// How many sources of a facility are listed; the others are found by their rows.
const SOURCES_MAX: usize = 50;
/// The fields of the form, with what they are called and what to write there.
const FIELDS: [(&str, &str, &str); 9] = [
    ("code", "Code", "Your own word for it, as files name it: b24."),
    ("name", "Name", "As people call it."),
    ("country", "Country", "Two letters of ISO 3166: GB."),
    ("region", "Region", "ISO 3166-2, where factors are told apart by it: US-CA."),
    ("time_zone", "Time zone", "As Europe/London; the organization’s when empty."),
    ("grid", "Electricity grid", "Where it is not the country’s one."),
    ("entity", "Legal entity", "The code of the company whose it is, where there are several."),
    ("opened", "Opened", "First day of its life: 2022-01-01."),
    ("closed", "Closed", "First day after its life."),
];

struct Field {
    name: &'static str,
    label: &'static str,
    about: &'static str,
    value: String,
    required: bool,
    fault: String,
}

struct Meter {
    code: String,
    about: String,
    href: String,
}

struct Row {
    name: String,
    about: String,
    figures: String,
    rows: String,
    change: String,
    count: String,
    sources: Vec<Meter>,
    more: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "facilities.html")]
pub(super) struct FacilitiesPage {
    shell: Shell,
    q: String,
    range: String,
    rows: Vec<Row>,
    more: Option<String>,
    unplaced: Vec<Meter>,
    changing: Option<String>,
    saved: bool,
    trouble: Option<String>,
    version: String,
    fields: Vec<Field>,
}

/// What the page is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    pub(super) organization: &'a Organization,
    pub(super) facilities: &'a [Facility],
    pub(super) sources: &'a [Source],
    pub(super) entities: &'a [Entity],
    /// The address's parameters: `q`, `after`, `change`, `saved`.
    pub(super) asked: &'a Params,
    /// A form that was not taken, and why.
    pub(super) refused: Option<(&'a Params, &'a Problem)>,
}

/// Lays the page out.
pub(super) fn page(sheet: Sheet<'_>) -> FacilitiesPage {
    let said = |name: &str| sheet.asked.many(name).next().unwrap_or_default().trim().to_owned();
    let (q, after) = (said("q"), said("after"));
    let words: Vec<String> = q.split_whitespace().map(str::to_lowercase).collect();
    let has_all = |facility: &&Facility| {
        let fields = &facility.fields;
        let mut text = format!("{} {} {}", fields.code, fields.name, fields.country);
        for source in sheet.sources.iter().filter(|one| one.fields.facility == Some(fields.id)) {
            text.push_str(&format!(" {} {}", source.fields.code, source.fields.name));
        }
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word.as_str()))
    };
    let found: Vec<&Facility> =
        sheet.facilities.iter().filter(|one| words.is_empty() || has_all(one)).collect();
    let all = found.len();
    let mut left = found.into_iter().filter(|one| after.is_empty() || one.fields.code > after);
    let shown: Vec<&Facility> = left.by_ref().take(LISTED).collect();
    let last = left.next().and(shown.last());
    let more = last
        .map(|last| format!("/facilities?q={}&after={}", encoded(&q), encoded(&last.fields.code)));
    let code = said("change");
    let changing = sheet.facilities.iter().find(|one| one.fields.code == code);
    let version = sheet.refused.and_then(|(sent, _)| sent.many("version").next());
    let unplaced = sheet.sources.iter().filter(|one| one.fields.facility.is_none());
    FacilitiesPage {
        shell: Shell::of("Facilities", sheet.organization),
        range: match (all, words.is_empty()) {
            (0, _) => String::new(),
            (some, true) => words::count(some as u64, "facility", "facilities"),
            (some, false) => format!("{some} of {}", sheet.facilities.len()),
        },
        rows: shown.into_iter().map(|one| row(one, sheet.sources)).collect(),
        more,
        unplaced: unplaced.take(SOURCES_MAX).map(meter).collect(),
        saved: !said("saved").is_empty(),
        trouble: sheet.refused.map(|(_, problem)| match problem.errors.as_slice() {
            [] => words::prose(&problem.detail),
            _ => "Not saved: mend what is marked below, and save again.".to_owned(),
        }),
        version: version
            .map(str::to_owned)
            .or_else(|| changing.map(|one| one.version.to_string()))
            .unwrap_or_default(),
        fields: fields((changing, sheet.entities), sheet.refused),
        changing: changing.map(|one| one.fields.name.clone()),
        q,
    }
}

fn row(facility: &Facility, sources: &[Source]) -> Row {
    let fields = &facility.fields;
    let own: Vec<&Source> =
        sources.iter().filter(|one| one.fields.facility == Some(fields.id)).collect();
    let life = |word: &str, day: Option<Day>| day.map(|day| format!("{word} {}", words::day(day)));
    let about = [
        Some(fields.code.clone()),
        Some(fields.country.clone()),
        Some(fields.region.clone()).filter(|region| !region.is_empty()),
        life("opened", fields.opened),
        life("closed", fields.closed),
    ];
    let left = own.len().saturating_sub(SOURCES_MAX);
    Row {
        name: fields.name.clone(),
        about: about.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        figures: format!("/?facility={}", fields.id),
        rows: format!("/activities?facility_id={}", fields.id),
        change: format!("/facilities?change={}#form", encoded(&fields.code)),
        count: match own.len() {
            0 => "no source".to_owned(),
            some => words::count(some as u64, "source", "sources"),
        },
        sources: own.into_iter().take(SOURCES_MAX).map(meter).collect(),
        more: (left > 0).then(|| format!("and {left} more")),
    }
}

fn meter(source: &Source) -> Meter {
    let fields = &source.fields;
    let named = (fields.name != fields.code).then(|| format!("{}, ", fields.name));
    Meter {
        code: fields.code.clone(),
        about: format!("{}{}", named.unwrap_or_default(), words::kind(&fields.kind)),
        href: format!("/activities?source_id={}", fields.id),
    }
}

/// The code of a facility's entity.
fn entity_code(facility: &FacilityFields, entities: &[Entity]) -> String {
    let own = entities.iter().find(|entity| Some(entity.fields.id) == facility.entity);
    own.map(|entity| entity.fields.code.clone()).unwrap_or_default()
}

fn fields(
    (changing, entities): (Option<&Facility>, &[Entity]),
    refused: Option<(&Params, &Problem)>,
) -> Vec<Field> {
    let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    let now = |name: &str| {
        let Some(Facility { fields, .. }) = changing else { return String::new() };
        match name {
            "code" => fields.code.clone(),
            "name" => fields.name.clone(),
            "country" => fields.country.clone(),
            "region" => fields.region.clone(),
            "time_zone" => fields.time_zone.clone(),
            "grid" => fields.grid.clone(),
            "entity" => entity_code(fields, entities),
            "opened" => day(fields.opened),
            _ => day(fields.closed),
        }
    };
    let fault = |name: &str| {
        let errors = refused.map_or(&[][..], |(_, problem)| &problem.errors);
        let own = |at: &Option<String>| at.as_deref() == Some(format!("#/{name}").as_str());
        let error = errors.iter().find(|error| own(&error.pointer));
        error.map(|error| {
            let hint = error.hint.as_deref().map(words::prose).unwrap_or_default();
            format!("{} {hint}", words::prose(&error.detail))
        })
    };
    let field = |(name, label, about): (&'static str, &'static str, &'static str)| Field {
        name,
        label,
        about,
        value: match refused {
            Some((sent, _)) => sent.many(name).next().unwrap_or_default().to_owned(),
            None => now(name),
        },
        required: matches!(name, "code" | "name" | "country"),
        fault: fault(name).unwrap_or_default(),
    };
    FIELDS.map(field).into()
}

async fn shown(
    visitor: &Visitor,
    asked: &Params,
    refused: Option<(&Params, &Problem)>,
) -> Result<FacilitiesPage, Refusal> {
    let organization = organization_of(visitor).await?;
    let grants = (visitor.grant::<ReadFacilities>()?, visitor.grant::<ReadSources>()?);
    let entities = visitor.grant::<ReadEntities>()?;
    let read = visitor.tenant.parts().db.read(move |rd| {
        let facilities = nouns_all::<FacilityFields>(rd, &grants.0)?;
        let sources = nouns_all::<SourceFields>(rd, &grants.1)?;
        Ok((facilities, sources, nouns_all::<EntityFields>(rd, &entities)?))
    });
    let (mut facilities, mut sources, entities) = read.await?;
    facilities.retain(|one| one.archived.is_none());
    sources.retain(|one| one.archived.is_none());
    facilities.sort_by(|one, other| one.fields.code.cmp(&other.fields.code));
    let change = asked.many("change").next().unwrap_or_default();
    if !change.is_empty() && !facilities.iter().any(|one| one.fields.code == change) {
        return Err(nothing_here().into());
    }
    Ok(page(Sheet {
        organization: &organization,
        facilities: &facilities,
        sources: &sources,
        entities: &entities,
        asked,
        refused,
    }))
}

/// `GET /facilities`: the list, and the form.
pub(super) async fn list(SignedIn(visitor): SignedIn, params: Params) -> Shown {
    params.only(&["q", "after", "change", "saved"])?;
    Ok(show(&shown(&visitor, &params, None).await?))
}

/// `POST /facilities`: puts one under its code; with a version, in the place of what stands there.
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
    sent.only(&[&FIELDS.map(|(name, ..)| name)[..], &["version"]].concat())?;
    let allowed = visitor.allowed::<EditFacilities>()?;
    let (headers, body) = wanted(&sent)?;
    let code = sent.one("code")?.unwrap_or_default().trim().to_owned();
    let none = Params::of_pairs([]);
    let path = Path((String::new(), code));
    let put =
        collection::put::<FacilityFields>(State(app), allowed, path, (none, headers), body.into());
    match put.await {
        Ok(_) => Ok(to("/facilities?saved=1")),
        Err(Refusal(problem)) if problem.status < 500 => {
            let page = shown(&visitor, &Params::of_pairs([]), Some((&sent, &problem))).await?;
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
            Ok((status, show(&page)).into_response())
        }
        Err(refusal) => Err(refusal),
    }
}

/// The form as the interface takes it.
fn wanted(sent: &Params) -> Result<(HeaderMap, String), Problem> {
    let mut fields = Map::new();
    for (name, ..) in FIELDS {
        let text = sent.one(name)?.unwrap_or_default().trim();
        if !text.is_empty() {
            fields.insert(name.to_owned(), text.into());
        }
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media::JSON));
    match sent.integer("version") {
        Ok(Some(version)) => {
            if let Ok(version) = HeaderValue::from_str(&format!("\"v{version}\"")) {
                headers.insert(IF_MATCH, version);
            }
        }
        _ => {
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        }
    }
    Ok((headers, Value::Object(fields).to_string()))
}
