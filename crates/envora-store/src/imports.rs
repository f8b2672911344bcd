//! Imports: files taken in, with the counts of what became of their rows, and the rows that failed.

use anyhow::Context as _;
use envora_domain::access::{
    Grant,
    actions::{Calculate, ReadActivities, WriteActivities},
};
use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_domain::time::{Span, Timestamp};

use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};
use crate::value::Value;

statements! {
    IMPORT_ADD = "INSERT INTO import (import_id, seq, mode, file_sha256, file_name, file_length,
            media_type, mapping, mapping_digest, accepted, duplicate, quarantined, rejected,
            skipped, created_at, source_until, actor, skipped_rows)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
            ?18)";
    IMPORT_BY_ID = "SELECT import_id, seq, mode, file_sha256, file_name, file_length, media_type,
            mapping, mapping_digest, accepted, duplicate, quarantined, rejected, skipped,
            created_at, source_until, skipped_rows
        FROM import WHERE import_id = ?1";
    IMPORTS_BEFORE = "SELECT import_id, seq, mode, file_sha256, file_name, file_length, media_type,
            mapping, mapping_digest, accepted, duplicate, quarantined, rejected, skipped,
            created_at, source_until, skipped_rows
        FROM import WHERE import_id < ?1 ORDER BY import_id DESC LIMIT ?2";
    IMPORT_COUNT = "SELECT count(*) FROM import";
    IMPORT_ROW_ADD = "INSERT INTO import_row (import_id, number, row_number, line, outcome, code,
            field, detail, hint, column_name, cell, keep_until)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    IMPORT_ROWS = "SELECT number, row_number, line, outcome, code, field, detail, hint, column_name,
            cell
        FROM import_row WHERE import_id = ?1 AND number >= ?2 ORDER BY number LIMIT ?3";
    IMPORT_ROWS_COUNT = "SELECT count(*) FROM import_row WHERE import_id = ?1";
    IMPORT_ROWS_DROP = "DELETE FROM import_row WHERE keep_until <= ?1";
}

/// How long rejected rows are kept: 30 days.
pub const IMPORT_ROWS_KEPT: Span = Span::from_secs(30 * 86_400);

/// Whether one bad row refuses the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All rows or none.
    Atomic,
    /// The good rows.
    Partial,
}

impl Mode {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Atomic => "atomic",
            Self::Partial => "partial",
        }
    }

    /// The mode of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Atomic, Self::Partial].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// What became of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Stored, and everything they name is known.
    pub accepted: u64,
    /// Stored before, with the same content.
    pub duplicate: u64,
    /// Stored, but naming something unknown.
    pub quarantined: u64,
    /// Refused.
    pub rejected: u64,
    /// Left out, as the mapping says.
    pub skipped: u64,
}

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// The seq of its last segment; without one, that of the head before it.
    pub seq: u64,
    /// Whether one bad row refused the file.
    pub mode: Mode,
    /// SHA-256 of the bytes as received: the id of the kept file.
    pub file: Digest,
    /// The file's name, as sent.
    pub file_name: String,
    /// Its length.
    pub file_length: u64,
    /// Its media type.
    pub media_type: String,
    /// The mapping's name, or empty.
    pub mapping: String,
    /// The mapping's version.
    pub mapping_digest: Option<Digest>,
    /// What became of the rows.
    pub counts: Counts,
    /// When it was taken in.
    pub created_at: Timestamp,
    /// Until when the file is kept.
    pub source_until: Timestamp,
    /// Which rows gave no activity, as the text that whoever added it gave; empty when none, and of
    /// imports of before.
    pub skipped_rows: String,
}

/// A row that was not accepted as it stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportRow {
    /// Its place in this list, from 0.
    pub number: u64,
    /// Its number in the file, from 1.
    pub row: u64,
    /// The physical line.
    pub line: u64,
    /// `rejected`, `quarantined`, `duplicate`.
    pub outcome: String,
    /// The row code.
    pub code: String,
    /// The field at fault.
    pub field: String,
    /// What is wrong.
    pub detail: String,
    /// What to do, or empty.
    pub hint: String,
    /// The column, or empty.
    pub column: String,
    /// The cell, cut short, or empty.
    pub cell: String,
}

/// Adds an import.
///
/// # Errors
/// The database's.
pub fn import_add(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    new: &Import,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    tx.execute_one(
        IMPORT_ADD,
        &[
            new.id.into(),
            new.seq.into(),
            new.mode.as_str().into(),
            new.file.into(),
            (&new.file_name).into(),
            new.file_length.into(),
            (&new.media_type).into(),
            (&new.mapping).into(),
            new.mapping_digest.map_or(Value::Blob(&[]), Into::into),
            new.counts.accepted.into(),
            new.counts.duplicate.into(),
            new.counts.quarantined.into(),
            new.counts.rejected.into(),
            new.counts.skipped.into(),
            new.created_at.into(),
            new.source_until.into(),
            grant.actor().into(),
            (&new.skipped_rows).into(),
        ],
    )
}

/// Keeps rows that were not accepted, for [`IMPORT_ROWS_KEPT`].
///
/// # Errors
/// The database's.
pub fn import_rows_add(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    import: &Import,
    rows: &[ImportRow],
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    let until = import.created_at.as_micros().saturating_add(IMPORT_ROWS_KEPT.as_micros());
    for row in rows {
        // PostgreSQL has no zero byte in a text, and a bad cell may well hold one.
        let cell = row.cell.replace('\0', "\u{fffd}");
        let detail = row.detail.replace('\0', "\u{fffd}");
        let column = row.column.replace('\0', "\u{fffd}");
        let field = row.field.replace('\0', "\u{fffd}");
        tx.execute_one(
            IMPORT_ROW_ADD,
            &[
                import.id.into(),
                row.number.into(),
                row.row.into(),
                row.line.into(),
                (&row.outcome).into(),
                (&row.code).into(),
                (&field).into(),
                (&detail).into(),
                (&row.hint).into(),
                (&column).into(),
                (&cell).into(),
                until.into(),
            ],
        )?;
    }
    Ok(())
}

fn import(row: &mut Row<'_>) -> anyhow::Result<Import> {
    Ok(Import {
        id: row.id()?,
        seq: row.count()?,
        mode: Mode::parse(&row.text()?).context("an import's mode is atomic or partial")?,
        file: row.digest()?,
        file_name: row.text()?,
        file_length: row.count()?,
        media_type: row.text()?,
        mapping: row.text()?,
        mapping_digest: row.digest_or_empty()?,
        counts: Counts {
            accepted: row.count()?,
            duplicate: row.count()?,
            quarantined: row.count()?,
            rejected: row.count()?,
            skipped: row.count()?,
        },
        created_at: row.timestamp()?,
        source_until: row.timestamp()?,
        skipped_rows: row.text()?,
    })
}

/// The import of this id.
///
/// # Errors
/// The database's.
pub fn import_by_id(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    id: ImportId,
) -> anyhow::Result<Option<Import>> {
    rd.allow(grant)?;
    rd.first(IMPORT_BY_ID, &[id.into()], import)
}

/// At most `limit` imports, newest first, older than this one (`None`: from the newest).
///
/// # Errors
/// The database's.
pub fn imports_before(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    before: Option<ImportId>,
    limit: u32,
) -> anyhow::Result<Vec<Import>> {
    rd.allow(grant)?;
    let before = before.map_or([0xff; 16], |id| id.bytes());
    rd.all(IMPORTS_BEFORE, &[before.into(), limit.into()], import)
}

/// How many imports there are.
///
/// # Errors
/// The database's.
pub fn imports_count(rd: &mut TenantReader, grant: &Grant<ReadActivities>) -> anyhow::Result<u64> {
    rd.allow(grant)?;
    rd.one(IMPORT_COUNT, &[], |row| row.count())
}

/// Where a list of rows goes on.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The first number.
    pub from: u64,
    /// How many at most.
    pub limit: u32,
}

/// The rows of an import that were not accepted.
///
/// # Errors
/// The database's.
pub fn import_rows(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    id: ImportId,
    page: Page,
) -> anyhow::Result<Vec<ImportRow>> {
    rd.allow(grant)?;
    rd.all(IMPORT_ROWS, &[id.into(), page.from.into(), page.limit.into()], |row| {
        Ok(ImportRow {
            number: row.count()?,
            row: row.count()?,
            line: row.count()?,
            outcome: row.text()?,
            code: row.text()?,
            field: row.text()?,
            detail: row.text()?,
            hint: row.text()?,
            column: row.text()?,
            cell: row.text()?,
        })
    })
}

/// How many problems of its rows an import keeps.
///
/// # Errors
/// The database's.
pub fn import_rows_count(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    id: ImportId,
) -> anyhow::Result<u64> {
    rd.allow(grant)?;
    rd.one(IMPORT_ROWS_COUNT, &[id.into()], |row| row.count())
}

/// Drops rejected rows whose time is over.
///
/// # Errors
/// The database's.
pub fn import_rows_sweep(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    now: Timestamp,
) -> anyhow::Result<u64> {
    tx.allow(grant)?;
    tx.execute(IMPORT_ROWS_DROP, &[now.into()])
}
