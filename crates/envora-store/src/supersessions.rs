//! Supersessions: which activity took the place of which. An activity has one successor at most.

use std::collections::HashMap;

use envora_domain::access::{
    Grant,
    actions::{ReadActivities, WriteActivities},
};
use envora_domain::id::ActivityId;

use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    SUPERSESSION_ADD = "INSERT INTO supersession (old_id, new_id, seq, is_void, reason)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (old_id) DO NOTHING";
    SUPERSESSION_OF = "SELECT old_id, new_id, seq, is_void, reason FROM supersession
        WHERE old_id = ?1";
    SUPERSESSIONS_AFTER = "WITH RECURSIVE chain (old_id, new_id, seq, is_void, reason) AS (
            SELECT old_id, new_id, seq, is_void, reason FROM supersession WHERE old_id = ?1
            UNION ALL
            SELECT later.old_id, later.new_id, later.seq, later.is_void, later.reason
            FROM chain JOIN supersession AS later ON later.old_id = chain.new_id)
        SELECT old_id, new_id, seq, is_void, reason FROM chain";
    SUPERSESSIONS_OF_SEQ = "SELECT old_id, new_id, seq, is_void, reason FROM supersession
        WHERE seq = ?1 ORDER BY old_id";
    SUPERSESSIONS_BETWEEN = "SELECT old_id, new_id, seq, is_void, reason FROM supersession
        WHERE old_id >= ?1 AND old_id <= ?2 AND seq <= ?3 ORDER BY old_id";
}

/// What became of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Another one counts in its place.
    Replaced,
    /// Nothing counts in its place.
    Voided,
}

/// An activity that counts no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supersession {
    /// Which.
    pub old: ActivityId,
    /// The activity that says so.
    pub new: ActivityId,
    /// The seq of the segment that holds the new one.
    pub seq: u64,
    /// Whether something counts in its place.
    pub fate: Fate,
    /// Why, as sent; or empty.
    pub reason: String,
}

/// Notes a supersession; false when the old activity has a successor already.
///
/// # Errors
/// The database's.
pub fn supersession_add(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    new: &Supersession,
) -> anyhow::Result<bool> {
    tx.allow(grant)?;
    let is_void = i64::from(new.fate == Fate::Voided);
    let values =
        [new.old.into(), new.new.into(), new.seq.into(), is_void.into(), (&new.reason).into()];
    Ok(tx.execute(SUPERSESSION_ADD, &values)? == 1)
}

fn supersession(row: &mut Row<'_>) -> anyhow::Result<Supersession> {
    Ok(Supersession {
        old: row.id()?,
        new: row.id()?,
        seq: row.count()?,
        fate: if row.flag()? { Fate::Voided } else { Fate::Replaced },
        reason: row.text()?,
    })
}

/// What took an activity's place, if anything.
///
/// # Errors
/// The database's.
pub fn supersession_of(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    old: ActivityId,
) -> anyhow::Result<Option<Supersession>> {
    rd.allow(grant)?;
    rd.first(SUPERSESSION_OF, &[old.into()], supersession)
}

/// What took an activity's place, and the place of that, to the end: the first step is
/// [`supersession_of`], and nothing took the place of the last one's `new`.
///
/// # Errors
/// The database's.
pub fn supersessions_after(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    old: ActivityId,
) -> anyhow::Result<Vec<Supersession>> {
    rd.allow(grant)?;
    let found = rd.all(SUPERSESSIONS_AFTER, &[old.into()], supersession)?;
    // Several steps may be of one commit, and then its seq does not order them.
    let mut left: HashMap<ActivityId, Supersession> =
        found.into_iter().map(|step| (step.old, step)).collect();
    let mut chain: Vec<Supersession> = Vec::new();
    while let Some(step) = left.remove(&chain.last().map_or(old, |last| last.new)) {
        chain.push(step);
    }
    Ok(chain)
}

/// What the segment of this seq superseded.
///
/// # Errors
/// The database's.
pub fn supersessions_of_seq(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    seq: u64,
) -> anyhow::Result<Vec<Supersession>> {
    rd.allow(grant)?;
    rd.all(SUPERSESSIONS_OF_SEQ, &[seq.into()], supersession)
}

/// A range of activities, both ends included: a segment's rows from its first to its last.
#[derive(Clone, Copy, Debug)]
pub struct ActivityRange {
    /// The first.
    pub first: ActivityId,
    /// The last.
    pub last: ActivityId,
}

/// What was superseded within a range, as of a seq.
///
/// # Errors
/// The database's.
pub fn supersessions_between(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    range: ActivityRange,
    seq: u64,
) -> anyhow::Result<Vec<Supersession>> {
    rd.allow(grant)?;
    let values = [range.first.into(), range.last.into(), seq.into()];
    rd.all(SUPERSESSIONS_BETWEEN, &values, supersession)
}
