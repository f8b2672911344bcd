//! The page of the log: its signed head, its entries, and how to verify it without this page.

use askama::Template;
use axum::extract::State;
use envora_api::audit::{AuditEntry, Checkpoint};
use envora_api::listing::Page;
use envora_api::organizations::Organization;
use envora_domain::access::actions::ReadAudit;
use envora_domain::decimal::group_thousands;
use envora_ledger::leaf::Deed;

use super::shell::Shell;
use super::visits::{Shown, SignedIn, organization_of};
use super::{show, words};
use crate::app::App;
use crate::endpoints::audit;
use crate::params::Params;

/// What the form narrows by.
const NARROWS: &[&str] = &["kind", "object", "since", "until"];
/// How many entries a page shows.
const LISTED: u64 = 25;

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

struct Row {
    href: String,
    seq: String,
    kind: String,
    when: String,
    rows: String,
    object: String,
    digest: String,
    leaf: String,
    leaf_hash: String,
    sought: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "audit.html")]
pub(super) struct AuditPage {
    shell: Shell,
    size: String,
    origin: String,
    root: String,
    note: String,
    vkey: String,
    commands: Vec<(&'static str, String)>,
    rows: Vec<Row>,
    sought: String,
    nothing: bool,
    narrows: bool,
    kinds: Vec<Choice>,
    object: String,
    since: String,
    until: String,
    more: Option<String>,
    newer: Option<String>,
    older: Option<String>,
}

/// What the address asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// All of it.
    pub(super) params: &'a Params,
    /// Whether entries are narrowed: they are then told from the oldest on.
    pub(super) narrows: bool,
    /// The entry that is looked for.
    pub(super) sought: Option<u64>,
    /// The first entry that is shown.
    pub(super) first: u64,
}

/// Lays the page out.
pub(super) fn page(
    (organization, host): (&Organization, &str),
    (head, found): (&Checkpoint, &Page<AuditEntry>),
    asked: Asked<'_>,
) -> AuditPage {
    let Asked { params, narrows, sought, first } = asked;
    let text = |name: &str| params.many(name).next().unwrap_or_default().to_owned();
    let kind = text("kind");
    let choice = |deed: &Deed| Choice {
        chosen: kind == deed.as_str(),
        value: deed.as_str().to_owned(),
        label: words::code(deed.as_str()),
    };
    let all = Choice { value: String::new(), label: "All".to_owned(), chosen: kind.is_empty() };
    let query = params.encoded_without(&["cursor"]);
    let mut rows: Vec<Row> = found.data.iter().map(|entry| row(entry, sought)).collect();
    if !narrows {
        rows.reverse();
    }
    let last = first.saturating_add(LISTED);
    let one = sought.or(head.size.checked_sub(1)).unwrap_or(0);
    let asks = words::asks(host, &organization.slug);
    AuditPage {
        shell: Shell::of("Audit", organization),
        size: group_thousands(&head.size.to_string()),
        origin: head.origin.clone(),
        root: head.root.clone(),
        note: head.note.clone(),
        vkey: head.vkey.clone(),
        commands: vec![
            (
                "Hash every entry again, on your machine, and compare with the signed head:",
                format!("envora audit verify {asks}"),
            ),
            ("Prove that one entry is in the log:", format!("envora audit proof {one} {asks}")),
            (
                "Keep today’s head; a log that is rewritten later will not match it:",
                format!("envora audit checkpoint --json {asks} > checkpoint.json"),
            ),
        ],
        nothing: rows.is_empty(),
        rows,
        narrows,
        kinds: std::iter::once(all).chain(Deed::ALL.iter().map(choice)).collect(),
        object: text("object"),
        since: text("since"),
        until: text("until"),
        sought: sought.map(|sought| sought.to_string()).unwrap_or_default(),
        more: found
            .next_cursor
            .as_ref()
            .filter(|_| narrows)
            .map(|cursor| format!("/audit?{query}&cursor={cursor}")),
        newer: (!narrows && last < head.size).then(|| format!("/audit?from={last}")),
        older: (!narrows && first > 0)
            .then(|| format!("/audit?from={}", first.saturating_sub(LISTED))),
    }
}

fn row(entry: &AuditEntry, sought: Option<u64>) -> Row {
    Row {
        href: format!("/audit/{}", entry.seq),
        seq: group_thousands(&entry.seq.to_string()),
        kind: words::code(&entry.kind),
        when: words::instant(entry.at),
        rows: entry.count.map(|count| words::count(count, "row", "rows")).unwrap_or_default(),
        object: entry.object.clone(),
        digest: entry.digest.clone().unwrap_or_default(),
        leaf: entry.leaf.clone(),
        leaf_hash: entry.leaf_hash.clone(),
        sought: sought == Some(entry.seq),
    }
}

/// `GET /audit`: the newest entries, those around the one asked for, or those that are narrowed to.
pub(super) async fn page_of(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    params: Params,
) -> Shown {
    params.only(&["entry", "from", "kind", "object", "since", "until", "cursor"])?;
    let asked = params.said();
    let organization = organization_of(&visitor).await?;
    let allowed = visitor.allowed::<ReadAudit>()?;
    let head: Checkpoint = audit::checkpoint(allowed, Params::of_pairs([])).await?.read()?;
    let sought = asked.integer("entry")?;
    let newest = head.size.saturating_sub(LISTED);
    let around = sought.map(|sought| sought.saturating_sub(LISTED / 2));
    let narrows = NARROWS.iter().any(|name| asked.many(name).next().is_some());
    let first = asked.integer("from")?.or(around).unwrap_or(newest);
    let limit = LISTED.to_string();
    let mut wanted = Params::of_pairs([("limit", limit.as_str())]);
    if narrows {
        for name in ["kind", "object", "cursor"] {
            if let Some(word) = asked.one(name)? {
                wanted = wanted.with(name, word);
            }
        }
        // A day of the form begins at midnight, UTC, as the log counts.
        for name in ["since", "until"] {
            if let Some(day) = asked.day(name)? {
                wanted = wanted.with(name, &format!("{day}T00:00:00Z"));
            }
        }
    } else {
        wanted = wanted.with("from", &first.to_string());
    }
    let found = audit::entries(State(app), visitor.allowed::<ReadAudit>()?, wanted).await?;
    let found: Page<AuditEntry> = found.read()?;
    let asked = Asked { params: &asked, narrows, sought, first };
    Ok(show(&page((&organization, &visitor.host), (&head, &found), asked)))
}
