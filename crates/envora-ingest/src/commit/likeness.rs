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
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use envora_domain::activities::problems::Flag;
use envora_domain::activities::{Activity, Input};
use envora_domain::id::{ActivityId, SEGMENT_ROWS_MAX, SegmentId};
use envora_domain::units::{AliasSet, lookup};
use envora_store::supersessions::{ActivityRange, supersessions_between};

use super::claims::Fingerprint;
use super::intake::Intake;
use super::verdicts::Judged;

/// How many stored rows with one likeness are remembered: of more, one alive is as good as another.
const ALIKE_MAX: usize = 8;

/// Segment by its place in the list, and row.
type Place = (u32, u32);

#[derive(Default)]
struct Table {
    segments: Vec<SegmentId>,
    first: HashMap<Fingerprint, Place>,
    others: HashMap<Fingerprint, Vec<Place>>,
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

/// What of a row says what it is about; ids, remarks and evidence are not part of it.
fn said(activity: &Activity, unit: &str) -> Activity {
    let amount = Input { quantity: activity.quantity, unit: unit.to_owned() };
    Activity {
        facility: activity.facility.clone(),
        source: activity.source.clone(),
        supplier: activity.supplier.clone(),
        entity: activity.entity.clone(),
        item: activity.item.clone(),
        qualifiers: activity.qualifiers.clone(),
        ..Activity::new(&activity.kind, amount, activity.period, activity.origin.clone())
    }
}

impl Intake {
    /// Notes what each row that may be stored says, and flags those that say what a live stored row
    /// says. A row that replaces another is no second one of it.
    pub(super) fn compare(
        &self,
        rows: &mut [Judged],
        replaced: &HashSet<ActivityId>,
    ) -> anyhow::Result<()> {
        let mut units: HashMap<String, String> = HashMap::new();
        for row in rows.iter_mut() {
            let Some(activity) = row.storable().filter(|activity| !activity.void) else { continue };
            let unit = units.entry(activity.unit.clone()).or_insert_with(|| {
                lookup(&activity.unit, AliasSet::None).unwrap_or_else(|_| activity.unit.clone())
            });
            let hash = said(activity, unit).content_hash();
            let print = self.parts.keys.fingerprint("likeness", &hash.0);
            row.likeness = Some(Fingerprint::of(&print));
        }
        let asked = rows.iter().enumerate().filter_map(|(place, row)| {
            row.storable().filter(|activity| activity.supersedes.is_none())?;
            Some((place, row.likeness?))
        });
        let found = self.likenesses.of(asked);
        if found.is_empty() {
            return Ok(());
        }
        let dead = self.replaced_of(found.iter().flat_map(|(_, ids)| ids.iter().copied()))?;
        for (place, ids) in found {
            let live = ids.into_iter().find(|id| !dead.contains(id) && !replaced.contains(id));
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

    /// Which of these activities count no longer: one question per segment.
    fn replaced_of(
        &self,
        ids: impl Iterator<Item = ActivityId>,
    ) -> anyhow::Result<HashSet<ActivityId>> {
        let mut ranges: BTreeMap<SegmentId, (ActivityId, ActivityId)> = BTreeMap::new();
        for id in ids {
            let (segment, row) = id.place();
            debug_assert!(row < SEGMENT_ROWS_MAX, "a row lies in its segment");
            let (first, last) = ranges.entry(segment).or_insert((id, id));
            *first = (*first).min(id);
            *last = (*last).max(id);
        }
        let grant = self.parts.own.read_activities;
        self.parts.read(move |rd| {
            let mut dead = HashSet::new();
            for (first, last) in ranges.into_values() {
                let range = ActivityRange { first, last };
                let found = supersessions_between(rd, &grant, range, i64::MAX.unsigned_abs())?;
                dead.extend(found.into_iter().map(|fate| fate.old));
            }
            Ok(dead)
        })
    }
}
