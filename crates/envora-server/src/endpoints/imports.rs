//! `…/imports`: a file taken in, in the simple form: the file is the body.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use envora_api::imports::{Import, NewImport, RejectedRow};
use envora_api::listing::Page;
use envora_api::media;
use envora_api::problems::{Problem, RowError, RowPlace};
use envora_api::writes::SkippedRows;
use envora_domain::access::Grant;
use envora_domain::access::actions::{ReadActivities, ReadOrganization, WriteActivities};
use envora_domain::activities::problems::{Outcome as Fate, RowCode};
use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_domain::time::{Span, Timestamp};
use envora_ingest::clocks::Clocks;
use envora_ingest::commit::{
    Accepted, Batch, Idempotency, ImportDraft, StoredAnswer, SubmitError, Submitted,
};
use envora_ingest::formats::left::LeftOut;
use envora_ingest::formats::{self, OpenError, Opening, OriginHead, Tally, mend};
use envora_ingest::mapping::Mapping;
use envora_ingest::registry::Registry;
use envora_ingest::rows::Rows;
use envora_ingest::tenant::{Damaged, TenantParts};
use envora_lake::sources::{PackedSource, SOURCE_BYTES_MAX, SourceError};
use envora_store::imports::{
    self as store, ImportRow, Mode, import_by_id, import_rows, import_rows_count, imports_before,
    imports_count,
};
use envora_store::likenesses::alike_of_import;
use envora_store::mappings::{mapping_by_digest, mapping_by_name};
use envora_store::organization::organization_now;
use envora_store::segments::segments_of_import;

use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies::{self, Arrived};
use crate::cursors::{self, Place, Walk};
use crate::endpoints::footprints::blocking;
use crate::endpoints::mappings::unfit;
use crate::endpoints::parts;
use crate::gate::{Format, body_format};
use crate::idempotency::{self, Marked, Sent};
use crate::listing::Cut;
use crate::openapi::Shape;
use crate::params::{Params, shown};
use crate::refusals::Refusal;
use crate::routes::Route;
use crate::rows;

const ALL: &str = "/v2/organizations/{org_id}/imports";
const ONE: &str = "/v2/organizations/{org_id}/imports/{id}";
const ERRORS: &str = "/v2/organizations/{org_id}/imports/{id}/errors";
const ERROR_FILE: &str = "/v2/organizations/{org_id}/imports/{id}/error-file";
/// What a body may be: a file, or what opens an import in parts.
const OFFERED: &[Format] = &[
    Format::Csv,
    Format::Xlsx,
    Format::Parquet,
    Format::Xml,
    Format::Ndjson,
    Format::JsonFile,
    Format::InParts,
];
/// How many rows are read at once.
const ROWS_AT_ONCE: u32 = 1_000;
const DAY: i64 = 24 * 3_600;

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadActivities, _, _>(ALL, list)
            .says("Lists the imports, newest first.")
            .asks(&[
                ("limit", "How many, 1 to 1000; 100 when absent."),
                ("cursor", "The page to continue from."),
                ("fields", "Only these fields of each, separated by commas."),
                ("include", "`total`: say how many there are in all."),
                ("state", "open: those in parts that are not taken in yet, all of them."),
            ])
            .gives(200, Shape::page::<Import>()),
        Route::post::<WriteActivities, _, _>(ALL, add)
            .says("Takes in a file: the body is the file, up to 64 MiB; its bytes are kept. A larger one is opened here, by a body of the vendor type that says what it will be, and sent in parts.")
            .asks(&[
                (
                    "mapping",
                    "The name of a saved mapping, or name@version; for a table whose header is not made of field names.",
                ),
                ("mode", "atomic or partial; partial when absent."),
                ("scope", "The scope that all rows claim."),
                ("set", "A constant, such as facility_code=b24; may be repeated."),
            ])
            .takes(OFFERED, Shape::one::<NewImport>())
            .gives(201, Shape::one::<Import>()),
        Route::get::<ReadActivities, _, _>(ONE, read)
            .says("Reads an import.")
            .gives(200, Shape::one::<Import>()),
        Route::get::<ReadActivities, _, _>(ERRORS, errors)
            .says("Lists the rows of an import that were not accepted as they stood: the first 250,000 problems, for 30 days.")
            .asks(&[
                ("limit", "How many, 1 to 1000; 100 when absent."),
                ("cursor", "The page to continue from."),
                ("fields", "Only these fields of each, separated by commas."),
                ("include", "`total`: say how many problems all pages have."),
            ])
            .gives(200, Shape::page::<RejectedRow>()),
        Route::get::<ReadActivities, _, _>(ERROR_FILE, error_file)
            .says("Gives the refused rows of an import in the format they came in, each with _envora_row, _envora_code, _envora_message and _envora_remedy, to be mended and sent again as it is; those of a workbook as CSV, to be mended in the workbook, and those of a Parquet file as CSV, to be mended and sent as that, through the same mapping. Where a mapping derives the ids of rows there is _envora_occurrence as well, which row of several equal ones each was: leave it, and the mended row has the id that it has in the file itself.")
            .gives(200, Shape::Free("The file."))
            .as_types(&[media::CSV, media::NDJSON, media::JSON, media::XML]),
    ]
}

/// A file on its way in.
struct Incoming {
    id: ImportId,
    source: PackedSource,
    file_name: String,
    media_type: String,
    format: formats::Format,
    mode: Mode,
    mapping: Option<Arc<Mapping>>,
    set: BTreeMap<String, String>,
    source_until: Timestamp,
    marked: Marked,
}

pub(crate) async fn add(
    State(app): State<App>,
    allowed: Allowed<WriteActivities>,
    OriginalUri(uri): OriginalUri,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    if is_announced(&headers) {
        return parts::open(&app, allowed, (&uri, &params, &headers), body).await;
    }
    params.only(&["mapping", "mode", "scope", "set"])?;
    let format = body_format(&headers, OFFERED)?.of_rows();
    let mode = mode_of(&params, Mode::Partial)?;
    let set = constants(&params)?;
    let mapping = mapping_of(&allowed, &params).await?;
    let source_until = source_until(&app, &allowed).await?;
    let (body, _turn) = app.turn(&headers, body).await?;
    let Arrived { source, hash } = bodies::file(&headers, body).await?;
    let sent =
        Sent { actor: &allowed.actor, uri: &uri, params: &params, headers: &headers, body: hash };
    let marked = idempotency::required(idempotency::marked(allowed.tenant.parts(), &sent)?)?;
    let incoming = Incoming {
        id: ImportId::new(app.clock().now(), app.entropy()),
        file_name: file_name(&headers),
        media_type: text_of(&headers, CONTENT_TYPE.as_str()),
        source,
        format,
        mode,
        mapping,
        set,
        source_until,
        marked,
    };
    let (intake, grant) = (Arc::clone(allowed.tenant.intake()), allowed.grant);
    let tally = app.metrics().rows_read();
    let parts = Arc::clone(allowed.tenant.parts());
    let work = move || {
        let failed = |error| Failed::Submit(error, format);
        let clocks = parts.clocks().map_err(|error| failed(error.into()))?;
        let batch = incoming.batch(clocks, tally)?;
        intake.submit_blocking(&grant, batch).map_err(failed)
    };
    let submitted = app.tracker().spawn_blocking(work).await.context("take in a file")?;
    match submitted.map_err(Refusal::from)? {
        Submitted::Replayed(answer) => Ok(Reply::replayed(answer.status, answer.body)),
        Submitted::Stored(accepted, answer) => {
            allowed.tenant.notify();
            rows::measure(app.metrics(), &accepted.counts);
            let answer = answer.context("the answer of an import was not made")?;
            let reply = Reply::written(answer.status, answer.body);
            let id = accepted.import.map(|id| format!("{}/{id}", allowed.tenant.path(ALL)));
            Ok(reply.location(&id.unwrap_or_default()))
        }
    }
}

/// Why a file was not taken in.
enum Failed {
    /// It cannot be read.
    Open(OpenError),
    /// It cannot be stored; the format says how its rows are named.
    Submit(SubmitError, formats::Format),
}

impl From<Failed> for Refusal {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Open(error) => rows::unreadable(error),
            Failed::Submit(error, format) => rows::refused(error, format),
        }
    }
}

impl Incoming {
    /// Opens the file; its rows are read as they are stored.
    fn batch(self, clocks: Clocks, tally: Arc<Tally>) -> Result<Batch, Failed> {
        let opening = Opening {
            head: OriginHead::File { import: self.id, file: self.source.digest },
            mapping: self.mapping.clone(),
            set: self.set.clone(),
            local_times: Default::default(),
            clocks,
        };
        let input = self.source.reader().map_err(|error| Failed::Open(OpenError::Io(error)))?;
        let reader = formats::open(self.format, Box::new(input), &opening).map_err(Failed::Open)?;
        let (mode, marked) = (self.mode, self.marked);
        let about = self.about();
        let render = Box::new(move |accepted: &Accepted| StoredAnswer {
            status: 201,
            media_type: media::VENDOR.to_owned(),
            body: serde_json::to_vec(&about.answer(accepted)).unwrap_or_default(),
        });
        let idempotency = Idempotency { key: marked.key, fingerprint: marked.fingerprint, render };
        Ok(Batch {
            rows: Rows::Counted(Box::new(reader), Some(tally)),
            mode,
            left: LeftOut::default(),
            idempotency: Some(idempotency),
            import: Some(self.draft()),
        })
    }

    fn about(&self) -> Answering {
        Answering {
            id: self.id,
            file_name: self.file_name.clone(),
            sha256: self.source.digest,
            bytes: self.source.length,
            mapping: self.mapping.as_ref().map(|mapping| mapping.name.clone()),
            format: self.format,
        }
    }

    fn draft(self) -> ImportDraft {
        ImportDraft {
            id: self.id,
            source: self.source.into(),
            file_name: self.file_name,
            media_type: self.media_type,
            mapping: self.mapping.as_ref().map(|mapping| mapping.name.clone()).unwrap_or_default(),
            mapping_digest: self.mapping.as_ref().map(|mapping| mapping.version),
            source_until: self.source_until,
        }
    }
}

/// What the answer says besides what became of the rows.
struct Answering {
    id: ImportId,
    file_name: String,
    sha256: Digest,
    bytes: u64,
    mapping: Option<String>,
    format: formats::Format,
}

impl Answering {
    fn answer(&self, accepted: &Accepted) -> Import {
        Import {
            id: self.id,
            file_name: self.file_name.clone(),
            sha256: self.sha256.hex(),
            bytes: self.bytes,
            mapping: self.mapping.clone(),
            mode: rows::mode(accepted.mode),
            status: status(&accepted.counts).to_owned(),
            ack: rows::ACK.to_owned(),
            counts: rows::counts(&accepted.counts),
            segments: accepted.segments.clone(),
            results: rows::results(&accepted.results, self.format),
            skipped: accepted.skipped.clone(),
            warnings: rows::warnings_of(accepted),
            watermark: rows::watermark(accepted),
            created_at: accepted.committed_at,
            parts: None,
            set: BTreeMap::new(),
            progress: None,
            expires_at: None,
            problem: None,
        }
    }
}

fn status(counts: &store::Counts) -> &'static str {
    if counts.rejected + counts.quarantined == 0 {
        "succeeded"
    } else if counts.accepted + counts.duplicate + counts.quarantined == 0 {
        "failed"
    } else {
        "partial"
    }
}

/// Whether the body says what a file in parts will be: it is of our own vendor type.
fn is_announced(headers: &HeaderMap) -> bool {
    body_format(headers, &[Format::InParts]).is_ok()
}

/// The mode that the query asks for.
///
/// # Errors
/// 400.
pub fn mode_of(params: &Params, default: Mode) -> Result<Mode, Problem> {
    Ok(params.read("mode", "atomic or partial", Mode::parse)?.unwrap_or(default))
}

/// The constants: `set` and `scope`.
pub(super) fn constants(params: &Params) -> Result<BTreeMap<String, String>, Problem> {
    let mut set = BTreeMap::new();
    for pair in params.many("set") {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Problem::unknown_parameter(format!("set is name=value, not {}.", shown(pair)))
        })?;
        if set.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Problem::unknown_parameter(format!("{} is set twice.", shown(name))));
        }
    }
    let scope =
        params.read("scope", "1, 2 or 3", |text| matches!(text, "1" | "2" | "3").then_some(()))?;
    if scope.is_some() {
        let scope = params.one("scope")?.unwrap_or_default();
        set.insert("scope".to_owned(), scope.to_owned());
    }
    Ok(set)
}

pub(super) async fn mapping_of(
    allowed: &Allowed<WriteActivities>,
    params: &Params,
) -> Result<Option<Arc<Mapping>>, Refusal> {
    let Some(name) = params.one("mapping")?.map(str::to_owned) else { return Ok(None) };
    let found = mapping_named(allowed, &name).await?;
    let found = found.ok_or_else(|| {
        Problem::unknown_parameter(format!(
            "There is no mapping {}. Save it first, at import-mappings.",
            shown(&name)
        ))
    })?;
    Ok(Some(found))
}

/// The saved mapping of this name, or of this name@version.
pub(super) async fn mapping_named(
    allowed: &Allowed<WriteActivities>,
    name: &str,
) -> Result<Option<Arc<Mapping>>, Refusal> {
    let (grant, wanted) = (allowed.also::<ReadActivities>()?, name.to_owned());
    let found = allowed
        .tenant
        .parts()
        .db
        .read(move |rd| {
            let pinned = wanted.rsplit_once('@').and_then(|(name, version)| {
                Digest::parse_hex(version).map(|version| (name.to_owned(), version))
            });
            let Some((name, version)) = pinned else { return mapping_by_name(rd, &grant, &wanted) };
            let found = mapping_by_digest(rd, &grant, version)?;
            Ok(found.filter(|found| found.name == name))
        })
        .await?;
    let Some(found) = found else { return Ok(None) };
    let tree = serde_json::from_str(&found.tree).context("read a saved mapping")?;
    let mapping = Mapping::from_json(&tree).map_err(|error| unfit(&error))?;
    Ok(Some(Arc::new(mapping)))
}

pub(super) async fn source_until(
    app: &App,
    allowed: &Allowed<WriteActivities>,
) -> Result<Timestamp, Refusal> {
    let grant = allowed.also::<ReadOrganization>()?;
    let settings = allowed.tenant.parts().db.read(move |rd| organization_now(rd, &grant)).await?;
    let days = settings.map_or(0, |now| i64::from(now.settings.source_retention_days));
    Ok(app.clock().now() + Span::from_secs(days * DAY))
}

fn text_of(headers: &HeaderMap, name: &str) -> String {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .chars()
        .take(200)
        .collect()
}

/// The file's name from Content-Disposition, without folders and control characters.
pub(super) fn file_name(headers: &HeaderMap) -> String {
    let text = text_of(headers, CONTENT_DISPOSITION.as_str());
    let mut plain = None;
    let mut extended = None;
    for part in text.split(';').map(str::trim) {
        if let Some(encoded) = part.strip_prefix("filename*=UTF-8''") {
            extended = decoded(encoded);
        } else if let Some(name) = part.strip_prefix("filename=") {
            plain = Some(name.trim_matches('"').to_owned());
        }
    }
    let name = extended.or(plain).unwrap_or_default();
    let last = name.rsplit(['/', '\\']).next().unwrap_or("");
    let clean: String = last.chars().filter(|letter| !letter.is_control()).take(200).collect();
    if clean.is_empty() { "unnamed".to_owned() } else { clean }
}

/// The text behind `%XX`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(core::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

pub(crate) async fn list(
    State(app): State<App>,
    allowed: Allowed<ReadActivities>,
    params: Params,
) -> Answer {
    params.only(&["limit", "cursor", "fields", "include", "state"])?;
    let cut = Cut::of::<Import>(&params)?;
    let is_open = params.read("state", "open", |text| (text == "open").then_some(()))?.is_some();
    if is_open {
        let data = parts::all(&allowed).await?;
        let total = cut.total.then_some(data.len() as u64);
        return cut.page(&Page { data, next_cursor: None }, total);
    }
    let (parts, grant, now) = (allowed.tenant.parts(), allowed.grant, app.clock().now());
    let walk = Walk { route: ALL, params: &params };
    let before = cursors::decode(&parts.keys, walk, now)?
        .and_then(|place| ImportId::parse(&place.after).ok());
    let limit = params.limit()?;
    let wanted = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    let counted = cut.total;
    let found = parts.db.read(move |rd| {
        let total = if counted { Some(imports_count(rd, &grant)?) } else { None };
        Ok((imports_before(rd, &grant, before, wanted)?, total))
    });
    let (mut found, total) = found.await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).map(|import| import.id.to_string());
    let next_cursor =
        last.map(|after| cursors::encode(&parts.keys, walk, Place { after, seq: 0 }, now));
    let next = next_cursor
        .as_ref()
        .map(|cursor| cursors::next_path(&allowed.tenant.path(ALL), &params, cursor));
    let data: Vec<Import> = found.into_iter().map(wire).collect();
    Ok(cut.page(&Page { data, next_cursor }, total)?.next(next.as_deref()))
}

pub(crate) async fn read(
    allowed: Allowed<ReadActivities>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let id = ImportId::parse(&id).map_err(|_| nothing_here())?;
    Reply::ok(&found(&allowed, id).await?.ok_or_else(nothing_here)?)
}

/// An import as it is now, taken in or open; nothing when there is none of this id.
pub(super) async fn found(
    allowed: &Allowed<ReadActivities>,
    id: ImportId,
) -> Result<Option<Import>, Refusal> {
    if let Some(import) = taken_in(allowed, id).await? {
        return Ok(Some(import));
    }
    if let Some(import) = parts::found(allowed, id).await? {
        return Ok(Some(import));
    }
    // It may have been taken in between the two looks.
    taken_in(allowed, id).await
}

/// An import that was taken in; nothing when there is none of this id.
pub(super) async fn taken_in(
    allowed: &Allowed<ReadActivities>,
    id: ImportId,
) -> Result<Option<Import>, Refusal> {
    let grant = allowed.grant;
    let found = allowed.tenant.parts().db.read(move |rd| {
        let import = import_by_id(rd, &grant, id)?;
        Ok((import, segments_of_import(rd, &grant, id)?, alike_of_import(rd, &grant, id)?))
    });
    let (import, segments, alike) = found.await?;
    let Some(import) = import else { return Ok(None) };
    let skipped: Vec<SkippedRows> = match import.skipped_rows.as_str() {
        "" => Vec::new(),
        text => serde_json::from_str(text).context("read which rows were skipped")?,
    };
    let warnings = rows::warnings(alike, (&skipped, &rows::counts(&import.counts)));
    Ok(Some(Import { segments, skipped, warnings, ..wire(import) }))
}

fn wire(import: store::Import) -> Import {
    Import {
        id: import.id,
        file_name: import.file_name,
        sha256: import.file.hex(),
        bytes: import.file_length,
        mapping: (!import.mapping.is_empty()).then_some(import.mapping),
        mode: rows::mode(import.mode),
        status: status(&import.counts).to_owned(),
        ack: rows::ACK.to_owned(),
        counts: rows::counts(&import.counts),
        segments: Vec::new(),
        results: Vec::new(),
        skipped: Vec::new(),
        warnings: Vec::new(),
        watermark: envora_api::amounts::Watermark {
            seq: import.seq,
            committed_at: Some(import.created_at),
            lag_ms: 0,
        },
        created_at: import.created_at,
        parts: None,
        set: BTreeMap::new(),
        progress: None,
        expires_at: None,
        problem: None,
    }
}

pub(crate) async fn errors(
    State(app): State<App>,
    allowed: Allowed<ReadActivities>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&["limit", "cursor", "fields", "include"])?;
    let cut = Cut::of::<RejectedRow>(&params)?;
    let counts = cut.total;
    let id = ImportId::parse(&id).map_err(|_| nothing_here())?;
    let (parts, grant, now) = (allowed.tenant.parts(), allowed.grant, app.clock().now());
    let walk = Walk { route: ERRORS, params: &params };
    let place = cursors::decode(&parts.keys, walk, now)?;
    let from = place.as_ref().and_then(|place| place.after.parse().ok()).unwrap_or(0);
    let limit = params.limit()?;
    let page = store::Page { from, limit: u32::try_from(limit + 1).unwrap_or(u32::MAX) };
    let found = parts
        .db
        .read(move |rd| match import_by_id(rd, &grant, id)? {
            None => Ok(None),
            Some(import) => {
                let total = counts.then(|| import_rows_count(rd, &grant, id)).transpose()?;
                let rows = import_rows(rd, &grant, id, page)?;
                Ok(Some((import.seq, rows, import.media_type, total)))
            }
        })
        .await?;
    let (seq, mut found, media_type, total) = found.ok_or_else(nothing_here)?;
    if place.is_some_and(|place| place.seq != seq) {
        return Err(Problem::cursor_filter_mismatch(
            "The cursor belongs to another import. Start again without one.",
        )
        .into());
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).map(|row| (row.number + 1).to_string());
    let next_cursor =
        last.map(|after| cursors::encode(&parts.keys, walk, Place { after, seq }, now));
    let next = next_cursor.as_ref().map(|cursor| {
        let path = allowed.tenant.path(ERRORS).replace("{id}", &id.to_string());
        cursors::next_path(&path, &params, cursor)
    });
    let mut data = grouped(found, format_of_type(&media_type));
    if data.iter().any(|row| row.outcome == Fate::Quarantined.as_str()) {
        let parts = Arc::clone(parts);
        let registry = blocking(&app, move || Ok(parts.registry.now(&parts)?)).await?;
        data.iter_mut().for_each(|row| row.let_in = is_let_in(row, &registry));
    }
    Ok(cut.page(&Page { data, next_cursor }, total)?.next(next.as_deref()))
}

pub(crate) async fn error_file(
    app: State<App>,
    allowed: Allowed<ReadActivities>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let id = ImportId::parse(&id).map_err(|_| nothing_here())?;
    let _turn = app.waited().await?;
    let (tenant, grant) = (allowed.tenant.clone(), allowed.grant);
    let work = move || mending(tenant.parts(), &grant, id);
    let made = app.tracker().spawn_blocking(work).await.context("make an error file")??;
    let (bytes, media_type) = made.ok_or_else(nothing_here)?;
    let ending = match media_type {
        media::NDJSON => "ndjson",
        media::XML => "xml",
        media::JSON => "json",
        _ => "csv",
    };
    let name = format!("{id}-errors.{ending}");
    Ok(Reply::written(200, bytes).of_type(media_type).saved_as(&name))
}

/// The refused rows of an import as a file, with its media type; nothing when there is no such import,
/// or when its file or its rows are no longer kept.
fn mending(
    parts: &TenantParts,
    grant: &Grant<ReadActivities>,
    id: ImportId,
) -> Result<Option<(Vec<u8>, &'static str)>, Refusal> {
    let grant = *grant;
    let Some(import) = parts.db.read_blocking(move |rd| import_by_id(rd, &grant, id))? else {
        return Ok(None);
    };
    let refused = refused(parts, grant, id)?;
    if refused.is_empty() {
        return Ok(None);
    }
    let Some(source) = whole(parts, &import)? else { return Ok(None) };
    Ok(Some(mended(parts, (&import, &refused, &source))?))
}

/// The refused rows of these bytes of an import's file.
fn mended(
    parts: &TenantParts,
    (import, refused, source): (&store::Import, &mend::Rows, &[u8]),
) -> anyhow::Result<(Vec<u8>, &'static str)> {
    let mapping =
        import.mapping_digest.map(|version| parts.mapping(version)).transpose()?.flatten();
    let format = format_of_type(&import.media_type);
    let media_type = match format {
        formats::Format::Ndjson => media::NDJSON,
        formats::Format::Xml => media::XML,
        formats::Format::CloudEvent | formats::Format::CloudEvents | formats::Format::Json => {
            media::JSON
        }
        formats::Format::Csv | formats::Format::Parquet | formats::Format::Xlsx => media::CSV,
    };
    let file = mend::error_file(format, source, (mapping.as_ref(), refused))?;
    Ok((file.bytes, media_type))
}

/// The bytes of an import's file, when it is still kept.
fn whole(parts: &TenantParts, import: &store::Import) -> Result<Option<Vec<u8>>, Refusal> {
    let in_parts = parts.parts_of_source(&import.file)?;
    if !in_parts.is_empty() {
        if import.file_length > SOURCE_BYTES_MAX {
            return Err(Problem::payload_too_large(format!(
                "Error files are made of files up to {} MiB, and this one is larger. GET imports/{}/errors lists its refused rows.",
                SOURCE_BYTES_MAX >> 20,
                import.id
            ))
            .into());
        }
        let mut bytes = Vec::new();
        let mut reader = parts.parts_reader(in_parts, None);
        reader.read_to_end(&mut bytes).context("read the parts of a file")?;
        return Ok(Some(bytes));
    }
    match parts.source_file(&import.file) {
        Ok(source) => Ok(Some(source)),
        Err(SourceError::NotFound) => Ok(None),
        Err(error) => {
            let file = format!("source file {}", import.file);
            Err(anyhow::Error::from(Damaged::new(file, error.to_string())).into())
        }
    }
}

/// What is wrong with each refused row of an import.
fn refused(
    parts: &TenantParts,
    grant: Grant<ReadActivities>,
    id: ImportId,
) -> anyhow::Result<mend::Rows> {
    let mut refused = mend::Rows::new();
    let mut from = 0;
    loop {
        let page = store::Page { from, limit: ROWS_AT_ONCE };
        let found = parts.db.read_blocking(move |rd| import_rows(rd, &grant, id, page))?;
        let Some(last) = found.last() else { return Ok(refused) };
        from = last.number + 1;
        for row in found.into_iter().filter(|row| row.outcome == Fate::Rejected.as_str()) {
            let why = refused.entry(row.row).or_default();
            for (all, one) in [
                (&mut why.code, row.code),
                (&mut why.message, row.detail),
                (&mut why.remedy, row.hint),
            ] {
                if !all.is_empty() && !one.is_empty() {
                    all.push_str("; ");
                }
                all.push_str(&one);
            }
        }
    }
}

/// The format that an import was taken in as.
fn format_of_type(media_type: &str) -> formats::Format {
    let kind = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        media::JSON => formats::Format::Json,
        media::NDJSON | "application/ndjson" => formats::Format::Ndjson,
        media::XLSX => formats::Format::Xlsx,
        media::PARQUET => formats::Format::Parquet,
        media::XML | "text/xml" => formats::Format::Xml,
        _ => formats::Format::Csv,
    }
}

/// Whether a row waited for words that the tables know by now.
fn is_let_in(row: &RejectedRow, registry: &Registry) -> bool {
    let known = |error: &RowError| {
        let (code, word) = (RowCode::parse(&error.code), error.value.as_deref());
        code.zip(word).is_some_and(|(code, word)| registry.knows(code, word))
    };
    row.outcome == Fate::Quarantined.as_str() && row.errors.iter().all(known)
}

/// The errors of each row together.
fn grouped(found: Vec<ImportRow>, format: formats::Format) -> Vec<RejectedRow> {
    let mut data: Vec<RejectedRow> = Vec::new();
    for row in found {
        let some = |text: String| (!text.is_empty()).then_some(text);
        let error = RowError {
            code: row.code,
            pointer: rows::pointer(format, row.row, &row.field),
            row: Some(RowPlace { record: row.row, line: row.line }),
            column: some(row.column),
            value: some(row.cell),
            detail: row.detail,
            hint: some(row.hint),
            ..RowError::default()
        };
        match data.last_mut() {
            Some(last) if last.row == row.row => last.errors.push(error),
            _ => data.push(RejectedRow {
                row: row.row,
                line: row.line,
                outcome: row.outcome,
                text: None,
                let_in: false,
                errors: vec![error],
            }),
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::file_name;

    #[track_caller]
    fn check(header: &'static str, want: &str) {
        let mut headers = HeaderMap::new();
        headers.insert("content-disposition", header.parse().expect("a header"));
        assert_eq!(file_name(&headers), want, "{header}");
    }

    #[test]
    fn a_file_has_a_name_without_folders() {
        check("attachment; filename=\"b24.csv\"", "b24.csv");
        check("attachment; filename=\"x.csv\"; filename*=UTF-8''Z%C3%A4hler.csv", "Zähler.csv");
        check("attachment; filename=\"../../etc/passwd\"", "passwd");
        check("attachment; filename=\"C:\\data\\a.csv\"", "a.csv");
        check("attachment", "unnamed");
        check("attachment; filename*=UTF-8''a%0d%0ab.csv", "ab.csv");
    }
}
