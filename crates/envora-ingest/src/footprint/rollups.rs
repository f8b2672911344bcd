//! Rollups of a question: the stored sums of its days as cells, told apart no further than it asks.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::cells::{CellKey, CellValue};
use envora_domain::id::RunId;
use envora_domain::rollups::{ChosenKey, Form, Group, Pile};
use envora_domain::time::Day;
use envora_store::cells::{cells_any, cells_between};
use envora_store::chosen::chosen_between;
use envora_store::rollups::{
    Grain, rollup_counts, rollup_forms, rollup_groups, rollups_between, rollups_seen,
};
use envora_store::transaction::TenantReader;
use envora_store::unresolved::DayRange;

use super::figures::{Cell, Sieve, month_of};
use crate::process::sums::is_nothing;

/// How far a question tells times apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// Not at all: everything lies on its first day.
    Whole,
    /// By month, each on its first day that was asked for.
    Month,
    /// By civil day.
    Day,
}

/// What a question tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    pub(crate) time: Time,
    pub(crate) facility: bool,
    pub(crate) source: bool,
    /// Whether it asks in which months a source has rows.
    pub(crate) presence: bool,
    /// Whether everything is read anew, so that what was changed behind the store's back is noticed.
    pub(crate) anew: bool,
}

impl Detail {
    /// By nothing: what is narrowed by is told apart anyway.
    pub(crate) const NONE: Self =
        Self { time: Time::Whole, facility: false, source: false, presence: false, anew: false };
    /// By month, facility and source, read anew: what traces are held against.
    pub(crate) const MONTHS: Self = Self { time: Time::Month, anew: true, ..Self::PLACES };
    /// By facility and source.
    pub(crate) const PLACES: Self = Self { facility: true, source: true, ..Self::NONE };
    /// By everything.
    pub(crate) const DAYS: Self = Self { time: Time::Day, ..Self::PLACES };
}

/// What is stored of a question's days.
#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) cells: Vec<Cell>,
    /// Activities by choice and first day, as far as days are told apart.
    pub(crate) chosen: Vec<(ChosenKey, i64)>,
    /// Where rows are, when it was asked and cells do not tell.
    pub(crate) seen: Option<Seen>,
}

/// The sources that have rows, with the first days of the months.
pub(crate) type Present = HashSet<([u8; 16], Day)>;

/// In which months groups have rows.
pub(crate) struct Seen {
    known: Arc<Known>,
    /// Where a month was not read whole, a group may be there several times.
    months: Vec<(Day, u32)>,
}

/// What the sums of a run are read by.
struct Known {
    run: RunId,
    groups: Vec<Group>,
    forms: BTreeMap<u32, Form>,
}

/// The groups of the run that was asked for last, kept from one question to the next: they are only ever
/// added to. Clones share them.
#[derive(Clone, Default)]
pub struct KeptGroups(Arc<Mutex<Option<Arc<Known>>>>);

impl KeptGroups {
    /// All groups of a run that this snapshot of the database has.
    fn of(
        &self,
        rd: &mut TenantReader,
        grant: &Grant<ReadResults>,
        run: RunId,
    ) -> anyhow::Result<Arc<Known>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = kept.filter(|known| known.run == run)
            && rollup_counts(rd, grant, run)? == (known.groups.len(), known.forms.len())
        {
            return Ok(known);
        }
        let known = Arc::new(Known::of(rd, grant, run)?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }
}

impl Known {
    fn of(rd: &mut TenantReader, grant: &Grant<ReadResults>, run: RunId) -> anyhow::Result<Self> {
        let (groups, forms) = (rollup_groups(rd, grant, run)?, rollup_forms(rd, grant, run)?);
        Ok(Self { run, groups, forms })
    }

    fn group(&self, number: u32) -> anyhow::Result<&Group> {
        let place = usize::try_from(number)?.checked_sub(1);
        place.and_then(|place| self.groups.get(place)).context("find the group of a sum")
    }

    fn form(&self, why: u32) -> anyhow::Result<&Form> {
        self.forms.get(&why).context("find how the lines of a sum are made")
    }
}

impl Seen {
    /// The months in which sources have rows with a line that a figure holds.
    pub(crate) fn months(&self, sieve: &Sieve<'_>, first: Day) -> anyhow::Result<Present> {
        let mut present = Present::with_capacity(self.months.len());
        // Of a figure of all places, groups of one choice have their lines in common.
        let mut held: HashMap<(u32, u32), bool> = HashMap::new();
        for (day, number) in &self.months {
            let group = self.known.group(*number)?;
            let Some(source) = group.source else { continue };
            let alike = (group.why, if sieve.tells_places_apart() { *number } else { 0 });
            let is_held = match held.get(&alike) {
                Some(is_held) => *is_held,
                None => {
                    let form = self.known.form(group.why)?;
                    let is_held =
                        form.lines.iter().any(|line| sieve.holds(&line.key(group, first)));
                    held.insert(alike, is_held);
                    is_held
                }
            };
            if is_held {
                present.insert((source, *day));
            }
        }
        Ok(present)
    }
}

/// Reads what a run has of these days.
///
/// # Errors
/// The database's; a sum above what is kept exactly.
pub(crate) fn read(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    (kept, days, detail): (&KeptGroups, DayRange, Detail),
) -> anyhow::Result<Sums> {
    let known = kept.of(rd, grant, run)?;
    if cells_any(rd, grant, run)? {
        return with_cells_of_before(rd, grant, run, (days, &known));
    }
    let by_place = detail.facility || detail.source;
    let months = if by_place { Grain::Month } else { Grain::Anywhere };
    let mut heap = Heap::new(&known, (days.from, detail));
    let mut seen = Vec::new();
    for (is_whole, span) in spans(days, detail.time) {
        let grain = if is_whole { months } else { Grain::Day };
        // Sums by place tell where rows are; of those of anywhere it is asked apart.
        let told = detail.presence && grain != Grain::Anywhere;
        rollups_between(rd, grant, run, (grain, span), |day, group, pile| {
            if told {
                seen.push((month_of(day), group));
            }
            heap.add(day, group, pile)
        })?;
        if detail.presence && !told {
            rollups_seen(rd, grant, run, (Grain::Month, span), |day, group| {
                seen.push((month_of(day), group));
                Ok(())
            })?;
        }
    }
    let (cells, chosen) = (heap.cells()?, heap.chosen());
    let seen = detail.presence.then_some(Seen { known, months: seen });
    Ok(Sums { cells, chosen, seen })
}

/// The same of a run that began before sums were kept by group: its cells of then are by day, and what
/// came since is added to them.
fn with_cells_of_before(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    (days, known): (DayRange, &Known),
) -> anyhow::Result<Sums> {
    let mut heap = Heap::new(known, (days.from, Detail::DAYS));
    rollups_between(rd, grant, run, (Grain::Day, days), |day, group, pile| {
        heap.add(day, group, pile)
    })?;
    let mut cells: BTreeMap<_, _> = cells_between(rd, grant, run, days)?.into_iter().collect();
    for (key, value) in heap.cells()? {
        cells.entry(key).or_default().add(&value)?;
    }
    cells.retain(|_, value| !is_nothing(value));
    let mut chosen: BTreeMap<_, i64> = chosen_between(rd, grant, run, days)?.into_iter().collect();
    for (key, count) in heap.chosen() {
        *chosen.entry(key).or_default() += count;
    }
    chosen.retain(|_, count| *count != 0);
    let (cells, chosen) = (cells.into_iter().collect(), chosen.into_iter().collect());
    Ok(Sums { cells, chosen, seen: None })
}

/// The cells of months, stored and as their days add up, of each sum by month that is not that of its
/// days, here or anywhere.
///
/// # Errors
/// The database's; a sum above what is kept exactly.
pub(crate) fn months_apart(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
) -> anyhow::Result<Vec<(CellKey, [CellValue; 2])>> {
    let known = Known::of(rd, grant, run)?;
    let mut piles: BTreeMap<(bool, Day, Group), [Pile; 2]> = BTreeMap::new();
    for grain in Grain::ALL {
        rollups_between(rd, grant, run, (grain, DayRange::EVER), |day, number, pile| {
            let group = known.group(number)?;
            let month = month_of(day);
            let mut add = |is_anywhere: bool, group: Group, which: usize| -> anyhow::Result<()> {
                let both = piles.entry((is_anywhere, month, group)).or_default();
                Ok(both.get_mut(which).context("one of two")?.add(pile)?)
            };
            match grain {
                Grain::Day => {
                    add(false, group.clone(), 1)?;
                    add(true, group.anywhere(), 1)
                }
                Grain::Month => add(false, group.clone(), 0),
                Grain::Anywhere => add(true, group.clone(), 0),
            }
        })?;
    }
    piles.retain(|_, [stored, counted]| stored != counted);
    let mut apart = Vec::new();
    for ((_, month, group), piles) in piles {
        for line in &known.form(group.why)?.lines {
            let value = |pile: &Pile| line.made.value(&pile.masses, pile.count).unwrap_or_default();
            let [stored, counted] = &piles;
            apart.push((line.key(&group, month), [value(stored), value(counted)]));
        }
    }
    Ok(apart)
}

/// The parts of a period, and whether each is of whole months.
fn spans(days: DayRange, time: Time) -> Vec<(bool, DayRange)> {
    let next = |day: Day| month_of(month_of(day).plus(32));
    let first = if month_of(days.from) == days.from { days.from } else { next(days.from) };
    let end = month_of(days.to);
    if time == Time::Day || end <= first {
        return vec![(false, days)];
    }
    let parts = [(false, days.from, first), (true, first, end), (false, end, days.to)];
    let parts = parts.into_iter().filter(|(_, from, to)| from < to);
    parts.map(|(is_whole, from, to)| (is_whole, DayRange { from, to })).collect()
}

/// Sums on their way to cells, put together as far as they are not told apart.
struct Heap<'a> {
    known: &'a Known,
    from: Day,
    detail: Detail,
    /// The groups without what is not told apart.
    groups: Vec<Group>,
    by_group: HashMap<Group, usize>,
    /// By the number of a stored group, its place among those.
    places: HashMap<u32, usize>,
    piles: HashMap<(usize, Day), Pile>,
}

impl<'a> Heap<'a> {
    fn new(known: &'a Known, (from, detail): (Day, Detail)) -> Self {
        Self {
            known,
            from,
            detail,
            groups: Vec::new(),
            by_group: HashMap::new(),
            places: HashMap::new(),
            piles: HashMap::new(),
        }
    }

    fn add(&mut self, day: Day, number: u32, pile: &Pile) -> anyhow::Result<()> {
        let place = match self.places.get(&number) {
            Some(place) => *place,
            None => {
                let place = self.place(self.known.group(number)?);
                self.places.insert(number, place);
                place
            }
        };
        let day = match self.detail.time {
            Time::Whole => self.from,
            Time::Month => month_of(day).max(self.from),
            Time::Day => day,
        };
        Ok(self.piles.entry((place, day)).or_default().add(pile)?)
    }

    fn place(&mut self, group: &Group) -> usize {
        let group = Group {
            facility: group.facility.filter(|_| self.detail.facility),
            source: group.source.filter(|_| self.detail.source),
            ..group.clone()
        };
        let next = self.groups.len();
        let place = *self.by_group.entry(group.clone()).or_insert(next);
        if place == next {
            self.groups.push(group);
        }
        place
    }

    /// The cells, by key. What adds up to nothing is left out.
    fn cells(&self) -> anyhow::Result<Vec<Cell>> {
        let mut piles = Vec::with_capacity(self.piles.len());
        for ((place, day), pile) in &self.piles {
            let group = self.groups.get(*place).context("find a group")?;
            let order = (*day, group.facility, group.source, group.kind.as_str(), group);
            piles.push((order, pile));
        }
        piles.sort_unstable_by_key(|(order, _)| *order);
        let mut cells = Vec::new();
        for alike in piles.chunk_by(|((day, facility, source, kind, _), _), (other, _)| {
            (*day, *facility, *source, *kind) == (other.0, other.1, other.2, other.3)
        }) {
            let first = cells.len();
            for ((day, .., group), pile) in alike {
                self.lines((*day, group), pile, (&mut cells, first))?;
            }
            let of_these = cells.get_mut(first..).unwrap_or_default();
            of_these.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        }
        cells.retain(|(_, value)| !is_nothing(value));
        Ok(cells)
    }

    /// Adds the lines of a sum to the cells from a place on.
    fn lines(
        &self,
        (day, group): (Day, &Group),
        pile: &Pile,
        (cells, first): (&mut Vec<Cell>, usize),
    ) -> anyhow::Result<()> {
        for line in &self.known.form(group.why)?.lines {
            let value = line.made.value(&pile.masses, pile.count);
            let value = value.context("a sum has fewer masses than its lines are made of")?;
            let key = line.key(group, day);
            let found = cells.iter_mut().skip(first).find(|(known, _)| *known == key);
            match found {
                Some((_, sum)) => sum.add(&value)?,
                None => cells.push((key, value)),
            }
        }
        Ok(())
    }

    fn chosen(&self) -> Vec<(ChosenKey, i64)> {
        let mut chosen: BTreeMap<ChosenKey, i64> = BTreeMap::new();
        for ((place, day), pile) in &self.piles {
            let Some(group) = self.groups.get(*place).filter(|_| pile.count != 0) else { continue };
            let place = group.place();
            let (facility, source) = (place.facility, place.source);
            let key = ChosenKey { day: *day, facility, source, why: group.why };
            *chosen.entry(key).or_default() += pile.count;
        }
        chosen.retain(|_, count| *count != 0);
        chosen.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_read_by_whole_months_where_it_has_them() {
        let day = |text: &str| Day::parse(text).expect("a day");
        let check = |from: &str, to: &str, time: Time, want: &[&str]| {
            let found = spans(DayRange { from: day(from), to: day(to) }, time);
            let found: Vec<String> = found
                .into_iter()
                .map(|(is_whole, span)| {
                    format!("{}{}/{}", if is_whole { "months " } else { "" }, span.from, span.to)
                })
                .collect();
            assert_eq!(found, want);
        };
        check("2022-01-01", "2023-01-01", Time::Whole, &["months 2022-01-01/2023-01-01"]);
        check("2022-01-01", "2023-01-01", Time::Day, &["2022-01-01/2023-01-01"]);
        check("2022-01-02", "2022-01-31", Time::Month, &["2022-01-02/2022-01-31"]);
        check(
            "2021-12-31",
            "2022-03-02",
            Time::Month,
            &["2021-12-31/2022-01-01", "months 2022-01-01/2022-03-01", "2022-03-01/2022-03-02"],
        );
        check("2022-01-15", "2022-02-15", Time::Whole, &["2022-01-15/2022-02-15"]);
    }
}
