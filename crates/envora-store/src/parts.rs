//! Imports in parts: those that are still open, the parts that have arrived, and where the parts of a
//! file lie that was taken in.

use anyhow::{Context as _, ensure};
use envora_domain::access::{
    Grant,
    actions::{Calculate, ReadActivities, WriteActivities},
};
use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_domain::time::Timestamp;

use crate::imports::Mode;
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};
use crate::value::Value;

statements! {
    OPEN_IMPORT_ADD = "INSERT INTO open_import (import_id, file_name, media_type, file_length,
            file_sha256, mode, mapping, mapping_digest, constants, failure, created_at, keep_until,
            actor)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    OPEN_IMPORT_BY_ID = "SELECT import_id, file_name, media_type, file_length, file_sha256, mode,
            mapping, mapping_digest, constants, failure, created_at, keep_until
        FROM open_import WHERE import_id = ?1";
    OPEN_IMPORTS = "SELECT import_id, file_name, media_type, file_length, file_sha256, mode,
            mapping, mapping_digest, constants, failure, created_at, keep_until
        FROM open_import ORDER BY import_id DESC";
    OPEN_IMPORT_COUNT = "SELECT count(*) FROM open_import";
    OPEN_IMPORT_READING = "UPDATE open_import SET mapping = ?2, mapping_digest = ?3, constants = ?4,
            mode = ?5, failure = ''
        WHERE import_id = ?1";
    OPEN_IMPORT_FAILURE = "UPDATE open_import SET failure = ?2 WHERE import_id = ?1";
    OPEN_IMPORT_DROP = "DELETE FROM open_import WHERE import_id = ?1";
    OPEN_IMPORTS_OVER = "SELECT import_id FROM open_import WHERE keep_until <= ?1";
    OPEN_PART_ADD = "INSERT INTO open_part (import_id, number, name, part_sha256, length)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    OPEN_PART_DROP = "DELETE FROM open_part WHERE import_id = ?1 AND number = ?2";
    OPEN_PARTS = "SELECT number, name, part_sha256, length FROM open_part
        WHERE import_id = ?1 ORDER BY number";
    OPEN_PARTS_DROP = "DELETE FROM open_part WHERE import_id = ?1";
    SOURCE_PART_ADD = "INSERT INTO source_part (file_sha256, number, name, part_sha256, length)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    SOURCE_PARTS = "SELECT number, name, part_sha256, length FROM source_part
        WHERE file_sha256 = ?1 ORDER BY number";
}

/// How a file in parts is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whether one bad row refuses the file.
    pub mode: Mode,
    /// The mapping's name, or empty.
    pub mapping: String,
    /// The mapping's version.
    pub mapping_digest: Option<Digest>,
    /// Further constants, as a JSON object.
    pub constants: String,
}

/// An import whose parts are still arriving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenImport {
    /// Its id, which it keeps.
    pub id: ImportId,
    /// The file's name.
    pub file_name: String,
    /// Its media type.
    pub media_type: String,
    /// Its length, if it was announced.
    pub length: Option<u64>,
    /// SHA-256 of its bytes, if it was announced.
    pub sha256: Option<Digest>,
    /// How it is to be read.
    pub reading: Reading,
    /// What its last commit was refused with, as JSON; empty when there was none.
    pub failure: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// Until when it stays open.
    pub keep_until: Timestamp,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its place, from 1.
    pub number: u32,
    /// What the lake keeps it as.
    pub name: Digest,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// How many bytes it has.
    pub length: u64,
}

/// Opens an import.
///
/// # Errors
/// The database's.
pub fn open_import_add(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    new: &OpenImport,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    tx.execute_one(
        OPEN_IMPORT_ADD,
        &[
            new.id.into(),
            (&new.file_name).into(),
            (&new.media_type).into(),
            new.length.unwrap_or(0).into(),
            new.sha256.map_or(Value::Blob(&[]), Into::into),
            new.reading.mode.as_str().into(),
            (&new.reading.mapping).into(),
            new.reading.mapping_digest.map_or(Value::Blob(&[]), Into::into),
            (&new.reading.constants).into(),
            (&new.failure).into(),
            new.created_at.into(),
            new.keep_until.into(),
            grant.actor().into(),
        ],
    )
}

fn open_import_row(row: &mut Row<'_>) -> anyhow::Result<OpenImport> {
    Ok(OpenImport {
        id: row.id()?,
        file_name: row.text()?,
        media_type: row.text()?,
        length: Some(row.count()?).filter(|length| *length > 0),
        sha256: row.digest_or_empty()?,
        reading: Reading {
            mode: Mode::parse(&row.text()?).context("an import's mode is atomic or partial")?,
            mapping: row.text()?,
            mapping_digest: row.digest_or_empty()?,
            constants: row.text()?,
        },
        failure: row.text()?,
        created_at: row.timestamp()?,
        keep_until: row.timestamp()?,
    })
}

/// The open import of this id.
///
/// # Errors
/// The database's.
pub fn open_import_by_id(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    id: ImportId,
) -> anyhow::Result<Option<OpenImport>> {
    rd.allow(grant)?;
    rd.first(OPEN_IMPORT_BY_ID, &[id.into()], open_import_row)
}

/// All open imports, newest first. They are few.
///
/// # Errors
/// The database's.
pub fn open_imports(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
) -> anyhow::Result<Vec<OpenImport>> {
    rd.allow(grant)?;
    rd.all(OPEN_IMPORTS, &[], open_import_row)
}

/// How many imports are open.
///
/// # Errors
/// The database's.
pub fn open_imports_count(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
) -> anyhow::Result<u64> {
    rd.allow(grant)?;
    rd.one(OPEN_IMPORT_COUNT, &[], |row| row.count())
}

/// Says how an open import is to be read from now on; an earlier refusal is forgotten. `false` when
/// there is none.
///
/// # Errors
/// The database's.
pub fn open_import_reading(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    (id, reading): (ImportId, &Reading),
) -> anyhow::Result<bool> {
    tx.allow(grant)?;
    let changed = tx.execute(
        OPEN_IMPORT_READING,
        &[
            id.into(),
            (&reading.mapping).into(),
            reading.mapping_digest.map_or(Value::Blob(&[]), Into::into),
            (&reading.constants).into(),
            reading.mode.as_str().into(),
        ],
    )?;
    Ok(changed > 0)
}

/// Notes what the commit of an open import was refused with; empty for nothing.
///
/// # Errors
/// The database's.
pub fn open_import_failure(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    (id, failure): (ImportId, &str),
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    tx.execute(OPEN_IMPORT_FAILURE, &[id.into(), failure.into()])?;
    Ok(())
}

/// Forgets an open import and its parts. What the lake keeps of them is for the caller to remove.
///
/// # Errors
/// The database's.
pub fn open_import_drop(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    id: ImportId,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    tx.execute(OPEN_PARTS_DROP, &[id.into()])?;
    tx.execute(OPEN_IMPORT_DROP, &[id.into()])?;
    Ok(())
}

/// Takes a part in; one of the same number is replaced. `false` when the import is not open.
///
/// # Errors
/// The database's.
pub fn open_part_put(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    (id, part): (ImportId, &Part),
) -> anyhow::Result<bool> {
    tx.allow(grant)?;
    if tx.first(OPEN_IMPORT_BY_ID, &[id.into()], open_import_row)?.is_none() {
        return Ok(false);
    }
    tx.execute(OPEN_PART_DROP, &[id.into(), part.number.into()])?;
    let Part { number, name, sha256, length } = *part;
    let values = [id.into(), number.into(), name.into(), sha256.into(), length.into()];
    tx.execute_one(OPEN_PART_ADD, &values)?;
    Ok(true)
}

/// Takes a part of this number back; nothing when there is none.
///
/// # Errors
/// The database's.
pub fn open_part_drop(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    (id, number): (ImportId, u32),
) -> anyhow::Result<Option<Part>> {
    tx.allow(grant)?;
    let parts = tx.all(OPEN_PARTS, &[id.into()], part)?;
    let dropped = parts.into_iter().find(|part| part.number == number);
    if dropped.is_some() {
        tx.execute(OPEN_PART_DROP, &[id.into(), number.into()])?;
    }
    Ok(dropped)
}

fn part(row: &mut Row<'_>) -> anyhow::Result<Part> {
    Ok(Part {
        number: row.small()?,
        name: row.digest()?,
        sha256: row.digest()?,
        length: row.count()?,
    })
}

/// The parts of an open import that have arrived, by number.
///
/// # Errors
/// The database's.
pub fn open_parts(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    id: ImportId,
) -> anyhow::Result<Vec<Part>> {
    rd.allow(grant)?;
    rd.all(OPEN_PARTS, &[id.into()], part)
}

/// Drops the open imports whose time is over, and gives what the lake still keeps of them.
///
/// # Errors
/// The database's.
pub fn open_imports_sweep(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    now: Timestamp,
) -> anyhow::Result<Vec<Part>> {
    tx.allow(grant)?;
    let over: Vec<ImportId> = tx.all(OPEN_IMPORTS_OVER, &[now.into()], |row| row.id())?;
    let mut parts = Vec::new();
    for id in over {
        parts.extend(tx.all(OPEN_PARTS, &[id.into()], part)?);
        tx.execute(OPEN_PARTS_DROP, &[id.into()])?;
        tx.execute(OPEN_IMPORT_DROP, &[id.into()])?;
    }
    Ok(parts)
}

/// Closes an import that is taken in: its parts, which are to be those that were read, are those of the
/// file from now on. Of a file whose parts
/// are known already, those stay, and these are given back, to be removed.
///
/// # Errors
/// The database's.
pub fn open_import_close(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    (id, file, read): (ImportId, Digest, &[Part]),
) -> anyhow::Result<Vec<Part>> {
    tx.allow(grant)?;
    let parts = tx.all(OPEN_PARTS, &[id.into()], part)?;
    ensure!(parts == read, "the parts of an import changed while its rows were read");
    let known = tx.first(SOURCE_PARTS, &[file.into()], part)?.is_some();
    for Part { number, name, sha256, length } in parts.iter().filter(|_| !known) {
        let (name, sha256) = (*name, *sha256);
        let values = [file.into(), (*number).into(), name.into(), sha256.into(), (*length).into()];
        tx.execute_one(SOURCE_PART_ADD, &values)?;
    }
    tx.execute(OPEN_PARTS_DROP, &[id.into()])?;
    tx.execute(OPEN_IMPORT_DROP, &[id.into()])?;
    Ok(if known { parts } else { Vec::new() })
}

/// The parts of a source file, by number; none of one that came whole.
///
/// # Errors
/// The database's.
pub fn source_parts(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    file: Digest,
) -> anyhow::Result<Vec<Part>> {
    rd.allow(grant)?;
    rd.all(SOURCE_PARTS, &[file.into()], part)
}
