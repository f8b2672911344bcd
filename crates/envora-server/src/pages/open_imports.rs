//! The page of an import that is not taken in yet: what has arrived, what it would come to, how it is to
//! be read, and how far the reading of its rows is.

use askama::Template;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse as _;
use envora_api::imports::{Import, ImportPart, ImportPreview, ImportReading, PreviewRow};
use envora_api::mappings::ImportMapping;
use envora_api::media;
use envora_api::organizations::Organization;
use envora_api::problems::Problem;
use envora_api::proposals::MappingProposal;
use envora_api::writes::{Counts, Mode, Outcome};
use envora_domain::access::actions::ReadActivities;
use envora_domain::decimal::group_thousands;
use serde_json::Value;

use super::answers::{Question, answered, questions};
use super::imports::{Choice, Chosen, Count, Told, Trouble, modes_of, save, saved, told, trouble};
use super::problems::{Fault, grouped};
use super::shell::Shell;
use super::visits::{Shown, form_up_to, organization_of, own_form, to};
use super::{assets, show_with_script, words};
use crate::access::{Visitor, nothing_here};
use crate::app::App;
use crate::endpoints::{imports, parts, proposals};
use crate::params::Params;
use crate::refusals::Refusal;

/// How many bytes a part has that the page sends.
const PART_BYTES: u64 = 16 << 20;
/// The largest file that goes out as one body.
const WHOLE_BYTES_MAX: u64 = 64 << 20;
/// The largest file that there may be.
const FILE_BYTES_MAX: u64 = 5 << 30;
/// The longest form with a mapping in it.
const FORM_BYTES_MAX: usize = 60 << 10;
/// How many rows are shown one by one, of the thousand that are looked at.
const ROWS_SHOWN: usize = 20;
const LOOKED_AT: &str = "1000";
/// The fields that stand first.
const FIRST: &[&str] = &[
    "type",
    "quantity",
    "unit",
    "start",
    "end",
    "start_date",
    "end_date",
    "facility_code",
    "source_code",
];
/// How many questions of a mapping are answered at once.
const ANSWERS_MAX: usize = 24;

/// What the script knows of the file that it is to send.
pub(super) struct Upload {
    pub(super) part: u64,
    pub(super) whole: u64,
    pub(super) most: u64,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) bytes: u64,
}

impl Upload {
    /// Of any file.
    pub(super) fn any() -> Self {
        let (part, whole, most) = (PART_BYTES, WHOLE_BYTES_MAX, FILE_BYTES_MAX);
        Self { part, whole, most, id: String::new(), name: String::new(), bytes: 0 }
    }

    fn rest_of(import: &Import) -> Self {
        let (id, name) = (import.id.to_string(), import.file_name.clone());
        Self { id, name, bytes: import.bytes, ..Self::any() }
    }
}

/// An import that is not taken in, in a list of them.
pub(super) struct Unfinished {
    pub(super) href: String,
    pub(super) file_name: String,
    pub(super) about: String,
    pub(super) tone: &'static str,
    pub(super) status: &'static str,
}

impl Unfinished {
    /// As the list shows it.
    pub(super) fn of(import: &Import) -> Self {
        let (tone, status) = standing(import);
        Self {
            href: format!("/imports/{}", import.id),
            file_name: import.file_name.clone(),
            about: about(import),
            tone,
            status,
        }
    }
}

fn arrived(import: &Import) -> u64 {
    import.parts.iter().flatten().map(|part: &ImportPart| part.bytes).sum()
}

fn about(import: &Import) -> String {
    let until = import.expires_at.map(words::instant).unwrap_or_default();
    let (here, all) = (arrived(import), import.bytes);
    if here < all {
        return format!(
            "{} of {} have arrived · kept until {until}",
            words::bytes(here),
            words::bytes(all)
        );
    }
    format!("{} · kept until {until}", words::bytes(all))
}

fn standing(import: &Import) -> (&'static str, &'static str) {
    match import.status.as_str() {
        "running" => ("plain", "being read"),
        "refused" => ("bad", "refused"),
        _ if arrived(import) < import.bytes || arrived(import) == 0 => ("warn", "not all here"),
        _ => ("plain", "not taken in yet"),
    }
}

/// What the page is made from.
struct Sheet<'a> {
    organization: &'a Organization,
    import: &'a Import,
    mappings: &'a [ImportMapping],
    seen: Option<&'a ImportPreview>,
    proposal: Option<&'a MappingProposal>,
    chosen: &'a Chosen,
    refused: Option<&'a Problem>,
}

struct Going {
    share: String,
    bytes: String,
    counts: Vec<Live>,
}

struct Live {
    name: &'static str,
    label: &'static str,
    tone: &'static str,
    number: String,
}

struct Seen {
    summary: String,
    counts: Vec<Count>,
    names: Vec<String>,
    rows: Vec<SeenRow>,
    faults: Vec<Fault>,
}

struct SeenRow {
    line: u64,
    tone: &'static str,
    status: &'static str,
    cells: Vec<String>,
    why: String,
}

struct Asked {
    number: usize,
    asks: String,
    choices: Vec<Answer>,
}

struct Answer {
    number: usize,
    says: String,
    means: String,
}

struct Reading {
    questions: Vec<Asked>,
    mappings: Vec<Choice>,
    edit: Option<(String, String)>,
    modes: Vec<Choice>,
    set: String,
    toml: String,
}

/// The page.
#[derive(Template)]
#[template(path = "open_import.html")]
struct OpenImportPage {
    shell: Shell,
    script: String,
    id: String,
    file_name: String,
    standfirst: String,
    tone: &'static str,
    status: String,
    trouble: Option<Trouble>,
    going: Option<Going>,
    missing: Option<String>,
    upload: Upload,
    told: Option<Told>,
    seen: Option<Seen>,
    reading: Option<Reading>,
    can_commit: bool,
    end_words: &'static str,
}

fn page(sheet: &Sheet<'_>) -> OpenImportPage {
    let import = sheet.import;
    let (tone, status) = standing(import);
    let is_running = import.status == "running";
    let (here, all) = (arrived(import), import.bytes);
    let missing = (!is_running && (here < all || here == 0)).then(|| {
        format!(
            "{} of {} have arrived. Drop the same file here, or choose it: it goes on where it stopped.",
            words::bytes(here),
            words::bytes(all)
        )
    });
    let can_commit = !is_running && missing.is_none() && sheet.seen.is_some();
    OpenImportPage {
        shell: Shell::of("Import", sheet.organization),
        script: assets::script_path(),
        id: import.id.to_string(),
        file_name: import.file_name.clone(),
        standfirst: about(import),
        tone,
        status: words::code(status),
        trouble: sheet.refused.map(trouble),
        going: is_running.then(|| going(import)),
        upload: Upload::rest_of(import),
        told: sheet.proposal.map(told_of),
        seen: sheet.seen.map(seen),
        reading: (!is_running && here > 0).then(|| reading(sheet)),
        can_commit,
        end_words: if can_commit {
            "Good rows are stored and count; the others are listed with what mends them."
        } else {
            "Its parts are forgotten, and nothing of it was stored."
        },
        missing,
    }
}

/// What was found, without the questions: they stand in the form.
fn told_of(proposal: &MappingProposal) -> Told {
    let rows = words::count(proposal.rows, "row was", "rows were");
    let summary = match proposal.questions.len() {
        0 => format!("{rows} looked at, and nothing is open. Read the mapping below, and use it."),
        1 => format!("{rows} looked at. One thing it does not tell: answer that below."),
        many => format!("{rows} looked at. {many} things it does not tell: answer them below."),
    };
    Told { summary, ..told(proposal) }
}

fn going(import: &Import) -> Going {
    let done = import.progress.map_or(0, |progress| progress.bytes_done);
    let Counts { accepted, duplicate, quarantined, rejected, .. } = import.counts;
    let live = |name, label, tone, number: u64| Live {
        name,
        label,
        tone,
        number: group_thousands(&number.to_string()),
    };
    let thousandths = done.saturating_mul(1_000).checked_div(import.bytes).unwrap_or(0).min(1_000);
    Going {
        share: format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000),
        bytes: format!("{} of {}", words::bytes(done), words::bytes(import.bytes)),
        counts: vec![
            live("rows", "Read", "plain", accepted + duplicate + quarantined + rejected),
            live("accepted", "Good", "good", accepted),
            live("duplicate", "Stored before", "plain", duplicate),
            live("quarantined", "Waiting for a word", "warn", quarantined),
            live("rejected", "Refused", "bad", rejected),
        ],
    }
}

fn seen(preview: &ImportPreview) -> Seen {
    let counts = &preview.counts;
    let rows = counts.accepted + counts.duplicate + counts.quarantined + counts.rejected;
    let looked = words::count(rows, "row was", "rows were");
    let summary = if preview.complete {
        format!("{looked} looked at: all that there are.")
    } else {
        format!("The first {looked} looked at; the others are when it is taken in.")
    };
    let told = preview.warnings.iter().map(|warning| format!(" {}.", capital(&warning.detail)));
    let summary = summary + &told.collect::<String>();
    let shown = preview.rows.get(..ROWS_SHOWN).unwrap_or(&preview.rows);
    let names = names_of(shown);
    let errors = preview.rows.iter().flat_map(|row| {
        let outcome = if row.status == Outcome::Rejected { "rejected" } else { "quarantined" };
        row.errors.iter().map(move |error| (outcome, error))
    });
    let count = |label, tone, number: u64| Count {
        label,
        tone: if number == 0 { "plain" } else { tone },
        number: group_thousands(&number.to_string()),
    };
    Seen {
        summary,
        counts: vec![
            count("Would be stored", "good", counts.accepted),
            count("Stored before", "plain", counts.duplicate),
            count("Would wait for a word", "warn", counts.quarantined),
            count("Would be refused", "bad", counts.rejected),
        ],
        rows: shown.iter().map(|row| seen_row(row, &names)).collect(),
        names,
        faults: grouped(errors),
    }
}

/// The fields that these rows have: what was used where and when, then the others.
fn names_of(rows: &[PreviewRow]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let fields = rows.iter().filter_map(|row| row.activity.as_ref()).flat_map(|one| one.keys());
    for name in fields {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let rank = |name: &String| FIRST.iter().position(|first| first == name);
    names
        .sort_by_key(|name| rank(name).unwrap_or(FIRST.len() + usize::from(name == "external_id")));
    names
}

fn seen_row(row: &PreviewRow, names: &[String]) -> SeenRow {
    let (tone, status) = match row.status {
        Outcome::Accepted => ("good", "good"),
        Outcome::Duplicate => ("plain", "stored before"),
        Outcome::Quarantined => ("warn", "waits"),
        Outcome::Rejected => ("bad", "refused"),
    };
    let cell = |activity: &serde_json::Map<String, Value>, name: &String| match activity.get(name) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let activity = row.activity.as_ref();
    let cells = activity.map(|one| names.iter().map(|name| cell(one, name)).collect());
    let why = row.errors.first().map(|error| error.detail.clone());
    SeenRow {
        line: row.line,
        tone,
        status,
        cells: cells.unwrap_or_default(),
        why: why.unwrap_or_default(),
    }
}

/// The same, as a sentence begins.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn reading(sheet: &Sheet<'_>) -> Reading {
    let chosen = sheet.chosen;
    let asked = |(number, question): (usize, Question)| Asked {
        number,
        asks: capital(&question.asks),
        choices: question
            .choices
            .into_iter()
            .enumerate()
            .map(|(number, choice)| Answer { number, says: choice.says, means: choice.means })
            .collect(),
    };
    let none = ("", "None: its header is made of field names".to_owned());
    let named = sheet.mappings.iter().map(|one| (one.name.as_str(), one.name.clone()));
    let choice = |(value, label): (&str, String)| Choice {
        value: value.to_owned(),
        label,
        chosen: value == chosen.mapping,
    };
    let edit = sheet.mappings.iter().find(|one| one.name == chosen.mapping);
    let edit = edit.filter(|_| chosen.toml.is_empty()).map(|one| {
        let name = crate::params::encoded(&one.name);
        (format!("/imports/{}?edit={name}", sheet.import.id), one.name.clone())
    });
    Reading {
        questions: questions(&chosen.toml)
            .into_iter()
            .take(ANSWERS_MAX)
            .enumerate()
            .map(asked)
            .collect(),
        mappings: core::iter::once(none).chain(named).map(choice).collect(),
        edit,
        modes: modes_of(&chosen.mode),
        set: chosen.set.clone(),
        toml: chosen.toml.clone(),
    }
}

/// An answer of the interface, or its problem where a person can do something about it.
fn or_problem<T>(answer: Result<T, Refusal>) -> Result<Result<T, Problem>, Refusal> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(Refusal(problem)) if problem.status < 500 => Ok(Err(*problem)),
        Err(refusal) => Err(refusal),
    }
}

/// The page of an import that is not taken in yet.
pub(super) async fn shown(
    app: &App,
    visitor: &Visitor,
    (import, edit): (&Import, Option<&str>),
    (sent, refused): (Option<&Chosen>, Option<&Problem>),
) -> Shown {
    let organization = organization_of(visitor).await?;
    let saved = saved(visitor).await?.data;
    let mut chosen = sent.cloned().unwrap_or_else(|| Chosen {
        mapping: import.mapping.clone().unwrap_or_default(),
        mode: if import.mode == Mode::Atomic { "atomic" } else { "partial" }.to_owned(),
        set: import.set.iter().map(|(name, value)| format!("{name}={value}\n")).collect(),
        toml: String::new(),
    });
    if let Some(name) = edit {
        let found = saved.iter().find(|one| one.name == name).ok_or_else(nothing_here)?;
        chosen.toml = toml::to_string_pretty(&found.tree).map_err(anyhow::Error::from)?;
    }
    let (mut seen, mut proposal, mut trouble) = (None, None, None);
    if import.status != "running" && arrived(import) > 0 {
        match or_problem(preview(app, visitor, import).await)? {
            Ok(found) => seen = Some(found),
            Err(problem) => trouble = Some(problem),
        }
        if seen.is_none() && chosen.mapping.is_empty() {
            // What its columns mean is not known yet, which is no fault: the file is asked.
            match or_problem(proposed(app, visitor, import).await)? {
                Ok(found) => {
                    if chosen.toml.is_empty() {
                        chosen.toml.clone_from(&found.mapping);
                    }
                    (proposal, trouble) = (Some(found), None);
                }
                Err(problem) if problem.code == "malformed_body" => trouble = Some(problem),
                Err(_) => {}
            }
        }
    }
    let trouble = refused.or(import.problem.as_ref()).or(trouble.as_ref());
    let sheet = Sheet {
        organization: &organization,
        import,
        mappings: &saved,
        seen: seen.as_ref(),
        proposal: proposal.as_ref(),
        chosen: &chosen,
        refused: trouble,
    };
    let status = refused.and_then(|problem| StatusCode::from_u16(problem.status).ok());
    Ok((status.unwrap_or(StatusCode::OK), show_with_script(&page(&sheet))).into_response())
}

async fn preview(app: &App, visitor: &Visitor, import: &Import) -> Result<ImportPreview, Refusal> {
    let path = Path((String::new(), import.id.to_string()));
    let allowed = visitor.allowed::<ReadActivities>()?;
    let asked = Params::of_pairs([("rows", LOOKED_AT)]);
    parts::preview(State(app.clone()), allowed, path, asked).await?.read()
}

async fn proposed(
    app: &App,
    visitor: &Visitor,
    import: &Import,
) -> Result<MappingProposal, Refusal> {
    let path = Path((String::new(), import.id.to_string()));
    let allowed = visitor.allowed::<ReadActivities>()?;
    proposals::of_parts(State(app.clone()), allowed, path, Params::of_pairs([])).await?.read()
}

/// The page again, with why a form of it was refused.
async fn told_why(
    app: &App,
    visitor: &Visitor,
    (id, sent): (&str, Option<&Chosen>),
    refusal: Refusal,
) -> Shown {
    let problem = or_problem::<()>(Err(refusal))?.err();
    let path = Path((String::new(), id.to_owned()));
    let allowed = visitor.allowed::<ReadActivities>()?;
    let import: Import = imports::read(allowed, path, Params::of_pairs([])).await?.read()?;
    match problem {
        Some(problem) if import.parts.is_some() => {
            shown(app, visitor, (&import, None), (sent, Some(&problem))).await
        }
        // It was taken in meanwhile, which its page tells.
        _ => Ok(to(&format!("/imports/{id}"))),
    }
}

/// `POST /imports/{id}/mapping`: says how an open import is to be read, and looks again.
pub(super) async fn mapped(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    own_form(&headers)?;
    if visitor.actor.is_none() {
        return Ok(to("/sign-in"));
    }
    let form = form_up_to(FORM_BYTES_MAX, body).await?;
    let mut chosen = chosen(&form)?;
    let changed = async {
        if !chosen.toml.trim().is_empty() {
            chosen.mapping = save(&app, &visitor, uri, chosen.toml.clone()).await?;
        }
        let pairs = chosen.set.lines().filter(|line| !line.trim().is_empty());
        let pairs = pairs.map(|line| {
            let (name, value) = line.split_once('=').ok_or_else(|| {
                Problem::malformed_body(format!(
                    "What holds for all rows is name=value, one a line, not {}.",
                    crate::params::shown(line)
                ))
            })?;
            Ok::<_, Problem>((name.trim().to_owned(), value.trim().to_owned()))
        });
        let said = ImportReading {
            mapping: Some(chosen.mapping.clone()).filter(|name| !name.is_empty()),
            mode: Some(if chosen.mode == "atomic" { Mode::Atomic } else { Mode::Partial }),
            set: pairs.collect::<Result<_, Problem>>()?,
        };
        let mut kind = HeaderMap::new();
        kind.insert(CONTENT_TYPE, HeaderValue::from_static(media::JSON));
        let body = Body::from(serde_json::to_vec(&said).map_err(anyhow::Error::from)?);
        let path = Path((String::new(), id.clone()));
        parts::change(visitor.allowed()?, path, (Params::of_pairs([]), kind), body).await
    };
    match changed.await {
        Ok(_) => Ok(to(&format!("/imports/{id}"))),
        Err(refusal) => told_why(&app, &visitor, (&id, Some(&chosen)), refusal).await,
    }
}

/// What the form says, with its questions answered.
fn chosen(form: &Params) -> Result<Chosen, Problem> {
    let names: Vec<String> = (0..ANSWERS_MAX).map(|number| format!("answer-{number}")).collect();
    let known = ["mapping", "mode", "set", "toml"].into_iter();
    form.only(&known.chain(names.iter().map(String::as_str)).collect::<Vec<_>>())?;
    let mut answers = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let choice = form.read(name, "the number of an answer", |text| text.parse().ok())?;
        answers.extend(choice.map(|choice| (number, choice)));
    }
    let word = |name| Ok::<_, Problem>(form.one(name)?.unwrap_or_default().to_owned());
    let toml = word("toml")?;
    let toml = if answers.is_empty() { toml } else { answered(&toml, &answers) };
    Ok(Chosen { mapping: word("mapping")?, mode: word("mode")?, set: word("set")?, toml })
}

/// `POST /imports/{id}/commit`: takes an import in whose parts have all arrived.
pub(super) async fn committed(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Shown {
    own_form(&headers)?;
    if visitor.actor.is_none() {
        return Ok(to("/sign-in"));
    }
    let path = Path((String::new(), id.clone()));
    let none = Params::of_pairs([]);
    match parts::commit(State(app.clone()), visitor.allowed()?, path, none).await {
        Ok(_) => Ok(to(&format!("/imports/{id}"))),
        Err(refusal) => told_why(&app, &visitor, (&id, None), refusal).await,
    }
}

/// `POST /imports/{id}/cancel`: gives an open import up.
pub(super) async fn canceled(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Shown {
    own_form(&headers)?;
    if visitor.actor.is_none() {
        return Ok(to("/sign-in"));
    }
    let path = Path((String::new(), id.clone()));
    let none = Params::of_pairs([]);
    match parts::give_up(State(app.clone()), visitor.allowed()?, path, none).await {
        Ok(_) => Ok(to("/imports")),
        Err(refusal) => told_why(&app, &visitor, (&id, None), refusal).await,
    }
}
