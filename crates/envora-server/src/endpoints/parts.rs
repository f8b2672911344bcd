//! `…/imports/{id}` in parts: a file above the limit of one body is announced, sent part by part, looked
//! at, and taken in as a whole.
//!
//! Each part is durable when it is answered, so an upload goes on where it stopped, after a restart as
//! well. Nothing of the file counts before its commit, and then all of it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_api::amounts::Watermark;
use envora_api::imports::{
    Import, ImportPart, ImportPreview, ImportProgress, ImportReading, PreviewRow,
};
use envora_api::media;
use envora_api::problems::Problem;
use envora_api::writes::Outcome;
use envora_domain::access::actions::{ReadActivities, WriteActivities};
use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_domain::time::{Span, Timestamp};
use envora_ingest::commit::{Batch, ImportDraft, Source, Submitted, keep_part};
use envora_ingest::formats::{self, Opening, OriginHead};
use envora_ingest::parted::{Progress, measure, part_name};
use envora_ingest::rows::ParsedRow;
use envora_ingest::words;
use envora_store::imports::{Mode, import_by_id};
use envora_store::parts::{
    OpenImport, Part, Reading, open_import_add, open_import_by_id, open_import_drop,
    open_import_failure, open_import_reading, open_imports, open_imports_count, open_part_drop,
    open_part_put, open_parts,
};
use envora_store::transaction::TenantTx;

use super::imports::{mapping_named, source_until};
use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies::{self, Arrived};
use crate::fields::{Fields, Need};
use crate::gate::{Format, body_format};
use crate::idempotency::{self, Sent, Written, once};
use crate::openapi::Shape;
use crate::params::Params;
use crate::refusals::Refusal;
use crate::routes::{Route, Said};
use crate::rows;
use crate::tenants::{Running, TenantCtx};

const ONE: &str = "/v2/organizations/{org_id}/imports/{id}";
const PART: &str = "/v2/organizations/{org_id}/imports/{id}/parts/{number}";
const PREVIEW: &str = "/v2/organizations/{org_id}/imports/{id}/preview";
const MAPPING: &str = "/v2/organizations/{org_id}/imports/{id}/mapping";
const COMMIT: &str = "/v2/organizations/{org_id}/imports/{id}/commit";

/// How many imports may be open at once.
const OPEN_MAX: u64 = 100;
/// How many parts a file may have.
const PARTS_MAX: u32 = 1_000;
/// How many bytes a file may have.
const FILE_BYTES_MAX: u64 = 5 << 30;
/// How long an import stays open.
const KEPT: Span = Span::from_secs(86_400);
/// How many rows a preview looks at.
const LOOKED_AT: usize = 1_000;
/// How many of them it shows, when nobody says.
const SHOWN: usize = 20;
/// How long giving an import up waits for the reading of its rows to end.
const END_OF_READING: core::time::Duration = core::time::Duration::from_secs(10);
const LOOK_AGAIN: core::time::Duration = core::time::Duration::from_millis(20);

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::put::<WriteActivities, _, _>(PART, put)
            .says("Takes in a part of a file, up to 64 MiB; it is durable when it is answered. The same part again changes nothing, another one of this number takes its place.")
            .takes(&[Format::Bytes], Shape::Free("The bytes of the part."))
            .with_headers(&[Said {
                name: "Content-Digest",
                words: "SHA-256 of the bytes (RFC 9530), such as `sha-256=:…:`.",
                pattern: "^sha-256=:[A-Za-z0-9+/]{43}=:$",
            }])
            .gives(200, Shape::one::<ImportPart>()),
        Route::delete::<WriteActivities, _, _>(PART, take_back)
            .says("Takes a part of an open import back, such as one too many.")
            .with_headers(&[])
            .gives(200, Shape::one::<ImportPart>()),
        Route::get::<ReadActivities, _, _>(PREVIEW, preview)
            .says("Shows the first rows of an open import as they would be stored, and what would become of the first thousand. Nothing is stored.")
            .asks(&[("rows", "How many rows to show, 1 to 1000; 20 when absent.")])
            .gives(200, Shape::one::<ImportPreview>()),
        Route::put::<WriteActivities, _, _>(MAPPING, change)
            .says("Says how an open import is to be read: by which mapping, with which constants.")
            .takes(&[Format::Json], Shape::one::<ImportReading>())
            .with_headers(&[])
            .gives(200, Shape::one::<Import>()),
        Route::post::<WriteActivities, _, _>(COMMIT, commit)
            .says("Takes in an import whose parts have all arrived. Its rows are read meanwhile: read the import again to see how far that is. Sent again it changes nothing.")
            .without_body()
            .with_headers(&[])
            .gives(202, Shape::one::<Import>())
            .also(&[(200, "It was taken in before.")]),
        Route::delete::<WriteActivities, _, _>(ONE, give_up)
            .says("Gives an open import up, with all of its parts.")
            .with_headers(&[])
            .gives(200, Shape::one::<Import>()),
    ]
}

/// What the body that opens an import says.
struct Announced {
    file_name: String,
    media_type: String,
    bytes: Option<u64>,
    sha256: Option<Digest>,
    mode: Mode,
    mapping: String,
    set: BTreeMap<String, String>,
}

impl Announced {
    fn of(body: serde_json::Value) -> Result<Self, Problem> {
        let known = ["file_name", "media_type", "bytes", "sha256", "mapping", "mode", "set"];
        let mut sent = Fields::of(body, &known)?;
        let file_name = sent.text("file_name", Need::Required);
        let media_type = sent.one_of("media_type", &[media::CSV, media::NDJSON]);
        let bytes = sent.count("bytes", 1..=FILE_BYTES_MAX);
        let sha256 = sent.text("sha256", Need::Optional);
        let digest = Digest::parse_hex(&sha256);
        if digest.is_none() && !sha256.is_empty() {
            let hint = "Write it as 64 hexadecimal digits.";
            sent.fault_with(("wrong_type", "sha256"), "it is no SHA-256", hint);
        }
        let (mode, mapping, set) = reading(&mut sent);
        sent.finish()?;
        Ok(Self { file_name, media_type, bytes, sha256: digest, mode, mapping, set })
    }
}

fn reading(sent: &mut Fields) -> (Mode, String, BTreeMap<String, String>) {
    let mode =
        if sent.has("mode") { sent.one_of("mode", &["atomic", "partial"]) } else { String::new() };
    let mode = Mode::parse(&mode).unwrap_or(Mode::Partial);
    (mode, sent.text("mapping", Need::Optional), sent.texts("set"))
}

/// How the rows are to be read, once there is such a mapping.
async fn resolved(
    allowed: &Allowed<WriteActivities>,
    (mode, mapping, set): (Mode, String, BTreeMap<String, String>),
) -> Result<Reading, Refusal> {
    let found = match mapping.as_str() {
        "" => None,
        name => match mapping_named(allowed, name).await? {
            Some(found) => Some(found),
            None => {
                let problem = crate::fields::error(
                    "validation_failed",
                    "#/mapping",
                    "there is no such mapping: save it first, at import-mappings",
                );
                let detail = "The mapping is not known here. Save it first, at import-mappings.";
                return Err(Problem::validation_failed(detail).with_errors(vec![problem]).into());
            }
        },
    };
    Ok(Reading {
        mode,
        mapping: found.as_ref().map(|found| found.name.clone()).unwrap_or_default(),
        mapping_digest: found.map(|found| found.version),
        constants: serde_json::to_string(&set).context("write constants")?,
    })
}

/// Opens an import: the body says what the file will be.
pub(crate) async fn open(
    app: &App,
    allowed: Allowed<WriteActivities>,
    (uri, params, headers): (&Uri, &Params, &HeaderMap),
    body: Body,
) -> Answer {
    params.only(&[])?;
    let (bytes, body) = bodies::json_with_bytes(headers, body, &[Format::InParts]).await?;
    let hash = *blake3::hash(&bytes).as_bytes();
    let sent = Sent { actor: &allowed.actor, uri, params, headers, body: hash };
    let parts = allowed.tenant.parts();
    let marked = idempotency::required(idempotency::marked(parts, &sent)?)?;
    let announced = Announced::of(body)?;
    let now = app.clock().now();
    let reading = resolved(&allowed, (announced.mode, announced.mapping, announced.set)).await?;
    let new = OpenImport {
        id: ImportId::new(now, app.entropy()),
        file_name: announced.file_name,
        media_type: announced.media_type,
        length: announced.bytes,
        sha256: announced.sha256,
        reading,
        failure: String::new(),
        created_at: now,
        keep_until: now + KEPT,
    };
    let (grant, reads) = (allowed.grant, allowed.also::<ReadActivities>()?);
    let work = move |tx: &mut TenantTx| {
        if open_imports_count(tx, &reads)? >= OPEN_MAX {
            return Ok(Err(Problem::overloaded(format!(
                "There are {OPEN_MAX} open imports. Commit or delete one of them first; GET imports?state=open lists them."
            ))));
        }
        open_import_add(tx, &grant, &new)?;
        Ok(Ok(Written::of(StatusCode::CREATED, &wire(&new, &[], None))?))
    };
    let reply = once(parts, grant, (Some(marked), now), work).await?.reply();
    let id = reply.read::<Import>()?.id;
    Ok(reply.location(&allowed.tenant.path(ONE).replace("{id}", &id.to_string())))
}

/// An open import as the wire shows it.
pub(super) fn wire(open: &OpenImport, parts: &[Part], progress: Option<&Progress>) -> Import {
    let status = match (progress, open.failure.as_str()) {
        (Some(_), _) => "running",
        (None, "") => "open",
        (None, _) => "refused",
    };
    let arrived = parts.iter().map(|part| part.length).fold(0, u64::saturating_add);
    let refused = progress.is_none().then(|| serde_json::from_str(&open.failure).ok()).flatten();
    Import {
        id: open.id,
        file_name: open.file_name.clone(),
        sha256: open.sha256.map(|digest| digest.hex()).unwrap_or_default(),
        bytes: open.length.unwrap_or(arrived),
        mapping: (!open.reading.mapping.is_empty()).then(|| open.reading.mapping.clone()),
        mode: rows::mode(open.reading.mode),
        status: status.to_owned(),
        ack: rows::ACK.to_owned(),
        counts: progress.map(|progress| rows::counts(&progress.counts())).unwrap_or_default(),
        segments: Vec::new(),
        results: Vec::new(),
        skipped: Vec::new(),
        warnings: Vec::new(),
        watermark: Watermark { seq: 0, committed_at: None, lag_ms: 0 },
        created_at: open.created_at,
        parts: Some(parts.iter().map(wire_part).collect()),
        set: serde_json::from_str(&open.reading.constants).unwrap_or_default(),
        progress: progress.map(|progress| {
            let (bytes_done, bytes) = progress.done();
            ImportProgress { bytes_done, bytes }
        }),
        expires_at: Some(open.keep_until),
        problem: refused,
    }
}

fn wire_part(part: &Part) -> ImportPart {
    ImportPart { number: part.number, sha256: part.sha256.hex(), bytes: part.length }
}

/// An open import with the parts that have arrived; nothing when there is none of this id.
pub(super) async fn with_parts(
    allowed: &Allowed<ReadActivities>,
    id: ImportId,
) -> Result<Option<(OpenImport, Vec<Part>)>, Refusal> {
    let grant = allowed.grant;
    let found = allowed.tenant.parts().db.read(move |rd| {
        let Some(open) = open_import_by_id(rd, &grant, id)? else { return Ok(None) };
        Ok(Some((open, open_parts(rd, &grant, id)?)))
    });
    Ok(found.await?)
}

/// An open import as it is now; nothing when there is none of this id.
pub(super) async fn found(
    allowed: &Allowed<ReadActivities>,
    id: ImportId,
) -> Result<Option<Import>, Refusal> {
    let found = with_parts(allowed, id).await?;
    let progress = allowed.tenant.progress_of(id);
    Ok(found.map(|(open, parts)| wire(&open, &parts, progress.as_deref())))
}

/// All open imports, newest first.
pub(super) async fn all(allowed: &Allowed<ReadActivities>) -> Result<Vec<Import>, Refusal> {
    let grant = allowed.grant;
    let found = allowed.tenant.parts().db.read(move |rd| {
        let opened = open_imports(rd, &grant)?;
        let with_parts = |open: OpenImport| Ok((open_parts(rd, &grant, open.id)?, open));
        opened.into_iter().map(with_parts).collect::<anyhow::Result<Vec<_>>>()
    });
    let told = |(parts, open): (Vec<Part>, OpenImport)| {
        wire(&open, &parts, allowed.tenant.progress_of(open.id).as_deref())
    };
    Ok(found.await?.into_iter().map(told).collect())
}

/// An open import with its parts.
///
/// # Errors
/// 404; 409 when it was taken in.
async fn opened(
    allowed: &Allowed<WriteActivities>,
    id: &str,
) -> Result<(OpenImport, Vec<Part>), Refusal> {
    let id = ImportId::parse(id).map_err(|_| nothing_here())?;
    let reads = allowed.also::<ReadActivities>()?;
    let found = allowed.tenant.parts().db.read(move |rd| {
        let taken_in = import_by_id(rd, &reads, id)?.is_some();
        let open = open_import_by_id(rd, &reads, id)?;
        Ok((taken_in, open, open_parts(rd, &reads, id)?))
    });
    match found.await? {
        (_, Some(open), parts) => Ok((open, parts)),
        (true, None, _) => Err(Problem::conflict(format!(
            "The import {id} was taken in: its file is what it is. To take its rows back, void them: `envora data supersede --import {id} --void`."
        ))
        .into()),
        (false, None, _) => Err(nothing_here().into()),
    }
}

/// Refuses to change what is being read.
fn is_at_rest(tenant: &TenantCtx, id: ImportId) -> Result<(), Problem> {
    match tenant.progress_of(id) {
        None => Ok(()),
        Some(_) => Err(Problem::conflict(
            "The rows of this import are being read. Wait until that has ended, or delete the import.",
        )),
    }
}

/// The SHA-256 that `Content-Digest` names.
fn said_digest(headers: &HeaderMap) -> Result<Digest, Problem> {
    let mut values = headers.get_all(media::CONTENT_DIGEST).iter();
    let due = || {
        Problem::malformed_body(
            "Send the part's SHA-256 in one header, Content-Digest: sha-256=:…: (RFC 9530), so that it is known to have arrived whole.",
        )
    };
    let (Some(value), None) = (values.next(), values.next()) else { return Err(due()) };
    let text = value.to_str().map_err(|_| due())?;
    let bytes = text.split(',').find_map(|item| {
        let inner = item.trim().strip_prefix("sha-256=:")?.strip_suffix(':')?;
        STANDARD.decode(inner).ok()
    });
    bytes.and_then(|bytes| Digest::from_slice(&bytes)).ok_or_else(due)
}

pub(crate) async fn put(
    State(app): State<App>,
    allowed: Allowed<WriteActivities>,
    Path((_, id, number)): Path<(String, String, String)>,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Answer {
    params.only(&[])?;
    body_format(&headers, &[Format::Bytes])?;
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let words = "A part is sent as it is, without Content-Encoding: its hash is of its bytes.";
        return Err(Problem::unsupported_encoding(words).into());
    }
    let digest = said_digest(&headers)?;
    let number = number.parse().ok().filter(|number| (1..=PARTS_MAX).contains(number));
    let number: u32 = number.ok_or_else(|| {
        Problem::unknown_parameter(format!("A part has a number from 1 to {PARTS_MAX}."))
    })?;
    let (open, before) = opened(&allowed, &id).await?;
    is_at_rest(&allowed.tenant, open.id)?;
    let (body, _turn) = app.turn(&headers, body).await?;
    let Arrived { source, .. } = bodies::file(&headers, body).await?;
    if source.length == 0 {
        let words = "A part has at least one byte, and this one is empty. Nothing of it is kept.";
        return Err(Problem::malformed_body(words).into());
    }
    if source.digest != digest {
        return Err(Problem::malformed_body(format!(
            "The bytes that arrived are not those that Content-Digest names: they are {} bytes with SHA-256 {}. Nothing of the part is kept; send it again.",
            source.length, source.digest
        ))
        .into());
    }
    let part = Part {
        number,
        name: part_name(open.id, number, &digest),
        sha256: digest,
        length: source.length,
    };
    let others = before.iter().filter(|other| other.number != number);
    let whole = others.map(|other| other.length).fold(part.length, u64::saturating_add);
    // What the parts are together is checked by the commit: one of another length may still be replaced.
    if open.length.is_some_and(|length| part.length > length) || whole > FILE_BYTES_MAX {
        let most = open.length.unwrap_or(FILE_BYTES_MAX);
        return Err(Problem::payload_too_large(format!(
            "With this part of {} bytes the file is above the {most} bytes that it may have.",
            part.length
        ))
        .into());
    }
    let same = before.iter().find(|other| other.number == number);
    if same != Some(&part) {
        let parts = Arc::clone(allowed.tenant.parts());
        let keep = move || keep_part(&parts, &part.name, &source);
        let kept = app.tracker().spawn_blocking(keep).await.context("keep a part")?;
        kept.map_err(|error| rows::refused(error, formats::Format::Csv))?;
        let grant = allowed.grant;
        let noted =
            allowed.tenant.parts().db.write(move |tx| open_part_put(tx, &grant, (open.id, &part)));
        let spare = if noted.await? { same.copied() } else { Some(part) };
        remove(&app, &allowed.tenant, spare.into_iter().collect()).await;
        if spare == Some(part) {
            return Err(nothing_here().into());
        }
        allowed.tenant.import_changed();
    }
    Reply::ok(&wire_part(&part))
}

pub(crate) async fn take_back(
    State(app): State<App>,
    allowed: Allowed<WriteActivities>,
    Path((_, id, number)): Path<(String, String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let number: u32 = number.parse().map_err(|_| nothing_here())?;
    let (open, _) = opened(&allowed, &id).await?;
    is_at_rest(&allowed.tenant, open.id)?;
    let grant = allowed.grant;
    let noted =
        allowed.tenant.parts().db.write(move |tx| open_part_drop(tx, &grant, (open.id, number)));
    let part = noted.await?.ok_or_else(nothing_here)?;
    allowed.tenant.import_changed();
    remove(&app, &allowed.tenant, vec![part]).await;
    Reply::ok(&wire_part(&part))
}

/// Removes parts that nothing names any more; one that stays takes room and does no harm.
async fn remove(app: &App, tenant: &TenantCtx, parts: Vec<Part>) {
    let lake = Arc::clone(&tenant.parts().lake);
    let work = move || parts.iter().try_for_each(|part| lake.remove_source(&part.name));
    if let Ok(Err(error)) = app.tracker().spawn_blocking(work).await {
        tracing::warn!(cause = %error, "a part that nothing needs is not removed");
    }
}

/// How the rows of an open import are read. Blocks.
fn opening(
    tenant: &TenantCtx,
    open: &OpenImport,
    file: Digest,
) -> Result<(formats::Format, Opening), Refusal> {
    let mapping = match open.reading.mapping_digest {
        None => None,
        Some(version) => {
            let found = tenant.parts().mapping(version)?;
            Some(Arc::new(found.context("find the mapping of an open import")?))
        }
    };
    let set = serde_json::from_str(&open.reading.constants).context("read constants")?;
    let format = match open.media_type.as_str() {
        media::NDJSON => formats::Format::Ndjson,
        _ => formats::Format::Csv,
    };
    Ok((
        format,
        Opening {
            head: OriginHead::File { import: open.id, file },
            mapping,
            set,
            local_times: Default::default(),
            clocks: tenant.parts().clocks()?,
        },
    ))
}

pub(crate) async fn preview(
    State(app): State<App>,
    allowed: Allowed<ReadActivities>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&["rows"])?;
    let shown = params.read("rows", "1 to 1000", |text| {
        text.parse().ok().filter(|rows| (1..=LOOKED_AT).contains(rows))
    })?;
    let id = ImportId::parse(&id).map_err(|_| nothing_here())?;
    let (open, parts) = with_parts(&allowed, id).await?.ok_or_else(nothing_here)?;
    let tenant = allowed.tenant.clone();
    let look = move || looked_at(&tenant, &open, parts, shown.unwrap_or(SHOWN));
    let preview = app.tracker().spawn_blocking(look).await.context("look at an import")??;
    Reply::ok(&preview)
}

/// The parts from the first on, up to the first that is missing.
///
/// # Errors
/// 409 when that is the first.
pub(super) fn begun(parts: Vec<Part>) -> Result<Vec<Part>, Problem> {
    let in_turn = parts.into_iter().zip(1..).take_while(|(part, due)| part.number == *due);
    let begun: Vec<Part> = in_turn.map(|(part, _)| part).collect();
    if begun.is_empty() {
        return Err(Problem::conflict("Part 1 has not arrived yet: send it, then look again."));
    }
    Ok(begun)
}

/// The first rows of the parts that have arrived.
fn looked_at(
    tenant: &TenantCtx,
    open: &OpenImport,
    parts: Vec<Part>,
    shown: usize,
) -> Result<ImportPreview, Refusal> {
    let whole = gaps(open, &parts).is_ok();
    let begun = begun(parts)?;
    let (format, opening) = opening(tenant, open, Digest([0; 32]))?;
    let input = tenant.parts().parts_reader(begun, None);
    let mut reader = formats::open(format, Box::new(input), &opening).map_err(rows::unreadable)?;
    let read: std::io::Result<Vec<ParsedRow>> = reader.by_ref().take(LOOKED_AT).collect();
    let mut read = read.context("read the rows")?;
    let at_end = reader.next().is_none();
    if at_end && !whole {
        // The row that the next part goes on with.
        read.pop();
    }
    let activity = |row: &ParsedRow| {
        let activity = row.activity.as_ref().ok().or(row.unclear.as_deref())?;
        let fields = words::fields(activity).into_iter().filter(|(name, _)| *name != "origin");
        Some(fields.map(|(name, value)| (name.to_owned(), value)).collect())
    };
    let told: Vec<_> =
        read.iter().take(shown).map(|row| (row.row, row.line, activity(row))).collect();
    let batch = Batch::new(read, open.reading.mode);
    let accepted = tenant.intake().preview(batch)?;
    let results = rows::results(&accepted.results, format).into_iter();
    let row = |((row, line, activity), result): ((u64, u64, _), envora_api::writes::RowResult)| {
        // What a refused row says but for its clock is not what is stored.
        let activity = (result.status != Outcome::Rejected).then_some(activity).flatten();
        PreviewRow { row, line, status: result.status, activity, errors: result.errors }
    };
    let warnings = rows::warnings_of(&accepted);
    Ok(ImportPreview {
        rows: told.into_iter().zip(results).map(row).collect(),
        counts: rows::counts(&accepted.counts),
        warnings,
        complete: at_end && whole,
    })
}

/// The length of the file, once all of its parts are there.
///
/// # Errors
/// 409, saying what is missing.
fn gaps(open: &OpenImport, parts: &[Part]) -> Result<u64, Problem> {
    let last = parts.last().map_or(0, |part| part.number);
    let missing: Vec<String> = (1..=last)
        .filter(|number| !parts.iter().any(|part| part.number == *number))
        .map(|number| number.to_string())
        .collect();
    let arrived = parts.iter().map(|part| part.length).fold(0, u64::saturating_add);
    if parts.is_empty() {
        return Err(Problem::conflict("No part has arrived yet. Send them, from number 1 on."));
    }
    if !missing.is_empty() {
        let some = missing.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
        return Err(Problem::conflict(format!(
            "{} of the parts before part {last} have not arrived: {some}. Send them, then commit.",
            missing.len()
        )));
    }
    if let Some(length) = open.length.filter(|length| *length != arrived) {
        let words = if arrived < length {
            format!(
                "{arrived} of {length} bytes have arrived. Send the parts that are missing, then commit."
            )
        } else {
            format!(
                "{arrived} bytes have arrived, and the file was said to have {length}. DELETE the part that is too much ({} parts, the last is {last}), or send it again as it should be, then commit.",
                parts.len()
            )
        };
        return Err(Problem::conflict(words));
    }
    Ok(arrived)
}

pub(crate) async fn change(
    allowed: Allowed<WriteActivities>,
    Path((_, id)): Path<(String, String)>,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Answer {
    params.only(&[])?;
    let body = bodies::json(&headers, body, &[Format::Json]).await?;
    let mut sent = Fields::of(body, &["mapping", "mode", "set"])?;
    let said = reading(&mut sent);
    sent.finish()?;
    let (open, parts) = opened(&allowed, &id).await?;
    is_at_rest(&allowed.tenant, open.id)?;
    let (reading, grant) = (resolved(&allowed, said).await?, allowed.grant);
    let new = OpenImport { reading: reading.clone(), failure: String::new(), ..open };
    let import = new.id;
    let changed = allowed
        .tenant
        .parts()
        .db
        .write(move |tx| open_import_reading(tx, &grant, (import, &reading)));
    if !changed.await? {
        return Err(nothing_here().into());
    }
    allowed.tenant.import_changed();
    Reply::ok(&wire(&new, &parts, None))
}

pub(crate) async fn commit(
    State(app): State<App>,
    allowed: Allowed<WriteActivities>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let reads = Allowed {
        tenant: allowed.tenant.clone(),
        grant: allowed.also::<ReadActivities>()?,
        actor: allowed.actor,
    };
    let known = ImportId::parse(&id).map_err(|_| nothing_here())?;
    if let Some(import) = super::imports::taken_in(&reads, known).await? {
        return Reply::ok(&import);
    }
    let (open, parts) = opened(&allowed, &id).await?;
    let length = gaps(&open, &parts)?;
    let path = allowed.tenant.path(ONE).replace("{id}", &id);
    let until = source_until(&app, &allowed).await?;
    if let Some(running) = allowed.tenant.begin(open.id, length) {
        let answer = wire(&open, &parts, Some(&running.progress));
        let job = Job { app: app.clone(), allowed, open, parts, length, until };
        app.tracker().spawn(job.run(running));
        return Ok(Reply::with(StatusCode::ACCEPTED, &answer)?.location(&path));
    }
    let progress = allowed.tenant.progress_of(open.id);
    Ok(Reply::with(StatusCode::ACCEPTED, &wire(&open, &parts, progress.as_deref()))?
        .location(&path))
}

/// The rows of an import, to be read and stored.
struct Job {
    app: App,
    allowed: Allowed<WriteActivities>,
    open: OpenImport,
    parts: Vec<Part>,
    length: u64,
    until: Timestamp,
}

impl Job {
    async fn run(self, running: Running) {
        let progress = Arc::clone(&running.progress);
        let (app, tenant) = (self.app.clone(), self.allowed.tenant.clone());
        let (grant, id) = (self.allowed.grant, self.open.id);
        let work = app.tracker().spawn_blocking(move || self.store(&progress)).await;
        let stored = work.context("take in a file").unwrap_or_else(|error| Err(error.into()));
        let failure = match stored {
            Ok(()) => String::new(),
            Err(_) if running.progress.is_given_up() => String::new(),
            // Nothing is stored, and nothing is wrong with it: it is open again after the start.
            Err(refusal) if refusal.code() == "draining" => String::new(),
            Err(refusal) => serde_json::to_string(&refusal.0).unwrap_or_default(),
        };
        let noted =
            tenant.parts().db.write(move |tx| open_import_failure(tx, &grant, (id, &failure)));
        if let Err(error) = noted.await {
            tracing::warn!(cause = %error, "what an import was refused with is not noted");
        }
        drop(running);
    }

    /// Reads the file twice, to know its hash and to store its rows. Blocks.
    fn store(self, progress: &Arc<Progress>) -> Result<(), Refusal> {
        let Self { app, allowed, open, parts, length, until } = self;
        let tenant = &allowed.tenant;
        let reader = || tenant.parts().parts_reader(parts.clone(), Some(Arc::clone(progress)));
        let (_, digest) = measure(reader()).context("read the parts of a file")?;
        if open.sha256.is_some_and(|said| said != digest) {
            return Err(Problem::malformed_body(format!(
                "The parts together are not the file that was announced: their SHA-256 is {digest}. Send the part that differs, or delete the import and open it anew."
            ))
            .into());
        }
        let (format, opening) = opening(tenant, &open, digest)?;
        let rows = formats::open(format, Box::new(reader()), &opening).map_err(rows::unreadable)?;
        let mut batch = Batch::new(Vec::new(), open.reading.mode);
        batch.rows = rows.into();
        batch.import = Some(ImportDraft {
            id: open.id,
            source: Source::Parts {
                digest,
                length,
                parts: parts.clone(),
                progress: Arc::clone(progress),
            },
            file_name: open.file_name,
            media_type: open.media_type,
            mapping: open.reading.mapping,
            mapping_digest: open.reading.mapping_digest,
            source_until: until,
        });
        let submitted = tenant.intake().submit_blocking(&allowed.grant, batch);
        match submitted.map_err(|error| rows::refused(error, format))? {
            Submitted::Stored(accepted, _) => {
                tenant.notify();
                rows::measure(app.metrics(), &accepted.counts);
            }
            Submitted::Replayed(_) => {}
        }
        Ok(())
    }
}

pub(crate) async fn give_up(
    State(app): State<App>,
    allowed: Allowed<WriteActivities>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let (open, _) = opened(&allowed, &id).await?;
    if let Some(progress) = allowed.tenant.progress_of(open.id) {
        progress.give_up();
        let ended = async {
            while allowed.tenant.progress_of(open.id).is_some() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        if tokio::time::timeout(END_OF_READING, ended).await.is_err() {
            let words = "The rows of this import are about to be stored. Ask again in a moment.";
            return Err(Problem::conflict(words).into());
        }
    }
    // It may have been taken in meanwhile.
    let (open, parts) = opened(&allowed, &id).await?;
    let (grant, import) = (allowed.grant, open.id);
    allowed.tenant.parts().db.write(move |tx| open_import_drop(tx, &grant, import)).await?;
    allowed.tenant.import_changed();
    remove(&app, &allowed.tenant, parts).await;
    let mut answer = wire(&open, &[], None);
    answer.status = "canceled".to_owned();
    answer.problem = None;
    Reply::ok(&answer)
}
