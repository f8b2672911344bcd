//! Saved mappings: from a file's columns to activities. A version is its digest.

use envora_domain::access::{
    Grant,
    actions::{ReadActivities, WriteActivities},
};
use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;

use crate::audit::{LeafDraft, audit_append, audit_object};
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    MAPPING_ADD = "INSERT INTO mapping (digest, name, seq, tree, created_at, actor)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    MAPPING_BY_DIGEST = "SELECT digest, name, seq, tree, created_at FROM mapping WHERE digest = ?1";
    MAPPING_BY_NAME = "SELECT digest, name, seq, tree, created_at FROM mapping
        WHERE name = ?1 ORDER BY seq DESC LIMIT 1";
    MAPPING_RENEW = "UPDATE mapping SET seq = ?2, created_at = ?3, actor = ?4 WHERE digest = ?1";
    MAPPINGS = "SELECT digest, name, seq, tree, created_at FROM mapping m
        WHERE NOT EXISTS (SELECT 1 FROM mapping n WHERE n.name = m.name AND n.seq > m.seq)
        ORDER BY name";
}

/// A version of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// SHA-256 of its tree: its version.
    pub digest: Digest,
    /// Its name, part of derived row ids.
    pub name: String,
    /// The seq of its leaf.
    pub seq: u64,
    /// The tree, as JSON.
    pub tree: String,
    /// When it was saved.
    pub created_at: Timestamp,
}

fn mapping(row: &mut Row<'_>) -> anyhow::Result<Mapping> {
    Ok(Mapping {
        digest: row.digest()?,
        name: row.text()?,
        seq: row.count()?,
        tree: row.text()?,
        created_at: row.timestamp()?,
    })
}

/// A mapping to be saved.
#[derive(Clone, Copy, Debug)]
pub struct NewMapping<'a> {
    /// SHA-256 of its tree.
    pub digest: Digest,
    /// Its name.
    pub name: &'a str,
    /// The tree, as JSON.
    pub tree: &'a str,
}

/// Saves a version of a mapping with its leaf: it is the newest of its name from now on, also when it
/// was there before. The newest one stays as it is.
///
/// # Errors
/// The database's.
pub fn mapping_put(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    new: NewMapping<'_>,
    now: Timestamp,
) -> anyhow::Result<Mapping> {
    tx.allow(grant)?;
    let newest = tx.first(MAPPING_BY_NAME, &[new.name.into()], mapping)?;
    if let Some(newest) = newest.filter(|newest| newest.digest == new.digest) {
        return Ok(newest);
    }
    let known = tx.first(MAPPING_BY_DIGEST, &[new.digest.into()], mapping)?.is_some();
    // The object is the name, not the version: the leaf's `prev` then links the versions.
    let object = audit_object(new.name);
    let seq = audit_append(tx, &LeafDraft::config(object, new.digest, grant.actor()), now)?;
    let (digest, actor) = (new.digest.into(), grant.actor().into());
    if known {
        tx.execute_one(MAPPING_RENEW, &[digest, seq.into(), now.into(), actor])?;
    } else {
        let values = [digest, new.name.into(), seq.into(), new.tree.into(), now.into(), actor];
        tx.execute_one(MAPPING_ADD, &values)?;
    }
    Ok(Mapping {
        digest: new.digest,
        name: new.name.to_owned(),
        seq,
        tree: new.tree.to_owned(),
        created_at: now,
    })
}

/// The mapping of this version.
///
/// # Errors
/// The database's.
pub fn mapping_by_digest(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    digest: Digest,
) -> anyhow::Result<Option<Mapping>> {
    rd.allow(grant)?;
    rd.first(MAPPING_BY_DIGEST, &[digest.into()], mapping)
}

/// The newest version of the mapping of this name.
///
/// # Errors
/// The database's.
pub fn mapping_by_name(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    name: &str,
) -> anyhow::Result<Option<Mapping>> {
    rd.allow(grant)?;
    rd.first(MAPPING_BY_NAME, &[name.into()], mapping)
}

/// The newest version of each mapping, by name.
///
/// # Errors
/// The database's.
pub fn mappings_all(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
) -> anyhow::Result<Vec<Mapping>> {
    rd.allow(grant)?;
    rd.all(MAPPINGS, &[], mapping)
}
