//! Rollups: sums of masses, by group, and by day or month. Added up here, in exact integers, and never by
//! the database.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use envora_domain::access::{
    Grant,
    actions::{Calculate, ReadResults},
};
use envora_domain::cells::Primary;
use envora_domain::decimal::Mass;
use envora_domain::id::RunId;
use envora_domain::rollups::{Form, Group, Pile};
use envora_domain::time::{Day, Timestamp};

use crate::cells;
use crate::many::Bound;
use crate::row::Row;
use crate::statement::{Statement, statements};
use crate::transaction::{TenantReader, TenantTx};
use crate::unresolved::DayRange;
use crate::value::Value;

statements! {
    ROLLUP_READ = "SELECT activities, masses FROM rollup
        WHERE run_id = ?1 AND grain = ?2 AND day = ?3 AND number = ?4";
    ROLLUP_ADD = "INSERT INTO rollup (run_id, grain, day, number, activities, masses)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    ROLLUP_SET = "UPDATE rollup SET activities = ?5, masses = ?6
        WHERE run_id = ?1 AND grain = ?2 AND day = ?3 AND number = ?4";
    ROLLUP_DROP = "DELETE FROM rollup
        WHERE run_id = ?1 AND grain = ?2 AND day = ?3 AND number = ?4";
    ROLLUP_GROUP_ADD = "INSERT INTO rollup_group (run_id, number, facility_id, source_id, kind,
            data_kind, is_primary, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    ROLLUP_GROUPS = "SELECT number, facility_id, source_id, kind, data_kind, is_primary, why
        FROM rollup_group WHERE run_id = ?1 ORDER BY number";
    ROLLUP_COUNTS = "SELECT (SELECT COALESCE(max(number), 0) FROM rollup_group WHERE run_id = ?1),
            (SELECT count(*) FROM rollup_form WHERE run_id = ?1)";
    ROLLUP_FORM_ADD = "INSERT INTO rollup_form (run_id, why, form) VALUES (?1, ?2, ?3)";
    ROLLUP_FORMS = "SELECT why, form FROM rollup_form WHERE run_id = ?1 ORDER BY why";
    ROLLUPS_BETWEEN = "SELECT day, number, activities, masses FROM rollup
        WHERE run_id = ?1 AND grain = ?2 AND day >= ?3 AND day < ?4 ORDER BY day, number";
    ROLLUPS_SEEN = "SELECT day, number FROM rollup
        WHERE run_id = ?1 AND grain = ?2 AND day >= ?3 AND day < ?4 ORDER BY day, number";
    ROLLUP_MONTH_FROM = "SELECT day FROM rollup WHERE run_id = ?1 AND grain = 2 AND day >= ?2
        ORDER BY day LIMIT 1";
    RUNS_WITH_OLD_SUMS = "SELECT r.run_id FROM run r WHERE r.state = 'retired'
            AND (EXISTS (SELECT 1 FROM rollup s WHERE s.run_id = r.run_id)
                OR EXISTS (SELECT 1 FROM cell c WHERE c.run_id = r.run_id))
            AND (r.switched_seq = 0 OR EXISTS (SELECT 1 FROM run n
                JOIN audit_entry e ON e.seq = n.switched_seq
                WHERE n.switched_seq > r.switched_seq AND e.at_ms <= ?1))
        ORDER BY r.run_id";
    ROLLUP_NTH = "SELECT grain, day, number FROM rollup WHERE run_id = ?1
        ORDER BY grain, day, number LIMIT 1 OFFSET ?2";
    ROLLUPS_DROP_TO = "DELETE FROM rollup WHERE run_id = ?1
        AND (grain, day, number) <= (?2, ?3, ?4)";
    ROLLUPS_DROP = "DELETE FROM rollup WHERE run_id = ?1";
    ROLLUP_GROUPS_DROP = "DELETE FROM rollup_group WHERE run_id = ?1";
    ROLLUP_FORMS_DROP = "DELETE FROM rollup_form WHERE run_id = ?1";
}

/// How long the time of a sum is, and whether it is of one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grain {
    /// A civil day, by facility and source.
    Day,
    /// A calendar month, on its first day, by facility and source.
    Month,
    /// A calendar month, on its first day, wherever the rows are.
    Anywhere,
}

impl Grain {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Month, Self::Anywhere];

    const fn number(self) -> u8 {
        match self {
            Self::Day => 0,
            Self::Month => 1,
            Self::Anywhere => 2,
        }
    }
}

/// Which sum, within one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PileKey {
    /// Of how long a time.
    pub grain: Grain,
    /// The day, or the first one of the month.
    pub day: Day,
    /// The number of the group.
    pub group: u32,
}

/// What a step adds to a run's sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollupChanges {
    /// Forms of choices that are new.
    pub forms: Vec<(u32, Form)>,
    /// Groups that are new.
    pub groups: Vec<(u32, Group)>,
    /// What is added; below zero, taken out.
    pub piles: BTreeMap<PileKey, Pile>,
}

/// What [`rollups_add`] runs, and where in the list what is.
const WRITES: &[&Statement] = &[ROLLUP_READ, ROLLUP_ADD, ROLLUP_SET, ROLLUP_DROP];
const READ: usize = 0;
const ADD: usize = 1;
const SET: usize = 2;
const DROP: usize = 3;

/// Adds changes to a run's sums, in the transaction that moves its `calculated_to`; in the order of
/// their keys, so that pages are met one after the other.
///
/// A change that takes everything out of a sum removes it: a voided row leaves no trace of zeros behind.
///
/// # Errors
/// The database's; a sum above what is kept exactly.
pub fn rollups_add(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    run: RunId,
    changes: &RollupChanges,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    for (why, form) in &changes.forms {
        tx.execute(ROLLUP_FORM_ADD, &[run.into(), (*why).into(), (&form.to_json()).into()])?;
    }
    tx.many(&[ROLLUP_GROUP_ADD], |many| {
        for (number, group) in &changes.groups {
            let values = group_values((run, *number), group);
            many.execute_one(0, Bound { kept: 0, values: &values })?;
        }
        Ok(())
    })?;
    tx.many(WRITES, |many| {
        let (mut known, mut bytes) = (Pile::default(), Vec::new());
        let mut kept = [0; WRITES.len()];
        for (key, change) in &changes.piles {
            let grain = key.grain.number().into();
            let place: [Value<'_>; 4] = [run.into(), grain, key.day.into(), key.group.into()];
            let mut found = false;
            let read = Bound { kept: kept[READ], values: &place };
            many.each(READ, read, |row| {
                found = true;
                pile_onto(row, &mut known)
            })?;
            kept[READ] = 1;
            if !found {
                (known.count, known.masses) = (0, Vec::new());
            }
            known.add(change).context("add up a sum")?;
            let statement = match (found, known.is_nothing()) {
                (false, true) => continue,
                (true, true) => DROP,
                (true, false) => SET,
                (false, false) => ADD,
            };
            write_masses(&known.masses, &mut bytes);
            let [run, grain, day, group] = place;
            let values = [run, grain, day, group, known.count.into(), (&bytes).into()];
            let length = if statement == DROP { place.len() } else { values.len() };
            let values = values.get(..length).context("a sum has so many columns")?;
            let bound = kept.get_mut(statement).context("a statement of the list")?;
            many.execute_one(statement, Bound { kept: *bound, values })?;
            *bound = 1;
        }
        Ok(())
    })
}

fn group_values((run, number): (RunId, u32), group: &Group) -> [Value<'_>; 8] {
    let id = |id: &Option<[u8; 16]>| id.map_or(Value::Blob(&[]), Value::from);
    [
        run.into(),
        number.into(),
        id(&group.facility),
        id(&group.source),
        (&group.kind).into(),
        (&group.data_kind).into(),
        Primary::from(group.primary).number().into(),
        group.why.into(),
    ]
}

/// A run's groups, by number from 1.
///
/// # Errors
/// The database's; a number that is missing.
pub fn rollup_groups(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
) -> anyhow::Result<Vec<Group>> {
    rd.allow(grant)?;
    let found = rd.all(ROLLUP_GROUPS, &[run.into()], |row| Ok((row.small()?, group(row)?)))?;
    for (place, (number, _)) in found.iter().enumerate() {
        ensure!(usize::try_from(*number)? == place + 1, "group {} of {run} is missing", place + 1);
    }
    Ok(found.into_iter().map(|(_, group)| group).collect())
}

/// How many groups and how many forms a run has.
///
/// # Errors
/// The database's.
pub fn rollup_counts(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
) -> anyhow::Result<(usize, usize)> {
    rd.allow(grant)?;
    rd.one(ROLLUP_COUNTS, &[run.into()], |row| {
        Ok((usize::try_from(row.int()?)?, usize::try_from(row.int()?)?))
    })
}

fn group(row: &mut Row<'_>) -> anyhow::Result<Group> {
    let id = |bytes: Vec<u8>| -> anyhow::Result<Option<[u8; 16]>> {
        if bytes.is_empty() {
            return Ok(None);
        }
        Ok(Some(bytes.as_slice().try_into().context("an id has sixteen bytes")?))
    };
    Ok(Group {
        facility: id(row.blob()?)?,
        source: id(row.blob()?)?,
        kind: row.text()?,
        data_kind: row.text()?,
        primary: match Primary::from_number(row.tiny()?).context("primary is 0, 1 or 2")? {
            Primary::Unsaid => None,
            Primary::No => Some(false),
            Primary::Yes => Some(true),
        },
        why: row.small()?,
    })
}

/// How the lines of a run's choices are made of masses, by choice.
///
/// # Errors
/// The database's; a form that this program cannot read.
pub fn rollup_forms(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
) -> anyhow::Result<BTreeMap<u32, Form>> {
    rd.allow(grant)?;
    let read = |row: &mut Row<'_>| Ok((row.small()?, Form::from_json(&row.text()?)?));
    Ok(rd.all(ROLLUP_FORMS, &[run.into()], read)?.into_iter().collect())
}

/// Shows a run's sums of these days, by day and group.
///
/// # Errors
/// The database's, or what `each` says.
pub fn rollups_between(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    (grain, days): (Grain, DayRange),
    mut each: impl FnMut(Day, u32, &Pile) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    rd.allow(grant)?;
    let values = [run.into(), grain.number().into(), days.from.into(), days.to.into()];
    let mut pile = Pile::default();
    rd.each(ROLLUPS_BETWEEN, &values, |row| {
        let (day, group) = (row.day()?, row.small()?);
        pile_onto(row, &mut pile)?;
        each(day, group, &pile)
    })
}

/// Shows where a run has sums in these days, by day and group, without reading them.
///
/// # Errors
/// The database's, or what `each` says.
pub fn rollups_seen(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    (grain, days): (Grain, DayRange),
    mut each: impl FnMut(Day, u32) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    rd.allow(grant)?;
    let values = [run.into(), grain.number().into(), days.from.into(), days.to.into()];
    rd.each(ROLLUPS_SEEN, &values, |row| each(row.day()?, row.small()?))
}

/// The years in which a run counts something, the earliest first: one step in the index for each.
///
/// # Errors
/// The database's.
pub fn rollup_years(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
) -> anyhow::Result<Vec<i16>> {
    let mut years = cells::cells_years(rd, grant, run)?;
    let mut from = Some(Day::from_number(i32::MIN));
    while let Some(day) = from {
        let found = rd.first(ROLLUP_MONTH_FROM, &[run.into(), day.into()], |row| row.day())?;
        let year = found.map(|found| found.ymd().0);
        years.extend(year);
        from = year.and_then(|year| Day::from_ymd(year.checked_add(1)?, 1, 1));
    }
    years.sort_unstable();
    years.dedup();
    Ok(years)
}

/// Which sums nobody needs any more.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Those of runs whose successor became current at this time or before; those of a run that never
    /// was current, at any time.
    pub before: Timestamp,
    /// But not those of runs that a lock holds.
    pub held: Vec<RunId>,
    /// How many go at once, at most; at least one.
    pub sums_max: u32,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Sums that went.
    pub sums: u64,
    /// Whether others are to go.
    pub more: bool,
}

/// Drops sums of retired runs, one batch of one run. Blocks, choices and rows stay: what a figure of
/// such a run was is worked out from them.
///
/// # Errors
/// The database's.
pub fn rollups_sweep(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    sweep: &Sweep,
) -> anyhow::Result<Swept> {
    tx.allow(grant)?;
    let before_ms = sweep.before.as_micros().div_euclid(1_000);
    let old = tx.all(RUNS_WITH_OLD_SUMS, &[before_ms.into()], |row| row.id())?;
    let mut old = old.into_iter().filter(|run: &RunId| !sweep.held.contains(run));
    let Some(run) = old.next() else { return Ok(Swept { sums: 0, more: false }) };
    let sums = cells::cells_drop_some(tx, run)?;
    if sums > 0 {
        return Ok(Swept { sums, more: true });
    }
    let last = sweep.sums_max.saturating_sub(1);
    let place = |row: &mut Row<'_>| Ok((row.tiny()?, row.day()?, row.small()?));
    match tx.first(ROLLUP_NTH, &[run.into(), last.into()], place)? {
        Some((grain, day, number)) => {
            let values = [run.into(), grain.into(), day.into(), number.into()];
            Ok(Swept { sums: tx.execute(ROLLUPS_DROP_TO, &values)?, more: true })
        }
        None => {
            let sums = tx.execute(ROLLUPS_DROP, &[run.into()])?;
            tx.execute(ROLLUP_GROUPS_DROP, &[run.into()])?;
            tx.execute(ROLLUP_FORMS_DROP, &[run.into()])?;
            Ok(Swept { sums, more: old.next().is_some() })
        }
    }
}

fn pile_onto(row: &mut Row<'_>, pile: &mut Pile) -> anyhow::Result<()> {
    pile.count = row.int()?;
    read_masses(&row.blob()?, &mut pile.masses)
}

/// Masses at rest: each as a zigzag number of 1e-12 kg in groups of seven bits, the lowest first.
fn write_masses(masses: &[Mass], bytes: &mut Vec<u8>) {
    bytes.clear();
    for mass in masses {
        let units = mass.units();
        let mut left = (units << 1 ^ units >> 127).cast_unsigned();
        while left >= 0x80 {
            bytes.push(left.to_le_bytes()[0] | 0x80);
            left >>= 7;
        }
        bytes.push(left.to_le_bytes()[0]);
    }
}

fn read_masses(bytes: &[u8], masses: &mut Vec<Mass>) -> anyhow::Result<()> {
    masses.clear();
    let (mut value, mut shift) = (0_u128, 0_u32);
    for byte in bytes {
        let seven = u128::from(byte & 0x7f);
        let lifted = seven.checked_shl(shift).filter(|lifted| lifted >> shift == seven);
        value |= lifted.context("a mass is longer than 128 bits")?;
        if byte & 0x80 == 0 {
            let sign = (value & 1).cast_signed();
            masses.push(Mass::from_units((value >> 1).cast_signed() ^ -sign));
            (value, shift) = (0, 0);
        } else {
            shift += 7;
        }
    }
    ensure!(shift == 0, "a mass is cut off");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masses_are_read_as_they_were_written() {
        let units =
            [0, 1, -1, 63, -64, 64, 10_i128.pow(26), -(10_i128.pow(37)), i128::MAX, i128::MIN];
        let masses: Vec<Mass> = units.into_iter().map(Mass::from_units).collect();
        let (mut bytes, mut back) = (Vec::new(), Vec::new());
        write_masses(&masses, &mut bytes);
        read_masses(&bytes, &mut back).expect("as written");
        assert_eq!(back, masses);
        let cut = bytes.get(..bytes.len() - 1).expect("some bytes");
        assert!(read_masses(cut, &mut back).is_err(), "cut off");
        assert!(read_masses(&[0xff; 30], &mut back).is_err(), "too long");
        write_masses(&[Mass::from_units(-3)], &mut bytes);
        assert_eq!(bytes, [5]);
    }
}
