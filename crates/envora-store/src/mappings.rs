//! Saved mappings: from a file's columns to activities. A version is its digest.

use envora_domain::access::{
    Grant,
    actions::{ReadActivities, WriteActivities},
};
use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;

use crate::audit::{LeafDraft, audit_append, audit_object, version_digest};
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    MAPPING_ADD = "INSERT INTO mapping (digest, name, seq, tree, created_at, actor)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    MAPPING_BY_DIGEST = "SELECT digest, name, seq, tree, created_at, archived_at FROM mapping
        WHERE digest = ?1";
    MAPPING_BY_NAME = "SELECT digest, name, seq, tree, created_at, archived_at FROM mapping
        WHERE name = ?1 ORDER BY seq DESC LIMIT 1";
    MAPPING_RENEW = "UPDATE mapping SET seq = ?2, created_at = ?3, actor = ?4, archived_at = 0
        WHERE digest = ?1";
    MAPPING_ARCHIVE = "UPDATE mapping SET seq = ?2, actor = ?3, archived_at = ?4
        WHERE digest = ?1";
    MAPPINGS = "SELECT digest, name, seq, tree, created_at, archived_at FROM mapping m
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
    /// Since when it is archived: out of the list, and as good as before to whoever names it.
    pub archived: Option<Timestamp>,
}

fn mapping(row: &mut Row<'_>) -> anyhow::Result<Mapping> {
    Ok(Mapping {
        digest: row.digest()?,
        name: row.text()?,
        seq: row.count()?,
        tree: row.text()?,
        created_at: row.timestamp()?,
        archived: row.timestamp_or_zero()?,
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
/// was there before. The newest one stays as it is, unless it was archived: saving brings it back.
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
    let stays = |newest: &Mapping| newest.digest == new.digest && newest.archived.is_none();
    if let Some(newest) = newest.filter(stays) {
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
        archived: None,
    })
}

/// Says since when the newest version of a mapping is archived, or that it is not, with a leaf of its
/// own. One of which that is true already stays as it is.
///
/// # Errors
/// The database's.
pub fn mapping_archive(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    (name, archived): (&str, Option<Timestamp>),
    now: Timestamp,
) -> anyhow::Result<Option<Mapping>> {
    tx.allow(grant)?;
    let Some(newest) = tx.first(MAPPING_BY_NAME, &[name.into()], mapping)? else {
        return Ok(None);
    };
    if newest.archived == archived {
        return Ok(Some(newest));
    }
    let state = archived.map_or_else(|| "there".to_owned(), |since| format!("archived {since}"));
    let digest = version_digest("mapping", &[&newest.digest.hex(), &state]);
    let draft = LeafDraft::config(audit_object(name), digest, grant.actor());
    let seq = audit_append(tx, &draft, now)?;
    let since = archived.map_or(0, Timestamp::as_micros);
    let values = [newest.digest.into(), seq.into(), grant.actor().into(), since.into()];
    tx.execute_one(MAPPING_ARCHIVE, &values)?;
    Ok(Some(Mapping { seq, archived, ..newest }))
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

/// The newest version of each mapping, by name; the archived ones too.
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
