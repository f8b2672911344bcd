//! Restores: an older database that was put back on purpose says so, in its epoch and in its log.

use envora_domain::access::{Grant, actions::AcceptRestore};
use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;
use envora_ledger::leaf::Deed;

use crate::audit::{LeafDraft, audit_append, audit_head};
use crate::migrations::epoch;
use crate::statement::statements;
use crate::transaction::TenantTx;

statements! {
    TENANT_EPOCH_RAISE = "UPDATE tenant SET epoch = epoch + 1 WHERE one = 1";
}

/// What is given up for good by going on from an older database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// How many entries the log once had.
    pub size: u64,
    /// Its root then.
    pub root: Digest,
}

/// Raises the epoch and writes a leaf that holds what was given up: its digest is the lost root, its
/// count the lost entries. Returns the new epoch; whoever has the database open learns it by opening
/// it again.
///
/// # Errors
/// The database's.
pub fn restore_accept(
    tx: &mut TenantTx,
    grant: &Grant<AcceptRestore>,
    given_up: GivenUp,
    now: Timestamp,
) -> anyhow::Result<u64> {
    tx.allow(grant)?;
    tx.execute_one(TENANT_EPOCH_RAISE, &[])?;
    let (head, epoch) = (audit_head(tx)?, epoch(tx)?);
    let leaf = LeafDraft {
        deed: Deed::Config,
        object: grant.tenant().bytes(),
        digest: given_up.root,
        count: Some(given_up.size.saturating_sub(head.size)),
        ack: None,
        epoch: Some(epoch),
        actor: Some(grant.actor()),
    };
    audit_append(tx, &leaf, now)?;
    Ok(epoch)
}
