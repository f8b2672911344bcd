//! The page of the log: its signed head, its entries, and how to verify it without this page.

use askama::Template;
use axum::extract::State;
use envora_api::audit::{AuditEntry, Checkpoint};
use envora_api::listing::Page;
use envora_api::organizations::Organization;
use envora_domain::access::actions::ReadAudit;
use envora_domain::decimal::group_thousands;

use super::shell::Shell;
use super::visits::{Shown, SignedIn, organization_of};
use super::{show, words};
use crate::app::App;
use crate::endpoints::audit;
use crate::params::Params;

/// How many entries a page shows.
const LISTED: u64 = 25;

struct Row {
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
    newer: Option<String>,
    older: Option<String>,
}

/// Lays the page out; `sought` is the entry that was asked for, `first` the first one shown.
pub(super) fn page(
    organization: &Organization,
    (head, found): (&Checkpoint, &[AuditEntry]),
    (sought, first): (Option<u64>, u64),
) -> AuditPage {
    let last = first.saturating_add(LISTED);
    let one = sought.or(head.size.checked_sub(1)).unwrap_or(0);
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
                "envora audit verify".to_owned(),
            ),
            ("Prove that one entry is in the log:", format!("envora audit proof {one}")),
            (
                "Keep today’s head; a log that is rewritten later will not match it:",
                "envora audit checkpoint --json > checkpoint.json".to_owned(),
            ),
        ],
        nothing: found.is_empty(),
        rows: found.iter().rev().map(|entry| row(entry, sought)).collect(),
        sought: sought.map(|sought| sought.to_string()).unwrap_or_default(),
        newer: (last < head.size).then(|| format!("/audit?from={last}")),
        older: (first > 0).then(|| format!("/audit?from={}", first.saturating_sub(LISTED))),
    }
}

fn row(entry: &AuditEntry, sought: Option<u64>) -> Row {
    Row {
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

/// `GET /audit`: the newest entries, or those around the one asked for.
pub(super) async fn page_of(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    params: Params,
) -> Shown {
    params.only(&["entry", "from"])?;
    let asked = params.said();
    let organization = organization_of(&visitor).await?;
    let allowed = visitor.allowed::<ReadAudit>()?;
    let head: Checkpoint = audit::checkpoint(allowed, Params::of_pairs([])).await?.read()?;
    let sought = asked.integer("entry")?;
    let newest = head.size.saturating_sub(LISTED);
    let around = sought.map(|sought| sought.saturating_sub(LISTED / 2));
    let first = asked.integer("from")?.or(around).unwrap_or(newest);
    let (from, limit) = (first.to_string(), LISTED.to_string());
    let asked = Params::of_pairs([("from", from.as_str()), ("limit", limit.as_str())]);
    let found = audit::entries(State(app), visitor.allowed::<ReadAudit>()?, asked).await?;
    let found: Page<AuditEntry> = found.read()?;
    Ok(show(&page(&organization, (&head, &found.data), (sought, first))))
}
