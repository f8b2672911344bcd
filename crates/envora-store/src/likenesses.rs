//! Likenesses: what stored rows say, whatever their ids are, so that a row that comes again is seen.

use envora_domain::access::{
    Grant,
    actions::{ReadActivities, WriteActivities},
};
use envora_domain::id::{ActivityId, ImportId, SegmentId};

use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};
use crate::value::Value;

statements! {
    LIKENESS_ADD = "INSERT INTO likeness (seq, prints, alike, first_new, first_known)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    LIKENESSES_FROM = "SELECT l.seq, s.segment_id, l.prints
        FROM likeness l JOIN segment s ON s.seq = l.seq
        WHERE l.seq >= ?1 ORDER BY l.seq LIMIT ?2";
    ALIKE_OF_IMPORT = "SELECT l.alike, l.first_new, l.first_known
        FROM segment s JOIN likeness l ON l.seq = s.seq
        WHERE s.import_id = ?1 AND l.alike > 0 ORDER BY s.seq";
}

/// Rows that look like rows that were stored before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    /// How many.
    pub rows: u64,
    /// The first of them.
    pub new: ActivityId,
    /// Which it looks like.
    pub known: ActivityId,
}

impl Alike {
    /// Both, with the example of the first.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self { rows: self.rows + more.rows, ..self }
    }
}

/// The likenesses of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likenesses {
    /// The segment's seq.
    pub seq: u64,
    /// The segment.
    pub segment: SegmentId,
    /// Eight bytes per row.
    pub prints: Vec<u8>,
}

/// Keeps what a segment's rows say. Called in the transaction that adds it.
///
/// # Errors
/// The database's.
pub fn likeness_add(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    (seq, prints): (u64, &[u8]),
    alike: Option<Alike>,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    let values = [
        seq.into(),
        prints.into(),
        alike.map_or(0, |alike| alike.rows).into(),
        Value::id_or_empty(alike.map(|alike| alike.new)),
        Value::id_or_empty(alike.map(|alike| alike.known)),
    ];
    tx.execute_one(LIKENESS_ADD, &values)
}

/// The likenesses of at most `limit` segments from this seq on: how the table in memory is rebuilt.
///
/// # Errors
/// The database's.
pub fn likenesses_from(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    from: u64,
    limit: u32,
) -> anyhow::Result<Vec<Likenesses>> {
    rd.allow(grant)?;
    rd.all(LIKENESSES_FROM, &[from.into(), limit.into()], |row| {
        Ok(Likenesses { seq: row.count()?, segment: row.id()?, prints: row.blob()? })
    })
}

/// How many rows of an import looked like rows that were stored before it.
///
/// # Errors
/// The database's.
pub fn alike_of_import(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    import: ImportId,
) -> anyhow::Result<Option<Alike>> {
    rd.allow(grant)?;
    let alike =
        |row: &mut Row<'_>| Ok(Alike { rows: row.count()?, new: row.id()?, known: row.id()? });
    let all = rd.all(ALIKE_OF_IMPORT, &[import.into()], alike)?;
    Ok(all.into_iter().reduce(Alike::and))
}
