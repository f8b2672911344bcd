//! Anchors: how far each tenant's log had come, kept beside the keys.
//!
//! Written at most each second and at close, never ahead of a commit. A database that is older than
//! its anchor was rolled back or replaced by an old copy, and is not served.

use anyhow::Context as _;
use envora_crypto::anchor::Anchor;
use envora_crypto::tenant::TenantKeys;
use envora_domain::access::Grant;
use envora_domain::access::actions::ReadAudit;
use envora_domain::hash::{Digest, leaf_hash};
use envora_identity::policy::own_work;
use envora_ingest::tenant::TenantParts;
use envora_ledger::proof::root_at;
use envora_ledger::tree::CompactRange;
use envora_store::audit::{AuditHead, audit_entries_from, audit_head};
use envora_store::database::TenantDb;
use envora_store::transaction::TenantReader;

use crate::endpoints::audit::with_nodes;
use crate::folder::FolderError;

/// How many leaves are read at once while hashing: a leaf has at most 1 KiB.
const LEAVES_AT_A_TIME: u32 = 4_096;

/// Checks a database against its anchor, and its log against itself.
///
/// # Errors
/// [`FolderError::BehindAnchor`], [`FolderError::OtherHistory`], [`FolderError::DamagedLog`].
pub fn check(db: &TenantDb, keys: &TenantKeys) -> Result<(), FolderError> {
    let tenant = db.tenant();
    let anchor = keys.read_anchor().map_err(FolderError::Keys)?;
    let size = anchor.size;
    let (found, root) = db
        .read_blocking(move |rd| head_and_root(rd, own_work(tenant), size))
        .context("read the log's head")?;
    match root {
        None => Err(FolderError::BehindAnchor {
            tenant: tenant.to_string(),
            found: found.size,
            anchored: anchor.size,
        }),
        Some(root) if root != anchor.root => {
            Err(FolderError::OtherHistory { tenant: tenant.to_string() })
        }
        Some(_) if rehashed(db)? != found.range => {
            Err(FolderError::DamagedLog { tenant: tenant.to_string() })
        }
        Some(_) => Ok(()),
    }
}

/// The log's range, hashed again from the bytes of all its leaves. What was written down about the log
/// is not believed before a new process signs anything.
fn rehashed(db: &TenantDb) -> anyhow::Result<CompactRange> {
    let tenant = db.tenant();
    db.read_blocking(move |rd| {
        let (mut range, grant) = (CompactRange::new(), own_work(tenant));
        loop {
            let page = audit_entries_from(rd, &grant, range.size(), LEAVES_AT_A_TIME)?;
            if page.is_empty() {
                return Ok(range);
            }
            for entry in page {
                range.append(leaf_hash(&entry.leaf));
            }
        }
    })
    .context("hash the log again")
}

/// The log's head, and the root it had at a size; none when it is smaller.
fn head_and_root(
    rd: &mut TenantReader,
    grant: Grant<ReadAudit>,
    size: u64,
) -> anyhow::Result<(AuditHead, Option<Digest>)> {
    let head = audit_head(rd)?;
    if head.size < size {
        return Ok((head, None));
    }
    let root = with_nodes(rd, grant, |node| root_at(size, node))?;
    Ok((head, Some(root)))
}

/// Writes the anchor of the log's head, unless it stands there already.
///
/// # Errors
/// The database's and the disk's.
pub fn write(parts: &TenantParts) -> anyhow::Result<Written> {
    let head = parts.db.read_blocking(audit_head).context("read the log's head")?;
    let before = parts.keys.read_anchor()?;
    if before.size >= head.size {
        return Ok(Written::Unchanged);
    }
    let anchor = Anchor { generation: before.generation, size: head.size, root: head.root };
    parts.keys.write_anchor(&anchor).context("write the anchor")?;
    Ok(Written::Moved)
}

/// Whether an anchor was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was.
    Moved,
    /// The log had not grown.
    Unchanged,
}
