//! Likeness: whether a row says what a stored row says, under another id.
//!
//! The same file through two mappings, or sent once as CSV and once as JSON, gets other ids, and every
//! row would count twice in silence. What a row says is what, where, when and how much; a table in
//! memory holds a keyed 64-bit fingerprint of that per stored row. It is asked once per cut. Rows of
//! one batch are not compared with each other: two equal refuels of one file are two.
//!
//! Periods that overlap without being equal are not compared: an hourly file and the month's bill of
//! one meter are both counted. To tell them from what is right (two fuels, two card firms or two
//! registers under one source) it takes the interval and the mapping beside what is measured.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use envora_domain::activities::canonical::write_period;
use envora_domain::activities::local::Side;
use envora_domain::activities::problems::{Flag, RowCode};
use envora_domain::activities::{Activity, Period, Ref};
use envora_domain::cbor::Writer;
use envora_domain::hash::Digest;
use envora_domain::id::{ActivityId, SegmentId};
use envora_domain::time::{Day, LocalTime, Span, Timestamp, WallClock, Zone};
use envora_domain::units::{AliasSet, lookup};

use super::claims::{ByPrint, Fingerprint};
use super::intake::Intake;
use super::verdicts::Judged;
use crate::clocks::{Clock, ClockBook, Clocks};
use crate::registry::Registry;
use crate::segments::activities;

/// How many stored rows with one likeness are remembered: of more, one alive is as good as another.
const ALIKE_MAX: usize = 8;

/// How many days are remembered with what clocks do about them.
const DAYS_MAX: usize = 10_000;

/// Segment by its place in the list, and row.
type Place = (u32, u32);

#[derive(Default)]
struct Table {
    segments: Vec<SegmentId>,
    first: ByPrint<Place>,
    others: ByPrint<Vec<Place>>,
}

/// What stored rows say: about 20 bytes each.
#[derive(Default)]
pub(super) struct Likenesses {
    table: Mutex<Table>,
}

impl Table {
    fn places(&self, print: Fingerprint) -> impl Iterator<Item = ActivityId> + '_ {
        let others = self.others.get(&print).into_iter().flatten();
        self.first.get(&print).into_iter().chain(others).filter_map(|(segment, row)| {
            self.segments.get(usize::try_from(*segment).ok()?)?.activity(*row)
        })
    }
}

impl Likenesses {
    /// Takes in what the rows of a stored segment say, eight bytes a row.
    pub(super) fn load(&self, segment: SegmentId, prints: &[u8]) {
        let mut held = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let table = &mut *held;
        let number = u32::try_from(table.segments.len()).unwrap_or(u32::MAX);
        table.segments.push(segment);
        for (row, bytes) in prints.chunks_exact(8).enumerate() {
            let Some(print) = Fingerprint::read(bytes) else { continue };
            let place = (number, u32::try_from(row).unwrap_or(u32::MAX));
            match table.first.entry(print) {
                Entry::Vacant(free) => {
                    free.insert(place);
                }
                Entry::Occupied(_) => {
                    let others = table.others.entry(print).or_default();
                    if others.len() < ALIKE_MAX {
                        others.push(place);
                    }
                }
            }
        }
    }

    /// The stored rows that say the same as each of these.
    fn of(
        &self,
        prints: impl Iterator<Item = (usize, Fingerprint)>,
    ) -> Vec<(usize, Vec<ActivityId>)> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let found = prints.map(|(place, print)| (place, table.places(print).collect::<Vec<_>>()));
        found.filter(|(_, ids)| !ids.is_empty()).collect()
    }
}

/// What of a row says what it is about, as the canonical row's keys have it, its number without
/// trailing zeros; ids, remarks and evidence are not part of it.
fn said(activity: &Activity, (unit, period): (&str, Period), bytes: Vec<u8>) -> Vec<u8> {
    let mut row = Writer::onto(bytes);
    let words = [
        (10, activity.supplier.as_deref()),
        (11, activity.entity.as_deref()),
        (14, activity.item.as_deref()),
    ];
    let named = words.iter().filter(|(_, word)| word.is_some()).count();
    let places = usize::from(activity.facility.is_some()) + usize::from(activity.source.is_some());
    row.map(4 + places + named + usize::from(!activity.qualifiers.is_empty()));
    row.uint(2).text(&activity.kind);
    row.uint(3).text(activity.quantity.normalized().text().as_str());
    row.uint(4).text(unit).uint(6);
    write_period(&mut row, period);
    reference(&mut row, 8, activity.facility.as_ref());
    reference(&mut row, 9, activity.source.as_ref());
    for (key, word) in words {
        if let Some(word) = word {
            row.uint(key).text(word);
        }
    }
    if !activity.qualifiers.is_empty() {
        // Keys in the order of their encoded bytes: shorter ones first.
        let mut qualifiers: Vec<(&String, &String)> = activity.qualifiers.iter().collect();
        qualifiers.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        row.uint(29).map(qualifiers.len());
        for (name, word) in qualifiers {
            row.text(name).text(word);
        }
    }
    row.finish()
}

fn reference<K>(row: &mut Writer, key: u64, word: Option<&Ref<K>>) {
    match word {
        None => row,
        Some(Ref::Id(id)) => row.uint(key).bytes(&id.bytes()),
        Some(Ref::Code(code)) => row.uint(key).text(code),
    };
}

fn on_the_wall(row: &Judged) -> bool {
    row.storable().is_some_and(|row| matches!(row.period, Period::WallClock { .. }))
}

/// Stored rows by the row of a batch that they may be like.
type Alike = (usize, Vec<ActivityId>);

/// The clock of a row's place, where it is known.
fn clock_of(activity: &Activity, clocks: &mut ClockBook) -> Option<Arc<Clock>> {
    let word = |word: Option<String>| word.unwrap_or_default();
    let (source, facility) = (
        word(activity.source.as_ref().map(ToString::to_string)),
        word(activity.facility.as_ref().map(ToString::to_string)),
    );
    clocks.of(&source, &facility)
}

/// The days about which some clock of the tenant's goes back: of few other rows it is asked for theirs.
#[derive(Default)]
struct Nights {
    registry: Option<Arc<Registry>>,
    days: HashMap<Day, bool>,
    last: Option<(Day, bool)>,
}

impl Nights {
    /// Whether a clock goes back on the day of this instant, or on one beside it.
    fn have_twice(&mut self, at: Timestamp) -> bool {
        let day = at.utc_day();
        if let Some((_, twice)) = self.last.filter(|(last, _)| *last == day) {
            return twice;
        }
        let Some(registry) = &self.registry else { return false };
        let goes_back = |zone: &Zone| {
            let ahead = |days: i32| {
                let at = Zone::utc().start_of(day.plus(days));
                zone.wall_clock(at).as_micros().saturating_sub(at.as_micros())
            };
            [-1, 0, 1].iter().any(|days| ahead(*days) > ahead(*days + 1))
        };
        if self.days.len() >= DAYS_MAX {
            self.days.clear();
        }
        let twice = *self.days.entry(day).or_insert_with(|| registry.zones().iter().any(goes_back));
        self.last = Some((day, twice));
        twice
    }
}

/// What a row with instants in a repeated hour may have been said as without its offset: with both times, or
/// with one from which the other was reckoned. Such a row waits under those, and no other.
fn walls_of(activity: &Activity, (clocks, nights): (&mut ClockBook, &mut Nights)) -> Vec<Period> {
    let (start, end) = match activity.period {
        Period::Instant(at) => (at, at),
        Period::Between(start, end) => (start, end),
        Period::Days { .. } | Period::WallClock { .. } => return Vec::new(),
    };
    if !nights.have_twice(start) && !nights.have_twice(end) {
        return Vec::new();
    }
    let Some(clock) = clock_of(activity, clocks) else { return Vec::new() };
    let walls = [start, end].map(|at| clock.zone.wall_clock(at));
    if !walls.iter().any(|wall| matches!(clock.zone.resolve(*wall), LocalTime::Twice(..))) {
        return Vec::new();
    }
    let ([first, last], length) = (walls, (end - start).as_micros());
    let off =
        |wall: WallClock, by: i64| WallClock::from_micros(wall.as_micros().saturating_add(by));
    let mut periods = vec![(first, last), (first, off(first, length)), (off(last, -length), last)];
    periods.dedup();
    periods.into_iter().map(|(start, end)| Period::WallClock { start, end }).collect()
}

/// The same of a moment as of a period that ends as it starts.
const fn ends_of(period: Period) -> Period {
    match period {
        Period::Instant(at) => Period::Between(at, at),
        Period::Between(..) | Period::Days { .. } | Period::WallClock { .. } => period,
    }
}

/// Whether a stored row waits for somebody to say which of two equal hours is meant.
fn is_open(stored: &Activity, clocks: &mut ClockBook) -> bool {
    let Some(clock) = clock_of(stored, clocks) else { return false };
    let judged = stored.local.judge(&stored.period, &clock.zone);
    judged.is_err_and(|unclear| unclear.code == RowCode::LocalTimeAmbiguous)
}

/// When a row is: times on the wall as the instants that they are by the clock of its place, so that they
/// are known again where another way of reading them names the zone.
fn instants_of(activity: &Activity, clocks: &mut ClockBook) -> Period {
    let Period::WallClock { start, end } = activity.period else { return activity.period };
    let Some(clock) = clock_of(activity, clocks) else { return activity.period };
    let local = activity.local;
    let at = |side, wall| local.instant(side, wall, &clock.zone);
    let length = Span::from_micros(end.as_micros().saturating_sub(start.as_micros()));
    let turn = |side, wall| match clock.zone.resolve(wall) {
        LocalTime::Twice(..) => local.turn(side),
        LocalTime::Once(_) | LocalTime::Never => None,
    };
    // In a repeated hour, what was reckoned from the time that was said is as far from it as it was there.
    match (turn(Side::Start, start), turn(Side::End, end)) {
        (Some(_), None) if !local.is_said(Side::End) => {
            let start = at(Side::Start, start);
            Period::Between(start, start + length)
        }
        (None, Some(_)) if !local.is_said(Side::Start) => {
            let end = at(Side::End, end);
            Period::Between(end + Span::from_micros(-length.as_micros()), end)
        }
        _ => Period::Between(at(Side::Start, start), at(Side::End, end)),
    }
}

impl Intake {
    /// Notes what each row that may be stored says, and flags those that say what a live stored row
    /// says. A row that replaces another is no second one of it; where it has another time than that one
    /// (`instead`, by its place), it may be a second one of a third.
    pub(super) fn compare(
        &self,
        rows: &mut [Judged],
        replaced: &HashSet<ActivityId>,
        instead: &HashMap<usize, Period>,
    ) -> anyhow::Result<()> {
        let mut units: HashMap<String, String> = HashMap::new();
        let (prints, mut bytes) = (self.parts.keys.fingerprinter("likeness"), Vec::new());
        let (mut clocks, mut nights) = self.clocks_of(rows)?;
        let mut as_said = HashMap::new();
        for (place, row) in rows.iter_mut().enumerate() {
            let Some(activity) = row.storable().filter(|activity| !activity.void) else { continue };
            if !units.contains_key(&activity.unit) {
                let unit = lookup(&activity.unit, AliasSet::None);
                units.insert(activity.unit.clone(), unit.unwrap_or_else(|_| activity.unit.clone()));
            }
            let unit = units.get(&activity.unit).unwrap_or(&activity.unit);
            let mut print = |period: Period| {
                bytes.clear();
                bytes = said(activity, (unit, period), core::mem::take(&mut bytes));
                Fingerprint::of(&prints.of(&Digest::of(&bytes).0))
            };
            let period = instants_of(activity, &mut clocks);
            if period != activity.period {
                // Rows of before, and those whose zone was not known, are noted as they were said.
                as_said.insert(place, vec![print(activity.period)]);
            }
            let walls = walls_of(activity, (&mut clocks, &mut nights));
            if !walls.is_empty() {
                as_said.insert(place, walls.into_iter().map(&mut print).collect());
            }
            row.likeness = Some(print(period));
        }
        let asked = rows.iter().enumerate().flat_map(|(place, row)| {
            let asks = row.storable().is_some_and(|activity| match &activity.supersedes {
                None => true,
                Some(_) => instead.get(&place).is_some_and(|then| *then != activity.period),
            });
            let said = as_said.get(&place).into_iter().flatten().copied();
            let prints = row.likeness.into_iter().chain(said);
            prints.filter(move |_| asks).map(move |print| (place, print))
        });
        let found = self.likenesses.of(asked);
        if found.is_empty() {
            return Ok(());
        }
        let dead = self.superseded(found.iter().flat_map(|(_, ids)| ids.iter().copied()))?;
        let dead: HashSet<ActivityId> = dead.into_iter().map(|fate| fate.old).collect();
        let walled = |place: &usize| {
            as_said.contains_key(place) || rows.get(*place).is_some_and(on_the_wall)
        };
        let asked: Vec<&Alike> = found.iter().filter(|(place, _)| walled(place)).collect();
        let elsewhen = self.elsewhen(rows, &asked, &mut clocks)?;
        for (place, ids) in found {
            let live = ids.into_iter().find(|id| {
                !dead.contains(id) && !replaced.contains(id) && !elsewhen.contains(&(place, *id))
            });
            if let (Some(known), Some(row)) = (live, rows.get_mut(place)) {
                row.result.like = Some(known);
                row.result.flags.insert(Flag::PossibleDuplicate);
                if let Some(activity) = &mut row.activity {
                    activity.flags.insert(Flag::PossibleDuplicate);
                }
            }
        }
        Ok(())
    }
}

impl Intake {
    /// The clocks of the places of these rows, and when they go back, where any says a time.
    fn clocks_of(&self, rows: &[Judged]) -> anyhow::Result<(ClockBook, Nights)> {
        let by_the_clock = |row: &Judged| {
            row.storable().is_some_and(|row| !matches!(row.period, Period::Days { .. }))
        };
        if !rows.iter().any(by_the_clock) {
            return Ok((ClockBook::default(), Nights::default()));
        }
        let registry = self.parts.registry.now(&self.parts)?;
        let nights = Nights { registry: Some(Arc::clone(&registry)), ..Nights::default() };
        Ok((ClockBook::new(Clocks::Registry(registry)), nights))
    }

    /// Those of the stored rows found that are of another time than the row of the batch by now: they were
    /// noted by a zone that their place has no more, or are the other of two equal hours.
    fn elsewhen(
        &self,
        rows: &[Judged],
        asked: &[&Alike],
        clocks: &mut ClockBook,
    ) -> anyhow::Result<HashSet<(usize, ActivityId)>> {
        let wanted: HashSet<ActivityId> =
            asked.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
        if wanted.is_empty() {
            return Ok(HashSet::new());
        }
        let stored = activities(&self.parts, wanted)?;
        let mut apart = HashSet::new();
        for (place, ids) in asked {
            let Some(row) = rows.get(*place).and_then(Judged::storable) else { continue };
            let now = ends_of(instants_of(row, clocks));
            for id in ids {
                let then = stored.get(id).filter(|stored| !is_open(stored, clocks));
                if then.is_some_and(|stored| ends_of(instants_of(stored, clocks)) != now) {
                    apart.insert((*place, *id));
                }
            }
        }
        Ok(apart)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use envora_domain::activities::{Common, Input, Origin};
    use envora_domain::decimal::Decimal;
    use envora_domain::id::FacilityId;
    use envora_domain::time::{Day, Timestamp};
    use proptest::prelude::*;

    use super::*;

    /// The same by way of an activity that has nothing else: what prints were made of from the first.
    fn as_activity(activity: &Activity, unit: &str) -> Digest {
        let amount = Input { quantity: activity.quantity, unit: unit.to_owned() };
        let mut only =
            Activity::new(&activity.kind, amount, activity.period, activity.origin.clone());
        only.common = Arc::new(Common {
            facility: activity.facility.clone(),
            source: activity.source.clone(),
            supplier: activity.supplier.clone(),
            entity: activity.entity.clone(),
            item: activity.item.clone(),
            qualifiers: activity.qualifiers.clone(),
            ..(*only.common).clone()
        });
        only.content_hash()
    }

    fn word() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("[a-z]{0,30}")
    }

    proptest! {
        #[test]
        fn what_a_row_says_is_its_content_without_the_rest(
            (kind, unit) in ("[a-z.]{1,30}", "[a-zA-Z]{1,9}"),
            (mantissa, scale) in (-10_i128.pow(30)..10_i128.pow(30), 0_u8..=18),
            period in (0_usize..3, -9_000_000_000_i64..9_000_000_000_000_000, 0_i64..9_000_000),
            words in (word(), word(), word(), word(), word()),
            id in proptest::option::of(any::<[u8; 16]>()),
            qualifiers in proptest::collection::btree_map("[a-z]{0,26}", "[a-z]{0,26}", 0..4),
        ) {
            let (which, from, length) = period;
            let start = Timestamp::from_micros(from);
            let period = match which {
                0 => Period::Instant(start),
                1 => Period::Between(start, Timestamp::from_micros(from + length)),
                _ => Period::Days { first: start.utc_day(), last: Day::from_number(20_000) },
            };
            let origin = Origin::Request {
                request_id: "request".into(),
                body: [1; 32],
                row: 1,
                offset: 0,
                length: 0,
                parser: "json/1".into(),
            };
            let quantity = Decimal::new(mantissa, scale).expect("a decimal");
            let amount = Input { quantity, unit: "as sent".to_owned() };
            let mut activity = Activity::new(&kind, amount, period, origin);
            let (source, supplier, entity, item, note) = words;
            activity.facility = id.map(|id| Ref::Id(FacilityId::from_bytes(id)));
            activity.source = source.map(Ref::Code);
            (activity.supplier, activity.entity, activity.item) = (supplier, entity, item);
            activity.qualifiers = qualifiers;
            activity.note = note;
            activity.tags = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
            let bytes = said(&activity, (&unit, activity.period), b"".to_vec());
            prop_assert_eq!(Digest::of(&bytes), as_activity(&activity, &unit));
        }
    }
}
