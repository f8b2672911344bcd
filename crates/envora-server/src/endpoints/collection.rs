//! A collection of nouns that the organization defines by a code of its own: listed, added, read,
//! changed and put in one way, whatever the noun is. A noun's own file says what its fields are.

use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use envora_api::listing::Page;
use envora_api::problems::Problem;
use envora_domain::access::Grant;
use envora_domain::access::actions::{Calculate, ReadEntities, ReadFacilities, ReadOrganization};
use envora_domain::id::Id;
use envora_domain::time::Timestamp;
use envora_store::mentions::{Slice, Word, mentions_of};
use envora_store::nouns::{
    Noun, Saving, Version, noun_by_code, noun_by_id, noun_put_as, noun_versions, nouns_all,
};
use envora_store::transaction::{TenantReader, TenantTx};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, is_known, must_match, must_match_once, not_modified, only_new};
use crate::app::App;
use crate::bodies;
use crate::cursors::{self, Place, Walk};
use crate::fields::{Fields, Need};
use crate::gate::Format;
use crate::idempotency::{self, Sent, Written, once};
use crate::listing::{Cut, as_of, expands};
use crate::openapi::Shape;
use crate::params::{Params, shown};
use crate::routes::{Parameter, Route};

/// The sentences of a collection's routes.
#[derive(Clone, Copy, Debug)]
pub struct Sentences {
    /// Of the list.
    pub list: &'static str,
    /// Of adding.
    pub add: &'static str,
    /// Of reading.
    pub read: &'static str,
    /// Of changing.
    pub change: &'static str,
    /// Of putting.
    pub put: &'static str,
    /// Of archiving.
    pub archive: &'static str,
}

/// A noun as the wire shows it.
pub trait Listed: Noun {
    /// What is read.
    type Wire: Serialize + ToSchema + Send;
    /// What is sent.
    type New: ToSchema;
    /// The path of the collection.
    const ALL: &'static str;
    /// The path of one, by `{id}`.
    const ONE: &'static str;
    /// The fields that may be sent.
    const FIELDS: &'static [&'static str];
    /// What the routes say.
    const SENTENCES: Sentences;
    /// Whether the facility that it names can be expanded.
    const HAS_FACILITY: bool = false;

    /// One of which nothing is said yet.
    ///
    /// # Errors
    /// The database's.
    fn blank(id: Id<Self::Kind>, look: &mut Look<'_>) -> anyhow::Result<Self>;

    /// The same with what was sent; of a new one, its required fields are due. Faults are noted in
    /// `sent`.
    ///
    /// # Errors
    /// The database's.
    fn merged(self, sent: &mut Fields, look: &mut Look<'_>) -> anyhow::Result<Self>;

    /// As the wire shows it.
    fn wire(version: Version<Self>) -> Self::Wire;
}

/// What the fields of a noun may be looked up in.
pub struct Look<'a> {
    /// The database, within the transaction of the change.
    pub rd: &'a mut TenantReader,
    /// Whether the noun is new, so that what it must say is due.
    pub is_new: bool,
    /// For the organization's settings.
    pub organization: Grant<ReadOrganization>,
    /// For the facilities.
    pub facilities: Grant<ReadFacilities>,
    /// For the entities.
    pub entities: Grant<ReadEntities>,
}

const LISTS: &[Parameter] = &[
    ("limit", "How many, 1 to 1000; 100 when absent."),
    ("cursor", "The page to continue from."),
    ("code", "Only those of these codes; may be repeated."),
    ("state", "`archived`: only those that are archived; `any`: these too; `active` when absent."),
    ("fields", "Only these fields of each, separated by commas."),
    ("include", "`total`: say how many there are in all."),
    ("as_of", "An instant: as they were known then."),
];
const LISTS_EXPANDING: &[Parameter] = &[
    ("limit", "How many, 1 to 1000; 100 when absent."),
    ("cursor", "The page to continue from."),
    ("code", "Only those of these codes; may be repeated."),
    ("state", "`archived`: only those that are archived; `any`: these too; `active` when absent."),
    ("fields", "Only these fields of each, separated by commas."),
    ("include", "`total`: say how many there are in all."),
    ("as_of", "An instant: as they were known then."),
    ("expand", "`facility`: show the facility of each as an object."),
];
const CHANGES: &[Parameter] = &[(
    "rows",
    "`wait`: change the code although rows name it; they wait for one of the old code, and count no more.",
)];
const READS: &[Parameter] = &[("fields", "Only these fields, separated by commas.")];

/// The routes of a collection.
#[must_use]
pub fn routes<N: Listed>() -> Vec<Route> {
    let lists = if N::HAS_FACILITY { LISTS_EXPANDING } else { LISTS };
    vec![
        Route::get::<N::Read, _, _>(N::ALL, list::<N>)
            .says(N::SENTENCES.list)
            .asks(lists)
            .gives(200, Shape::page::<N::Wire>()),
        Route::post::<N::Edit, _, _>(N::ALL, add::<N>)
            .says(N::SENTENCES.add)
            .takes(&[Format::Json], Shape::one::<N::New>())
            .gives(201, Shape::one::<N::Wire>())
            .also(&[(200, "It was there already and says the same.")]),
        Route::get::<N::Read, _, _>(N::ONE, read::<N>)
            .says(N::SENTENCES.read)
            .asks(READS)
            .gives(200, Shape::one::<N::Wire>())
            .also(&[(304, "Not changed since the version in If-None-Match.")]),
        Route::patch::<N::Edit, _, _>(N::ONE, change::<N>)
            .says(N::SENTENCES.change)
            .asks(CHANGES)
            .takes(&[Format::MergePatch], Shape::one::<N::New>())
            .gives(200, Shape::one::<N::Wire>()),
        Route::put::<N::Edit, _, _>(N::ONE, put::<N>)
            .says(N::SENTENCES.put)
            .takes(&[Format::Json], Shape::one::<N::New>())
            .gives(200, Shape::one::<N::Wire>())
            .also(&[(201, "There was none of this code; it was added.")]),
        Route::delete::<N::Edit, _, _>(N::ONE, archive::<N>)
            .says(N::SENTENCES.archive)
            .gives(200, Shape::one::<N::Wire>()),
    ]
}

async fn list<N: Listed>(
    State(app): State<App>,
    allowed: Allowed<N::Read>,
    params: Params,
) -> Answer {
    let lists = if N::HAS_FACILITY { LISTS_EXPANDING } else { LISTS };
    let known: Vec<&str> = lists.iter().map(|(name, _)| *name).collect();
    params.only(&known)?;
    let (parts, grant, now) = (allowed.tenant.parts(), allowed.grant, app.clock().now());
    let walk = Walk { route: N::ALL, params: &params };
    let place = cursors::decode(&parts.keys, walk, now)?;
    let (limit, cut, then) = (params.limit()?, Cut::of::<N::Wire>(&params)?, as_of(&params)?);
    let expanding = N::HAS_FACILITY && expands(&params, "facility")?;
    let state = state(&params)?;
    let codes: Vec<String> = params.many("code").map(str::to_owned).collect();
    let facilities = allowed.also::<ReadFacilities>()?;
    let (all, places) = parts
        .db
        .read(move |rd| {
            let all = match then {
                None => nouns_all::<N>(rd, &grant)?,
                Some(then) => known_at(noun_versions::<N>(rd, &grant, u64::MAX)?, then),
            };
            Ok((all, expanding.then(|| super::facilities::by_id(rd, &facilities)).transpose()?))
        })
        .await?;
    let chosen: Vec<Version<N>> = all
        .into_iter()
        .filter(|one| state.is_none_or(|archived| one.archived.is_some() == archived))
        .filter(|one| codes.is_empty() || codes.iter().any(|code| code == one.fields.code()))
        .collect();
    let total = u64::try_from(chosen.len()).unwrap_or(u64::MAX);
    let after = place.map(|place| place.after);
    let mut found = chosen
        .into_iter()
        .filter(|one| after.as_ref().is_none_or(|after| one.fields.code() > after.as_str()));
    let mut last = String::new();
    let mut data = Vec::new();
    for one in found.by_ref().take(limit) {
        one.fields.code().clone_into(&mut last);
        let mut value = serde_json::to_value(N::wire(one)).map_err(anyhow::Error::from)?;
        if let Some(places) = &places {
            super::facilities::expand(&mut value, places);
        }
        data.push(value);
    }
    let next_cursor = found
        .next()
        .map(|_| cursors::encode(&parts.keys, walk, Place { after: last, seq: 0 }, now));
    let next = next_cursor
        .as_ref()
        .map(|cursor| cursors::next_path(&allowed.tenant.path(N::ALL), &params, cursor));
    Ok(cut.page(&Page { data, next_cursor }, Some(total))?.next(next.as_deref()))
}

/// Which of them a list tells: those that are archived, those that are not, or, by none, all.
///
/// # Errors
/// 400 for another word.
pub(super) fn state(params: &Params) -> Result<Option<bool>, Problem> {
    let state = params.read("state", "active, archived or any", |text| match text {
        "active" => Some(Some(false)),
        "archived" => Some(Some(true)),
        "any" => Some(None),
        _ => None,
    })?;
    Ok(state.unwrap_or(Some(false)))
}

/// The versions that held at an instant, by code.
fn known_at<N: Noun>(versions: Vec<Version<N>>, then: Timestamp) -> Vec<Version<N>> {
    let mut held: Vec<Version<N>> = Vec::new();
    for version in versions.into_iter().filter(|version| version.at <= then) {
        held.retain(|one| one.fields.id() != version.fields.id());
        held.push(version);
    }
    held.sort_by(|a, b| a.fields.code().cmp(b.fields.code()));
    held
}

async fn read<N: Listed>(
    allowed: Allowed<N::Read>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
    headers: HeaderMap,
) -> Answer {
    params.only(&["fields"])?;
    let (cut, grant) = (Cut::of::<N::Wire>(&params)?, allowed.grant);
    let found = allowed.tenant.parts().db.read(move |rd| named::<N>(rd, &grant, &id)).await?;
    let found = found.ok_or_else(nothing_here)?;
    let version = found.version;
    if is_known(&headers, version) {
        return Ok(not_modified(version));
    }
    Ok(cut.one(&N::wire(found))?.version(version))
}

/// The noun of this id or code.
fn named<N: Noun>(
    rd: &mut TenantReader,
    grant: &Grant<N::Read>,
    word: &str,
) -> anyhow::Result<Option<Version<N>>> {
    match Id::<N::Kind>::parse(word) {
        Ok(id) => noun_by_id(rd, grant, id),
        Err(_) => noun_by_code(rd, grant, word),
    }
}

/// The noun that a field of another names, by id or code.
///
/// # Errors
/// The database's.
pub(super) fn named_in<N: Noun>(
    sent: &mut Fields,
    (rd, grant): (&mut TenantReader, &Grant<N::Read>),
) -> anyhow::Result<Option<Id<N::Kind>>> {
    let word = sent.text(N::NAME, Need::Optional);
    if word.is_empty() {
        return Ok(None);
    }
    let found = named::<N>(rd, grant, &word)?;
    if found.is_none() {
        let (noun, code) = (N::NAME, format!("unknown_{}", N::NAME));
        let detail = format!("no {noun} has the code {}", shown(&word));
        sent.fault_with((&code, noun), &detail, &format!("Add the {noun} first."));
    }
    Ok(found.map(|found| found.fields.id()))
}

/// The grants that a change needs.
struct Grants<N: Noun> {
    reads: Grant<N::Read>,
    edits: Grant<N::Edit>,
    organization: Grant<ReadOrganization>,
    facilities: Grant<ReadFacilities>,
    entities: Grant<ReadEntities>,
}

impl<N: Noun> Grants<N> {
    fn of(allowed: &Allowed<N::Edit>) -> Result<Self, Problem> {
        Ok(Self {
            reads: allowed.also::<N::Read>()?,
            edits: allowed.grant,
            organization: allowed.also::<ReadOrganization>()?,
            facilities: allowed.also::<ReadFacilities>()?,
            entities: allowed.also::<ReadEntities>()?,
        })
    }

    fn look<'a>(&self, (rd, is_new): (&'a mut TenantReader, bool)) -> Look<'a> {
        let (facilities, entities) = (self.facilities, self.entities);
        Look { rd, is_new, organization: self.organization, facilities, entities }
    }
}

/// A change under way: within its transaction, what it comes to or why it is refused.
type Outcome = anyhow::Result<Result<Written, Problem>>;

async fn add<N: Listed>(
    State(app): State<App>,
    allowed: Allowed<N::Edit>,
    OriginalUri(uri): OriginalUri,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Answer {
    params.only(&[])?;
    let (bytes, body) = bodies::json_with_bytes(&headers, body, &[Format::Json]).await?;
    let (parts, now) = (allowed.tenant.parts(), app.clock().now());
    let sent = Sent {
        actor: &allowed.actor,
        uri: &uri,
        params: &params,
        headers: &headers,
        body: *blake3::hash(&bytes).as_bytes(),
    };
    let marked = idempotency::marked(parts, &sent)?;
    let sent = Fields::of(body, N::FIELDS)?;
    let (grants, id) = (Grants::<N>::of(&allowed)?, Id::new(now, app.entropy()));
    let work = move |tx: &mut TenantTx| -> Outcome {
        let wanted = match filled::<N>(tx, &grants, None, (id, sent))? {
            Ok(wanted) => wanted,
            Err(problem) => return Ok(Err(problem)),
        };
        // The same one sent again is no conflict: nothing is added.
        if let Some(there) = noun_by_code::<N>(tx, &grants.reads, wanted.code())? {
            let same = there.fields.words() == wanted.words();
            let there_is_archived = there.archived;
            let there = || Written::of(StatusCode::OK, &N::wire(there));
            let archived = there_is_archived;
            return Ok(if same { Ok(there()?) } else { Err(taken::<N>(wanted.code(), archived)) });
        }
        saved(tx, &grants, (&wanted, None), (StatusCode::CREATED, now))
    };
    answer::<N>(&allowed, once(parts, allowed.grant, (marked, now), work).await?)
}

/// The fields of a body over those before, or over a blank one.
fn filled<N: Listed>(
    tx: &mut TenantTx,
    grants: &Grants<N>,
    before: Option<N>,
    (id, mut sent): (Id<N::Kind>, Fields),
) -> anyhow::Result<Result<N, Problem>> {
    let is_new = before.is_none();
    let mut look = grants.look((tx, is_new));
    let start = before.map_or_else(|| N::blank(id, &mut look), Ok)?;
    let wanted = start.merged(&mut sent, &mut look)?;
    Ok(sent.finish().map(|()| wanted))
}

fn saved<N: Listed>(
    tx: &mut TenantTx,
    grants: &Grants<N>,
    (wanted, archived): (&N, Option<Timestamp>),
    (status, now): (StatusCode, Timestamp),
) -> Outcome {
    Ok(match noun_put_as(tx, &grants.edits, (wanted, archived), now)? {
        Saving::CodeTaken => {
            let holder = noun_by_code::<N>(tx, &grants.reads, wanted.code())?;
            Err(taken::<N>(wanted.code(), holder.and_then(|holder| holder.archived)))
        }
        Saving::Saved(version) | Saving::Unchanged(version) => {
            Ok(Written::of(status, &N::wire(version))?)
        }
    })
}

/// The answer to a change: what was written, with its version and address.
fn answer<N: Listed>(allowed: &Allowed<N::Edit>, written: Written) -> Answer {
    let value: Value = serde_json::from_slice(&written.body).map_err(anyhow::Error::from)?;
    let version = value.get("version").and_then(Value::as_u64).unwrap_or(0);
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
    let path = format!("{}/{id}", allowed.tenant.path(N::ALL));
    Ok(written.reply().version(version).location(&path))
}

/// Why a code is not given up while rows name it: they would be without what they name.
fn orphaned<N: Noun>(
    tx: &mut TenantTx,
    own: &Grant<Calculate>,
    given_up: Option<&str>,
) -> anyhow::Result<Option<Problem>> {
    let Some(code) = given_up else { return Ok(None) };
    let word = Word { kind: N::NAME, word: code };
    let segments = mentions_of(tx, own, [word], Slice { from: 0, limit: 1 })?;
    let noun = N::NAME;
    Ok((!segments.is_empty()).then(|| {
        Problem::conflict(format!(
            "Stored rows name this {noun} by its code {}: with another code they would wait for a {noun} of the old one, and no longer count. Keep the code and change the name, or say ?rows=wait to have it so.",
            shown(code)
        ))
    }))
}

async fn change<N: Listed>(
    State(app): State<App>,
    allowed: Allowed<N::Edit>,
    Path((_, id)): Path<(String, String)>,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Answer {
    params.only(&["rows"])?;
    let may_wait = params.read("rows", "wait", |text| (text == "wait").then_some(()))?.is_some();
    let body = bodies::json(&headers, body, &[Format::MergePatch]).await?;
    let mut sent = Fields::of(body, &[N::FIELDS, &["archived"]].concat())?;
    let archives = sent.truth("archived");
    let (parts, now) = (allowed.tenant.parts(), app.clock().now());
    let (grants, own) = (Grants::<N>::of(&allowed)?, parts.own.calculate);
    let work = move |tx: &mut TenantTx| -> Outcome {
        let Some(before) = named::<N>(tx, &grants.reads, &id)? else {
            return Ok(Err(nothing_here()));
        };
        if let Err(problem) = must_match(&headers, before.version) {
            return Ok(Err(problem));
        }
        let (id, since, code) =
            (before.fields.id(), before.archived, before.fields.code().to_owned());
        let archived = match archives {
            None => since,
            Some(true) => since.or(Some(now)),
            Some(false) => None,
        };
        match filled(tx, &grants, Some(before.fields), (id, sent))? {
            Ok(wanted) => {
                let given_up = (wanted.code() != code && !may_wait).then_some(code.as_str());
                if let Some(problem) = orphaned::<N>(tx, &own, given_up)? {
                    return Ok(Err(problem));
                }
                saved(tx, &grants, (&wanted, archived), (StatusCode::OK, now))
            }
            Err(problem) => Ok(Err(problem)),
        }
    };
    answer::<N>(&allowed, once(parts, allowed.grant, (None, now), work).await?)
}

pub(crate) async fn put<N: Listed>(
    State(app): State<App>,
    allowed: Allowed<N::Edit>,
    Path((_, word)): Path<(String, String)>,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Answer {
    params.only(&[])?;
    let body = bodies::json(&headers, body, &[Format::Json]).await?;
    let (parts, now) = (allowed.tenant.parts(), app.clock().now());
    let (grants, new_id) = (Grants::<N>::of(&allowed)?, Id::new(now, app.entropy()));
    let own = parts.own.calculate;
    let work = move |tx: &mut TenantTx| -> Outcome {
        let before = named::<N>(tx, &grants.reads, &word)?;
        if before.is_none() && Id::<N::Kind>::parse(&word).is_ok() {
            return Ok(Err(nothing_here()));
        }
        let conditions = match &before {
            Some(before) => only_new(&headers).and_then(|()| must_match(&headers, before.version)),
            None => none_to_match(&headers),
        };
        if let Err(problem) = conditions {
            return Ok(Err(problem));
        }
        let (status, id, archived) = match &before {
            Some(before) => (StatusCode::OK, before.fields.id(), before.archived),
            None => (StatusCode::CREATED, new_id, None),
        };
        let code = before.as_ref().map_or(word.as_str(), |before| before.fields.code());
        let code = code.to_owned();
        let sent = match Fields::of(with_code(body, &code), N::FIELDS) {
            Ok(sent) => sent,
            Err(problem) => return Ok(Err(problem)),
        };
        // What is put stands for the whole: what it leaves out is no longer said.
        match filled::<N>(tx, &grants, None, (id, sent))? {
            Ok(wanted) => {
                let given_up = before.filter(|_| wanted.code() != code).map(|_| code.as_str());
                if let Some(problem) = orphaned::<N>(tx, &own, given_up)? {
                    return Ok(Err(problem));
                }
                saved(tx, &grants, (&wanted, archived), (status, now))
            }
            Err(problem) => Ok(Err(problem)),
        }
    };
    answer::<N>(&allowed, once(parts, allowed.grant, (None, now), work).await?)
}

async fn archive<N: Listed>(
    State(app): State<App>,
    allowed: Allowed<N::Edit>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
    headers: HeaderMap,
) -> Answer {
    params.only(&[])?;
    let (parts, now) = (allowed.tenant.parts(), app.clock().now());
    let grants = Grants::<N>::of(&allowed)?;
    let work = move |tx: &mut TenantTx| -> Outcome {
        let Some(before) = named::<N>(tx, &grants.reads, &id)? else {
            return Ok(Err(nothing_here()));
        };
        let state = (before.version, before.archived.is_some());
        if let Err(problem) = must_match_once(&headers, state) {
            return Ok(Err(problem));
        }
        let archived = before.archived.or(Some(now));
        saved(tx, &grants, (&before.fields, archived), (StatusCode::OK, now))
    };
    answer::<N>(&allowed, once(parts, allowed.grant, (None, now), work).await?)
}

/// A body whose code is that of the path, unless it says one itself.
fn with_code(mut body: Value, code: &str) -> Value {
    if let Some(object) = body.as_object_mut() {
        object.entry("code").or_insert_with(|| code.into());
    }
    body
}

/// `If-Match` names a version of what is not there.
fn none_to_match(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(axum::http::header::IF_MATCH) {
        return Err(Problem::version_mismatch(
            "There is none of this code to replace. Leave If-Match out to add it.",
        ));
    }
    Ok(())
}

fn taken<N: Noun>(code: &str, archived: Option<Timestamp>) -> Problem {
    let (noun, code) = (N::NAME, shown(code));
    Problem::conflict(match archived {
        None => format!(
            "Another {noun} has the code {code} and says something else. Change that one, or choose another code."
        ),
        Some(since) => format!(
            "Another {noun} has the code {code}; it was archived on {}. Bring it back by PATCH with {{\"archived\": false}}, or choose another code.",
            since.utc_day()
        ),
    })
}
