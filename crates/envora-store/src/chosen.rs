//! How many activities stand on each choice, by day, facility and source, of runs that began before sums
//! were kept by group ([`crate::rollups`]).

use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::id::RunId;
use envora_domain::rollups::ChosenKey;

use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};
use crate::unresolved::DayRange;

statements! {
    CHOSEN_BETWEEN = "SELECT day, facility_id, source_id, why, activities FROM chosen
        WHERE run_id = ?1 AND day >= ?2 AND day < ?3
        ORDER BY day, facility_id, source_id, why";
    CHOSEN_DROP_ALL = "DELETE FROM chosen WHERE run_id = ?1";
}

/// A run's counts of these days.
///
/// # Errors
/// The database's.
pub fn chosen_between(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    days: DayRange,
) -> anyhow::Result<Vec<(ChosenKey, i64)>> {
    rd.allow(grant)?;
    rd.all(CHOSEN_BETWEEN, &[run.into(), days.from.into(), days.to.into()], chosen)
}

/// Drops all counts of a run, when its cells go.
pub(crate) fn chosen_drop(tx: &mut TenantTx, run: RunId) -> anyhow::Result<u64> {
    tx.execute(CHOSEN_DROP_ALL, &[run.into()])
}

fn chosen(row: &mut Row<'_>) -> anyhow::Result<(ChosenKey, i64)> {
    let (day, facility, source) = (row.day()?, row.blob()?, row.blob()?);
    Ok((ChosenKey { day, facility, source, why: row.small()? }, row.int()?))
}
