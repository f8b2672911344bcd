//! Rows whose words were judged before.
//!
//! The rows of a file say the same in most of their fields: type, unit, zone, qualifiers. A row that
//! was accepted stands here by those words; of the next with the same words only what is new is read,
//! into the same place in memory. Whatever cannot be taken at once is left to the reader that finds
//! every problem: nothing here rejects a row.

use core::ops::{Add, AddAssign};
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use envora_domain::activities::local::Local;
use envora_domain::activities::problems::Flag;
use envora_domain::activities::validate::validate_amounts;
use envora_domain::activities::{Activity, Common, Origin, Period, Ref};
use envora_domain::decimal::Decimal;
use envora_domain::id::{Entity, Id, Kind, Supplier};
use envora_domain::time::Zone;

use super::RowPlace;
use crate::fields::{Given, Shaped, shapes};
use crate::rows::ParsedRow;

/// How many different lists of words are remembered, about 2 KiB each; an even number.
const SLOTS: usize = 1024;

/// How many places and parties are remembered, about 1 KiB each.
const PLACES_MAX: usize = 16_384;

/// Longest list of words that is remembered.
const KEY_BYTES_MAX: usize = 2048;

/// How the rows of a file were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tiers {
    /// Rows whose words were known.
    pub fast: u64,
    /// Other rows that were accepted.
    pub typed: u64,
    /// Rows that have a problem.
    pub explained: u64,
}

impl Tiers {
    /// Counts a row that was not read by its words.
    pub(super) fn read(&mut self, row: &ParsedRow) {
        if row.problems().is_empty() {
            self.typed += 1;
        } else {
            self.explained += 1;
        }
    }
}

impl Add for Tiers {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            fast: self.fast + other.fast,
            typed: self.typed + other.typed,
            explained: self.explained + other.explained,
        }
    }
}
impl AddAssign for Tiers {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// How the rows of all files were read.
#[derive(Debug, Default)]
pub struct Tally {
    fast: AtomicU64,
    typed: AtomicU64,
    explained: AtomicU64,
}

impl Tally {
    /// Counts the rows of a file.
    pub fn add(&self, tiers: Tiers) {
        self.fast.fetch_add(tiers.fast, Ordering::Relaxed);
        self.typed.fetch_add(tiers.typed, Ordering::Relaxed);
        self.explained.fetch_add(tiers.explained, Ordering::Relaxed);
    }

    /// What was counted.
    #[must_use]
    pub fn tiers(&self) -> Tiers {
        Tiers {
            fast: self.fast.load(Ordering::Relaxed),
            typed: self.typed.load(Ordering::Relaxed),
            explained: self.explained.load(Ordering::Relaxed),
        }
    }
}

/// A place, as a row names it.
pub(super) enum Named<'a, K> {
    Code(&'a str),
    Id(Id<K>),
}

impl<K: Kind> Named<'_, K> {
    /// The code, or the bytes of the id.
    fn said(&self) -> (Option<&str>, Option<[u8; 16]>) {
        match self {
            Self::Code(code) => (Some(code), None),
            Self::Id(id) => (None, Some(id.bytes())),
        }
    }
}

/// What is new in a row whose words are known. Texts are as they were given, not looked at yet.
pub(super) struct Fresh<'a> {
    pub(super) external_id: Option<&'a str>,
    pub(super) quantity: Option<Decimal>,
    pub(super) period: Period,
    pub(super) local: Local,
    pub(super) facility: Option<Named<'a, envora_domain::id::Facility>>,
    pub(super) source: Option<Named<'a, envora_domain::id::Source>>,
    pub(super) supplier: Option<&'a str>,
    pub(super) entity: Option<&'a str>,
    pub(super) note: Option<&'a str>,
    /// Values of labels; their names are words.
    pub(super) tags: &'a [(&'a str, &'a str)],
}

impl Fresh<'_> {
    /// Whether the row that says this is of the same places and parties.
    fn is_of(&self, common: &Common) -> bool {
        names(common.facility.as_ref(), self.facility.as_ref())
            && names(common.source.as_ref(), self.source.as_ref())
            && self.supplier.is_none_or(|code| common.supplier.as_deref() == Some(code))
            && self.entity.is_none_or(|code| common.entity.as_deref() == Some(code))
    }

    /// What these are known again by, with a look at them.
    fn print(&self, spread: &RandomState) -> u64 {
        let facility = self.facility.as_ref().map(Named::said);
        let source = self.source.as_ref().map(Named::said);
        spread.hash_one((facility, source, self.supplier, self.entity))
    }

    /// Writes them over what a row names; what it says in common with others becomes its own.
    fn put_places(&self, activity: &mut Activity) -> Option<()> {
        put_place(&mut activity.facility, self.facility.as_ref())?;
        put_place(&mut activity.source, self.source.as_ref())?;
        if let Some(code) = self.supplier {
            put(&mut activity.supplier, code, shapes::own_word_ref::<Supplier>)?;
        }
        if let Some(code) = self.entity {
            put(&mut activity.entity, code, shapes::own_word_ref::<Entity>)?;
        }
        Some(())
    }
}

/// A row by its words.
struct Entry {
    key: Box<[u8]>,
    row: ParsedRow,
    zone: Option<Zone>,
    /// What rows of these words say in common, by a print of the places and parties that they name.
    places: HashMap<u64, Arc<Common>>,
}

/// Rows by their words, as many as are remembered; of two that want one place the older goes.
#[derive(Default)]
pub(super) struct Known {
    slots: Vec<Option<Box<Entry>>>,
    last: usize,
    spread: RandomState,
    /// How many places are remembered by all entries, those that are gone among them.
    places: usize,
}

impl Known {
    /// Where the row with these words is.
    pub(super) fn find(&mut self, key: &[u8]) -> Option<usize> {
        let there = |slot: usize| {
            self.slots.get(slot).and_then(Option::as_ref).is_some_and(|own| *own.key == *key)
        };
        if there(self.last) {
            return Some(self.last);
        }
        let slot = slot_of(key);
        let slot = [slot, slot ^ 1].into_iter().find(|slot| there(*slot))?;
        self.last = slot;
        Some(slot)
    }

    /// Remembers an accepted row by its words, unless more than they decide what becomes of it.
    pub(super) fn learn(&mut self, key: &[u8], row: &ParsedRow) {
        let Ok(activity) = &row.activity else { return };
        if key.len() > KEY_BYTES_MAX || !row.quarantine.is_empty() || !is_plain(activity) {
            return;
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        let slot = slot_of(key);
        let free = |slot: &usize| self.slots.get(*slot).is_some_and(Option::is_none);
        let slot = [slot, slot ^ 1].into_iter().find(free).unwrap_or(slot);
        let other = slot ^ 1;
        let zone = activity.time_zone.as_deref().and_then(|name| Zone::named(name).ok());
        let entry = Entry { key: key.into(), row: row.clone(), zone, places: HashMap::new() };
        // The one that was there moves over, so that two lists of words do not drive out each other.
        let old = self.slots.get_mut(slot).and_then(|place| place.replace(Box::new(entry)));
        if let (Some(old), Some(place)) = (old, self.slots.get_mut(other)) {
            *place = Some(old);
        }
    }

    /// The row in a place.
    pub(super) fn row(&self, slot: usize) -> Option<&ParsedRow> {
        self.slots.get(slot)?.as_ref().map(|entry| &entry.row)
    }

    /// The activity in a place, to be given its id.
    pub(super) fn activity(&mut self, slot: usize) -> Option<&mut Activity> {
        self.slots.get_mut(slot)?.as_mut()?.row.activity.as_mut().ok()
    }

    /// The zone of the row in a place.
    pub(super) fn zone(&self, slot: usize) -> Option<&Zone> {
        self.slots.get(slot)?.as_ref()?.zone.as_ref()
    }

    /// Makes the row in a place the one that says this; nothing where it may not be accepted as it is.
    pub(super) fn renew(&mut self, slot: usize, fresh: &Fresh<'_>, place: RowPlace) -> Option<()> {
        if self.places >= PLACES_MAX {
            self.slots.iter_mut().flatten().for_each(|entry| entry.places.clear());
            self.places = 0;
        }
        let Entry { row, places, .. } = self.slots.get_mut(slot)?.as_deref_mut()?;
        (row.row, row.line, row.offset, row.length) =
            (place.row, place.line, place.offset, place.length);
        let activity = row.activity.as_mut().ok()?;
        if let Some(id) = fresh.external_id {
            put(&mut activity.external_id, id, shapes::code)?;
            put(&mut row.external_id, id, shapes::code)?;
        }
        activity.quantity = fresh.quantity.unwrap_or(activity.quantity);
        (activity.period, activity.local) = (fresh.period, fresh.local);
        // What is there already is not written: the rows that share it would have to be left.
        if !fresh.is_of(&activity.common) {
            let print = fresh.print(&self.spread);
            match places.get(&print).filter(|common| fresh.is_of(common)) {
                Some(common) => activity.common = Arc::clone(common),
                None => {
                    fresh.put_places(activity)?;
                    places.insert(print, Arc::clone(&activity.common));
                    self.places += 1;
                }
            }
        }
        if let Some(note) = fresh.note {
            put(&mut activity.note, note, shapes::note)?;
        }
        for (name, value) in fresh.tags {
            let own = activity.tags.get_mut(*name)?;
            if own != value {
                overwrite(own, shapes::tag(Given::Text(value)).ok()?);
            }
        }
        originate(&mut activity.origin, place);
        validate_amounts(activity).is_empty().then_some(())
    }
}

/// Whether nothing but words, signs and times decides what becomes of such a row.
fn is_plain(activity: &Activity) -> bool {
    let flags = [Flag::NoExternalId, Flag::Estimate];
    !activity.void
        && activity.supersedes.is_none()
        && activity.kind != "refrigerant.balance"
        && activity.flags.iter().all(|flag| flags.contains(&flag))
}

fn slot_of(key: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = key.as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let mut hash = key.len() as u64;
    for word in words.iter().chain([&last]) {
        hash = (hash.rotate_left(29) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
    }
    usize::try_from(hash >> 32).unwrap_or(0) % SLOTS
}

/// Writes a text over another, where it has the shape that is due.
fn put(
    own: &mut Option<String>,
    text: &str,
    shape: impl for<'a> Fn(Given<'a>) -> Shaped<&'a str>,
) -> Option<()> {
    if own.as_deref() == Some(text) {
        return Some(());
    }
    let text = shape(Given::Text(text)).ok()?;
    overwrite(own.get_or_insert_default(), text);
    Some(())
}

fn overwrite(own: &mut String, text: &str) {
    own.clear();
    own.push_str(text);
}

/// Whether a row names this place already, or nothing else is said.
fn names<K: Kind>(own: Option<&Ref<K>>, named: Option<&Named<'_, K>>) -> bool {
    match (own, named) {
        (_, None) => true,
        (Some(Ref::Id(own)), Some(Named::Id(id))) => own == id,
        (Some(Ref::Code(own)), Some(Named::Code(code))) => own == code,
        (Some(_), Some(_)) | (None, Some(_)) => false,
    }
}

fn put_place<K: Kind>(own: &mut Option<Ref<K>>, named: Option<&Named<'_, K>>) -> Option<()> {
    match named {
        None => {}
        Some(Named::Id(id)) => *own = Some(Ref::Id(*id)),
        Some(Named::Code(code)) => match own {
            Some(Ref::Code(known)) if known == code => {}
            Some(Ref::Code(known)) => {
                overwrite(known, shapes::own_code_ref(Given::Text(code)).ok()?);
            }
            None | Some(Ref::Id(_)) => {
                let code = shapes::own_code_ref(Given::Text(code)).ok()?;
                *own = Some(Ref::Code(code.to_owned()));
            }
        },
    }
    Some(())
}

fn originate(origin: &mut Origin, place: RowPlace) {
    match origin {
        Origin::File { row, line, offset, length, .. } => {
            (*row, *line, *offset, *length) = (place.row, place.line, place.offset, place.length);
        }
        Origin::Request { row, offset, length, .. } => {
            (*row, *offset, *length) = (place.row, place.offset, place.length);
        }
    }
}
