//! The page of one entry of the log: what it says, its bytes, and the proof that the log holds it.

use askama::Template;
use axum::extract::{Path, State};
use envora_api::audit::{AuditEntry, InclusionProof};
use envora_api::listing::Page;
use envora_api::organizations::Organization;
use envora_domain::access::actions::ReadAudit;
use envora_domain::decimal::group_thousands;

use super::lines::{self, Proven};
use super::shell::Shell;
use super::visits::{Shown, SignedIn, organization_of, remember};
use super::{show, words};
use crate::access::nothing_here;
use crate::app::App;
use crate::endpoints::audit;
use crate::params::Params;

/// The page.
#[derive(Template)]
#[template(path = "audit_entry.html")]
pub(super) struct EntryPage {
    shell: Shell,
    seq: String,
    kind: String,
    when: String,
    facts: Vec<(&'static str, String)>,
    about: String,
    leaf: String,
    leaf_hash: String,
    root: String,
    proven: Proven,
    checkpoint: String,
    vkey: String,
    commands: [(&'static str, String); 2],
    earlier: Option<String>,
    later: Option<String>,
}

/// Lays the page out.
pub(super) fn page(
    (organization, host): (&Organization, &str),
    (entry, proof): (&AuditEntry, &InclusionProof),
) -> EntryPage {
    let rows = entry.count.map(|count| words::count(count, "row", "rows"));
    let facts = [
        ("Object", Some(entry.object.clone())),
        ("Digest of what was done", entry.digest.clone()),
        ("How many", rows),
    ];
    let head = proof.checkpoint.as_ref();
    let asks = words::asks(host, &organization.slug);
    EntryPage {
        shell: Shell::of("Audit entry", organization),
        seq: group_thousands(&entry.seq.to_string()),
        kind: words::code(&entry.kind),
        when: words::instant(entry.at),
        facts: facts.into_iter().filter_map(|(term, text)| Some((term, text?))).collect(),
        about: format!("/audit?object={}", entry.object),
        leaf: entry.leaf.clone(),
        leaf_hash: entry.leaf_hash.clone(),
        root: proof.root.clone(),
        proven: lines::proven((proof.index, proof.size), &proof.proof),
        checkpoint: head.map(|head| head.note.clone()).unwrap_or_default(),
        vkey: head.map(|head| head.vkey.clone()).unwrap_or_default(),
        commands: [
            (
                "Fetch the entry and its proof, and check both on your machine:",
                format!("envora audit proof {} {asks}", entry.seq),
            ),
            (
                "Hash the whole log again and compare with the signed head:",
                format!("envora audit verify {asks}"),
            ),
        ],
        earlier: entry.seq.checked_sub(1).map(|seq| format!("/audit/{seq}")),
        later: (entry.seq + 1 < proof.size).then(|| format!("/audit/{}", entry.seq + 1)),
    }
}

/// `GET /audit/{seq}`.
pub(super) async fn one(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    Path(seq): Path<String>,
    params: Params,
) -> Shown {
    params.only(&[])?;
    let organization = organization_of(&visitor).await?;
    let number: u64 = seq.parse().map_err(|_| nothing_here())?;
    let asked = Params::of_pairs([("from", seq.as_str()), ("limit", "1")]);
    let found = audit::entries(State(app), visitor.allowed::<ReadAudit>()?, asked).await?;
    let found: Page<AuditEntry> = found.read()?;
    let entry = found.data.first().filter(|entry| entry.seq == number).ok_or_else(nothing_here)?;
    let asked = Params::of_pairs([("index", seq.as_str())]);
    let proof = audit::inclusion(visitor.allowed::<ReadAudit>()?, asked).await?.read()?;
    Ok(remember(&visitor, "proof", show(&page((&organization, &visitor.host), (entry, &proof)))))
}
