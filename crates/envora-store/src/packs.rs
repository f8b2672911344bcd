//! Factor packs: those that the organization brought in, and which ones were activated. The texts are
//! compiled in or kept as files; what counts here is which one holds from which seq.

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
    PACK_ADD = "INSERT INTO factor_pack (digest, pack, version, seq, factors, file_name, file_sha256,
            added_at, actor) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    PACK_BY_DIGEST = "SELECT digest, pack, version, seq, factors, file_name, file_sha256, added_at
        FROM factor_pack WHERE digest = ?1";
    PACKS_STORED = "SELECT digest, pack, version, seq, factors, file_name, file_sha256, added_at
        FROM factor_pack ORDER BY pack, seq";
    PACKS_COUNT = "SELECT count(*) FROM factor_pack";
}

/// How many editions of own packs are kept, of all names together.
pub const PACKS_MAX: u64 = 1_000;

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

/// An edition of a pack that the organization brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOwnPack {
    /// Name, version and digest of its canonical text.
    pub pack: NewPack,
    /// How many factors it has.
    pub factors: u64,
    /// What the file was called.
    pub file_name: String,
    /// SHA-256 of the file as it was sent.
    pub file: Digest,
}

/// An edition of a pack that the organization brought in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPack {
    /// What was brought in.
    pub new: NewOwnPack,
    /// The seq of its leaf.
    pub seq: u64,
    /// When.
    pub added_at: Timestamp,
}

fn stored(row: &mut Row<'_>) -> anyhow::Result<StoredPack> {
    let (digest, pack, version) = (row.digest()?, row.text()?, row.text()?);
    let seq = row.count()?;
    let factors = row.count()?;
    let (file_name, file) = (row.text()?, row.digest()?);
    let pack = NewPack { pack, version, digest };
    let new = NewOwnPack { pack, factors, file_name, file };
    Ok(StoredPack { new, seq, added_at: row.timestamp()? })
}

/// What became of an edition that was brought in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackAdded {
    /// It is there now.
    New(StoredPack),
    /// It was there already, and stays as it was.
    Known(StoredPack),
    /// As many as may be are there.
    Full,
}

/// Records an edition of an own pack with its leaf, once its text is durable. It counts for nothing
/// until it is activated.
///
/// # Errors
/// The database's.
pub fn pack_add(
    tx: &mut TenantTx,
    grant: &Grant<ActivatePack>,
    new: &NewOwnPack,
    now: Timestamp,
) -> anyhow::Result<PackAdded> {
    tx.allow(grant)?;
    let NewPack { pack, version, digest } = &new.pack;
    if let Some(known) = tx.first(PACK_BY_DIGEST, &[(*digest).into()], stored)? {
        return Ok(PackAdded::Known(known));
    }
    if tx.one(PACKS_COUNT, &[], |row| row.count())? >= PACKS_MAX {
        return Ok(PackAdded::Full);
    }
    let draft = LeafDraft {
        deed: Deed::Pack,
        ..LeafDraft::config(audit_object(pack), *digest, grant.actor())
    };
    let seq = audit_append(tx, &draft, now)?;
    let values = [
        (*digest).into(),
        pack.into(),
        version.into(),
        seq.into(),
        new.factors.into(),
        (&new.file_name).into(),
        new.file.into(),
        now.into(),
        grant.actor().into(),
    ];
    tx.execute_one(PACK_ADD, &values)?;
    Ok(PackAdded::New(StoredPack { new: new.clone(), seq, added_at: now }))
}

/// All editions of all own packs, by name, the newest of each last.
///
/// # Errors
/// The database's.
pub fn packs_stored(
    rd: &mut TenantReader,
    grant: &Grant<ReadFactors>,
) -> anyhow::Result<Vec<StoredPack>> {
    rd.allow(grant)?;
    rd.all(PACKS_STORED, &[], stored)
}
