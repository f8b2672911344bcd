//! Decide: what one row comes to, as of a place in the log.

use core::hash::BuildHasher as _;
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::Arc;

use envora_domain::activities::local::Unclear;
use envora_domain::activities::problems::RowCode;
use envora_domain::activities::{Activity, Common, Ref};
use envora_domain::cells::{DayShares, is_endless};
use envora_domain::id::{EntityId, FacilityId, SourceId};
use envora_domain::time::{Day, Zone};
use envora_store::facilities::FacilityFields;

use super::choices::{Choices, Place, Reason};
use crate::registry::{Registry, Wanted};

/// What a row comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// By the choice of this number.
    Counted(u32),
    /// In no total, for this reason.
    Unresolved(Arc<Reason>),
    /// Another row counts in its place.
    Superseded,
    /// It was cancelled, or cancels another and is nothing by itself.
    Voided,
}

/// A row's state, and where and when it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) state: State,
    pub(crate) facility: Option<FacilityId>,
    pub(crate) source: Option<SourceId>,
    pub(crate) days: DayShares,
}

impl Decision {
    /// The number of its choice; 0 for none.
    pub(crate) const fn why(&self) -> u32 {
        match &self.state {
            State::Counted(why) => *why,
            State::Unresolved(_) | State::Superseded | State::Voided => 0,
        }
    }

    /// Its first and last day.
    pub(crate) fn span(&self) -> (Day, Day) {
        let days = self.days.days();
        let ends = days.first().zip(days.last());
        ends.map_or((Day::from_number(0), Day::from_number(0)), |((first, _), (last, _))| {
            (*first, *last)
        })
    }
}

/// How many rows' words are remembered with where they stand.
const STOOD_MAX: usize = 65_536;

/// Decides rows against one registry. Zones are read once, and where rows of the same words stand is
/// looked up once.
pub(crate) struct Decider<'a> {
    registry: &'a Registry,
    choices: &'a mut Choices,
    memory: Memory,
    last: Option<Arc<Stood>>,
    /// The place in the log that was asked about last, and how old the registry was there.
    age: Option<(u64, usize)>,
}

/// What deciders of one tenant found before: the log only grows, so it holds for the next one too.
#[derive(Default)]
pub(crate) struct Memory {
    zones: HashMap<String, Zone>,
    stood: HashMap<u64, Arc<Stood>>,
    state: RandomState,
}

/// What of a row decides where it stands.
#[derive(Hash, PartialEq, Eq)]
struct Words<'w> {
    facility: Option<&'w Ref<envora_domain::id::Facility>>,
    source: Option<&'w Ref<envora_domain::id::Source>>,
    entity: Option<&'w str>,
    supplier: Option<&'w str>,
    time_zone: Option<&'w str>,
    region: Option<&'w str>,
    grid: Option<&'w str>,
}

/// Where rows of some words stand, as of an age of the registry.
struct Stood {
    common: Arc<Common>,
    age: usize,
    zone: Zone,
    at: Result<Standing, Arc<Reason>>,
}

/// Where a row stands, as of a seq.
#[derive(Default)]
struct Standing {
    facility: Option<FacilityId>,
    source: Option<SourceId>,
    /// The nearest place first, a slash between.
    region: Option<String>,
    /// The codes of the supplier, a bar between.
    supplier: Option<String>,
    opened: Option<Day>,
    closed: Option<Day>,
    /// Whose its zone is, where it is not its own.
    clock: String,
    /// Why its grid cannot be the one it is calculated by.
    misplaced: Option<Arc<Reason>>,
}

impl<'w> Words<'w> {
    fn of(common: &'w Common) -> Self {
        Self {
            facility: common.facility.as_ref(),
            source: common.source.as_ref(),
            entity: common.entity.as_deref(),
            supplier: common.supplier.as_deref(),
            time_zone: common.time_zone.as_deref(),
            region: common.region.as_deref(),
            grid: common.grid.as_deref(),
        }
    }
}

impl<'a> Decider<'a> {
    pub(crate) fn new(registry: &'a Registry, choices: &'a mut Choices) -> Self {
        Self::knowing(Memory::default(), registry, choices)
    }

    /// One that goes on with what another found by the registry as it was then.
    pub(crate) fn knowing(
        memory: Memory,
        registry: &'a Registry,
        choices: &'a mut Choices,
    ) -> Self {
        Self { registry, choices, memory, last: None, age: None }
    }

    /// What it found, for the next one.
    pub(crate) fn into_memory(self) -> Memory {
        self.memory
    }

    pub(crate) const fn choices(&mut self) -> &mut Choices {
        self.choices
    }

    /// The legal entity whose a row is, with what was known at this seq.
    pub(crate) fn owner(&self, activity: &Activity, seq: u64) -> Option<EntityId> {
        self.registry.owner(activity, seq)
    }

    /// The zone whose days a row falls on, with what was known at this seq.
    pub(crate) fn zone_of(&mut self, activity: &Activity, seq: u64) -> Zone {
        self.stood(activity, seq).zone.clone()
    }

    /// What a row comes to with what was known at this seq, if no other row has taken its place.
    pub(crate) fn decide(&mut self, activity: &Activity, seq: u64) -> Decision {
        let stood = self.stood(activity, seq);
        let days = DayShares::of(&activity.period, activity.local, &stood.zone);
        let mut decision = Decision { state: State::Voided, facility: None, source: None, days };
        match &stood.at {
            Err(_) if activity.void => {}
            Err(reason) => decision.state = State::Unresolved(Arc::clone(reason)),
            Ok(standing) => {
                decision.facility = standing.facility;
                decision.source = standing.source;
                if !activity.void {
                    let unclear = activity.local.judge(&activity.period, &stood.zone).err();
                    decision.state = match unclear {
                        Some(unclear) => {
                            State::Unresolved(timeless(unclear, (standing, &stood.zone)))
                        }
                        None if activity.local.is_reversed(&activity.period, &stood.zone) => {
                            State::Unresolved(reversed((standing, &stood.zone)))
                        }
                        None => self.state(activity, standing, decision.span()),
                    };
                }
            }
        }
        decision
    }

    /// Where a row stands: of rows that follow each other mostly at the same place.
    fn stood(&mut self, activity: &Activity, seq: u64) -> Arc<Stood> {
        let words = Words::of(&activity.common);
        let age = match self.age {
            Some((of, age)) if of == seq => age,
            _ => self.registry.age(seq),
        };
        self.age = Some((seq, age));
        let is_it = |stood: &&Arc<Stood>| {
            let same = || Words::of(&stood.common) == words;
            stood.age == age && (Arc::ptr_eq(&stood.common, &activity.common) || same())
        };
        if let Some(last) = self.last.as_ref().filter(is_it) {
            return Arc::clone(last);
        }
        let place = self.memory.state.hash_one((&words, age));
        let stood = match self.memory.stood.get(&place).filter(is_it) {
            Some(known) => Arc::clone(known),
            None => {
                let (zone, at) = standing(self.registry, activity, seq);
                let zone = self.zone(zone.as_deref());
                let at = at.map_err(Arc::new);
                let common = Arc::clone(&activity.common);
                let stood = Arc::new(Stood { common, age, zone, at });
                if self.memory.stood.len() >= STOOD_MAX {
                    self.memory.stood.clear();
                }
                self.memory.stood.insert(place, Arc::clone(&stood));
                stood
            }
        };
        self.last = Some(Arc::clone(&stood));
        stood
    }

    fn state(&mut self, activity: &Activity, at: &Standing, (first, last): (Day, Day)) -> State {
        if is_endless(&activity.period) {
            return State::Unresolved(Arc::new(Reason {
                code: RowCode::Outlier,
                word: activity.kind.clone(),
                remedy: "its period is longer than a century: correct the end by a row that \
                         supersedes this one"
                    .to_owned(),
            }));
        }
        let early = at.opened.is_some_and(|opened| first < opened);
        let late = at.closed.is_some_and(|closed| last >= closed);
        if early || late {
            return State::Unresolved(Arc::new(Reason {
                code: RowCode::OutsideFacilityLife,
                word: activity.facility.as_ref().map(ToString::to_string).unwrap_or_default(),
                remedy: if late {
                    "`closed` is the first day after the facility's life: correct it, or the row"
                } else {
                    "correct the day on which the facility opened, or the row"
                }
                .to_owned(),
            }));
        }
        if let Some(reason) = &at.misplaced {
            return State::Unresolved(Arc::clone(reason));
        }
        let (region, supplier) = (at.region.as_deref(), at.supplier.as_deref());
        match self.choices.number(activity, Place { region, supplier, first, last }) {
            Ok(why) => match self.choices.likely(why, activity) {
                Ok(()) => State::Counted(why),
                Err(reason) => State::Unresolved(Arc::new(reason)),
            },
            Err(reason) => State::Unresolved(reason),
        }
    }

    fn zone(&mut self, name: Option<&str>) -> Zone {
        let name = name.unwrap_or("UTC");
        if let Some(zone) = self.memory.zones.get(name) {
            return zone.clone();
        }
        let zone = Zone::named(name).unwrap_or_else(|_| Zone::utc());
        self.memory.zones.insert(name.to_owned(), zone.clone());
        zone
    }
}

/// Where factors are looked for, the nearest first: the grid of the row, then its region; where it
/// says none, the grid and the country of its facility. Nobody else's country is ever in it.
fn places<'a>(
    activity: &'a Activity,
    facility: Option<&'a FacilityFields>,
) -> Option<Cow<'a, str>> {
    let said = |word: &'a String| (!word.is_empty()).then_some(word.as_str());
    let own = activity.region.as_deref();
    let at = facility.filter(|_| own.is_none());
    let grid = activity.grid.as_deref().or(at.and_then(|facility| said(&facility.grid)));
    let region = own.or(at.and_then(|facility| said(&facility.country)));
    match (grid, region) {
        (Some(grid), Some(region)) => Some(Cow::Owned(format!("{grid}/{region}"))),
        (one, other) => one.or(other).map(Cow::Borrowed),
    }
}

/// The name of the zone of a row's days, and where it stands or why nowhere.
fn standing(
    registry: &Registry,
    activity: &Activity,
    seq: u64,
) -> (Option<String>, Result<Standing, Reason>) {
    let source = activity.source.as_ref().and_then(|word| registry.source(word, seq));
    let facility = registry.place(activity, seq);
    if let Err(reason) = known(registry, activity, seq) {
        return (activity.time_zone.clone(), Err(reason));
    }
    let said = |word: &String| (!word.is_empty()).then(|| word.clone());
    let of_source = source.and_then(|source| Some((said(&source.fields.time_zone)?, source)));
    let of_facility =
        || facility.and_then(|facility| Some((said(&facility.fields.time_zone)?, facility)));
    let (zone, clock) = match (&activity.time_zone, of_source) {
        (Some(own), _) => (Some(own.clone()), String::new()),
        (None, Some((zone, source))) => (Some(zone), format!("source {}", source.fields.code)),
        (None, None) => match of_facility() {
            Some((zone, at)) => (Some(zone), format!("facility {}", at.fields.code)),
            None => (None, String::new()),
        },
    };
    let supplier = activity.supplier.as_ref();
    let supplier =
        supplier.and_then(|word| registry.supplier_codes(word, seq)).map(Cow::into_owned);
    let misplaced = registry.misplaced(activity, seq).map(|problem| {
        let (word, remedy) = (problem.value.unwrap_or_default(), problem.hint.unwrap_or_default());
        Arc::new(Reason { code: problem.code, word, remedy })
    });
    let standing = Standing {
        facility: facility.map(|facility| facility.fields.id),
        source: source.map(|source| source.fields.id),
        region: places(activity, facility.map(|facility| &facility.fields)).map(Cow::into_owned),
        supplier,
        opened: facility.and_then(|facility| facility.fields.opened),
        closed: facility.and_then(|facility| facility.fields.closed),
        clock,
        misplaced,
    };
    (zone, Ok(standing))
}

/// Why a row does not count whose time is no one instant in the zone that is its.
fn timeless(unclear: Unclear, (at, zone): (&Standing, &Zone)) -> Arc<Reason> {
    let whose = match at.clock.as_str() {
        "" => "the row's zone".to_owned(),
        of => format!("the zone of {of}"),
    };
    let (zone, word) = (zone.name(), at.clock.clone());
    let what = match unclear.code {
        RowCode::LocalTimeMissing => "never happened: the clocks jumped over it",
        _ => "happened twice, and nothing tells which is meant",
    };
    let remedy = format!(
        "a local time {what} ({zone}, {whose}): say its start and end with their offset, `envora data supersede --id act_… --set start=…+01:00 --set end=…`, or correct the zone; in a file it would be a second row"
    );
    Arc::new(Reason { code: unclear.code, word, remedy })
}

/// Why a row does not count that ends before it starts, by a clock that was not known when it came.
fn reversed((at, zone): (&Standing, &Zone)) -> Arc<Reason> {
    let remedy = format!(
        "the period ends before it starts ({}): say its start and end with their offset, `envora data supersede --id act_… --set start=…+01:00 --set end=…`, or correct the zone; in a file it would be a second row",
        zone.name()
    );
    Arc::new(Reason { code: RowCode::PeriodReversed, word: at.clock.clone(), remedy })
}

/// Whether the tables know all that a row names.
fn known(registry: &Registry, activity: &Activity, seq: u64) -> Result<(), Reason> {
    let unknown = |wanted: Wanted, word: String| {
        Err(Reason { code: wanted.code(), remedy: wanted.remedy(&word), word })
    };
    match &activity.source {
        Some(word) if registry.source(word, seq).is_none() => {
            return unknown(Wanted::Source, word.to_string());
        }
        _ => {}
    }
    match &activity.entity {
        Some(word) if registry.entity(word, seq).is_none() => {
            return unknown(Wanted::Entity, word.clone());
        }
        _ => {}
    }
    match &activity.supplier {
        Some(word) if registry.supplier(word, seq).is_none() => {
            return unknown(Wanted::Supplier, word.clone());
        }
        _ => {}
    }
    match &activity.facility {
        Some(word) if registry.facility(word, seq).is_none() => {
            unknown(Wanted::Facility, word.to_string())
        }
        _ => Ok(()),
    }
}
