//! Sums: lines to cell deltas, added up as integers, in and out alike.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use envora_domain::activities::Activity;
use envora_domain::cells::{CellKey, CellValue, RowPlace};
use envora_domain::decimal::Mass;
use envora_domain::lines::{Calculator, Line};
use envora_domain::planted::planted;
use envora_domain::rollups::{ChosenKey, Group, Pile};
use envora_domain::time::Day;

use super::choices::Choices;
use super::decide::{Decision, State};

/// Whether a row's lines are added or taken out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    In,
    Out,
}

/// The group that a row is of.
fn group_of(activity: &Activity, decision: &Decision) -> Group {
    Group {
        facility: decision.facility.map(|id| id.bytes()),
        source: decision.source.map(|id| id.bytes()),
        kind: activity.kind.clone(),
        data_kind: activity.data_kind.clone().unwrap_or_default(),
        primary: activity.primary,
        why: decision.why(),
    }
}

/// Whether a row is of a group.
fn is_of(group: &Group, activity: &Activity, decision: &Decision) -> bool {
    group.why == decision.why()
        && group.facility == decision.facility.map(|id| id.bytes())
        && group.source == decision.source.map(|id| id.bytes())
        && group.kind == activity.kind
        && group.data_kind == activity.data_kind.as_deref().unwrap_or_default()
        && group.primary == activity.primary
}

/// Everything of the keys of a row's cells but day and line.
pub(crate) fn place_of(activity: &Activity, decision: &Decision) -> RowPlace {
    group_of(activity, decision).place()
}

/// What rows of one group come to on one day: sums of the distinct masses that their lines are made
/// of, and how many of each line there are.
struct OfDay {
    group: usize,
    day: Day,
    pile: Pile,
}

/// Sums of masses, by group and day.
pub(crate) struct Piles {
    /// The groups, each with what makes lines of its masses.
    pub(crate) groups: Vec<(Group, Arc<Calculator>)>,
    /// By the place of the group, and day.
    pub(crate) piles: Vec<(usize, Day, Pile)>,
}

/// Sums on their way to the cells. Lines of one choice are always made of the same masses, so within a
/// group and day these are what is added up, and lines are made of the sums at the end.
pub(crate) struct Sums {
    groups: Vec<(Group, Arc<Calculator>)>,
    by_group: HashMap<Group, usize>,
    last: Option<usize>,
    piles: Vec<OfDay>,
    by_day: HashMap<(usize, Day), usize>,
    last_pile: usize,
    /// The parts of a row that lasts for days, by day.
    parts: Vec<Vec<Mass>>,
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
            piles: Vec::new(),
            by_day: HashMap::new(),
            last_pile: 0,
            parts: Vec::new(),
            floats: false,
        }
    }

    /// Adds a row's lines, or takes them out again, and says which group they went to. A row that
    /// does not count changes nothing.
    pub(crate) fn add(
        &mut self,
        choices: &mut Choices,
        (activity, decision): (&Activity, &Decision),
        sign: Sign,
    ) -> Result<Option<usize>, TooLarge> {
        let State::Counted(why) = decision.state else { return Ok(None) };
        let worked = choices.masses(why, activity).map_err(|_| TooLarge)?;
        let Some((calculator, masses)) = worked else { return Ok(None) };
        let group = self.group((activity, decision), calculator);
        let one = match sign {
            Sign::In => 1,
            Sign::Out => -1,
        };
        let Some((first, _)) = decision.days.days().first() else { return Ok(Some(group)) };
        let pile = self.pile((group, *first), masses.len());
        if let [_] = decision.days.days() {
            self.put(pile, (one, sign), masses)?;
            return Ok(Some(group));
        }
        let mut parts = core::mem::take(&mut self.parts);
        parts.resize_with(decision.days.days().len(), Vec::new);
        parts.iter_mut().for_each(Vec::clear);
        for mass in masses {
            let split = decision.days.split(mass.units()).into_iter();
            for (part, (_, units)) in parts.iter_mut().zip(split) {
                part.push(Mass::from_units(units));
            }
        }
        for (place, ((day, _), part)) in decision.days.days().iter().zip(&parts).enumerate() {
            let pile = self.pile((group, *day), masses.len());
            self.put(pile, (if place == 0 { one } else { 0 }, sign), part)?;
        }
        self.parts = parts;
        Ok(Some(group))
    }

    /// The cells that the lines of a group add to on a day, in the lines' order.
    pub(crate) fn keys(&self, group: usize, day: Day) -> Vec<CellKey> {
        let Some((group, calculator)) = self.groups.get(group) else { return Vec::new() };
        let place = group.place();
        calculator.forms().map(|line| CellKey::of(line, &place, day)).collect()
    }

    fn group(&mut self, row: (&Activity, &Decision), calculator: &Arc<Calculator>) -> usize {
        if let Some(last) = self.last
            && self.groups.get(last).is_some_and(|(group, _)| is_of(group, row.0, row.1))
        {
            return last;
        }
        let group = group_of(row.0, row.1);
        let number = match self.by_group.get(&group) {
            Some(number) => *number,
            None => {
                let number = self.groups.len();
                self.groups.push((group.clone(), Arc::clone(calculator)));
                self.by_group.insert(group, number);
                number
            }
        };
        self.last = Some(number);
        number
    }

    /// The place of what a group comes to on a day: rows mostly follow each other there.
    fn pile(&mut self, (group, day): (usize, Day), masses: usize) -> usize {
        let same = |of: &OfDay| of.group == group && of.day == day;
        if self.piles.get(self.last_pile).is_some_and(same) {
            return self.last_pile;
        }
        let next = self.piles.len();
        let place = *self.by_day.entry((group, day)).or_insert(next);
        if place == next {
            let pile = Pile { count: 0, masses: vec![Mass::ZERO; masses] };
            self.piles.push(OfDay { group, day, pile });
        }
        self.last_pile = place;
        place
    }

    fn put(
        &mut self,
        pile: usize,
        (count, sign): (i64, Sign),
        masses: &[Mass],
    ) -> Result<(), TooLarge> {
        let found = self.piles.get_mut(pile).map(|of| &mut of.pile);
        let pile = found.filter(|pile| pile.masses.len() == masses.len()).ok_or(TooLarge)?;
        pile.count = pile.count.checked_add(count).ok_or(TooLarge)?;
        for (sum, mass) in pile.masses.iter_mut().zip(masses) {
            let mass = match sign {
                Sign::In => *mass,
                Sign::Out => Mass::from_units(mass.units().saturating_neg()),
            };
            *sum = if self.floats {
                add_as_floats(*sum, mass)
            } else {
                sum.checked_add(mass).ok_or(TooLarge)?
            };
        }
        Ok(())
    }

    /// Activities by choice and first day. What comes to nothing is left out.
    pub(crate) fn chosen(&self) -> BTreeMap<ChosenKey, i64> {
        let mut chosen: BTreeMap<ChosenKey, i64> = BTreeMap::new();
        for OfDay { group, day, pile } in &self.piles {
            let Some((group, _)) = self.groups.get(*group) else { continue };
            let RowPlace { facility, source, .. } = group.place();
            let key = ChosenKey { day: *day, facility, source, why: group.why };
            *chosen.entry(key).or_default() += pile.count;
        }
        chosen.retain(|_, count| *count != 0);
        chosen
    }

    /// The sums themselves. What adds up to nothing is left out.
    pub(crate) fn into_piles(self) -> Piles {
        let piles = self.piles.into_iter().filter(|of| !of.pile.is_nothing());
        let piles = piles.map(|OfDay { group, day, pile }| (group, day, pile)).collect();
        Piles { groups: self.groups, piles }
    }

    /// The deltas, each cell once. What adds up to nothing is left out.
    pub(crate) fn into_cells(self) -> Result<BTreeMap<CellKey, CellValue>, TooLarge> {
        self.into_cells_of(|_, _| true)
    }

    /// The same of those lines alone that `keep` wants; it is shown them without their masses, with
    /// the number of their choice.
    pub(crate) fn into_cells_of(
        self,
        keep: impl Fn(u32, &Line) -> bool,
    ) -> Result<BTreeMap<CellKey, CellValue>, TooLarge> {
        let mut cells: BTreeMap<CellKey, CellValue> = BTreeMap::new();
        let groups: Vec<(RowPlace, u32, Arc<Calculator>)> = self
            .groups
            .into_iter()
            .map(|(group, calculator)| (group.place(), group.why, calculator))
            .collect();
        for OfDay { group, day, pile } in self.piles {
            let Some((place, why, calculator)) = groups.get(group) else { continue };
            let forms = calculator.forms().enumerate();
            for (number, line) in forms.filter(|(_, line)| keep(*why, line)) {
                let sum = calculator.value(number, &pile.masses, pile.count).ok_or(TooLarge)?;
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
fn add_as_floats(sum: Mass, mass: Mass) -> Mass {
    let float = |mass: Mass| {
        let units = mass.units();
        let bits = 128 - units.unsigned_abs().leading_zeros();
        let lost = bits.saturating_sub(24);
        Mass::from_units((units >> lost) << lost)
    };
    float(sum + mass)
}

#[cfg(test)]
mod tests {
    use envora_domain::activities::{Input, Origin, Period, Ref};
    use envora_domain::cells::DayShares;
    use envora_domain::choice::Policy;
    use envora_domain::decimal::Decimal;
    use envora_domain::factors::Library;
    use envora_domain::gwp::GwpSet;
    use envora_domain::id::FacilityId;
    use envora_domain::time::{Timestamp, Zone};
    use proptest::prelude::*;

    use super::super::choices::Place;
    use super::*;

    /// Each line of each row for itself, split by days and added to its cell: no sum stands for lines.
    fn line_by_line(
        choices: &mut Choices,
        rows: &[(Activity, Decision, Sign)],
    ) -> BTreeMap<CellKey, CellValue> {
        let mut cells: BTreeMap<CellKey, CellValue> = BTreeMap::new();
        for (activity, decision, sign) in rows {
            let place = place_of(activity, decision);
            for line in choices.lines(decision.why(), activity).expect("lines") {
                for (day, part) in decision.days.split_value(&line.value()) {
                    let cell = cells.entry(CellKey::of(&line, &place, day)).or_default();
                    match sign {
                        Sign::In => cell.add(&part).expect("it fits"),
                        Sign::Out => cell.subtract(&part).expect("it fits"),
                    }
                }
            }
        }
        cells.retain(|_, value| !is_nothing(value));
        cells
    }

    fn row(choices: &mut Choices, dice: (u8, i64, u8, i64, i64)) -> (Activity, Decision) {
        let (which, mantissa, scale, start, length) = dice;
        let asked = [
            ("electricity.purchased", "kW.h", ""),
            ("fuel.combusted.stationary", "kW.h.x:gross", "natural_gas"),
            ("fuel.combusted.stationary", "L", "burning_oil"),
        ];
        let (kind, unit, fuel) = asked[usize::from(which % 3)];
        let origin = Origin::Request {
            request_id: "request".into(),
            body: [0; 32],
            row: 1,
            offset: 0,
            length: 0,
            parser: "json/1".into(),
        };
        let quantity = Decimal::new(i128::from(mantissa), scale).expect("a decimal");
        let amount = Input { quantity, unit: unit.to_owned() };
        let start = Timestamp::from_micros(1_640_995_200_000_000 + start * 1_800_000_000);
        let end = Timestamp::from_micros(start.as_micros() + length * 1_800_000_000);
        let period = Period::Between(start, end);
        let mut activity = Activity::new(kind, amount, period, origin);
        activity.facility = Some(Ref::Code("b24".to_owned()));
        activity.primary = (which % 2 == 0).then_some(true);
        if !fuel.is_empty() {
            activity.qualifiers.insert("fuel".to_owned(), fuel.to_owned());
        }
        let days = DayShares::of(
            &period,
            Default::default(),
            &Zone::named("Europe/London").expect("a zone"),
        );
        let (first, last) = (start.utc_day(), start.utc_day());
        let why =
            choices.number(&activity, Place { region: Some("GB"), supplier: None, first, last });
        let state = State::Counted(why.expect("a choice"));
        let facility = Some(FacilityId::from_bytes([which % 2; 16]));
        (activity, Decision { state, facility, source: None, days })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn sums_are_those_of_the_lines_one_by_one(
            rows in prop::collection::vec(
                (any::<u8>(), any::<i32>(), 0_u8..=18, 0_i64..4_000, 1_i64..200, any::<bool>()),
                1..40,
            ),
            set in 0_usize..2,
        ) {
            let set = [GwpSet::Published, GwpSet::Sar][set];
            let library = Library::starter().expect("the packs");
            let mut choices = Choices::new(library, Policy::for_set(set), Vec::new()).expect("none");
            let mut added = Vec::new();
            for (which, mantissa, scale, start, length, is_out) in rows {
                let dice = (which, i64::from(mantissa), scale, start, length);
                let (activity, decision) = row(&mut choices, dice);
                added.push((activity, decision, if is_out { Sign::Out } else { Sign::In }));
            }
            let mut sums = Sums::exact();
            for (activity, decision, sign) in &added {
                sums.add(&mut choices, (activity, decision), *sign).expect("it fits");
            }
            let due = line_by_line(&mut choices, &added);
            prop_assert!(!due.is_empty() || added.iter().any(|(_, _, sign)| *sign == Sign::Out));
            prop_assert_eq!(sums.into_cells().expect("it fits"), due);
        }
    }
}
