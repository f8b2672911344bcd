//! `/docs`: the manual, the reference and the pages of the codes, from this binary alone.
//!
//! Open to everyone: nothing here is anybody's data, and nothing is loaded from elsewhere.

mod library;
mod prose;
mod reference;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use envora_api::codes::{Code, ROW_CODES, RowCodePage};
use envora_api::problems::Problem;
use envora_api::spelling::did_you_mean;
use envora_domain::time::Span;

use self::library::{DOCUMENTS, Document, Shelf};
use self::prose::{Prose, prose};
use self::reference::{AREAS, Operation, Reference, Type};
use super::shell::Shell;
use super::visits::Shown;
use super::{show, words};
use crate::app::App;
use crate::endpoints::meta;

/// How long the word of `security.txt` is good.
const GOOD_FOR: Span = Span::from_secs(180 * 86_400);

/// The routes of the documentation. The pages of the codes are routes of the interface.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/docs", get(index))
        .route("/docs/api", get(areas))
        .route("/docs/api/{area}", get(area))
        .route("/docs/errors", get(codes))
        .route("/docs/{document}", get(document))
        .route("/docs/{shelf}/{document}", get(document_of_shelf))
        .route("/.well-known/security.txt", get(security))
}

/// A link with its words.
struct Entry {
    href: String,
    label: String,
    about: String,
}

struct Section {
    id: &'static str,
    title: &'static str,
    about: &'static str,
    entries: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "docs.html")]
struct ListPage {
    shell: Shell,
    crumb: Option<(&'static str, &'static str)>,
    eyebrow: &'static str,
    title: &'static str,
    standfirst: &'static str,
    sections: Vec<Section>,
}

async fn index() -> Response {
    let shelf = |shelf: Shelf| {
        let of_shelf = DOCUMENTS.iter().filter(move |document| document.shelf == shelf);
        of_shelf.map(|document| Entry {
            href: format!("/docs/{}", document.slug),
            label: laid_out(document).title,
            about: String::new(),
        })
    };
    let entry = |href: &str, label: &str, about: &str| Entry {
        href: href.to_owned(),
        label: label.to_owned(),
        about: about.to_owned(),
    };
    let machines = vec![
        entry("/v2/openapi.json", "openapi.json", "The description of the API, OpenAPI 3.1."),
        entry("/v2/schemas/activity.json", "activity.json", "The JSON Schema of an activity."),
        entry("/version", "version", "Which program this is."),
    ];
    let api = vec![
        entry(
            "/docs/api",
            "API reference",
            "Each route with its parameters, bodies, answers and an example.",
        ),
        entry(
            "/docs/errors",
            "Error codes",
            "What each code means, how it comes about, what to do.",
        ),
    ];
    let section = |id, title, about, entries| Section { id, title, about, entries };
    show(&ListPage {
        shell: Shell::open("Documentation"),
        crumb: None,
        eyebrow: "Documentation",
        title: "How to use Envora",
        standfirst: "All of it comes from the server itself, for just this version.",
        sections: vec![
            section("start", "Start here", "", shelf(Shelf::Start).collect()),
            section("how-to", "How to", "One task each.", shelf(Shelf::HowTo).collect()),
            section("api", "For programs", "", api),
            section("machines", "For machines", "", machines),
            section(
                "formats",
                "Formats",
                "What is stored and signed, to the byte.",
                shelf(Shelf::Formats).collect(),
            ),
            section(
                "inside",
                "How it is made",
                "For who works on the program.",
                shelf(Shelf::Inside).collect(),
            ),
        ],
    })
}

#[derive(Template)]
#[template(path = "docs_prose.html")]
struct ProsePage {
    shell: Shell,
    prose: Prose,
}

fn laid_out(document: &Document) -> Prose {
    prose(document.text, |link| document.leads(link))
}

async fn document(Path(slug): Path<String>) -> Shown {
    let Some(document) = Document::at(&slug) else {
        let known: Vec<&str> = DOCUMENTS.iter().map(|document| document.slug).collect();
        return Err(no_page(did_you_mean(&slug, &known)).into());
    };
    let prose = laid_out(document);
    Ok(show(&ProsePage { shell: Shell::open(&prose.title), prose }))
}

async fn document_of_shelf(Path((shelf, name)): Path<(String, String)>) -> Shown {
    document(Path(format!("{shelf}/{name}"))).await
}

fn no_page(near: Option<&str>) -> Problem {
    let hint = near.map(|near| format!(" Did you mean /docs/{near}?")).unwrap_or_default();
    Problem::not_found(format!("There is no such page; all of them are at /docs.{hint}"))
}

async fn areas() -> Response {
    let entry = |(slug, title, about, _): &reference::Area| Entry {
        href: format!("/docs/api/{slug}"),
        label: (*title).to_owned(),
        about: (*about).to_owned(),
    };
    show(&ListPage {
        shell: Shell::open("API reference"),
        crumb: Some(("/docs", "Documentation")),
        eyebrow: "API reference",
        title: "What programs may ask",
        standfirst: "The conventions that all routes share are under “API design”.",
        sections: vec![Section {
            id: "areas",
            title: "Areas",
            about: "",
            entries: AREAS.iter().map(entry).collect(),
        }],
    })
}

#[derive(Template)]
#[template(path = "docs_area.html")]
struct AreaPage {
    shell: Shell,
    title: &'static str,
    about: &'static str,
    operations: Vec<Operation>,
    types: Vec<Type>,
}

async fn area(Path(slug): Path<String>, headers: HeaderMap) -> Shown {
    let found = AREAS.iter().find(|(known, ..)| *known == slug);
    let (_, title, about, tags) = found.ok_or_else(|| no_page(Some("api")))?;
    let Reference { operations, types } = reference::area(tags, &base(&headers));
    Ok(show(&AreaPage { shell: Shell::open(title), title, about, operations, types }))
}

/// The address that was asked; its host is one of this server's, else there were no answer.
fn base(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}")
}

async fn codes() -> Response {
    let of_status = |low: u16, high: u16| {
        let codes = Code::ALL.iter().filter(move |code| (low..high).contains(&code.status()));
        codes
            .map(|code| code_entry(code.as_str(), &format!("{} · {}", code.status(), code.title())))
    };
    let of_rows = |outcome: &'static str| {
        let codes = ROW_CODES.iter().filter(move |row| row.outcome == outcome);
        codes.map(|row| code_entry(row.code, row.text)).collect::<Vec<_>>()
    };
    let section = |id, title, about, entries| Section { id, title, about, entries };
    show(&ListPage {
        shell: Shell::open("Error codes"),
        crumb: Some(("/docs", "Documentation")),
        eyebrow: "Error codes",
        title: "What went wrong, and what to do",
        standfirst: "Codes are never renamed: programs may branch on them.",
        sections: vec![
            section("client", "Of a request", "", of_status(400, 500).collect()),
            section("server", "Of the server", "", of_status(500, 600).collect()),
            section(
                "rejected",
                "Rows that are rejected",
                "Nothing of such a row is stored.",
                of_rows("rejected"),
            ),
            section(
                "quarantined",
                "Rows that wait for a word",
                "They are stored and count as soon as the word is known.",
                of_rows("quarantined"),
            ),
            section(
                "unresolved",
                "Activities that do not count yet",
                "They are stored and listed as unresolved.",
                of_rows("unresolved"),
            ),
            section("flags", "Remarks", "The activity counts.", of_rows("flag")),
        ],
    })
}

fn code_entry(code: &str, about: &str) -> Entry {
    Entry { href: format!("/docs/errors/{code}"), label: code.to_owned(), about: about.to_owned() }
}

/// What a code means, once of requests and once of rows.
struct Meaning {
    eyebrow: String,
    heading: String,
    text: &'static str,
    cause: &'static str,
    remedy: &'static str,
    example: String,
}

#[derive(Template)]
#[template(path = "docs_code.html")]
struct CodePage {
    shell: Shell,
    code: String,
    meanings: Vec<Meaning>,
}

/// `GET /docs/errors/{code}`: as a page for browsers, as text for everyone else.
pub(crate) async fn code(Path(code): Path<String>, headers: HeaderMap) -> Shown {
    let Some(text) = meta::page_of(&code) else {
        let rows = ROW_CODES.iter().map(|row| row.code);
        let known: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).chain(rows).collect();
        let near = did_you_mean(&code, &known).map(|near| format!(" Did you mean {near}?"));
        let near = near.unwrap_or_default();
        let detail = format!("There is no such code; all of them are at /docs/errors.{near}");
        return Err(Problem::not_found(detail).into());
    };
    if !names_html(&headers) {
        return Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response());
    }
    let of_request =
        Code::ALL.iter().find(|known| known.as_str() == code).map(|code| of_request(*code));
    let of_row = ROW_CODES.iter().find(|known| known.code == code).map(of_row);
    let meanings = of_request.into_iter().chain(of_row).collect();
    Ok(show(&CodePage { shell: Shell::open(&code), code, meanings }))
}

/// Whether HTML is asked for by name: a client that takes anything gets text.
fn names_html(headers: &HeaderMap) -> bool {
    let sent = headers.get_all(axum::http::header::ACCEPT).iter();
    sent.filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/html"))
}

fn of_request(code: Code) -> Meaning {
    let mut problem = Problem::new(code, code.example().to_owned());
    "/v2/organizations/acme/…".clone_into(&mut problem.instance);
    Meaning {
        eyebrow: format!("Of a request · HTTP status {}", code.status()),
        heading: code.title().to_owned(),
        text: code.text(),
        cause: code.cause(),
        remedy: code.remedy(),
        example: serde_json::to_string_pretty(&problem).unwrap_or_default(),
    }
}

fn of_row(row: &RowCodePage) -> Meaning {
    let eyebrow = match row.outcome {
        "rejected" => "Of a row · rejected, nothing of it is stored",
        "quarantined" => "Of a row · stored, it waits for the word",
        "unresolved" => "Of an activity · stored, it does not count yet",
        _ => "Of an activity · a remark, it counts",
    };
    Meaning {
        eyebrow: eyebrow.to_owned(),
        heading: words::code(row.code),
        text: row.text,
        cause: row.cause,
        remedy: row.remedy,
        example: row.example.to_owned(),
    }
}

/// `GET /.well-known/security.txt` (RFC 9116): where to report a weakness.
async fn security(State(app): State<App>, headers: HeaderMap) -> Response {
    let base = base(&headers);
    let until = app.clock().now() + GOOD_FOR;
    let text = format!(
        "Contact: {base}/docs/security\nExpires: {until}\nPreferred-Languages: en\nCanonical: {base}/.well-known/security.txt\nPolicy: {base}/docs/security\n"
    );
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
