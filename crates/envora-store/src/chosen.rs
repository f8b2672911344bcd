//! How many activities stand on each choice, by day, facility and source. Added up here, like cells.

use std::collections::BTreeMap;

use anyhow::Context as _;
use envora_domain::access::{
    Grant,
    actions::{Calculate, ReadResults},
};
use envora_domain::id::RunId;
use envora_domain::time::Day;

use crate::many::Bound;
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};
use crate::unresolved::DayRange;
use crate::value::Value;

statements! {
    CHOSEN_READ = "SELECT activities FROM chosen WHERE run_id = ?1 AND day = ?2
        AND facility_id = ?3 AND source_id = ?4 AND why = ?5";
    CHOSEN_PUT = "INSERT INTO chosen (run_id, day, facility_id, source_id, why, activities)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (run_id, day, facility_id, source_id, why)
        DO UPDATE SET activities = excluded.activities";
    CHOSEN_DROP = "DELETE FROM chosen WHERE run_id = ?1 AND day = ?2
        AND facility_id = ?3 AND source_id = ?4 AND why = ?5";
    CHOSEN_BETWEEN = "SELECT day, facility_id, source_id, why, activities FROM chosen
        WHERE run_id = ?1 AND day >= ?2 AND day < ?3
        ORDER BY day, facility_id, source_id, why";
    CHOSEN_DROP_ALL = "DELETE FROM chosen WHERE run_id = ?1";
}

/// What activities are counted by, within one run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChosenKey {
    /// The first day of each, in its own zone.
    pub day: Day,
    /// The facility's sixteen bytes; of none, empty.
    pub facility: Vec<u8>,
    /// The source's sixteen bytes; of none, empty.
    pub source: Vec<u8>,
    /// The number of their choice.
    pub why: u32,
}

/// Adds changes to a run's counts, in the transaction that adds to its cells.
///
/// # Errors
/// The database's.
pub fn chosen_add(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    run: RunId,
    changes: &BTreeMap<ChosenKey, i64>,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    tx.many(&[CHOSEN_READ, CHOSEN_PUT, CHOSEN_DROP], |many| {
        for (key, change) in changes {
            let run: Value<'_> = run.into();
            let (day, why) = (key.day.into(), key.why.into());
            let (facility, source) = ((&key.facility).into(), (&key.source).into());
            let place = Bound { kept: 0, values: &[run, day, facility, source, why] };
            let mut before: Option<i64> = None;
            many.each(0, place, |row| {
                before = Some(row.int()?);
                Ok(())
            })?;
            let count = before.unwrap_or(0).checked_add(*change).context("count activities")?;
            if count != 0 {
                let values = [run, day, facility, source, why, count.into()];
                many.execute_one(1, Bound { kept: 0, values: &values })?;
            } else if before.is_some() {
                many.execute_one(2, place)?;
            }
        }
        Ok(())
    })
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
