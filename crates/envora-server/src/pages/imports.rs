//! The pages of imports: a file on its way in, and what became of it.

use askama::Template;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::IntoResponse as _;
use envora_api::imports::{Import, RejectedRow};
use envora_api::listing::Page;
use envora_api::mappings::ImportMapping;
use envora_api::media;
use envora_api::organizations::Organization;
use envora_api::problems::Problem;
use envora_api::proposals::{MappingProposal, ProposalQuestion, ProposalReason};
use envora_api::writes::{SkipReason, SkippedRows};
use envora_domain::access::actions::{ReadActivities, WriteActivities};
use envora_domain::decimal::group_thousands;
use envora_domain::id::ImportId;

use super::assets;
use super::charts::{self, Caption};
use super::open_imports::{self, Unfinished, Upload};
use super::problems::{Fault, grouped};
use super::shell::Shell;
use super::visits::{Shown, SignedIn, organization_of, own_form, to};
use super::{show, show_with_script, words};
use crate::access::{Allowed, Visitor, nothing_here};
use crate::app::App;
use crate::endpoints::{imports, mappings, proposals};
use crate::forms::{self, FileForm};
use crate::params::{Params, encoded};
use crate::refusals::Refusal;

/// How many imports a page lists.
const LISTED: &str = "25";
/// How many refused rows are read to be grouped.
const REFUSED: &str = "1000";
/// A name is cut to so many bytes once it is encoded for a header.
const NAME_BYTES_MAX: usize = 150;

/// What the form was sent with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The mapping's name.
    pub(super) mapping: String,
    /// The mode.
    pub(super) mode: String,
    /// Constants, one a line: `facility_code=b24`.
    pub(super) set: String,
    /// A mapping to be saved first, as TOML.
    pub(super) toml: String,
}

/// What the list is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    /// Whose they are.
    pub(super) organization: &'a Organization,
    /// The saved mappings.
    pub(super) mappings: &'a [ImportMapping],
    /// One page of them.
    pub(super) imports: &'a Page<Import>,
    /// Those that are not taken in yet.
    pub(super) open: &'a [Import],
    /// What was sent, or is to be.
    pub(super) chosen: &'a Chosen,
    /// Why it was not taken in.
    pub(super) refused: Option<&'a Problem>,
    /// What the file tells of itself.
    pub(super) proposal: Option<&'a MappingProposal>,
}

/// One of several things to choose from.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

struct Row {
    href: String,
    file_name: String,
    about: String,
    tone: &'static str,
    status: &'static str,
    accepted: String,
    before: String,
    waiting: String,
    rejected: String,
}

/// Why something was refused.
pub(super) struct Trouble {
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) code: String,
    pub(super) faults: Vec<Fault>,
}

/// What was found in a file.
pub(super) struct Told {
    pub(super) summary: String,
    pub(super) reasons: Vec<(String, String)>,
    pub(super) questions: Vec<String>,
}

/// The list, under the form.
#[derive(Template)]
#[template(path = "imports.html")]
pub(super) struct ImportsPage {
    shell: Shell,
    script: String,
    upload: Upload,
    open: Vec<Unfinished>,
    mappings: Vec<Choice>,
    modes: Vec<Choice>,
    set: String,
    toml: String,
    edits: Vec<(String, String)>,
    trouble: Option<Trouble>,
    told: Option<Told>,
    rows: Vec<Row>,
    more: Option<String>,
}

/// Lays the list out.
pub(super) fn list_page(sheet: Sheet<'_>) -> ImportsPage {
    let chosen = sheet.chosen;
    let choice = |value: &str, label: String, is: &str| Choice {
        chosen: value == is,
        value: value.to_owned(),
        label,
    };
    let mapping = |mapping: &ImportMapping| {
        let version = mapping.version.get(..8).unwrap_or_default();
        choice(&mapping.name, format!("{} (version {version})", mapping.name), &chosen.mapping)
    };
    let none = "None: its header is made of field names".to_owned();
    ImportsPage {
        shell: Shell::of("Imports", sheet.organization),
        script: assets::script_path(),
        upload: Upload::any(),
        open: sheet.open.iter().map(Unfinished::of).collect(),
        mappings: std::iter::once(choice("", none, &chosen.mapping))
            .chain(sheet.mappings.iter().map(mapping))
            .collect(),
        modes: modes_of(&chosen.mode),
        set: chosen.set.clone(),
        toml: chosen.toml.clone(),
        edits: sheet
            .mappings
            .iter()
            .map(|one| (format!("/imports?mapping={}", encoded(&one.name)), one.name.clone()))
            .collect(),
        trouble: sheet.refused.map(trouble),
        told: sheet.proposal.map(told),
        rows: sheet.imports.data.iter().map(row).collect(),
        more: sheet.imports.next_cursor.as_ref().map(|cursor| format!("/imports?cursor={cursor}")),
    }
}

/// What may become of a file with a row that is wrong.
pub(super) fn modes_of(chosen: &str) -> Vec<Choice> {
    let modes =
        [("partial", "Take the good rows in, list the others"), ("atomic", "All rows or none")];
    let choice = |(value, label): (&str, &str)| Choice {
        chosen: value == chosen,
        value: value.to_owned(),
        label: label.to_owned(),
    };
    modes.map(choice).into()
}

/// Why something was refused, as a page tells it.
pub(super) fn trouble(problem: &Problem) -> Trouble {
    let faults = grouped(problem.errors.iter().map(|error| ("rejected", error)));
    Trouble {
        title: problem.title.clone(),
        detail: problem.detail.clone(),
        code: problem.code.clone(),
        faults,
    }
}

/// What was found in a file, as a page tells it.
pub(super) fn told(proposal: &MappingProposal) -> Told {
    let reason = |reason: &ProposalReason| {
        (reason.what.clone(), format!("{} ({})", reason.why, reason.confidence.as_str()))
    };
    let question = |question: &ProposalQuestion| match question.line {
        0 => question.asks.clone(),
        line => format!("{} (line {line})", question.asks),
    };
    let rows = words::count(proposal.rows, "row was", "rows were");
    let open = words::count(proposal.questions.len() as u64, "thing", "things");
    let summary = match proposal.questions.len() {
        0 => format!(
            "{rows} looked at, and nothing is open. Read the mapping below, then choose the file again and take it in."
        ),
        _ => format!(
            "{rows} looked at. {open} the file does not tell: in the mapping below, take the # off the line that is true. Then choose the file again and take it in."
        ),
    };
    Told {
        summary,
        reasons: proposal.reasons.iter().map(reason).collect(),
        questions: proposal.questions.iter().map(question).collect(),
    }
}

fn row(import: &Import) -> Row {
    let number = |number: u64| group_thousands(&number.to_string());
    let (tone, status) = outcome(import);
    Row {
        href: format!("/imports/{}", import.id),
        file_name: import.file_name.clone(),
        about: format!("{} · {}", words::instant(import.created_at), words::bytes(import.bytes)),
        tone,
        status,
        accepted: number(import.counts.accepted),
        before: number(import.counts.duplicate),
        waiting: number(import.counts.quarantined),
        rejected: number(import.counts.rejected),
    }
}

fn outcome(import: &Import) -> (&'static str, &'static str) {
    let counts = &import.counts;
    let stored = counts.accepted + counts.duplicate + counts.quarantined;
    match (stored, counts.rejected, counts.quarantined) {
        (0, 0, _) => ("warn", "no rows"),
        (0, ..) => ("bad", "all refused"),
        (_, 0, 0) => ("good", "all in"),
        (_, 0, _) => ("warn", "some wait"),
        _ => ("bad", "some refused"),
    }
}

/// How many rows came to what.
pub(super) struct Count {
    pub(super) label: &'static str,
    pub(super) tone: &'static str,
    pub(super) number: String,
}

/// An import.
#[derive(Template)]
#[template(path = "import.html")]
pub(super) struct ImportPage {
    shell: Shell,
    file_name: String,
    standfirst: String,
    tone: &'static str,
    status: String,
    counts: Vec<Count>,
    meter: String,
    warnings: Vec<String>,
    skipped: Vec<(String, String)>,
    skipped_more: Option<String>,
    faults: Vec<Fault>,
    partly: bool,
    error_file: Option<String>,
    rows_href: String,
    facts: Vec<(&'static str, String)>,
    sha256: String,
    command: String,
}

/// Lays an import out.
pub(super) fn import_page(
    organization: &Organization,
    import: &Import,
    refused: &Page<RejectedRow>,
) -> ImportPage {
    let counts = &import.counts;
    let all = counts.accepted + counts.duplicate + counts.quarantined + counts.rejected;
    let stored = counts.accepted + counts.duplicate;
    let (tone, status) = outcome(import);
    let description = match counts.duplicate {
        0 => format!("{stored} of {all} rows are stored and count."),
        before => {
            format!("{stored} of {all} rows are stored and count, {before} of them since before.")
        }
    };
    let caption = Caption { id: "rows-in", title: "Rows taken in", description: &description };
    let errors = refused
        .data
        .iter()
        .flat_map(|row| row.errors.iter().map(move |error| (row.outcome.as_str(), error)));
    let count = |label, tone, number: u64| Count {
        label,
        tone,
        number: group_thousands(&number.to_string()),
    };
    let mapping = import.mapping.as_ref().map(|name| format!(" --mapping {name}"));
    ImportPage {
        shell: Shell::of("Import", organization),
        file_name: import.file_name.clone(),
        standfirst: format!(
            "{} · {} · taken in {}",
            words::count(all, "row", "rows"),
            words::bytes(import.bytes),
            words::instant(import.created_at)
        ),
        tone,
        status: words::code(status),
        counts: vec![
            count("Stored", "good", counts.accepted),
            count("Stored before", "plain", counts.duplicate),
            count(
                "Stored, waiting for a word",
                if counts.quarantined > 0 { "warn" } else { "plain" },
                counts.quarantined,
            ),
            count("Refused", if counts.rejected > 0 { "bad" } else { "plain" }, counts.rejected),
            count("No activities", "plain", counts.skipped),
        ],
        meter: charts::meter(caption, stored, all),
        warnings: import.warnings.iter().map(|warning| warning.detail.clone()).collect(),
        skipped: import.skipped.iter().map(skipped).collect(),
        skipped_more: skipped_more(import),
        faults: grouped(errors),
        partly: refused.next_cursor.is_some(),
        error_file: (counts.rejected > 0).then(|| format!("/imports/{}/error-file", import.id)),
        rows_href: format!("/activities?import_id={}", import.id),
        facts: vec![
            ("Mapping", import.mapping.clone().unwrap_or_else(|| "none".to_owned())),
            ("Mode", words::code(&format!("{:?}", import.mode))),
            ("Entry of the log", group_thousands(&import.watermark.seq.to_string())),
            ("Import", import.id.to_string()),
        ],
        sha256: import.sha256.clone(),
        command: format!(
            "envora data push {}{}",
            super::lines::quoted(&import.file_name),
            mapping.unwrap_or_default()
        ),
    }
}

/// What rows that are no activities say, and why they are none.
fn skipped(rows: &SkippedRows) -> (String, String) {
    let why = match rows.reason {
        SkipReason::SkipIf => "The mapping leaves them out, by skip_if".to_owned(),
        SkipReason::NotTaken => match &rows.did_you_mean {
            Some(near) => format!("No when of the mapping takes them; {near:?} may be meant"),
            None => "No when of the mapping takes them".to_owned(),
        },
        SkipReason::BlankInterval => "Intervals without a reading".to_owned(),
    };
    (rows.cells_text(), format!("{why}: {}.", rows.rows_text()))
}

fn skipped_more(import: &Import) -> Option<String> {
    let told: u64 = import.skipped.iter().map(|rows| rows.rows).sum();
    let more = import.counts.skipped.saturating_sub(told);
    (told > 0 && more > 0).then(|| words::count(more, "more row", "more rows"))
}

/// `GET /imports`: the form, and what was taken in so far.
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    params: Params,
) -> Shown {
    params.only(&["cursor", "mapping"])?;
    let mut chosen = Chosen::default();
    if let Some(name) = params.one("mapping")? {
        let saved = saved(&visitor).await?;
        let found = saved.data.iter().find(|one| one.name == name).ok_or_else(nothing_here)?;
        name.clone_into(&mut chosen.mapping);
        chosen.toml = toml::to_string_pretty(&found.tree).map_err(anyhow::Error::from)?;
    }
    listed(&app, &visitor, params.one("cursor")?, (&chosen, Outcome::Asked)).await
}

/// What became of what was sent.
#[derive(Clone, Copy)]
enum Outcome<'a> {
    /// Nothing was.
    Asked,
    /// It was refused.
    Refused(&'a Problem),
    /// It was looked at.
    Looked(&'a MappingProposal),
}

/// The saved mappings.
pub(super) async fn saved(visitor: &Visitor) -> Result<Page<ImportMapping>, Refusal> {
    let none = Params::of_pairs([]);
    mappings::list(visitor.allowed::<ReadActivities>()?, none).await?.read()
}

/// The list; with what was refused, its problem and its status.
async fn listed(
    app: &App,
    visitor: &Visitor,
    cursor: Option<&str>,
    (chosen, outcome): (&Chosen, Outcome<'_>),
) -> Shown {
    let (refused, proposal) = match outcome {
        Outcome::Asked => (None, None),
        Outcome::Refused(problem) => (Some(problem), None),
        Outcome::Looked(proposal) => (None, Some(proposal)),
    };
    let organization = organization_of(visitor).await?;
    let saved = saved(visitor).await?;
    let asked = Params::of_pairs([("limit", LISTED), ("cursor", cursor.unwrap_or_default())]);
    let found = imports::list(State(app.clone()), visitor.allowed::<ReadActivities>()?, asked);
    let asked = Params::of_pairs([("state", "open")]);
    let open = imports::list(State(app.clone()), visitor.allowed::<ReadActivities>()?, asked);
    let page = show_with_script(&list_page(Sheet {
        organization: &organization,
        mappings: &saved.data,
        imports: &found.await?.read()?,
        open: &open.await?.read::<Page<Import>>()?.data,
        chosen,
        refused,
        proposal,
    }));
    let status = refused.and_then(|problem| StatusCode::from_u16(problem.status).ok());
    Ok((status.unwrap_or(StatusCode::OK), page).into_response())
}

/// The form that was sent, up to its file; nothing from somebody who is not signed in.
async fn opened(
    visitor: &Visitor,
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<(Allowed<WriteActivities>, FileForm, Chosen)>, Refusal> {
    own_form(headers)?;
    if visitor.actor.is_none() {
        return Ok(None);
    }
    let allowed = visitor.allowed::<WriteActivities>()?;
    let form = forms::read(headers, body).await?;
    let chosen = chosen(&form)?;
    Ok(Some((allowed, form, chosen)))
}

/// The form again, with what was refused and why.
async fn told_why(app: &App, visitor: &Visitor, chosen: &Chosen, refusal: Refusal) -> Shown {
    match refusal {
        Refusal(problem) if problem.status < 500 => {
            listed(app, visitor, None, (chosen, Outcome::Refused(&problem))).await
        }
        refusal => Err(refusal),
    }
}

/// `POST /imports`: takes a file in, and shows what became of it.
pub(super) async fn sent(
    State(app): State<App>,
    visitor: Visitor,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let Some((allowed, form, mut chosen)) = opened(&visitor, &headers, body).await? else {
        return Ok(to("/sign-in"));
    };
    let taken = taken(&app, (&visitor, allowed, uri), form, &mut chosen).await;
    match taken {
        Ok(import) => Ok(to(&format!("/imports/{}", import.id))),
        Err(refusal) => told_why(&app, &visitor, &chosen, refusal).await,
    }
}

/// `POST /imports/propose`: looks at a file, and puts what it tells of itself into the form.
pub(super) async fn proposed(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let Some((allowed, form, mut chosen)) = opened(&visitor, &headers, body).await? else {
        return Ok(to("/sign-in"));
    };
    let file_name =
        form.file_name.rsplit_once('.').map_or(form.file_name.as_str(), |(stem, _)| stem);
    let name: String = file_name.chars().filter(|sign| !sign.is_control()).take(200).collect();
    let sent = headers_of(&form, &app);
    let looked = async {
        let params = Params::of_pairs(
            [("name", name.as_str())].into_iter().filter(|pair| !pair.1.is_empty()),
        );
        let answer = proposals::add(State(app.clone()), allowed, params, sent?, form.file).await?;
        answer.read::<MappingProposal>()
    };
    match looked.await {
        Ok(proposal) => {
            chosen.toml.clone_from(&proposal.mapping);
            chosen.mapping.clear();
            listed(&app, &visitor, None, (&chosen, Outcome::Looked(&proposal))).await
        }
        Err(refusal) => told_why(&app, &visitor, &chosen, refusal).await,
    }
}

/// What the form says beside its file.
fn chosen(form: &FileForm) -> Result<Chosen, Problem> {
    form.fields.only(&["mapping", "mode", "set", "toml"])?;
    let word = |name| Ok::<_, Problem>(form.fields.one(name)?.unwrap_or_default().to_owned());
    Ok(Chosen {
        mapping: word("mapping")?,
        mode: word("mode")?,
        set: word("set")?,
        toml: word("toml")?,
    })
}

/// Saves the mapping, if one was written, and takes the file in with it.
async fn taken(
    app: &App,
    (visitor, allowed, uri): (&Visitor, Allowed<WriteActivities>, Uri),
    form: FileForm,
    chosen: &mut Chosen,
) -> Result<Import, Refusal> {
    let headers = headers_of(&form, app)?;
    if !chosen.toml.is_empty() {
        chosen.mapping = save(app, visitor, uri.clone(), chosen.toml.clone()).await?;
    }
    let constants = chosen.set.lines().map(|line| ("set", line));
    let named = [("mapping", chosen.mapping.as_str()), ("mode", chosen.mode.as_str())];
    let params = Params::of_pairs(named.into_iter().chain(constants));
    let state = State(app.clone());
    imports::add(state, allowed, OriginalUri(uri), params, headers, form.file).await?.read()
}

/// Saves a mapping, and gives its name.
pub(super) async fn save(
    app: &App,
    visitor: &Visitor,
    uri: Uri,
    toml: String,
) -> Result<String, Refusal> {
    let mut kind = HeaderMap::new();
    kind.insert(CONTENT_TYPE, HeaderValue::from_static("application/toml"));
    let (state, sent) = (State(app.clone()), (Params::of_pairs([]), kind));
    let (writes, body) = (visitor.allowed()?, Body::from(toml));
    let saved = mappings::add(state, writes, OriginalUri(uri), sent, body).await?;
    Ok(saved.read::<ImportMapping>()?.name)
}

/// The headers of a file as the interface takes it: its type, its name, and a key of its own.
fn headers_of(form: &FileForm, app: &App) -> Result<HeaderMap, Problem> {
    if form.file_name.is_empty() {
        return Err(Problem::malformed_body("No file was chosen. Choose one and send it again."));
    }
    let ending = form.file_name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let kind = match ending.as_str() {
        "json" => media::JSON,
        "ndjson" | "jsonl" => media::NDJSON,
        "xlsx" | "xlsm" | "xls" => media::XLSX,
        "parquet" | "parq" | "pqt" => media::PARQUET,
        "xml" => media::XML,
        _ => media::CSV,
    };
    let mut name = form.file_name.clone();
    while encoded(&name).len() > NAME_BYTES_MAX {
        name.pop();
    }
    let name = format!("attachment; filename*=UTF-8''{}", encoded(&name));
    let key = ImportId::new(app.clock().now(), app.entropy()).to_string();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for (header, text) in
        [(CONTENT_DISPOSITION, name), (HeaderName::from_static(media::IDEMPOTENCY_KEY_X), key)]
    {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(header, value);
        }
    }
    Ok(headers)
}

/// `GET /imports/{id}`: what became of a file.
pub(super) async fn one(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    Path(id): Path<String>,
    params: Params,
) -> Shown {
    params.only(&["edit"])?;
    let path = || Path((String::new(), id.clone()));
    let allowed = || visitor.allowed::<ReadActivities>();
    let none = Params::of_pairs([]);
    let import: Import = imports::read(allowed()?, path(), none).await?.read()?;
    if import.parts.is_some() {
        let edit = params.one("edit")?;
        return open_imports::shown(&app, &visitor, (&import, edit), (None, None)).await;
    }
    let organization = organization_of(&visitor).await?;
    let asked = Params::of_pairs([("limit", REFUSED)]);
    let refused = imports::errors(State(app.clone()), allowed()?, path(), asked).await?.read()?;
    Ok(show(&import_page(&organization, &import, &refused)))
}

/// `GET /imports/{id}/error-file`: the refused rows, to be mended and sent again.
pub(super) async fn error_file(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    Path(id): Path<String>,
    params: Params,
) -> Shown {
    let allowed = visitor.allowed::<ReadActivities>()?;
    let file = imports::error_file(State(app), allowed, Path((String::new(), id)), params).await?;
    Ok(file.into_response())
}
