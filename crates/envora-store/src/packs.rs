//! Factor packs as they were activated. The packs themselves are compiled in or kept as files; what
//! counts here is which one holds from which seq.

use envora_domain::access::{
    Grant,
    actions::{ActivatePack, ReadFactors},
};
use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;
use envora_ledger::leaf::Deed;

use crate::audit::{LeafDraft, audit_append, audit_object};
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    PACK_ACTIVATION_ADD = "INSERT INTO pack_activation (seq, pack, version, digest, activated_at,
            actor) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    PACKS_ACTIVE = "SELECT seq, pack, version, digest, activated_at FROM pack_activation p
        WHERE seq <= ?1 AND NOT EXISTS (SELECT 1 FROM pack_activation q
            WHERE q.pack = p.pack AND q.seq > p.seq AND q.seq <= ?1)
        ORDER BY pack";
}

/// A pack to be activated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPack {
    /// The pack's name.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// An activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackActivation {
    /// The seq of its leaf.
    pub seq: u64,
    /// What was activated.
    pub pack: NewPack,
    /// When.
    pub activated_at: Timestamp,
}

fn activation(row: &mut Row<'_>) -> anyhow::Result<PackActivation> {
    Ok(PackActivation {
        seq: row.count()?,
        pack: NewPack { pack: row.text()?, version: row.text()?, digest: row.digest()? },
        activated_at: row.timestamp()?,
    })
}

/// Activates a pack with its leaf: it takes the place of the version before. One that is active stays.
///
/// # Errors
/// The database's.
pub fn pack_activate(
    tx: &mut TenantTx,
    grant: &Grant<ActivatePack>,
    new: &NewPack,
    now: Timestamp,
) -> anyhow::Result<PackActivation> {
    tx.allow(grant)?;
    let active = tx.all(PACKS_ACTIVE, &[u64::MAX.into()], activation)?;
    if let Some(same) = active.into_iter().find(|active| active.pack == *new) {
        return Ok(same);
    }
    let draft = LeafDraft {
        deed: Deed::Pack,
        ..LeafDraft::config(audit_object(&new.pack), new.digest, grant.actor())
    };
    let seq = audit_append(tx, &draft, now)?;
    tx.execute_one(
        PACK_ACTIVATION_ADD,
        &[
            seq.into(),
            (&new.pack).into(),
            (&new.version).into(),
            new.digest.into(),
            now.into(),
            grant.actor().into(),
        ],
    )?;
    Ok(PackActivation { seq, pack: new.clone(), activated_at: now })
}

/// The packs that are active at this seq (`u64::MAX`: now), by name.
///
/// # Errors
/// The database's.
pub fn packs_active(
    rd: &mut TenantReader,
    grant: &Grant<ReadFactors>,
    seq: u64,
) -> anyhow::Result<Vec<PackActivation>> {
    rd.allow(grant)?;
    rd.all(PACKS_ACTIVE, &[seq.into()], activation)
}
