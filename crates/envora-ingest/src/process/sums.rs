//! Sums: lines to cell deltas, added up as integers, in and out alike.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use envora_domain::activities::Activity;
use envora_domain::cells::{CellKey, CellValue, RowPlace};
use envora_domain::decimal::Mass;
use envora_domain::lines::Line;
use envora_domain::planted::planted;
use envora_domain::time::Day;
use envora_store::chosen::ChosenKey;

use super::choices::Choices;
use super::decide::{Decision, State};

/// Whether a row's lines are added or taken out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    In,
    Out,
}

/// Everything of a cell's key but day and line: rows of one meter share it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Group {
    facility: Option<[u8; 16]>,
    source: Option<[u8; 16]>,
    kind: String,
    data_kind: String,
    primary: Option<bool>,
    why: u32,
}

impl Group {
    fn of(activity: &Activity, decision: &Decision) -> Self {
        Self {
            facility: decision.facility.map(|id| id.bytes()),
            source: decision.source.map(|id| id.bytes()),
            kind: activity.kind.clone(),
            data_kind: activity.data_kind.clone().unwrap_or_default(),
            primary: activity.primary,
            why: decision.why(),
        }
    }

    fn is(&self, activity: &Activity, decision: &Decision) -> bool {
        self.why == decision.why()
            && self.facility == decision.facility.map(|id| id.bytes())
            && self.source == decision.source.map(|id| id.bytes())
            && self.kind == activity.kind
            && self.data_kind == activity.data_kind.as_deref().unwrap_or_default()
            && self.primary == activity.primary
    }

    fn place(&self) -> RowPlace {
        let bytes = |id: Option<[u8; 16]>| id.map(|id| id.to_vec()).unwrap_or_default();
        RowPlace {
            facility: bytes(self.facility),
            source: bytes(self.source),
            kind: self.kind.clone(),
            data_kind: self.data_kind.clone(),
            primary: self.primary,
        }
    }
}

/// Everything of the keys of a row's cells but day and line.
pub(crate) fn place_of(activity: &Activity, decision: &Decision) -> RowPlace {
    Group::of(activity, decision).place()
}

/// Sums on their way to the cells. Lines of one choice always come in the same order, so within a
/// group and day a line's place is enough to find its sum.
pub(crate) struct Sums {
    groups: Vec<(Group, Arc<[Line]>)>,
    by_group: HashMap<Group, usize>,
    last: Option<usize>,
    days: HashMap<(usize, Day), Vec<CellValue>>,
    /// Activities by group and first day.
    rows: HashMap<(usize, Day), i64>,
    floats: bool,
}

/// A sum or a mass is above what is kept exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mass is above 10^26 kg")]
pub(crate) struct TooLarge;

impl Sums {
    pub(crate) fn new() -> Self {
        Self { floats: planted("float_sum"), ..Self::exact() }
    }

    /// Without any planted bug: what others are held against.
    pub(crate) fn exact() -> Self {
        Self {
            groups: Vec::new(),
            by_group: HashMap::new(),
            last: None,
            days: HashMap::new(),
            rows: HashMap::new(),
            floats: false,
        }
    }

    /// Adds a row's lines, or takes them out again, and says which group they went to. A row that
    /// does not count changes nothing.
    pub(crate) fn add(
        &mut self,
        choices: &mut Choices,
        row: (&Activity, &Decision),
        sign: Sign,
    ) -> Result<Option<usize>, TooLarge> {
        self.add_some(choices, row, (sign, |_| true))
    }

    /// The same with those lines alone that `keep` wants.
    pub(crate) fn add_some(
        &mut self,
        choices: &mut Choices,
        (activity, decision): (&Activity, &Decision),
        (sign, keep): (Sign, impl Fn(&Line) -> bool),
    ) -> Result<Option<usize>, TooLarge> {
        let State::Counted(why) = decision.state else { return Ok(None) };
        let lines = choices.lines(why, activity).map_err(|_| TooLarge)?;
        let group = self.group((activity, decision), &lines);
        if let Some((first, _)) = decision.days.days().first() {
            *self.rows.entry((group, *first)).or_default() += match sign {
                Sign::In => 1,
                Sign::Out => -1,
            };
        }
        for (place, line) in lines.iter().enumerate().filter(|(_, line)| keep(line)) {
            let value = match sign {
                Sign::In => line.value(),
                Sign::Out => line.value().negated(),
            };
            if let [(day, _)] = decision.days.days() {
                self.put((group, *day), (place, lines.len()), &value)?;
                continue;
            }
            for (day, part) in decision.days.split_value(&value) {
                self.put((group, day), (place, lines.len()), &part)?;
            }
        }
        Ok(Some(group))
    }

    /// The cells that the lines of a group add to on a day, in the lines' order.
    pub(crate) fn keys(&self, group: usize, day: Day) -> Vec<CellKey> {
        let Some((group, lines)) = self.groups.get(group) else { return Vec::new() };
        let place = group.place();
        lines.iter().map(|line| CellKey::of(line, &place, day)).collect()
    }

    fn group(&mut self, row: (&Activity, &Decision), lines: &Arc<[Line]>) -> usize {
        if let Some(last) = self.last
            && self.groups.get(last).is_some_and(|(group, _)| group.is(row.0, row.1))
        {
            return last;
        }
        let group = Group::of(row.0, row.1);
        let number = match self.by_group.get(&group) {
            Some(number) => *number,
            None => {
                let number = self.groups.len();
                self.groups.push((group.clone(), Arc::clone(lines)));
                self.by_group.insert(group, number);
                number
            }
        };
        self.last = Some(number);
        number
    }

    fn put(
        &mut self,
        at: (usize, Day),
        (place, lines): (usize, usize),
        value: &CellValue,
    ) -> Result<(), TooLarge> {
        let sums = self.days.entry(at).or_insert_with(|| vec![CellValue::default(); lines]);
        let Some(sum) = sums.get_mut(place) else { return Err(TooLarge) };
        if self.floats {
            add_as_floats(sum, value);
            return Ok(());
        }
        sum.add(value).map_err(|_| TooLarge)
    }

    /// Activities by choice and first day. What comes to nothing is left out.
    pub(crate) fn chosen(&self) -> BTreeMap<ChosenKey, i64> {
        let mut chosen: BTreeMap<ChosenKey, i64> = BTreeMap::new();
        for ((group, day), count) in &self.rows {
            let Some((group, _)) = self.groups.get(*group) else { continue };
            let RowPlace { facility, source, .. } = group.place();
            let key = ChosenKey { day: *day, facility, source, why: group.why };
            *chosen.entry(key).or_default() += count;
        }
        chosen.retain(|_, count| *count != 0);
        chosen
    }

    /// The deltas, each cell once. What adds up to nothing is left out.
    pub(crate) fn into_cells(self) -> Result<BTreeMap<CellKey, CellValue>, TooLarge> {
        let mut cells: BTreeMap<CellKey, CellValue> = BTreeMap::new();
        let places: Vec<(RowPlace, Arc<[Line]>)> =
            self.groups.into_iter().map(|(group, lines)| (group.place(), lines)).collect();
        for ((group, day), sums) in self.days {
            let Some((place, lines)) = places.get(group) else { continue };
            for (line, sum) in lines.iter().zip(sums) {
                let cell = cells.entry(CellKey::of(line, place, day)).or_default();
                cell.add(&sum).map_err(|_| TooLarge)?;
            }
        }
        cells.retain(|_, value| !is_nothing(value));
        Ok(cells)
    }
}

/// Whether a cell holds nothing: no line, no mass.
pub(crate) fn is_nothing(value: &CellValue) -> bool {
    let zero = |mass: &Option<Mass>| mass.is_none_or(|mass| mass == Mass::ZERO);
    value.count == 0 && value.kg == Mass::ZERO && value.co2e.iter().all(zero)
}

/// A bug that is planted on request, so that the tests can show that they would catch it: sums lose
/// their last digits as single-precision floating point would lose them.
fn add_as_floats(sum: &mut CellValue, value: &CellValue) {
    let float = |mass: Mass| {
        let units = mass.units();
        let bits = 128 - units.unsigned_abs().leading_zeros();
        let lost = bits.saturating_sub(24);
        Mass::from_units((units >> lost) << lost)
    };
    sum.kg = float(sum.kg + value.kg);
    sum.count += value.count;
    for (mine, theirs) in sum.co2e.iter_mut().zip(value.co2e) {
        if let Some(theirs) = theirs {
            *mine = Some(float(mine.unwrap_or_default() + theirs));
        }
    }
}
