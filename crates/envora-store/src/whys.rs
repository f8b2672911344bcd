//! Whys: how methods and factors were chosen, once per run and distinct choice. Blocks name them by
//! number.

use envora_domain::access::{
    Grant,
    actions::{Calculate, ReadResults},
};
use envora_domain::hash::Digest;
use envora_domain::id::RunId;

use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    WHY_BY_DIGEST = "SELECT why FROM why WHERE run_id = ?1 AND digest = ?2";
    WHY_ADD = "INSERT INTO why (run_id, why, digest, json)
        SELECT ?1, COALESCE(max(why), 0) + 1, ?2, ?3 FROM why WHERE run_id = ?1
        RETURNING why";
    WHY_BY_NUMBER = "SELECT why, digest, json FROM why WHERE run_id = ?1 AND why = ?2";
    WHYS_OF_RUN = "SELECT why, digest, json FROM why WHERE run_id = ?1 ORDER BY why";
}

/// A choice as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyRow {
    /// Its number in the run, from 1; 0 stands for no choice.
    pub why: u32,
    /// SHA-256 of its JSON.
    pub digest: Digest,
    /// The choice, RFC 8785.
    pub json: String,
}

fn why(row: &mut Row<'_>) -> anyhow::Result<WhyRow> {
    Ok(WhyRow { why: row.small()?, digest: row.digest()?, json: row.text()? })
}

/// The number of a choice: the one that it has, or the next.
///
/// # Errors
/// The database's.
pub fn why_put(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    run: RunId,
    json: &str,
) -> anyhow::Result<u32> {
    tx.allow(grant)?;
    let digest = Digest::of(json.as_bytes());
    if let Some(known) = tx.first(WHY_BY_DIGEST, &[run.into(), digest.into()], |row| row.small())? {
        return Ok(known);
    }
    tx.one(WHY_ADD, &[run.into(), digest.into(), json.into()], |row| row.small())
}

/// The choice of this number.
///
/// # Errors
/// The database's.
pub fn why_by_number(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    number: u32,
) -> anyhow::Result<Option<WhyRow>> {
    rd.allow(grant)?;
    rd.first(WHY_BY_NUMBER, &[run.into(), number.into()], why)
}

/// All choices of a run, by number.
///
/// # Errors
/// The database's.
pub fn whys_of_run(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
) -> anyhow::Result<Vec<WhyRow>> {
    rd.allow(grant)?;
    rd.all(WHYS_OF_RUN, &[run.into()], why)
}
