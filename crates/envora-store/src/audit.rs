//! The audit log's rows: leaves, completed subtrees and the head, appended in the caller's transaction.
//!
//! The seq of a change is the index of its leaf, so appending is how a change gets its seq.

use anyhow::{Context as _, ensure};
use envora_domain::access::{Grant, actions::ReadAudit};
use envora_domain::cbor::Writer;
use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;
use envora_ledger::leaf::{Ack, Deed, Leaf};
use envora_ledger::tree::CompactRange;

use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    AUDIT_HEAD = "SELECT size, nodes, root, at_ms FROM audit_head WHERE one = 1";
    AUDIT_HEAD_PUT = "INSERT INTO audit_head (one, size, nodes, root, at_ms)
        VALUES (1, ?1, ?2, ?3, ?4)
        ON CONFLICT (one) DO UPDATE SET size = excluded.size, nodes = excluded.nodes,
            root = excluded.root, at_ms = excluded.at_ms";
    AUDIT_PREVIOUS = "SELECT seq FROM audit_entry WHERE object_id = ?1 ORDER BY seq DESC LIMIT 1";
    AUDIT_ENTRY_ADD = "INSERT INTO audit_entry (seq, object_id, at_ms, leaf, leaf_hash)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    AUDIT_NODE_ADD = "INSERT INTO audit_node (level, place, hash) VALUES (?1, ?2, ?3)";
    AUDIT_ENTRY_BY_SEQ = "SELECT seq, object_id, at_ms, leaf, leaf_hash FROM audit_entry
        WHERE seq = ?1";
    AUDIT_ENTRY_AT = "SELECT seq, object_id, at_ms, leaf, leaf_hash FROM audit_entry
        WHERE at_ms <= ?1 ORDER BY seq DESC LIMIT 1";
    AUDIT_ENTRIES = "SELECT seq, object_id, at_ms, leaf, leaf_hash FROM audit_entry
        WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
    AUDIT_ENTRIES_BY_OBJECT = "SELECT seq, object_id, at_ms, leaf, leaf_hash FROM audit_entry
        WHERE object_id = ?1 ORDER BY seq";
    AUDIT_LEAF_HASH = "SELECT leaf_hash FROM audit_entry WHERE seq = ?1";
    AUDIT_NODE = "SELECT hash FROM audit_node WHERE level = ?1 AND place = ?2";
}

/// What a leaf says, before the log gives it its seq.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafDraft {
    /// What it records.
    pub deed: Deed,
    /// The sixteen bytes that name the object.
    pub object: [u8; 16],
    /// The digest of what was done.
    pub digest: Digest,
    /// How many: the rows of a segment.
    pub count: Option<u64>,
    /// How durable the answer is.
    pub ack: Option<Ack>,
    /// The database's epoch.
    pub epoch: Option<u64>,
    /// The random id of the credential's row.
    pub actor: Option<[u8; 16]>,
}

impl LeafDraft {
    /// A leaf about a new version of something that calculation reads.
    pub(crate) fn config(object: [u8; 16], digest: Digest, actor: [u8; 16]) -> Self {
        Self {
            deed: Deed::Config,
            object,
            digest,
            count: None,
            ack: None,
            epoch: None,
            actor: Some(actor),
        }
    }
}

/// Size, root and compact range of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// How many leaves: the next seq.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// With it alone the log can grow.
    pub range: CompactRange,
    /// When the last leaf was appended; of an empty log, 1970.
    pub at: Timestamp,
}

/// A leaf as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its index.
    pub seq: u64,
    /// What it is about.
    pub object: [u8; 16],
    /// When, in milliseconds.
    pub at_ms: i64,
    /// Its bytes.
    pub leaf: Vec<u8>,
    /// Its leaf hash.
    pub leaf_hash: Digest,
}

/// Appends a leaf and returns its seq. The log's head moves in the same transaction.
///
/// # Errors
/// The database's; a head that does not fit its size is damage.
pub fn audit_append(tx: &mut TenantTx, draft: &LeafDraft, now: Timestamp) -> anyhow::Result<u64> {
    let AuditHead { size: seq, mut range, .. } = head(tx)?;
    let prev = tx.first(AUDIT_PREVIOUS, &[draft.object.into()], |row| row.count())?;
    let at_ms = now.as_millis();
    let leaf = Leaf {
        object: Some(draft.object),
        digest: Some(draft.digest),
        count: draft.count,
        ack: draft.ack,
        epoch: draft.epoch,
        actor: draft.actor,
        prev,
        ..Leaf::new(draft.deed, seq, u64::try_from(at_ms).unwrap_or(0))
    }
    .encode();
    let leaf_hash = envora_domain::hash::leaf_hash(&leaf);
    tx.execute_one(
        AUDIT_ENTRY_ADD,
        &[seq.into(), draft.object.into(), at_ms.into(), (&leaf).into(), leaf_hash.into()],
    )?;
    for node in range.append(leaf_hash).into_iter().filter(|node| node.level > 0) {
        tx.execute_one(AUDIT_NODE_ADD, &[node.level.into(), node.index.into(), node.hash.into()])?;
    }
    let nodes = range.node_bytes();
    tx.execute_one(
        AUDIT_HEAD_PUT,
        &[range.size().into(), (&nodes).into(), range.root().into(), at_ms.into()],
    )?;
    Ok(seq)
}

fn head(rd: &mut TenantReader) -> anyhow::Result<AuditHead> {
    let found = rd
        .first(AUDIT_HEAD, &[], |row| Ok((row.count()?, row.blob()?, row.digest()?, row.int()?)))?;
    let Some((size, nodes, root, at_ms)) = found else {
        let range = CompactRange::new();
        return Ok(AuditHead { size: 0, root: range.root(), range, at: Timestamp::from_micros(0) });
    };
    let range = CompactRange::from_node_bytes(size, &nodes)
        .context("the audit head's nodes do not fit its size")?;
    ensure!(range.root() == root, "the audit head's root does not fit its nodes");
    Ok(AuditHead { size, root, range, at: Timestamp::from_micros(at_ms.saturating_mul(1_000)) })
}

/// The log's head. It names sizes and hashes only, so it takes no grant: the server needs it to
/// check the anchor before anyone signs in.
///
/// # Errors
/// The database's; a head that does not fit its size is damage.
pub fn audit_head(rd: &mut TenantReader) -> anyhow::Result<AuditHead> {
    head(rd)
}

fn entry(row: &mut Row<'_>) -> anyhow::Result<AuditEntry> {
    Ok(AuditEntry {
        seq: row.count()?,
        object: row.sixteen()?,
        at_ms: row.int()?,
        leaf: row.blob()?,
        leaf_hash: row.digest()?,
    })
}

/// The leaf of this seq.
///
/// # Errors
/// The database's.
pub fn audit_entry_by_seq(
    rd: &mut TenantReader,
    grant: &Grant<ReadAudit>,
    seq: u64,
) -> anyhow::Result<Option<AuditEntry>> {
    rd.allow(grant)?;
    rd.first(AUDIT_ENTRY_BY_SEQ, &[seq.into()], entry)
}

/// The last leaf that was there at an instant; none before the first. Walks back from the head.
///
/// # Errors
/// The database's.
pub fn audit_entry_at(
    rd: &mut TenantReader,
    grant: &Grant<ReadAudit>,
    at: Timestamp,
) -> anyhow::Result<Option<AuditEntry>> {
    rd.allow(grant)?;
    rd.first(AUDIT_ENTRY_AT, &[at.as_micros().div_euclid(1_000).into()], entry)
}

/// At most `limit` leaves from this seq on.
///
/// # Errors
/// The database's.
pub fn audit_entries_from(
    rd: &mut TenantReader,
    grant: &Grant<ReadAudit>,
    from: u64,
    limit: u32,
) -> anyhow::Result<Vec<AuditEntry>> {
    rd.allow(grant)?;
    rd.all(AUDIT_ENTRIES, &[from.into(), limit.into()], entry)
}

/// All leaves about one object, oldest first.
///
/// # Errors
/// The database's.
pub fn audit_entries_by_object(
    rd: &mut TenantReader,
    grant: &Grant<ReadAudit>,
    object: [u8; 16],
) -> anyhow::Result<Vec<AuditEntry>> {
    rd.allow(grant)?;
    rd.all(AUDIT_ENTRIES_BY_OBJECT, &[object.into()], entry)
}

/// The hash of a complete node: level 0 holds the leaves. `None` when it is not complete yet.
///
/// # Errors
/// The database's.
pub fn audit_node(
    rd: &mut TenantReader,
    grant: &Grant<ReadAudit>,
    level: u8,
    index: u64,
) -> anyhow::Result<Option<Digest>> {
    rd.allow(grant)?;
    if level == 0 {
        return rd.first(AUDIT_LEAF_HASH, &[index.into()], |row| row.digest());
    }
    rd.first(AUDIT_NODE, &[level.into(), index.into()], |row| row.digest())
}

/// The digest in a version's leaf: SHA-256 of a CBOR array of its noun and its fields as words.
pub(crate) fn version_digest(noun: &str, fields: &[&str]) -> Digest {
    let mut writer = Writer::default();
    writer.array(fields.len() + 1).text(noun);
    for field in fields {
        writer.text(field);
    }
    Digest::of(&writer.finish())
}

/// The sixteen bytes that stand in leaves for something that has a name and no id.
pub(crate) fn audit_object(name: &str) -> [u8; 16] {
    let Digest(hash) = Digest::of(name.as_bytes());
    let mut object = [0; 16];
    object.copy_from_slice(&hash[..16]);
    object
}
