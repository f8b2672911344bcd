//! Rollup cells: the sums that a footprint is read from. Added up here, in exact integers, and never
//! by the database.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow};
use envora_domain::access::{
    Grant,
    actions::{Calculate, ReadResults},
};
use envora_domain::catalogue::{Bucket, Market, Slot};
use envora_domain::cells::{CellKey, CellValue, Primary};
use envora_domain::decimal::Mass;
use envora_domain::gwp::{Carbon, Gas, GwpSet};
use envora_domain::id::RunId;
use envora_domain::time::{Day, Timestamp};

use crate::chosen::chosen_drop;
use crate::many::Bound;
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};
use crate::unresolved::DayRange;
use crate::value::Value;

statements! {
    CELLS_OF_PLACE = "SELECT kg, activities, co2e_1, co2e_2, co2e_3, co2e_4, slot, scope, category,
            market, bucket, gas, carbon, basis, tier, data_kind, is_primary
        FROM cell WHERE run_id = ?1 AND day = ?2 AND facility_id = ?3 AND source_id = ?4 AND kind = ?5";
    CELL_ADD = "INSERT INTO cell (run_id, day, facility_id, source_id, kind, slot, scope, category,
            market, bucket, gas, carbon, basis, tier, data_kind, is_primary, kg, activities,
            co2e_1, co2e_2, co2e_3, co2e_4)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20, ?21, ?22)";
    CELL_SET = "UPDATE cell SET kg = ?17, activities = ?18, co2e_1 = ?19, co2e_2 = ?20, co2e_3 = ?21,
            co2e_4 = ?22
        WHERE run_id = ?1 AND day = ?2 AND facility_id = ?3 AND source_id = ?4 AND kind = ?5
            AND slot = ?6 AND scope = ?7 AND category = ?8 AND market = ?9 AND bucket = ?10
            AND gas = ?11 AND carbon = ?12 AND basis = ?13 AND tier = ?14 AND data_kind = ?15
            AND is_primary = ?16";
    CELL_DROP = "DELETE FROM cell
        WHERE run_id = ?1 AND day = ?2 AND facility_id = ?3 AND source_id = ?4 AND kind = ?5
            AND slot = ?6 AND scope = ?7 AND category = ?8 AND market = ?9 AND bucket = ?10
            AND gas = ?11 AND carbon = ?12 AND basis = ?13 AND tier = ?14 AND data_kind = ?15
            AND is_primary = ?16";
    CELLS_BETWEEN = "SELECT kg, activities, co2e_1, co2e_2, co2e_3, co2e_4, day, facility_id,
            source_id, kind, slot, scope, category, market, bucket, gas, carbon, basis, tier,
            data_kind, is_primary
        FROM cell WHERE run_id = ?1 AND day >= ?2 AND day < ?3
        ORDER BY day, facility_id, source_id, kind, slot, scope, category, market, bucket, gas,
            carbon, basis, tier, data_kind, is_primary";
    CELL_DAY_FROM = "SELECT day FROM cell WHERE run_id = ?1 AND day >= ?2 ORDER BY day LIMIT 1";
    CELLS_DROP = "DELETE FROM cell WHERE run_id = ?1";
    RUNS_WITH_OLD_CELLS = "SELECT r.run_id FROM run r WHERE r.state = 'retired'
            AND EXISTS (SELECT 1 FROM cell c WHERE c.run_id = r.run_id)
            AND (r.switched_seq = 0 OR EXISTS (SELECT 1 FROM run n
                JOIN audit_entry e ON e.seq = n.switched_seq
                WHERE n.switched_seq > r.switched_seq AND e.at_ms <= ?1))
        ORDER BY r.run_id";
    CELL_NTH = "SELECT day, facility_id, source_id, kind, slot, scope, category, market, bucket, gas,
            carbon, basis, tier, data_kind, is_primary
        FROM cell WHERE run_id = ?1
        ORDER BY day, facility_id, source_id, kind, slot, scope, category, market, bucket, gas,
            carbon, basis, tier, data_kind, is_primary
        LIMIT 1 OFFSET ?2";
    CELLS_DROP_TO = "DELETE FROM cell WHERE run_id = ?1 AND (day, facility_id, source_id, kind, slot,
            scope, category, market, bucket, gas, carbon, basis, tier, data_kind, is_primary)
        <= (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
}

/// Adds changes to a run's cells, in the transaction that moves its `calculated_to`. What is stored is
/// read once for all changes of one day, place and type, and cells are written in the order of their
/// keys: pages are met one after the other.
///
/// A change that takes a cell's last activity out removes the cell: a voided row leaves no trace of
/// zeros behind.
///
/// # Errors
/// The database's; a sum above what is kept exactly.
pub fn cells_add(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    run: RunId,
    changes: &BTreeMap<CellKey, CellValue>,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    tx.many(WRITES, |many| {
        let mut known: Vec<(CellLine, CellValue)> = Vec::new();
        let (mut last, mut kept): (Option<&CellKey>, [usize; WRITES.len()]) = (None, [0; 4]);
        for (key, change) in changes {
            let place = key_values(run, key);
            if !last.is_some_and(|last| same_place(last, key)) {
                let values = place.get(..PLACE_VALUES).context("a key begins with its place")?;
                known.clear();
                many.each(0, Bound { kept: 0, values }, |row| {
                    let value = value(row)?;
                    known.push((line(row)?, value));
                    Ok(())
                })?;
                (last, kept) = (Some(key), [0; 4]);
            }
            let before = known.iter().find(|(line, _)| line.is_of(key)).map(|(_, value)| *value);
            let mut sum = before.unwrap_or_default();
            sum.add(change).context("add up a cell")?;
            let (statement, length) = match (before.is_some(), nothing(&sum)) {
                (false, true) => continue,
                (true, true) => (DROP, place.len()),
                (true, false) => (SET, place.len() + SUM_VALUES),
                (false, false) => (ADD, place.len() + SUM_VALUES),
            };
            let values = all_values(&place, &sum);
            let values = values.get(..length).context("a cell has so many columns")?;
            let kept = kept.get_mut(statement).context("a statement of the list")?;
            many.execute_one(statement, Bound { kept: *kept, values })?;
            *kept = PLACE_VALUES;
        }
        Ok(())
    })
}

/// What [`cells_add`] runs, and where in the list what is.
const WRITES: &[&crate::statement::Statement] = &[CELLS_OF_PLACE, CELL_ADD, CELL_SET, CELL_DROP];
const ADD: usize = 1;
const SET: usize = 2;
const DROP: usize = 3;
/// How many of a cell's values say its day, place and type; they come first.
const PLACE_VALUES: usize = 5;
/// How many are its sums; they come last.
const SUM_VALUES: usize = 6;

fn all_values<'a>(place: &[Value<'a>; 16], sum: &CellValue) -> [Value<'a>; 22] {
    let mut values = [Value::Null; 22];
    let (head, tail) = values.split_at_mut(place.len());
    head.copy_from_slice(place);
    let [one, two, three, four] = sum.co2e.map(Value::from);
    tail.copy_from_slice(&[sum.kg.into(), sum.count.into(), one, two, three, four]);
    values
}

/// Whether two cells are of one day, place and type.
fn same_place(a: &CellKey, b: &CellKey) -> bool {
    a.day == b.day && a.facility == b.facility && a.source == b.source && a.kind == b.kind
}

/// A cell's key below its day, place and type.
struct CellLine {
    slot: Slot,
    scope: u8,
    category: u8,
    market: Market,
    bucket: Bucket,
    gas: Gas,
    carbon: Carbon,
    basis: GwpSet,
    tier: u8,
    data_kind: String,
    primary: Primary,
}

impl CellLine {
    fn is_of(&self, key: &CellKey) -> bool {
        self.gas == key.gas
            && self.slot == key.slot
            && self.scope == key.scope
            && self.category == key.category
            && self.market == key.market
            && self.bucket == key.bucket
            && self.carbon == key.carbon
            && self.basis == key.basis
            && self.tier == key.tier
            && self.primary == key.primary
            && self.data_kind == key.data_kind
    }
}

fn nothing(sum: &CellValue) -> bool {
    let zero = |mass: Mass| mass == Mass::ZERO;
    sum.count == 0 && zero(sum.kg) && sum.co2e.into_iter().flatten().all(zero)
}

/// Drops all cells of a run, before it is counted anew.
///
/// # Errors
/// The database's.
pub fn cells_drop(tx: &mut TenantTx, grant: &Grant<Calculate>, run: RunId) -> anyhow::Result<u64> {
    tx.allow(grant)?;
    chosen_drop(tx, run)?;
    tx.execute(CELLS_DROP, &[run.into()])
}

/// Which cells nobody needs any more.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Those of runs whose successor became current at this time or before; those of a run that never
    /// was current, at any time.
    pub before: Timestamp,
    /// But not those of runs that a lock holds.
    pub held: Vec<RunId>,
    /// How many go at once, at most; at least one.
    pub cells_max: u32,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Cells that went.
    pub cells: u64,
    /// Whether others are to go.
    pub more: bool,
}

/// Drops cells of retired runs, one batch of one run. Blocks, choices and rows stay: what a figure of
/// such a run was is worked out from them.
///
/// # Errors
/// The database's.
pub fn cells_sweep(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    sweep: &Sweep,
) -> anyhow::Result<Swept> {
    tx.allow(grant)?;
    let before_ms = sweep.before.as_micros().div_euclid(1_000);
    let old = tx.all(RUNS_WITH_OLD_CELLS, &[before_ms.into()], |row| row.id())?;
    let mut old = old.into_iter().filter(|run: &RunId| !sweep.held.contains(run));
    let Some(run) = old.next() else { return Ok(Swept { cells: 0, more: false }) };
    let last = sweep.cells_max.saturating_sub(1);
    match tx.first(CELL_NTH, &[run.into(), last.into()], key)? {
        Some(last) => {
            let cells = tx.execute(CELLS_DROP_TO, &key_values(run, &last))?;
            Ok(Swept { cells, more: true })
        }
        None => {
            chosen_drop(tx, run)?;
            let cells = tx.execute(CELLS_DROP, &[run.into()])?;
            Ok(Swept { cells, more: old.next().is_some() })
        }
    }
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

/// The years in which a run has cells, the earliest first: one step in the index for each.
///
/// # Errors
/// The database's.
pub fn cells_years(
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

fn key_values<'a>(run: RunId, key: &'a CellKey) -> [Value<'a>; 16] {
    [
        run.into(),
        key.day.into(),
        (&key.facility).into(),
        (&key.source).into(),
        (&key.kind).into(),
        key.slot.as_str().into(),
        key.scope.into(),
        key.category.into(),
        key.market.number().into(),
        key.bucket.as_str().into(),
        key.gas.as_str().into(),
        key.carbon.as_str().into(),
        key.basis.as_str().into(),
        key.tier.into(),
        (&key.data_kind).into(),
        key.primary.number().into(),
    ]
}

fn key(row: &mut Row<'_>) -> anyhow::Result<CellKey> {
    let (day, facility, source, kind) = (row.day()?, row.blob()?, row.blob()?, row.text()?);
    let line = line(row)?;
    Ok(CellKey {
        day,
        facility,
        source,
        kind,
        slot: line.slot,
        scope: line.scope,
        category: line.category,
        market: line.market,
        bucket: line.bucket,
        gas: line.gas,
        carbon: line.carbon,
        basis: line.basis,
        tier: line.tier,
        data_kind: line.data_kind,
        primary: line.primary,
    })
}

fn line(row: &mut Row<'_>) -> anyhow::Result<CellLine> {
    Ok(CellLine {
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
