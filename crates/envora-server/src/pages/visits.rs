//! From an address to a page: who visits, what they may see, what they ask, what is shown.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use envora_api::activities::HistoryStep;
use envora_api::imports::Import;
use envora_api::listing::Page;
use envora_api::organizations::Organization;
use envora_api::problems::Problem;
use envora_domain::access::actions::{
    ReadActivities, ReadFacilities, ReadOrganization, ReadResults,
};
use envora_identity::secrets::Secret;
use envora_identity::sign_in as identity;
use envora_ingest::footprint::GroupBy;
use envora_store::facilities::FacilityFields;
use envora_store::nouns::nouns_all;
use envora_store::organization::organization_now;
use envora_store::rollups::rollup_years;
use envora_store::runs::run_current;

use super::checklist::Standing;
use super::{activity, footprint, questions, show, sign_in, trace};
use crate::access::{COOKIE_NAME, SEEN_COOKIE, Visitor, nothing_here};
use crate::app::App;
use crate::endpoints::{activities, imports, organization};
use crate::params::Params;
use crate::refusals::Refusal;

/// A page, or why there is none.
pub(super) type Shown = Result<Response, Refusal>;

/// No form of ours is longer.
const FORM_BYTES_MAX: usize = 8 * 1024;

/// A visitor who has signed in. Anybody else is sent to the page that does it.
pub(super) struct SignedIn(pub(super) Visitor);

impl FromRequestParts<App> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, app).await;
        let visitor = visitor.map_err(IntoResponse::into_response)?;
        if visitor.actor.is_some() { Ok(Self(visitor)) } else { Err(to("/sign-in")) }
    }
}

/// `GET /`: the footprint of a year; a code in the address signs in first.
pub(super) async fn home(State(app): State<App>, visitor: Visitor, params: Params) -> Shown {
    if let Some(code) = params.one("code")? {
        return by_code(&app, &visitor, code).await;
    }
    if visitor.actor.is_none() {
        return Ok(to("/sign-in"));
    }
    params.only(&["year", "facility", "by"])?;
    let asked = asked(&app, &visitor, &params).await?;
    let organization = organization_of(&visitor).await?;
    let names = names(&visitor).await?;
    if asked.facility.as_ref().is_some_and(|id| !names.contains_key(id)) {
        return Err(nothing_here().into());
    }
    let by = asked.by.or(Some(GroupBy::Facility));
    let ways = [None, Some(GroupBy::Month), Some(GroupBy::Type), Some(GroupBy::Category), by];
    let [year, months, types, categories, groups] =
        &questions::footprints(&app, &visitor, &asked, ways).await?;
    let newest = Params::of_pairs([("limit", "1")]);
    let allowed = visitor.allowed::<ReadActivities>()?;
    let imports: Page<Import> = imports::list(State(app), allowed, newest).await?.read()?;
    let facility = a_facility(&visitor).await?;
    let standing = Standing {
        host: &visitor.host,
        organization: &organization.slug,
        facilities: names.len(),
        facility: facility.as_deref(),
        import: imports.data.first(),
        year,
        has_traced: has_seen(&visitor, "trace"),
        has_proven: has_seen(&visitor, "proof"),
    };
    Ok(show(&footprint::page(footprint::Sheet {
        organization: &organization,
        standing: &standing,
        year,
        months,
        types,
        categories,
        groups,
        names: &names,
        asked: &asked,
    })))
}

/// `GET /figures/{id}`: the trace of a figure.
pub(super) async fn figure(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    Path(id): Path<String>,
    params: Params,
) -> Shown {
    params.only(&["cursor", "line"])?;
    let line = params.integer("line")?.and_then(|line| usize::try_from(line).ok());
    let asked =
        trace::Asked { cursor: params.one("cursor")?.map(str::to_owned), line: line.unwrap_or(1) };
    let organization = organization_of(&visitor).await?;
    let trace = questions::trace(&app, &visitor, &id, asked.cursor.as_deref()).await?;
    let names = names(&visitor).await?;
    let sheet = trace::Sheet {
        organization: &organization,
        host: &visitor.host,
        trace: &trace,
        names: &names,
        asked: &asked,
    };
    Ok(remember(&visitor, "trace", show(&trace::page(sheet))))
}

/// `GET /activities/{id}`: one activity, what became of it, and its lines.
pub(super) async fn activity(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    Path(id): Path<String>,
    params: Params,
) -> Shown {
    params.only(&["line"])?;
    let line = params.integer("line")?.and_then(|line| usize::try_from(line).ok());
    activity_page(&app, &visitor, (&id, line.unwrap_or(1)), None).await
}

/// The page of an activity; with the problem of a correction that was not taken in.
pub(super) async fn activity_page(
    app: &App,
    visitor: &Visitor,
    (id, line): (&str, usize),
    refused: Option<(&Problem, &Params)>,
) -> Shown {
    let organization = organization_of(visitor).await?;
    let (activity, trace) = questions::activity(app, visitor, id).await?;
    let path = Path((String::new(), id.to_owned()));
    let allowed = visitor.allowed::<ReadActivities>()?;
    let none = Params::of_pairs([]);
    let history = activities::history(State(app.clone()), allowed, path, none).await?;
    let history: Page<HistoryStep> = history.read()?;
    let remedy = trace.as_ref().and_then(|trace| trace.unresolved.as_ref());
    let page = show(&activity::page(activity::Sheet {
        organization: &organization,
        host: &visitor.host,
        activity: &activity,
        remedy: remedy.map(|(_, remedy)| remedy.as_str()),
        nothing: trace.as_ref().and_then(|trace| trace.nothing.as_deref()),
        history: &history.data,
        lines: trace.as_ref().map_or(&[], |trace| trace.lines.as_slice()),
        line,
        refused,
    }));
    let status = refused.and_then(|(problem, _)| StatusCode::from_u16(problem.status).ok());
    Ok((status.unwrap_or(StatusCode::OK), page).into_response())
}

/// `GET /sign-in`: asks for the token; a code in the address signs in at once.
pub(super) async fn sign_in_form(
    State(app): State<App>,
    visitor: Visitor,
    params: Params,
) -> Shown {
    params.only(&["code"])?;
    match params.one("code")? {
        Some(code) => by_code(&app, &visitor, code).await,
        None if visitor.actor.is_some() => Ok(to("/")),
        None => Ok(show(&sign_in::page(&host(&visitor), None))),
    }
}

/// `POST /sign-in`: from a pasted token to a session.
pub(super) async fn sign_in_sent(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    own_form(&headers)?;
    let fields = form(body).await?;
    let token = fields.one("token")?.map_or("", str::trim);
    let db = &visitor.tenant.parts().db;
    let now = app.clock().now();
    match identity::by_token(db, token, now).await? {
        Some(actor) => Ok(welcome(&identity::session_start(db, actor, now, app.entropy()).await?)),
        None => {
            app.metrics().sign_in_refused();
            let page = show(&sign_in::page(&host(&visitor), Some(sign_in::Again::Token)));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// `POST /sign-out`: ends the session.
pub(super) async fn sign_out(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Shown {
    own_form(&headers)?;
    if let Some(cookie) = &visitor.cookie {
        identity::session_stop(&visitor.tenant.parts().db, cookie, app.clock().now()).await?;
        visitor.tenant.import_changed();
    }
    let gone = format!("{COOKIE_NAME}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    Ok(with_cookie(to("/sign-in"), &gone))
}

async fn by_code(app: &App, visitor: &Visitor, code: &str) -> Shown {
    let db = &visitor.tenant.parts().db;
    match identity::session_by_code(db, code, app.clock().now(), app.entropy()).await? {
        Some(session) => Ok(welcome(&session)),
        // The address may have been opened twice: whoever is in, stays in.
        None if visitor.actor.is_some() => Ok(to("/")),
        None => {
            app.metrics().sign_in_refused();
            let page = show(&sign_in::page(&host(visitor), Some(sign_in::Again::Code)));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

fn welcome(session: &Secret) -> Response {
    let seconds = identity::SESSION_LIFETIME.as_micros() / 1_000_000;
    let value = session.reveal();
    let cookie =
        format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    with_cookie(to("/"), &cookie)
}

/// Whether this browser has looked at that before.
pub(super) fn has_seen(visitor: &Visitor, what: &str) -> bool {
    visitor.seen.split('.').any(|seen| seen == what)
}

/// The page, and a note in the browser that it was looked at.
pub(super) fn remember(visitor: &Visitor, what: &str, page: Response) -> Response {
    if has_seen(visitor, what) {
        return page;
    }
    let known = ["trace", "proof"].into_iter().filter(|one| *one == what || has_seen(visitor, one));
    let all = known.collect::<Vec<_>>().join(".");
    with_cookie(
        page,
        &format!("{SEEN_COOKIE}={all}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"),
    )
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
}

pub(super) fn to(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response()
}

fn host(visitor: &Visitor) -> String {
    let about = visitor.tenant.about();
    format!("{} · {}", about.slug, about.environment)
}

/// Refuses a form that another site sends in the visitor's name.
///
/// Browsers say where a request was made; only where one does not is the origin compared. (Under our
/// referrer policy a browser sends the origin of its own forms as `null`.)
pub(super) fn own_form(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = match text(HeaderName::from_static("sec-fetch-site")) {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => text(ORIGIN).is_none_or(|origin| {
            origin.split_once("://").map(|(_, authority)| authority) == text(HOST)
        }),
    };
    if is_own {
        return Ok(());
    }
    Err(Problem::forbidden("Forms are taken from these pages only."))
}

pub(super) async fn form(body: Body) -> Result<Params, Problem> {
    form_up_to(FORM_BYTES_MAX, body).await
}

/// A form with a text of some length in it. Of no more bytes than an address may have.
pub(super) async fn form_up_to(bytes_max: usize, body: Body) -> Result<Params, Problem> {
    let bytes = axum::body::to_bytes(body, bytes_max)
        .await
        .map_err(|_| Problem::payload_too_large("The form is longer than any of ours."))?;
    let uri = format!("/?{}", String::from_utf8_lossy(&bytes));
    let uri = uri.parse().map_err(|_| Problem::malformed_body("The form cannot be read."))?;
    Params::of(&uri)
}

pub(super) async fn organization_of(visitor: &Visitor) -> Result<Organization, Refusal> {
    let grant = visitor.grant::<ReadOrganization>()?;
    let found = visitor.tenant.parts().db.read(move |rd| organization_now(rd, &grant)).await?;
    Ok(organization::wire(found.ok_or_else(nothing_here)?))
}

pub(super) async fn names(visitor: &Visitor) -> Result<BTreeMap<String, String>, Refusal> {
    let grant = visitor.grant::<ReadFacilities>()?;
    let all =
        visitor.tenant.parts().db.read(move |rd| nouns_all::<FacilityFields>(rd, &grant)).await?;
    let name = |fields: FacilityFields| {
        let name = if fields.name.is_empty() { fields.code } else { fields.name };
        (fields.id.to_string(), name)
    };
    Ok(all.into_iter().map(|facility| name(facility.fields)).collect())
}

/// The code of a facility, such as the first steps name one.
async fn a_facility(visitor: &Visitor) -> Result<Option<String>, Refusal> {
    let grant = visitor.grant::<ReadFacilities>()?;
    let all =
        visitor.tenant.parts().db.read(move |rd| nouns_all::<FacilityFields>(rd, &grant)).await?;
    Ok(all.into_iter().map(|facility| facility.fields.code).next())
}

/// How many years are offered up to the one that is shown, and after it.
const YEARS_OFFERED: usize = 10;

/// The years that hold something, and the one that is asked for: unless the address says, the latest
/// that has begun. A day that was mistyped as one of years to come does not hide what there is.
pub(super) async fn asked(
    app: &App,
    visitor: &Visitor,
    params: &Params,
) -> Result<footprint::Asked, Refusal> {
    let grant = visitor.grant::<ReadResults>()?;
    let years = visitor.tenant.parts().db.read(move |rd| {
        let Some(run) = run_current(rd, &grant)? else { return Ok(Vec::new()) };
        rollup_years(rd, &grant, run.id)
    });
    let (mut years, this_year) = (years.await?, app.clock().now().utc_day().ymd().0);
    let year = params.read("year", "a year from 1900 to 2199, such as 2022", |text| {
        text.parse::<i16>().ok().filter(|year| (1900..=2199).contains(year))
    })?;
    let begun = years.iter().rfind(|year| **year <= this_year);
    let year = year.or(begun.or(years.first()).copied()).unwrap_or(this_year);
    let later = years.last().copied().filter(|last| *last > this_year && year <= this_year);
    if !years.contains(&year) {
        years.push(year);
        years.sort_unstable();
    }
    let at = years.partition_point(|one| *one <= year);
    years.truncate(at + YEARS_OFFERED);
    years.drain(..at.saturating_sub(YEARS_OFFERED));
    let by = params.read("by", &GroupBy::ALL.map(GroupBy::as_str).join(", "), GroupBy::parse)?;
    let facility = params.one("facility")?.map(str::to_owned);
    Ok(footprint::Asked { year, years, later, facility, by })
}
