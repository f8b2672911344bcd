//! What a footprint is added up of, day by day: the cells of the current run, with the codes of their
//! places.

use core::ops::ControlFlow;
use std::collections::HashMap;
use std::sync::Arc;

use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::cells::{CellKey, CellValue};
use envora_domain::id::{FacilityId, SourceId};
use envora_domain::time::Day;
use envora_store::rollups::rollup_years;
use envora_store::runs::run_current;
use envora_store::unresolved::DayRange;

use super::AskError;
use super::rollups::{self, Detail};
use crate::registry::Registry;
use crate::tenant::TenantParts;

/// The id and the code of a place.
pub type Named = (String, String);

/// A cell, and the facility and the source that it is of.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// What it is the sum of.
    pub key: &'a CellKey,
    /// The sums.
    pub value: &'a CellValue,
    /// Its facility.
    pub facility: Option<&'a Named>,
    /// Its source.
    pub source: Option<&'a Named>,
}

/// Puts each cell of these days, the end not included, into what is given, all of one moment. Whoever
/// takes them may say that it is enough. Blocks.
///
/// # Errors
/// [`AskError::NotYet`] before the first run; the database's.
pub fn cells_of_days<T: Send + 'static>(
    parts: &TenantParts,
    grant: &Grant<ReadResults>,
    (from, to): (Option<Day>, Option<Day>),
    (mut into, put): (T, impl Fn(&mut T, Placed<'_>) -> ControlFlow<()> + Send + 'static),
) -> anyhow::Result<T> {
    let (grant, own, kept) = (*grant, parts.own, parts.registry.clone());
    let groups = parts.groups.clone();
    let found = parts.read(move |rd| {
        let Some(run) = run_current(rd, &grant)? else { return Ok(None) };
        let mut names = Names { registry: kept.up_to(rd, &own, u64::MAX)?, known: HashMap::new() };
        let years = rollup_years(rd, &grant, run.id)?;
        for days in years.into_iter().flat_map(months).filter_map(|days| cut(days, from, to)) {
            let sums = rollups::read(rd, &grant, run.id, (&groups, days, Detail::DAYS))?;
            for (key, value) in sums.cells {
                names.learn(&key);
                let placed = Placed {
                    key: &key,
                    value: &value,
                    facility: names.known.get(&(Noun::Facility, key.facility.clone())),
                    source: names.known.get(&(Noun::Source, key.source.clone())),
                };
                if put(&mut into, placed).is_break() {
                    return Ok(Some(into));
                }
            }
        }
        Ok(Some(into))
    })?;
    found.ok_or_else(|| match parts.calculation.stall() {
        Some(stall) => AskError::Failing(stall).into(),
        None => AskError::NotYet.into(),
    })
}

/// The months of a year.
fn months(year: i16) -> Vec<DayRange> {
    let first = |month: i8| match month {
        13 => Day::from_ymd(year.checked_add(1)?, 1, 1),
        _ => Day::from_ymd(year, month, 1),
    };
    let month = |month| Some(DayRange { from: first(month)?, to: first(month + 1)? });
    (1..=12).filter_map(month).collect()
}

/// What of these days is asked for.
fn cut(days: DayRange, from: Option<Day>, to: Option<Day>) -> Option<DayRange> {
    let cut = DayRange {
        from: from.map_or(days.from, |from| from.max(days.from)),
        to: to.map_or(days.to, |to| to.min(days.to)),
    };
    (cut.from < cut.to).then_some(cut)
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Noun {
    Facility,
    Source,
}

/// The names of places that came up.
struct Names {
    registry: Arc<Registry>,
    known: HashMap<(Noun, Vec<u8>), Named>,
}

impl Names {
    fn learn(&mut self, key: &CellKey) {
        let facility = (Noun::Facility, key.facility.clone());
        if !self.known.contains_key(&facility)
            && let Ok(bytes) = key.facility.as_slice().try_into()
        {
            let id = FacilityId::from_bytes(bytes);
            let found = self.registry.facility_of(id, u64::MAX);
            let named = found.map(|found| (id.to_string(), found.fields.code.clone()));
            self.known.extend(named.map(|named| (facility, named)));
        }
        let source = (Noun::Source, key.source.clone());
        if !self.known.contains_key(&source)
            && let Ok(bytes) = key.source.as_slice().try_into()
        {
            let id = SourceId::from_bytes(bytes);
            let found = self.registry.source_of(id, u64::MAX);
            let named = found.map(|found| (id.to_string(), found.fields.code.clone()));
            self.known.extend(named.map(|named| (source, named)));
        }
    }
}
