//! `…/activities`: rows sent in a body, tried out, listed, read back.

use core::ops::ControlFlow;
use std::io::Cursor;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Extension;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::HeaderMap;
use bytes::Bytes;
use envora_api::activities::{Activity, HistoryStep, Validation};
use envora_api::listing::Page;
use envora_api::media;
use envora_api::problems::Problem;
use envora_api::writes::WriteAnswer;
use envora_domain::access::Grant;
use envora_domain::access::actions::{ReadActivities, ReadResults, WriteActivities};
use envora_domain::activities::problems::Flag;
use envora_domain::catalogue;
use envora_domain::factors::FactorId;
use envora_domain::gwp::GwpSet;
use envora_domain::id::{ActivityId, ImportId, SegmentId};
use envora_domain::time::Timestamp;
use envora_ingest::clocks::Clocks;
use envora_ingest::commit::{Accepted, Batch, Idempotency, StoredAnswer, SubmitError, Submitted};
use envora_ingest::footprint::AskError;
use envora_ingest::formats::events::{self, Attributes};
use envora_ingest::formats::json::{BODY_ROWS_MAX, too_many_rows};
use envora_ingest::formats::left::LeftOut;
use envora_ingest::formats::{self, OpenError, Opening, OriginHead, Reader, Tiers};
use envora_ingest::rows::ParsedRow;
use envora_ingest::segments::activities;
use envora_ingest::stored::chains::{event, name_successors};
use envora_ingest::stored::{Narrowed, PENDING, Question, RowState, STATES, sorted, state_now};
use envora_ingest::tenant::TenantParts;
use envora_ingest::trace::{ActivityTrace, trace_activity};
use envora_ingest::words;
use envora_store::imports::Mode;
use envora_store::segments::{
    Order, Segment, segment_by_id, segment_rows_from, segment_totals, segments_from,
};
use envora_store::supersessions::supersession_of;

use super::footprints::blocking;
use super::imports::{constants, mapping_of, mode_of};
use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies;
use crate::cursors::{self, Place, Walk};
use crate::edge::RequestId;
use crate::gate::{Format, body_format};
use crate::idempotency::{self, Marked, Sent};
use crate::listing::{Cut, Total, WHOLE, whole};
use crate::openapi::Shape;
use crate::params::{Params, refused, shown};
use crate::refusals::Refusal;
use crate::routes::Route;
use crate::rows;

const ALL: &str = "/v2/organizations/{org_id}/activities";
const VALIDATE: &str = "/v2/organizations/{org_id}/activities/validate";
const ONE: &str = "/v2/organizations/{org_id}/activities/{activity_id}";
const HISTORY: &str = "/v2/organizations/{org_id}/activities/{activity_id}/history";
const TAKES: &[Format] = &[
    Format::Json,
    Format::Ndjson,
    Format::Csv,
    Format::Xml,
    Format::CloudEvent,
    Format::CloudEvents,
];
/// Segments that are listed at a time.
const SEGMENTS_AT_A_TIME: u32 = 256;

/// Rows of segments that one page of a list looks into; one that is narrowed to what no index knows may
/// then be short and still lead on.
const LOOKED_AT_MAX: u64 = 250_000;

/// Rows that are looked at to count those of a narrowed list.
const COUNTED_ROWS_MAX: u64 = 100_000;

/// The largest place of the log that can be asked for.
const SEQ_MAX: u64 = (1 << 62) - 1;

/// The routes of this file. The trace of an activity is with the traces.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadActivities, _, _>(ALL, list)
            .says("Lists the stored activities, oldest commit first, with their words as sent.")
            .asks(&[
                ("limit", "How many at most, 1 to 1000; 100 when absent."),
                ("cursor", "The page to continue from."),
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
                ("after_seq", "Only those committed after this entry of the log: what is new since."),
                ("fields", "Only these fields of each, separated by commas."),
                ("sort", "`start` or `-start`: the earliest or the latest start first, instead of the oldest commit."),
                ("include", "`total`: count them; of a narrowed list up to 100,000 rows are looked at, and total_is then says at_least."),
            ])
            .gives(200, Shape::page::<Activity>()),
        Route::post::<WriteActivities, _, _>(ALL, add)
            .says("Stores activities: all or none, unless mode=partial.")
            .asks(&[
                ("mode", "atomic or partial; atomic when absent."),
                ("mapping", "The name of a saved mapping, for CSV."),
                ("scope", "The scope that all rows claim."),
                ("set", "A constant, such as facility_code=b24; may be repeated."),
                ("local_times", LOCAL_TIMES),
            ])
            .takes(
                TAKES,
                Shape::Free("{\"mode\": …, \"activities\": [ … ]}, one activity per line, CSV, XML, or CloudEvents of type envora.activity.v1, in binary mode too; up to 16 MiB and 100,000 rows."),
            )
            .gives(201, Shape::one::<WriteAnswer>())
            .also(&[(207, "mode=partial: each row has its own outcome.")]),
        Route::post::<WriteActivities, _, _>(VALIDATE, validate)
            .says("Says what a write would do, without doing it.")
            .asks(&[
                ("mode", "atomic or partial; partial when absent."),
                ("mapping", "The name of a saved mapping, for CSV."),
                ("scope", "The scope that all rows claim."),
                ("set", "A constant, such as facility_code=b24; may be repeated."),
                ("local_times", LOCAL_TIMES),
            ])
            .takes(TAKES, Shape::Free("What a write would take."))
            .gives(200, Shape::one::<Validation>()),
        Route::get::<ReadActivities, _, _>(ONE, read)
            .says("Reads an activity: its words as sent, and what became of it.")
            .gives(200, Shape::one::<Activity>()),
        Route::get::<ReadActivities, _, _>(HISTORY, history)
            .says("Tells the steps in the life of an activity.")
            .asks(WHOLE)
            .gives(200, Shape::page::<HistoryStep>()),
    ]
}

/// What `local_times` is.
const LOCAL_TIMES: &str = "`zone`: start and end without an offset are those of the row's facility or source, in rows of JSON as in a table; refused when absent.";

/// A body on its way in.
struct Incoming {
    bytes: Bytes,
    hash: [u8; 32],
    format: formats::Format,
    opening: Opening,
    mode: Option<Mode>,
    /// The attributes of an event whose data the body is.
    event: Option<Attributes>,
}

/// The body, read into rows.
struct Read {
    rows: Vec<ParsedRow>,
    left: LeftOut,
    mode: Mode,
    tiers: Tiers,
}

impl Incoming {
    /// Reads the body; what the query says of the mode wins over what the body says.
    fn rows(&self, default: Mode, parts: &TenantParts) -> Result<Read, Refusal> {
        let opening = Opening { clocks: parts.clocks()?, ..self.opening.clone() };
        let mut reader = match &self.event {
            Some(event) => events::binary(self.bytes.clone(), event.clone(), &opening)
                .map(|events| Reader::Events(Box::new(events))),
            None => {
                let input = Box::new(Cursor::new(self.bytes.clone()));
                formats::open(self.format, input, &opening)
            }
        }
        .map_err(rows::unreadable)?;
        let said = match &reader {
            Reader::Json(body) => body.mode,
            Reader::Csv(_) | Reader::Events(_) | Reader::Ndjson(_) | Reader::Xml(_) => None,
        };
        let mut all: Vec<ParsedRow> = Vec::new();
        for row in reader.by_ref() {
            if all.len() == BODY_ROWS_MAX {
                return Err(rows::unreadable(too_many_rows().into()));
            }
            all.push(row.map_err(|error| rows::unreadable(OpenError::Io(error)))?);
        }
        let mode = self.mode.or(said).unwrap_or(default);
        Ok(Read { rows: all, left: reader.left_out(), mode, tiers: reader.tiers() })
    }
}

async fn incoming(
    allowed: &Allowed<WriteActivities>,
    (params, headers): (&Params, &HeaderMap),
    (body, request_id): (Body, String),
) -> Result<Incoming, Refusal> {
    let local_times = local_times(params)?;
    params.only(&["mode", "mapping", "scope", "set", "local_times"])?;
    let format = body_format(headers, TAKES)?.of_rows();
    let event = event_of(headers, format)?;
    let mode = params.one("mode")?.map(|_| mode_of(params, Mode::Atomic)).transpose()?;
    let set = constants(params)?;
    let mapping = mapping_of(allowed, params).await?;
    let bytes = bodies::read(headers, body, bodies::JSON_BYTES_MAX).await?;
    let body = *blake3::hash(&bytes).as_bytes();
    let head = OriginHead::Request { request_id: request_id.into(), body };
    let opening = Opening { head, mapping, set, local_times, clocks: Clocks::Unknown };
    let Some(event) = event else {
        return Ok(Incoming { hash: body, bytes, format, opening, mode, event });
    };
    // Two events may have one body: what a key stands for is the event.
    let hash =
        *blake3::hash(format!("{event:?}\n{}", blake3::Hash::from(body)).as_bytes()).as_bytes();
    let format = formats::Format::CloudEvent;
    Ok(Incoming { bytes, hash, format, opening, mode, event: Some(event) })
}

/// Whether times without an offset are those of the row's zone: what is tried out, or corrects a stored
/// row, may have been read off a table. All else is asked for the instant.
fn local_times(params: &Params) -> Result<formats::LocalTimes, Problem> {
    match params.one("local_times")? {
        None => Ok(formats::LocalTimes::Refused),
        Some("zone") => Ok(formats::LocalTimes::OfTheZone),
        Some(other) => {
            let detail = format!("`local_times={other}` is not `zone`");
            Err(refused("local_times", detail))
        }
    }
}

/// The attributes of an event in binary mode; nothing of a body that is no event, or says so itself.
///
/// # Errors
/// 415 for an event whose data is not JSON.
fn event_of(headers: &HeaderMap, format: formats::Format) -> Result<Option<Attributes>, Problem> {
    let header = |name: &str| {
        let value = headers.get(format!("ce-{name}"))?;
        Some(decoded(value.as_bytes()))
    };
    let event = Attributes {
        specversion: header("specversion"),
        id: header("id"),
        source: header("source"),
        kind: header("type"),
        content_type: None,
    };
    match format {
        _ if event == Attributes::default() => Ok(None),
        formats::Format::CloudEvent | formats::Format::CloudEvents => Ok(None),
        formats::Format::Json => Ok(Some(event)),
        formats::Format::Csv
        | formats::Format::Ndjson
        | formats::Format::Parquet
        | formats::Format::Xlsx
        | formats::Format::Xml => Err(Problem::unsupported_media_type(format!(
            "An event in binary mode (headers ce-…) has one activity as its body, in {} or {}.",
            media::VENDOR,
            media::JSON
        ))),
    }
}

/// A header's value, in which letters beyond ASCII are written as `%` and two digits.
fn decoded(value: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..2).filter(|_| *first == b'%');
        let code = digits.and_then(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { more.get(2..).unwrap_or_default() } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) async fn add(
    State(app): State<App>,
    allowed: Allowed<WriteActivities>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    OriginalUri(uri): OriginalUri,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Answer {
    let (body, _turn) = app.turn(&headers, body).await?;
    params.only(&["mode", "mapping", "scope", "set", "local_times"])?;
    let incoming = incoming(&allowed, (&params, &headers), (body, request_id)).await?;
    let sent = Sent {
        actor: &allowed.actor,
        uri: &uri,
        params: &params,
        headers: &headers,
        body: incoming.hash,
    };
    let marked = idempotency::marked(allowed.tenant.parts(), &sent)?;
    let (minimal, format) = (prefers_minimal(&headers), incoming.format);
    let (intake, grant) = (Arc::clone(allowed.tenant.intake()), allowed.grant);
    let (parts, tally) = (Arc::clone(allowed.tenant.parts()), app.metrics().rows_read());
    let work = move || -> Result<Submitted, Refusal> {
        let read = incoming.rows(Mode::Atomic, &parts)?;
        tally.add(read.tiers);
        let named = |row: &ParsedRow| {
            row.activity.as_ref().map_or(true, |activity| activity.external_id.is_some())
        };
        if marked.is_none() && !read.rows.iter().all(named) {
            idempotency::required(None)?;
        }
        let mut batch = Batch::new(read.rows, read.mode);
        batch.left = read.left;
        batch.idempotency = marked.map(|marked| kept(marked, (minimal, format)));
        intake.submit_blocking(&grant, batch).map_err(|error| rows::refused(error, format))
    };
    let submitted = app.tracker().spawn_blocking(work).await.context("store activities")??;
    match submitted {
        Submitted::Replayed(answer) => Ok(Reply::replayed(answer.status, answer.body)),
        Submitted::Stored(accepted, answer) => {
            allowed.tenant.notify();
            rows::measure(app.metrics(), &accepted.counts);
            let answer = answer.unwrap_or_else(|| rendered(&accepted, (minimal, format)));
            Ok(Reply::written(answer.status, answer.body))
        }
    }
}

fn kept(marked: Marked, wanted: (Listing, formats::Format)) -> Idempotency {
    let render = Box::new(move |accepted: &Accepted| rendered(accepted, wanted));
    Idempotency { key: marked.key, fingerprint: marked.fingerprint, render }
}

/// Which rows an answer lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listing {
    /// All, up to the limit.
    All,
    /// Those not accepted.
    Refused,
}

fn prefers_minimal(headers: &HeaderMap) -> Listing {
    let preferred = headers.get("prefer").and_then(|value| value.to_str().ok()).unwrap_or("");
    if preferred.split(',').any(|one| one.trim() == "return=minimal") {
        Listing::Refused
    } else {
        Listing::All
    }
}

fn rendered(accepted: &Accepted, (listing, format): (Listing, formats::Format)) -> StoredAnswer {
    let mut answer = rows::write_answer(accepted, format);
    if listing == Listing::Refused {
        answer.results.retain(|result| result.status != envora_api::writes::Outcome::Accepted);
    }
    StoredAnswer {
        status: if accepted.mode == Mode::Partial { 207 } else { 201 },
        media_type: media::VENDOR.to_owned(),
        body: serde_json::to_vec(&answer).unwrap_or_default(),
    }
}

async fn validate(
    State(app): State<App>,
    allowed: Allowed<WriteActivities>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Answer {
    let (body, _turn) = app.turn(&headers, body).await?;
    let incoming = incoming(&allowed, (&params, &headers), (body, request_id)).await?;
    let (intake, format) = (Arc::clone(allowed.tenant.intake()), incoming.format);
    let parts = Arc::clone(allowed.tenant.parts());
    let work = move || -> Result<Accepted, Refusal> {
        let read = incoming.rows(Mode::Partial, &parts)?;
        let mut batch = Batch::new(read.rows, read.mode);
        batch.left = read.left;
        let unexpected = |error| rows::refused(SubmitError::Unexpected(error), format);
        intake.preview(batch).map_err(unexpected)
    };
    let accepted = app.tracker().spawn_blocking(work).await.context("try activities out")??;
    Reply::ok(&Validation {
        counts: rows::counts(&accepted.counts),
        results: rows::results(&accepted.results, format),
        warnings: accepted.outside.as_ref().map(rows::outside).into_iter().collect(),
    })
}

async fn read(
    State(app): State<App>,
    allowed: Allowed<ReadActivities>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let id = ActivityId::parse(&id).map_err(|_| nothing_here())?;
    let (parts, grant) = (Arc::clone(allowed.tenant.parts()), allowed.grant);
    allowed.also::<ReadResults>()?;
    Reply::ok(&blocking(&app, move || recorded(&parts, grant, id)).await?)
}

/// An activity as lists show it: what it came to is what is recorded. Blocks.
fn recorded(
    parts: &TenantParts,
    grant: Grant<ReadActivities>,
    id: ActivityId,
) -> Result<Activity, AskError> {
    let segment = segment_of(parts, (grant, id))?.ok_or(AskError::NoActivity)?;
    let activity = activities(parts, [id])?.remove(&id).ok_or(AskError::NoActivity)?;
    let came = state_now(parts, &segment, id.place().1)?.unwrap_or(PENDING);
    let mut wire = wire(&segment, id, (&activity, came));
    name_successors(parts, &grant, core::slice::from_mut(&mut wire))?;
    Ok(wire)
}

/// The same with its trace, once there is a run: what it came to is worked out again. Blocks.
///
/// # Errors
/// [`AskError`]; [`AskError::NoActivity`] when nothing is stored under the id.
pub(crate) fn told(
    parts: &TenantParts,
    (grant, results): (Grant<ReadActivities>, Grant<ReadResults>),
    id: ActivityId,
) -> Result<(Activity, Option<ActivityTrace>), AskError> {
    let mut wire = recorded(parts, grant, id)?;
    match trace_activity(parts, &results, id, GwpSet::Published) {
        Ok(trace) => {
            trace.state.clone_into(&mut wire.state);
            wire.code = trace.unresolved.as_ref().map(|(code, _)| code.clone());
            Ok((wire, Some(trace)))
        }
        Err(AskError::NoRun) => Ok((wire, None)),
        Err(error) => Err(error),
    }
}

fn segment_of(
    parts: &TenantParts,
    (grant, id): (Grant<ReadActivities>, ActivityId),
) -> anyhow::Result<Option<Segment>> {
    let (segment, row) = id.place();
    let found = parts.db.read_blocking(move |rd| segment_by_id(rd, &grant, segment))?;
    Ok(found.filter(|segment| row < segment.rows))
}

fn wire(
    segment: &Segment,
    id: ActivityId,
    (activity, came): (&envora_domain::activities::Activity, RowState),
) -> Activity {
    let (_, row) = id.place();
    Activity {
        id,
        segment: segment.id,
        row,
        committed_at: segment.committed_at,
        seq: segment.seq,
        state: came.state.to_owned(),
        code: came.code.map(|code| code.as_str().to_owned()),
        flags: activity.flags.iter().map(|flag| flag.as_str().to_owned()).collect(),
        superseded_by: None,
        chain_end: None,
        fields: words::fields(activity),
    }
}

pub(crate) async fn history(
    State(app): State<App>,
    allowed: Allowed<ReadActivities>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    let cut = whole::<HistoryStep>(&params)?;
    let id = ActivityId::parse(&id).map_err(|_| nothing_here())?;
    let (parts, grant) = (Arc::clone(allowed.tenant.parts()), allowed.grant);
    let steps = blocking(&app, move || {
        let segment = segment_of(&parts, (grant, id))?.ok_or(AskError::NoActivity)?;
        let mut steps = vec![HistoryStep {
            at: segment.committed_at,
            seq: segment.seq,
            event: "committed".to_owned(),
            by: None,
            reason: None,
        }];
        let ended = parts
            .db
            .read_blocking(move |rd| supersession_of(rd, &grant, id))
            .map_err(anyhow::Error::from)?;
        if let Some(ended) = ended {
            let later = segment_of(&parts, (grant, ended.new))?;
            steps.push(HistoryStep {
                at: later.map_or(segment.committed_at, |later| later.committed_at),
                seq: ended.seq,
                event: event(ended.fate).to_owned(),
                by: Some(ended.new),
                reason: (!ended.reason.is_empty()).then_some(ended.reason),
            });
        }
        Ok(steps)
    });
    cut(steps.await?)
}

/// What a list is narrowed to: the parameters that narrow.
pub(super) const NARROWS: &[&str] = &[
    "type",
    "facility_id",
    "entity_id",
    "source_id",
    "from",
    "to",
    "state",
    "import_id",
    "segment_id",
    "line",
    "factor",
    "flag",
];

/// Refuses a type that the catalogue has not.
///
/// # Errors
/// 400, with did-you-mean.
pub(super) fn kinds_are_known(params: &Params) -> Result<(), Problem> {
    let strange = params.many("type").find(|word| catalogue::find(word).is_none());
    let Some(word) = strange else { return Ok(()) };
    let near = catalogue::did_you_mean(word).map(|near| format!(" Did you mean {near}?"));
    let near = near.unwrap_or_default();
    Err(refused("type", format!("There is no activity type {}.{near}", shown(word))))
}

/// What the parameters of a list ask for.
///
/// # Errors
/// 400.
pub(super) fn question(params: &Params) -> Result<Question, Problem> {
    let many = |name| params.many(name).map(str::to_owned).collect::<Vec<String>>();
    if let Some(word) = params.many("state").find(|word| !STATES.contains(word)) {
        let detail = format!("state is one of {}, not {}.", STATES.join(", "), shown(word));
        return Err(refused("state", detail));
    }
    kinds_are_known(params)?;
    let (from, to) = (params.day("from")?, params.day("to")?);
    if from.zip(to).is_some_and(|(from, to)| to <= from) {
        return Err(refused("to", "The period ends before it begins.".to_owned()));
    }
    let import =
        params.read("import_id", "the id of an import", |text| ImportId::parse(text).ok())?;
    let line = params.integer("line")?;
    if line.is_some() && import.is_none() {
        return Err(refused("line", "A line is one of a file: name its import_id too.".to_owned()));
    }
    Ok(Question {
        kinds: many("type"),
        facilities: many("facility_id"),
        entities: many("entity_id"),
        sources: many("source_id"),
        from,
        to,
        states: many("state"),
        import,
        segment: params
            .read("segment_id", "the id of a segment", |text| SegmentId::parse(text).ok())?,
        line,
        factor: params.read("factor", "the id of a factor, sha256:…", FactorId::parse)?,
        flags: params.many("flag").map(flag).collect::<Result<_, _>>()?,
    })
}

/// Refuses a facility, a source or an entity that there is none of: an empty list would be no answer.
///
/// # Errors
/// 400, naming the parameter; the database's.
pub(super) async fn nouns_are_known(
    app: &App,
    parts: &Arc<TenantParts>,
    asked: &Question,
) -> Result<(), Refusal> {
    let (parts, asked) = (Arc::clone(parts), asked.clone());
    let unknown = blocking(app, move || Ok(Narrowed::unknown(&parts, &asked)?)).await?;
    let Some((name, word)) = unknown else { return Ok(()) };
    Err(no_such(name, &word).into())
}

/// 400 for a noun that a parameter names by a word that is none's.
pub(super) fn no_such(name: &str, word: &str) -> Problem {
    let noun = name.trim_end_matches("_id");
    let detail = format!(
        "There is no {noun} {}. Name one by its id or its code, as the list of them has it.",
        shown(word)
    );
    refused(name, detail)
}

fn flag(word: &str) -> Result<Flag, Problem> {
    let known = || Flag::ALL.iter().map(|flag| flag.as_str()).collect::<Vec<_>>().join(", ");
    let unknown = || refused("flag", format!("flag is one of {}, not {}.", known(), shown(word)));
    Flag::parse(word).ok_or_else(unknown)
}

/// Which page of a list.
struct Wanted {
    question: Question,
    limit: usize,
    from: (u64, u32),
    /// Counted from this place in the log on, if it is asked for.
    counted_from: Option<u64>,
    /// In the order of their start, if it is asked for: after this row, of what was there by then.
    sorted: Option<(Order, Option<(sorted::Place, u64)>)>,
}

/// A page of a list, and where the next one begins.
struct Listed {
    data: Vec<Activity>,
    next: Option<Place>,
    total: Option<Total>,
}

pub(crate) async fn list(
    State(app): State<App>,
    allowed: Allowed<ReadActivities>,
    params: Params,
) -> Answer {
    params.only(
        &[&["limit", "cursor", "fields", "include", "sort", "after_seq"], NARROWS].concat(),
    )?;
    let cut = Cut::besides::<Activity>(&params, &words::names())?;
    let (parts, grant, now) =
        (Arc::clone(allowed.tenant.parts()), allowed.grant, app.clock().now());
    let walk = Walk { route: ALL, params: &params };
    let place = cursors::decode(&parts.keys, walk, now)?;
    let first = params.integer("after_seq")?.map_or(0, |seq| seq.min(SEQ_MAX) + 1);
    let order = params.read("sort", "start or -start", |text| match text {
        "start" => Some(Order::Earliest),
        "-start" => Some(Order::Latest),
        _ => None,
    })?;
    let beyond = place.as_ref().and_then(|place| Some((sorted_place(&place.after)?, place.seq)));
    let sorted = order.map(|order| (order, beyond));
    let from = match place.filter(|_| order.is_none()) {
        Some(place) => (place.seq, place.after.parse().unwrap_or(0)),
        None => (first, 0),
    };
    let counted_from = cut.total.then_some(first);
    let wanted =
        Wanted { question: question(&params)?, limit: params.limit()?, from, sorted, counted_from };
    nouns_are_known(&app, &parts, &wanted.question).await?;
    let asked = Arc::clone(&parts);
    let listed = blocking(&app, move || {
        let mut listed = page(&asked, grant, wanted)?;
        name_successors(&asked, &grant, &mut listed.data)?;
        Ok(listed)
    });
    let listed = listed.await?;
    let next_cursor = listed.next.map(|place| cursors::encode(&parts.keys, walk, place, now));
    let next = next_cursor
        .as_ref()
        .map(|cursor| cursors::next_path(&allowed.tenant.path(ALL), &params, cursor));
    let page = Page { data: listed.data, next_cursor };
    Ok(cut.page_counted(&page, listed.total)?.next(next.as_deref()))
}

/// Where a walk by start stands, as its cursor says it.
fn sorted_place(text: &str) -> Option<sorted::Place> {
    let (start, id) = text.split_once(' ')?;
    Some((Timestamp::from_micros(start.parse().ok()?), ActivityId::parse(id).ok()?))
}

/// A page of the list in the order of the start: of the rows that were there when the walk began.
fn page_by_start(
    parts: &TenantParts,
    (grant, narrowed): (Grant<ReadActivities>, &Narrowed<'_>),
    (first, limit): (u64, usize),
    (order, beyond): (Order, Option<(sorted::Place, u64)>),
) -> anyhow::Result<(Vec<Activity>, Option<Place>)> {
    let head = match beyond {
        Some((_, head)) => head,
        None => {
            let totals = parts.db.read_blocking(move |rd| segment_totals(rd, &grant))?;
            totals.last.map_or(0, |last| last + 1)
        }
    };
    let after = beyond.map(|(after, _)| after);
    let walk = sorted::Walk { order, after, seqs: first..head, limit };
    let (data, next) = narrowed.page_by_start(&walk, wire)?;
    let place = |(start, id): sorted::Place| Place {
        after: format!("{} {id}", start.as_micros()),
        seq: head,
    };
    Ok((data, next.map(place)))
}

/// A page of the list, from a segment and a row on.
fn page(
    parts: &TenantParts,
    grant: Grant<ReadActivities>,
    wanted: Wanted,
) -> anyhow::Result<Listed> {
    let (first, row) = wanted.from;
    let all = wanted.question.is_all();
    let narrowed = Narrowed::new(parts, wanted.question)?;
    let total = match wanted.counted_from {
        None => None,
        Some(from) if all => {
            let items = parts.db.read_blocking(move |rd| segment_rows_from(rd, &grant, from))?;
            Some(Total { items, is_exact: true })
        }
        Some(from) => Some(count(parts, grant, (&narrowed, from))?),
    };
    if let Some(sorted) = wanted.sorted {
        let page = page_by_start(parts, (grant, &narrowed), (first, wanted.limit), sorted)?;
        return Ok(Listed { data: page.0, next: page.1, total });
    }
    let (data, next) = filled(parts, grant, (&narrowed, wanted.limit), (first, row))?;
    let next = next.map(|(seq, row)| Place { after: row.to_string(), seq });
    Ok(Listed { data, next, total })
}

/// Rows of a page, and the segment and row that the next one begins at.
type Filled = (Vec<Activity>, Option<(u64, u32)>);

/// The rows of a page from a segment and a row on, and where the next page begins. It is full unless so
/// many rows were looked at that the request has had its share; then the next one goes on from there.
fn filled(
    parts: &TenantParts,
    grant: Grant<ReadActivities>,
    (narrowed, limit): (&Narrowed<'_>, usize),
    (mut first, row): (u64, u32),
) -> anyhow::Result<Filled> {
    let (mut data, mut looked_at, begun) = (Vec::new(), 0_u64, first);
    loop {
        let found = parts
            .db
            .read_blocking(move |rd| segments_from(rd, &grant, first, SEGMENTS_AT_A_TIME))?;
        let Some(last) = found.last().map(|last| last.seq) else { return Ok((data, None)) };
        for segment in found.iter().filter(|segment| narrowed.may_hold(segment)) {
            if looked_at >= LOOKED_AT_MAX {
                return Ok((data, Some((segment.seq, 0))));
            }
            looked_at += u64::from(segment.rows);
            let mut next = None;
            let row = if segment.seq == begun { row } else { 0 };
            let _page = narrowed.rows(segment, row, |id, activity, state| {
                if data.len() == limit {
                    next = Some((segment.seq, id.place().1));
                    return Ok(ControlFlow::Break(()));
                }
                data.push(wire(segment, id, (activity, state)));
                Ok(ControlFlow::Continue(()))
            })?;
            if next.is_some() {
                return Ok((data, next));
            }
        }
        first = last + 1;
    }
}

/// Counts the rows that are asked for. Segments that cannot hold one are not opened; of the others so
/// many that the work is bounded, however much is stored.
fn count(
    parts: &TenantParts,
    grant: Grant<ReadActivities>,
    (narrowed, mut first): (&Narrowed<'_>, u64),
) -> anyhow::Result<Total> {
    let (mut items, mut looked_at) = (0, 0_u64);
    loop {
        let found = parts
            .db
            .read_blocking(move |rd| segments_from(rd, &grant, first, SEGMENTS_AT_A_TIME))?;
        let Some(last) = found.last().map(|last| last.seq) else {
            return Ok(Total { items, is_exact: true });
        };
        for segment in found.iter().filter(|segment| narrowed.may_hold(segment)) {
            if looked_at >= COUNTED_ROWS_MAX {
                return Ok(Total { items, is_exact: false });
            }
            looked_at += u64::from(segment.rows);
            let walked = narrowed.rows(segment, 0, |_, _, _| {
                items += 1;
                Ok(ControlFlow::Continue(()))
            })?;
            debug_assert!(walked.is_continue(), "nothing ends the count");
        }
        first = last + 1;
    }
}
