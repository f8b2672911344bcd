//! Rollups: sums of masses, by group, and by day or month, many to a row of the table. Added up here, in
//! exact integers, and never by the database.

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
use crate::sheaves::{Encoder, Patterns, Sheaf, Source, Sum, day_in, merged, read, unzigzag};
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};
use crate::unresolved::DayRange;
use crate::value::Value;

statements! {
    SHEAVES_OF_MONTH = "SELECT number, sums FROM rollup_sheaf
        WHERE run_id = ?1 AND grain = ?2 AND month = ?3 ORDER BY number DESC";
    SHEAF_READ = "SELECT bytes FROM rollup_sheaf
        WHERE run_id = ?1 AND grain = ?2 AND month = ?3 AND number = ?4";
    SHEAF_ADD = "INSERT INTO rollup_sheaf (run_id, grain, month, number, sums, bytes)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    SHEAF_DROP = "DELETE FROM rollup_sheaf
        WHERE run_id = ?1 AND grain = ?2 AND month = ?3 AND number = ?4";
    SHEAVES_BETWEEN = "SELECT month, bytes FROM rollup_sheaf
        WHERE run_id = ?1 AND grain = ?2 AND month >= ?3 AND month < ?4 ORDER BY month, number";
    SHEAF_MONTH_FROM = "SELECT month FROM rollup_sheaf
        WHERE run_id = ?1 AND grain = 2 AND month >= ?2 ORDER BY month LIMIT 1";
    SHEAVES_FIRST = "SELECT grain, month, number, sums FROM rollup_sheaf WHERE run_id = ?1
        ORDER BY grain, month, number LIMIT 64";
    ROLLUP_GROUP_ADD = "INSERT INTO rollup_group (run_id, number, facility_id, source_id, kind,
            data_kind, is_primary, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    ROLLUP_GROUPS = "SELECT number, facility_id, source_id, kind, data_kind, is_primary, why
        FROM rollup_group WHERE run_id = ?1 ORDER BY number";
    ROLLUP_COUNTS = "SELECT (SELECT COALESCE(max(number), 0) FROM rollup_group WHERE run_id = ?1),
            (SELECT count(*) FROM rollup_form WHERE run_id = ?1)";
    ROLLUP_FORM_ADD = "INSERT INTO rollup_form (run_id, why, form) VALUES (?1, ?2, ?3)";
    ROLLUP_FORMS = "SELECT why, form FROM rollup_form WHERE run_id = ?1 ORDER BY why";
    ROLLUPS_OF_BEFORE = "SELECT s.run_id, s.grain, s.day, s.number, g.why, s.activities, s.masses
        FROM rollup s JOIN rollup_group g ON g.run_id = s.run_id AND g.number = s.number
        ORDER BY s.run_id, s.grain, s.day, s.number LIMIT ?1";
    ROLLUPS_OF_BEFORE_ANY = "SELECT 1 FROM rollup LIMIT 1";
    ROLLUPS_OF_BEFORE_BETWEEN = "SELECT day, number, activities, masses FROM rollup
        WHERE run_id = ?1 AND grain = ?2 AND day >= ?3 AND day < ?4 ORDER BY day, number";
    ROLLUP_MONTHS_OF_BEFORE = "SELECT DISTINCT day FROM rollup WHERE run_id = ?1 AND grain = 2";
    ROLLUP_DROP_TO = "DELETE FROM rollup WHERE run_id = ?1 AND (grain, day, number) <= (?2, ?3, ?4)";
    RUNS_WITH_OLD_SUMS = "SELECT r.run_id FROM run r WHERE r.state = 'retired'
            AND (EXISTS (SELECT 1 FROM rollup_sheaf s WHERE s.run_id = r.run_id)
                OR EXISTS (SELECT 1 FROM cell c WHERE c.run_id = r.run_id))
            AND (r.switched_seq = 0 OR EXISTS (SELECT 1 FROM run n
                JOIN audit_entry e ON e.seq = n.switched_seq
                WHERE n.switched_seq > r.switched_seq AND e.at_ms <= ?1))
        ORDER BY r.run_id";
    ROLLUP_GROUPS_DROP = "DELETE FROM rollup_group WHERE run_id = ?1";
    ROLLUP_FORMS_DROP = "DELETE FROM rollup_form WHERE run_id = ?1";
}

/// The most sums that are put together: more are read and written anew too seldom to be worth it.
const SHEAF_SUMS_MAX: u64 = 1 << 17;

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

/// Something that a step adds to a sum of a run; below zero, takes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Of how long a time.
    pub grain: Grain,
    /// The day, or the first one of the month.
    pub day: Day,
    /// The number of the group.
    pub group: u32,
    /// The number of the group's choice.
    pub why: u32,
    /// What is added.
    pub pile: Pile,
}

/// What a step adds to a run's sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollupChanges {
    /// Forms of choices that are new.
    pub forms: Vec<(u32, Form)>,
    /// Groups that are new.
    pub groups: Vec<(u32, Group)>,
    /// What is added, in any order; to one sum perhaps several times.
    pub sums: Vec<Added>,
}

/// Adds changes to a run's sums, in the transaction that moves its `calculated_to`.
///
/// A step appends a sheaf to each month that it touches, and puts those together that are not much larger
/// than what it brings: of a month there are few, and no sum is written again more than some times. What
/// takes everything out of a sum leaves no trace of zeros behind.
///
/// # Errors
/// The database's; a sum above what is kept exactly.
pub fn rollups_add(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    run: RunId,
    changes: RollupChanges,
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
    sums_add(tx, run, changes.sums)
}

fn sums_add(tx: &mut TenantTx, run: RunId, sums: Vec<Added>) -> anyhow::Result<()> {
    let mut months: BTreeMap<(Grain, Day), Vec<Sum>> = BTreeMap::new();
    for Added { grain, day, group, why, pile } in sums {
        let month = day.month_start();
        let day = u32::try_from(day.number() - month.number())?;
        months.entry((grain, month)).or_default().push(Sum { day, group, why, pile });
    }
    for ((grain, month), sums) in months {
        month_add(tx, (run, grain, month), together(sums)?)?;
    }
    Ok(())
}

/// Sums in the order of their places, each once.
fn together(mut sums: Vec<Sum>) -> anyhow::Result<Vec<Sum>> {
    sums.sort_by_key(Sum::place);
    let mut added: Vec<Sum> = Vec::with_capacity(sums.len());
    for sum in sums {
        match added.last_mut() {
            Some(last) if last.place() == sum.place() => {
                last.pile.add(&sum.pile).context("add up a sum")?;
            }
            _ => added.push(sum),
        }
    }
    Ok(added)
}

/// Adds sums to a month, in the order of their places and each once.
fn month_add(
    tx: &mut TenantTx,
    (run, grain, month): (RunId, Grain, Day),
    sums: Vec<Sum>,
) -> anyhow::Result<()> {
    let place: [Value<'_>; 3] = [run.into(), grain.number().into(), month.into()];
    let known = tx.all(SHEAVES_OF_MONTH, &place, |row| Ok((row.count()?, row.count()?)))?;
    let number = known.first().map_or(1, |(last, _)| last + 1);
    let (mut patterns, mut sources) = (Patterns::default(), Vec::new());
    let mut count = sums.len() as u64;
    for (older, held) in known {
        if held > SHEAF_SUMS_MAX.min(count.saturating_mul(2)) {
            break;
        }
        let [run, grain, month] = place;
        let values = [run, grain, month, older.into()];
        let sheaf = Sheaf::open(&tx.one(SHEAF_READ, &values, |row| row.blob())?)?;
        patterns.note_of(&sheaf);
        sources.push(Source::from(sheaf));
        tx.execute_one(SHEAF_DROP, &values)?;
        count += held;
    }
    patterns.note(&sums);
    sources.push(Source::from(sums));
    let mut encoder = Encoder::new(patterns);
    merged(sources, |sum| {
        encoder.add(sum);
        Ok(())
    })?;
    let count = encoder.count();
    if count == 0 {
        return Ok(());
    }
    let ([run, grain, month], bytes) = (place, encoder.finish());
    tx.execute_one(SHEAF_ADD, &[run, grain, month, number.into(), count.into(), (&bytes).into()])
}

/// Whether there are sums that were kept one by one, as a program of before did.
///
/// # Errors
/// The database's.
pub fn rollups_of_before(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
) -> anyhow::Result<bool> {
    rd.allow(grant)?;
    Ok(rd.first(ROLLUPS_OF_BEFORE_ANY, &[], |row| row.int())?.is_some())
}

/// Puts sums that were kept one by one, as a program of before did, among the others: some of them, and
/// says whether there are more. To be run when a folder is opened.
///
/// # Errors
/// The database's; a sum above what is kept exactly.
pub fn rollups_gather(tx: &mut TenantTx, grant: &Grant<Calculate>) -> anyhow::Result<bool> {
    tx.allow(grant)?;
    let mut found = tx.all(ROLLUPS_OF_BEFORE, &[SHEAF_SUMS_MAX.into()], |row| {
        let run: RunId = row.id()?;
        let (grain, day, group) = (row.tiny()?, row.day()?, row.small()?);
        let (why, mut pile) = (row.small()?, Pile { count: row.int()?, masses: Vec::new() });
        read_masses(&row.blob()?, &mut pile.masses)?;
        let grain = Grain::ALL.into_iter().find(|known| known.number() == grain);
        let grain = grain.context("a sum is of a time that this program does not know")?;
        Ok((run, Added { grain, day, group, why, pile }))
    })?;
    let first = found.first().map(|(run, _)| *run);
    let all = found.len() as u64;
    found.retain(|(run, _)| Some(*run) == first);
    let more = all == SHEAF_SUMS_MAX || all > found.len() as u64;
    // Of no sums, the last is none of any run.
    let none = (RunId::from_bytes([0; 16]), (0, Day::from_number(i32::MIN), 0));
    let last = found.last().map(|(run, sum)| (*run, (sum.grain.number(), sum.day, sum.group)));
    let (run, (grain, day, group)) = last.unwrap_or(none);
    sums_add(tx, run, found.into_iter().map(|(_, sum)| sum).collect())?;
    tx.execute(ROLLUP_DROP_TO, &[run.into(), grain.into(), day.into(), group.into()])?;
    Ok(more)
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

/// Shows a run's sums of these days, by day and group; in a folder that could not be written to when it was
/// opened, those that a program of before kept one by one come first.
///
/// # Errors
/// The database's, or what `each` says; bytes that are not those that were stored.
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
    rd.each(ROLLUPS_OF_BEFORE_BETWEEN, &values, |row| {
        let (day, group) = (row.day()?, row.small()?);
        pile.count = row.int()?;
        read_masses(&row.blob()?, &mut pile.masses)?;
        each(day, group, &pile)
    })?;
    // Of all days there are, the first month begins before the first day.
    let from = if days.from.number() == i32::MIN { days.from } else { days.from.month_start() };
    let values = [run.into(), grain.number().into(), from.into(), days.to.into()];
    let mut gathered: Option<(Day, Vec<Source>)> = None;
    let mut show = |month: Day, sheaves: Vec<Source>| {
        merged(sheaves, |sum| {
            let day = day_in(month, sum.day)?;
            if day < days.from || day >= days.to {
                return Ok(());
            }
            each(day, sum.group, &sum.pile)
        })
    };
    rd.each(SHEAVES_BETWEEN, &values, |row| {
        let month = row.day()?;
        let sheaf = Source::from(Sheaf::open(&row.blob()?)?);
        match &mut gathered {
            Some((of, sheaves)) if *of == month => sheaves.push(sheaf),
            gathered => {
                if let Some((month, sheaves)) = gathered.replace((month, vec![sheaf])) {
                    show(month, sheaves)?;
                }
            }
        }
        Ok(())
    })?;
    match gathered {
        Some((month, sheaves)) => show(month, sheaves),
        None => Ok(()),
    }
}

/// Shows where a run has sums in these days, by day and group.
///
/// # Errors
/// As [`rollups_between`].
pub fn rollups_seen(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    of: (Grain, DayRange),
    mut each: impl FnMut(Day, u32) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    rollups_between(rd, grant, run, of, |day, group, _| each(day, group))
}

/// The years in which a run counts something, the earliest first.
///
/// # Errors
/// The database's.
pub fn rollup_years(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
) -> anyhow::Result<Vec<i16>> {
    let mut years = cells::cells_years(rd, grant, run)?;
    let before = rd.all(ROLLUP_MONTHS_OF_BEFORE, &[run.into()], |row| row.day())?;
    years.extend(before.into_iter().map(|month| month.ymd().0));
    let mut from = Some(Day::from_number(i32::MIN));
    while let Some(day) = from {
        let found = rd.first(SHEAF_MONTH_FROM, &[run.into(), day.into()], |row| row.day())?;
        let Some(month) = found else { break };
        let mut is_there = false;
        let days = DayRange { from: month, to: month.plus(1) };
        rollups_seen(rd, grant, run, (Grain::Anywhere, days), |_, _| {
            is_there = true;
            Ok(())
        })?;
        let year = month.ymd().0;
        from = if is_there {
            years.push(year);
            year.checked_add(1).and_then(|next| Day::from_ymd(next, 1, 1))
        } else {
            Some(month.plus(1))
        };
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
    let place = |row: &mut Row<'_>| Ok((row.tiny()?, row.day()?, row.count()?, row.count()?));
    let first = tx.all(SHEAVES_FIRST, &[run.into()], place)?;
    let mut sums = 0;
    for (grain, month, number, count) in &first {
        if sums > 0 && sums + count > sweep.sums_max.into() {
            return Ok(Swept { sums, more: true });
        }
        let values = [run.into(), (*grain).into(), (*month).into(), (*number).into()];
        tx.execute_one(SHEAF_DROP, &values)?;
        sums += count;
    }
    if tx.first(SHEAVES_FIRST, &[run.into()], place)?.is_some() {
        return Ok(Swept { sums, more: true });
    }
    tx.execute(ROLLUP_GROUPS_DROP, &[run.into()])?;
    tx.execute(ROLLUP_FORMS_DROP, &[run.into()])?;
    Ok(Swept { sums, more: old.next().is_some() })
}

/// Masses as a program of before kept them: each as a zigzag number of 1e-12 kg in groups of seven bits, the
/// lowest first.
fn read_masses(bytes: &[u8], masses: &mut Vec<Mass>) -> anyhow::Result<()> {
    masses.clear();
    let mut at = 0;
    while at < bytes.len() {
        masses.push(Mass::from_units(unzigzag(read(bytes, &mut at)?)));
    }
    Ok(())
}
