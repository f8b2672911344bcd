//! Cells of runs that began before sums were kept by group ([`crate::rollups`]): they are read and go with
//! their runs. What such a run goes on to count is added to them when they are read.

use anyhow::{Context as _, anyhow};
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::catalogue::{Bucket, Market, Slot};
use envora_domain::cells::{CellKey, CellValue, Primary};
use envora_domain::gwp::{Carbon, Gas, GwpSet};
use envora_domain::id::RunId;
use envora_domain::time::Day;

use crate::chosen::chosen_drop;
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};
use crate::unresolved::DayRange;

statements! {
    CELLS_BETWEEN = "SELECT kg, activities, co2e_1, co2e_2, co2e_3, co2e_4, day, facility_id,
            source_id, kind, slot, scope, category, market, bucket, gas, carbon, basis, tier,
            data_kind, is_primary
        FROM cell WHERE run_id = ?1 AND day >= ?2 AND day < ?3
        ORDER BY day, facility_id, source_id, kind, slot, scope, category, market, bucket, gas,
            carbon, basis, tier, data_kind, is_primary";
    CELL_DAY_FROM = "SELECT day FROM cell WHERE run_id = ?1 AND day >= ?2 ORDER BY day LIMIT 1";
    CELLS_DROP_FIRST = "DELETE FROM cell WHERE run_id = ?1
        AND day <= (SELECT min(c.day) FROM cell c WHERE c.run_id = ?1)";
}

/// Drops the cells of a run's first day, and says how many; at none, the counts of its choices go too.
pub(crate) fn cells_drop_some(tx: &mut TenantTx, run: RunId) -> anyhow::Result<u64> {
    let dropped = tx.execute(CELLS_DROP_FIRST, &[run.into()])?;
    if dropped == 0 {
        chosen_drop(tx, run)?;
    }
    Ok(dropped)
}

/// A run's cells of these days, by key.
///
/// # Errors
/// The database's; a word that this program does not know.
pub fn cells_between(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    days: DayRange,
) -> anyhow::Result<Vec<(CellKey, CellValue)>> {
    rd.allow(grant)?;
    let values = [run.into(), days.from.into(), days.to.into()];
    rd.all(CELLS_BETWEEN, &values, |row| {
        let value = value(row)?;
        Ok((key(row)?, value))
    })
}

/// Whether a run has any.
///
/// # Errors
/// The database's.
pub fn cells_any(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
) -> anyhow::Result<bool> {
    rd.allow(grant)?;
    let ever = Day::from_number(i32::MIN);
    let first = rd.first(CELL_DAY_FROM, &[run.into(), ever.into()], |row| row.day())?;
    Ok(first.is_some())
}

/// The years in which a run has cells, the earliest first: one step in the index for each.
pub(crate) fn cells_years(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
) -> anyhow::Result<Vec<i16>> {
    rd.allow(grant)?;
    let (mut years, mut from) = (Vec::new(), Some(Day::from_number(i32::MIN)));
    while let Some(day) = from {
        let found = rd.first(CELL_DAY_FROM, &[run.into(), day.into()], |row| row.day())?;
        let year = found.map(|found| found.ymd().0);
        years.extend(year);
        from = year.and_then(|year| Day::from_ymd(year.checked_add(1)?, 1, 1));
    }
    Ok(years)
}

fn key(row: &mut Row<'_>) -> anyhow::Result<CellKey> {
    Ok(CellKey {
        day: row.day()?,
        facility: row.blob()?,
        source: row.blob()?,
        kind: row.text()?,
        slot: word(row, "slot", Slot::parse)?,
        scope: row.tiny()?,
        category: row.tiny()?,
        market: Market::from_number(row.tiny()?).context("a cell's market is 0, 1 or 2")?,
        bucket: word(row, "bucket", Bucket::parse)?,
        gas: word(row, "gas", Gas::parse)?,
        carbon: word(row, "carbon", Carbon::parse)?,
        basis: word(row, "basis", GwpSet::parse)?,
        tier: row.tiny()?,
        data_kind: row.text()?,
        primary: Primary::from_number(row.tiny()?).context("a cell's primary is 0, 1 or 2")?,
    })
}

fn word<T>(
    row: &mut Row<'_>,
    what: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> anyhow::Result<T> {
    let text = row.text()?;
    parse(&text)
        .ok_or_else(|| anyhow!("a cell's {what} is {text}, which this program does not know"))
}

fn value(row: &mut Row<'_>) -> anyhow::Result<CellValue> {
    Ok(CellValue {
        kg: row.mass()?,
        count: row.int()?,
        co2e: [row.mass_maybe()?, row.mass_maybe()?, row.mass_maybe()?, row.mass_maybe()?],
    })
}
