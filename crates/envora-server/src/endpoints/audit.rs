//! `…/audit`: the log's head, its entries, and the proofs about them.

use std::cell::RefCell;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_api::audit::{AuditEntry, Checkpoint, ConsistencyProof, InclusionProof};
use envora_api::listing::Page;
use envora_api::problems::Problem;
use envora_domain::access::Grant;
use envora_domain::access::actions::ReadAudit;
use envora_domain::hash::{Digest, hex};
use envora_domain::time::Timestamp;
use envora_ledger::leaf::{Deed, Leaf};
use envora_ledger::proof::{ProofError, consistency_proof, inclusion_proof, root_at};
use envora_store::audit::{
    self as store, audit_entries_by_object, audit_entries_from, audit_entry_by_seq, audit_head,
    audit_node,
};
use envora_store::transaction::TenantReader;

use crate::access::Allowed;
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::cursors::{self, Place, Walk};
use crate::listing::Cut;
use crate::openapi::Shape;
use crate::params::Params;
use crate::refusals::Refusal;
use crate::routes::Route;

/// How many entries are looked at together.
const ENTRIES_AT_ONCE: u32 = 1_000;
const CHECKPOINT: &str = "/v2/organizations/{org_id}/audit/checkpoint";
const ENTRIES: &str = "/v2/organizations/{org_id}/audit/entries";
const INCLUSION: &str = "/v2/organizations/{org_id}/audit/proofs/inclusion";
const CONSISTENCY: &str = "/v2/organizations/{org_id}/audit/proofs/consistency";

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadAudit, _, _>(CHECKPOINT, checkpoint)
            .says("Signs the head of the audit log.")
            .gives(200, Shape::one::<Checkpoint>()),
        Route::get::<ReadAudit, _, _>(ENTRIES, entries)
            .says("Lists the entries of the audit log, oldest first.")
            .asks(&[
                ("limit", "How many, 1 to 1000; 100 when absent."),
                ("cursor", "The page to continue from."),
                ("from", "The first sequence number; 0 when absent."),
                ("kind", "Only of this kind, such as segment or config."),
                ("object", "Only about this object: its id, or 32 hex digits."),
                ("since", "Only from this instant on."),
                ("until", "Only before this instant."),
                ("fields", "Only these fields of each, separated by commas."),
                ("include", "`total`: say how many there are in all."),
            ])
            .gives(200, Shape::page::<AuditEntry>()),
        Route::get::<ReadAudit, _, _>(INCLUSION, inclusion)
            .says("Proves that an entry is in the log.")
            .asks(&[
                ("index", "The entry's sequence number."),
                ("size", "The size of the tree; the log's head when absent."),
            ])
            .gives(200, Shape::one::<InclusionProof>()),
        Route::get::<ReadAudit, _, _>(CONSISTENCY, consistency)
            .says("Proves that a smaller log is the beginning of a larger one.")
            .asks(&[
                ("first", "The smaller size."),
                ("second", "The larger size; the log's head when absent."),
            ])
            .gives(200, Shape::one::<ConsistencyProof>()),
    ]
}

pub(crate) async fn checkpoint(allowed: Allowed<ReadAudit>, params: Params) -> Answer {
    params.only(&[])?;
    let parts = allowed.tenant.parts();
    let head = parts.db.read(audit_head).await?;
    Reply::ok(&parts.checkpoint(head.size, head.root)?)
}

pub(crate) async fn entries(
    State(app): State<App>,
    allowed: Allowed<ReadAudit>,
    params: Params,
) -> Answer {
    params.only(&[
        "limit", "cursor", "from", "fields", "include", "kind", "object", "since", "until",
    ])?;
    let cut = Cut::of::<AuditEntry>(&params)?;
    let sieve = Sieve::of(&params)?;
    let narrowed = sieve.narrows();
    let (parts, grant, now) = (allowed.tenant.parts(), allowed.grant, app.clock().now());
    let walk = Walk { route: ENTRIES, params: &params };
    let limit = params.limit()?;
    let first = match cursors::decode(&parts.keys, walk, now)? {
        Some(place) => place.after.parse().unwrap_or(u64::MAX),
        None => params.integer("from")?.unwrap_or(0),
    };
    let begin = params.integer("from")?.unwrap_or(0);
    let found = parts.db.read(move |rd| {
        let total = audit_head(rd)?.size.saturating_sub(begin);
        Ok((sieve.entries(rd, grant, (first, limit + 1))?, total))
    });
    let (mut found, total) = found.await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().map(|entry| entry.seq + 1);
    let next_cursor = last
        .filter(|_| more)
        .map(|seq| cursors::encode(&parts.keys, walk, Place { after: seq.to_string(), seq }, now));
    let next = next_cursor
        .as_ref()
        .map(|cursor| cursors::next_path(&allowed.tenant.path(ENTRIES), &params, cursor));
    let data = found.into_iter().map(wire).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(cut
        .page(&Page { data, next_cursor }, Some(total).filter(|_| !narrowed))?
        .next(next.as_deref()))
}

/// Which entries a list is about. Leaves say it, so they are read; the log of one tenant is short
/// beside its rows.
#[derive(Clone, Debug, Default)]
struct Sieve {
    kind: Option<Deed>,
    object: Option<[u8; 16]>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Sieve {
    fn of(params: &Params) -> Result<Self, Problem> {
        let kinds = Deed::ALL.iter().map(|deed| deed.as_str()).collect::<Vec<_>>().join(", ");
        let deed = |text: &str| Deed::ALL.iter().copied().find(|deed| deed.as_str() == text);
        let instant = |text: &str| Timestamp::parse(text).ok();
        Ok(Self {
            kind: params.read("kind", &format!("one of {kinds}"), deed)?,
            object: params.read("object", "an id such as imp_…, or 32 hex digits", object)?,
            since: params.read("since", "an instant such as 2022-03-01T00:00:00Z", instant)?,
            until: params.read("until", "an instant such as 2022-03-01T00:00:00Z", instant)?,
        })
    }

    const fn narrows(&self) -> bool {
        self.kind.is_some() || self.object.is_some() || self.since.is_some() || self.until.is_some()
    }

    fn holds(&self, entry: &store::AuditEntry) -> anyhow::Result<bool> {
        let at = Timestamp::from_micros(entry.at_ms.saturating_mul(1_000));
        let kind = match self.kind {
            Some(kind) => Leaf::decode(&entry.leaf)?.deed == kind,
            None => true,
        };
        Ok(kind
            && self.object.is_none_or(|object| object == entry.object)
            && self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at < until))
    }

    /// At most `limit` entries from `first` on.
    fn entries(
        &self,
        rd: &mut TenantReader,
        grant: Grant<ReadAudit>,
        (mut first, limit): (u64, usize),
    ) -> anyhow::Result<Vec<store::AuditEntry>> {
        if let Some(object) = self.object {
            let mut found = audit_entries_by_object(rd, &grant, object)?;
            found.retain(|entry| entry.seq >= first);
            let held = found.into_iter().map(|entry| Ok((self.holds(&entry)?, entry)));
            let held = held.collect::<anyhow::Result<Vec<_>>>()?.into_iter();
            return Ok(held
                .filter(|(holds, _)| *holds)
                .map(|(_, entry)| entry)
                .take(limit)
                .collect());
        }
        let mut found = Vec::new();
        while found.len() < limit {
            let some = audit_entries_from(rd, &grant, first, ENTRIES_AT_ONCE)?;
            let Some(last) = some.last() else { break };
            first = last.seq + 1;
            for entry in some {
                if found.len() < limit && self.holds(&entry)? {
                    found.push(entry);
                }
            }
        }
        Ok(found)
    }
}

/// The sixteen bytes that an id or hex digits name.
fn object(text: &str) -> Option<[u8; 16]> {
    if text.len() == 32 && text.bytes().all(|letter| letter.is_ascii_hexdigit()) {
        let number = u128::from_str_radix(text, 16).ok()?;
        return Some(number.to_be_bytes());
    }
    envora_domain::id::bytes_of(text)
}

fn wire(entry: store::AuditEntry) -> anyhow::Result<AuditEntry> {
    let leaf = Leaf::decode(&entry.leaf)?;
    Ok(AuditEntry {
        seq: entry.seq,
        kind: leaf.deed.as_str().to_owned(),
        at: Timestamp::from_micros(entry.at_ms.saturating_mul(1_000)),
        object: hex(&entry.object),
        digest: leaf.digest.map(|digest| digest.hex()),
        count: leaf.count,
        leaf: STANDARD.encode(&entry.leaf),
        leaf_hash: entry.leaf_hash.hex(),
    })
}

pub(crate) async fn inclusion(allowed: Allowed<ReadAudit>, params: Params) -> Answer {
    params.only(&["index", "size"])?;
    let (parts, grant) = (allowed.tenant.parts(), allowed.grant);
    params.required("index")?;
    let index = params.integer("index")?.unwrap_or(0);
    let size = params.integer("size")?;
    let proven = parts
        .db
        .read(move |rd| {
            let head = audit_head(rd)?;
            let size = size.unwrap_or(head.size);
            if size > head.size || index >= size {
                return Ok(None);
            }
            let leaf = audit_entry_by_seq(rd, &grant, index)?
                .ok_or(ProofError::NodeMissing { level: 0, index })?;
            let proof = with_nodes(rd, grant, |node| inclusion_proof(index, size, node))?;
            let root = with_nodes(rd, grant, |node| root_at(size, node))?;
            Ok(Some((size, leaf.leaf_hash, proof, root, head.size == size)))
        })
        .await?;
    let (size, leaf, proof, root, is_head) = proven.ok_or_else(outside)?;
    let checkpoint = is_head.then(|| parts.checkpoint(size, root)).transpose()?;
    Reply::ok(&InclusionProof {
        index,
        size,
        leaf_hash: leaf.hex(),
        proof: proof.iter().map(Digest::hex).collect(),
        root: root.hex(),
        checkpoint,
    })
}

async fn consistency(allowed: Allowed<ReadAudit>, params: Params) -> Answer {
    params.only(&["first", "second"])?;
    let (parts, grant) = (allowed.tenant.parts(), allowed.grant);
    params.required("first")?;
    let first = params.integer("first")?.unwrap_or(0);
    let second = params.integer("second")?;
    let proven = parts
        .db
        .read(move |rd| {
            let head = audit_head(rd)?;
            let second = second.unwrap_or(head.size);
            if second > head.size || first > second {
                return Ok(None);
            }
            let proof = with_nodes(rd, grant, |node| consistency_proof(first, second, node))?;
            let first_root = with_nodes(rd, grant, |node| root_at(first, node))?;
            let second_root = with_nodes(rd, grant, |node| root_at(second, node))?;
            Ok(Some((second, proof, first_root, second_root)))
        })
        .await?;
    let (second, proof, first_root, second_root) = proven.ok_or_else(outside)?;
    Reply::ok(&ConsistencyProof {
        first,
        second,
        first_root: first_root.hex(),
        second_root: second_root.hex(),
        proof: proof.iter().map(Digest::hex).collect(),
    })
}

fn outside() -> Refusal {
    Problem::unknown_parameter(
        "The log has no such place at this size. Ask for the checkpoint to see how large it is.",
    )
    .into()
}

/// Lends the log's nodes to a maker of proofs; what the database says comes before what is missing.
///
/// # Errors
/// The database's, or the maker's.
pub fn with_nodes<T>(
    rd: &mut TenantReader,
    grant: Grant<ReadAudit>,
    make: impl FnOnce(&dyn Fn(u8, u64) -> Option<Digest>) -> Result<T, ProofError>,
) -> anyhow::Result<T> {
    let reader = RefCell::new(rd);
    let failed = RefCell::new(None);
    let node =
        |level: u8, index: u64| match audit_node(&mut reader.borrow_mut(), &grant, level, index) {
            Ok(node) => node,
            Err(error) => {
                failed.borrow_mut().get_or_insert(error);
                None
            }
        };
    let made = make(&node);
    match failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(made?),
    }
}
