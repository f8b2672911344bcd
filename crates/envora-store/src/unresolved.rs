//! Unresolved rows, counted by segment and reason: what a run could not count, and what would help.

use envora_domain::access::{
    Grant,
    actions::{Calculate, ReadResults},
};
use envora_domain::id::{ActivityId, RunId};
use envora_domain::time::Day;

use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    UNRESOLVED_DROP = "DELETE FROM unresolved WHERE run_id = ?1 AND seq = ?2";
    UNRESOLVED_ADD = "INSERT INTO unresolved (run_id, seq, code, word, day_min, day_max, activities,
            example, remedy) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    UNRESOLVED_BETWEEN = "SELECT seq, code, word, day_min, day_max, activities, example, remedy
        FROM unresolved WHERE run_id = ?1 AND day_max >= ?2 AND day_min < ?3
        ORDER BY code, word, seq";
    UNRESOLVED_OF_SEQ = "SELECT seq, code, word, day_min, day_max, activities, example, remedy
        FROM unresolved WHERE run_id = ?1 AND seq = ?2 ORDER BY code, word";
    UNRESOLVED_SEQS = "SELECT DISTINCT seq FROM unresolved WHERE run_id = ?1 ORDER BY seq";
}

/// Rows of one segment that are not counted for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// The segment's seq.
    pub seq: u64,
    /// The row code.
    pub code: String,
    /// The word at fault, or empty.
    pub word: String,
    /// The first day of such a row.
    pub day_min: Day,
    /// The last day of such a row.
    pub day_max: Day,
    /// How many rows.
    pub activities: u64,
    /// One of them.
    pub example: ActivityId,
    /// What would help.
    pub remedy: String,
}

/// Says anew what of a segment is not counted in a run.
///
/// # Errors
/// The database's.
pub fn unresolved_put(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    (run, seq): (RunId, u64),
    rows: &[Unresolved],
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    tx.execute(UNRESOLVED_DROP, &[run.into(), seq.into()])?;
    for row in rows {
        let values = [
            run.into(),
            seq.into(),
            (&row.code).into(),
            (&row.word).into(),
            row.day_min.into(),
            row.day_max.into(),
            row.activities.into(),
            row.example.into(),
            (&row.remedy).into(),
        ];
        tx.execute_one(UNRESOLVED_ADD, &values)?;
    }
    Ok(())
}

fn unresolved(row: &mut Row<'_>) -> anyhow::Result<Unresolved> {
    Ok(Unresolved {
        seq: row.count()?,
        code: row.text()?,
        word: row.text()?,
        day_min: row.day()?,
        day_max: row.day()?,
        activities: row.count()?,
        example: row.id()?,
        remedy: row.text()?,
    })
}

/// Days from the first up to, not including, the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    /// The first day.
    pub from: Day,
    /// The day after the last.
    pub to: Day,
}

impl DayRange {
    /// All days there are.
    pub const EVER: Self =
        Self { from: Day::from_number(i32::MIN), to: Day::from_number(i32::MAX) };
}

/// What of a run is not counted and may touch these days.
///
/// # Errors
/// The database's.
pub fn unresolved_between(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    days: DayRange,
) -> anyhow::Result<Vec<Unresolved>> {
    rd.allow(grant)?;
    rd.all(UNRESOLVED_BETWEEN, &[run.into(), days.from.into(), days.to.into()], unresolved)
}

/// What of one segment is not counted in a run.
///
/// # Errors
/// The database's.
pub fn unresolved_of_seq(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    seq: u64,
) -> anyhow::Result<Vec<Unresolved>> {
    rd.allow(grant)?;
    rd.all(UNRESOLVED_OF_SEQ, &[run.into(), seq.into()], unresolved)
}

/// The seqs of segments of which something is not counted in a run.
///
/// # Errors
/// The database's.
pub fn unresolved_seqs(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
) -> anyhow::Result<Vec<u64>> {
    rd.allow(grant)?;
    rd.all(UNRESOLVED_SEQS, &[run.into()], |row| row.count())
}
