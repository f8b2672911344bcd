//! Decide: what one row comes to, as of a place in the log.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::activities::{Activity, Period};
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

/// Decides rows against one registry. Zones are read once.
pub(crate) struct Decider<'a> {
    registry: &'a Registry,
    choices: &'a mut Choices,
    zones: HashMap<String, Zone>,
}

/// Where a row stands, as of a seq.
#[derive(Default)]
struct Standing<'a> {
    facility: Option<FacilityId>,
    source: Option<SourceId>,
    zone: Option<&'a str>,
    /// The nearest place first, a slash between.
    region: Option<Cow<'a, str>>,
    opened: Option<Day>,
    closed: Option<Day>,
    /// Why its grid cannot be the one it is calculated by.
    misplaced: Option<RowProblem>,
}

impl<'a> Decider<'a> {
    pub(crate) fn new(registry: &'a Registry, choices: &'a mut Choices) -> Self {
        Self { registry, choices, zones: HashMap::new() }
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
        match standing(self.registry, activity, seq) {
            Ok(standing) => self.zone(standing.zone),
            Err(_) => self.zone(activity.time_zone.as_deref()),
        }
    }

    /// What a row comes to with what was known at this seq, if no other row has taken its place.
    pub(crate) fn decide(&mut self, activity: &Activity, seq: u64) -> Decision {
        let registry = self.registry;
        match standing(registry, activity, seq) {
            Err(reason) => {
                let days = self.days(&activity.period, activity.time_zone.as_deref());
                let state =
                    if activity.void { State::Voided } else { State::Unresolved(Arc::new(reason)) };
                Decision { state, facility: None, source: None, days }
            }
            Ok(standing) => {
                let days = self.days(&activity.period, standing.zone);
                let mut decision = Decision {
                    state: State::Voided,
                    facility: standing.facility,
                    source: standing.source,
                    days,
                };
                if !activity.void {
                    decision.state = self.state(activity, &standing, decision.span());
                }
                decision
            }
        }
    }

    fn state(
        &mut self,
        activity: &Activity,
        at: &Standing<'_>,
        (first, last): (Day, Day),
    ) -> State {
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
        if let Some(problem) = &at.misplaced {
            return State::Unresolved(Arc::new(Reason {
                code: problem.code,
                word: problem.value.clone().unwrap_or_default(),
                remedy: problem.hint.clone().unwrap_or_default(),
            }));
        }
        match self.choices.number(activity, Place { region: at.region.as_deref(), first, last }) {
            Ok(why) => match self.choices.likely(why, activity) {
                Ok(()) => State::Counted(why),
                Err(reason) => State::Unresolved(Arc::new(reason)),
            },
            Err(reason) => State::Unresolved(reason),
        }
    }

    fn zone(&mut self, name: Option<&str>) -> Zone {
        let name = name.unwrap_or("UTC");
        if let Some(zone) = self.zones.get(name) {
            return zone.clone();
        }
        let zone = Zone::named(name).unwrap_or_else(|_| Zone::utc());
        self.zones.insert(name.to_owned(), zone.clone());
        zone
    }

    fn days(&mut self, period: &Period, zone: Option<&str>) -> DayShares {
        let zone = self.zone(zone);
        DayShares::of(period, &zone)
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

fn standing<'a>(
    registry: &'a Registry,
    activity: &'a Activity,
    seq: u64,
) -> Result<Standing<'a>, Reason> {
    let unknown =
        |code, word: String, wanted: Wanted| Reason { code, remedy: wanted.remedy(&word), word };
    let source =
        match &activity.source {
            None => None,
            Some(word) => Some(registry.source(word, seq).ok_or_else(|| {
                unknown(RowCode::UnknownSource, word.to_string(), Wanted::Source)
            })?),
        };
    if let Some(word) = &activity.entity
        && registry.entity(word, seq).is_none()
    {
        return Err(unknown(RowCode::UnknownEntity, word.clone(), Wanted::Entity));
    }
    if let Some(word) = &activity.supplier
        && registry.supplier(word, seq).is_none()
    {
        return Err(unknown(RowCode::UnknownSupplier, word.clone(), Wanted::Supplier));
    }
    let facility = match &activity.facility {
        Some(word) => Some(registry.facility(word, seq).ok_or_else(|| {
            unknown(RowCode::UnknownFacility, word.to_string(), Wanted::Facility)
        })?),
        None => registry.place(activity, seq),
    };
    let said = |word: &'a String| (!word.is_empty()).then_some(word.as_str());
    let zones = [
        activity.time_zone.as_deref(),
        source.and_then(|source| said(&source.fields.time_zone)),
        facility.and_then(|facility| said(&facility.fields.time_zone)),
    ];
    Ok(Standing {
        facility: facility.map(|facility| facility.fields.id),
        source: source.map(|source| source.fields.id),
        zone: zones.into_iter().flatten().next(),
        region: places(activity, facility.map(|facility| &facility.fields)),
        opened: facility.and_then(|facility| facility.fields.opened),
        closed: facility.and_then(|facility| facility.fields.closed),
        misplaced: registry.misplaced(activity, seq),
    })
}
