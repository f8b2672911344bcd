//! Parts: what a figure is divided into, one step at a time: scope, month, facility, source, gas.

use std::collections::BTreeSet;

use envora_domain::catalogue::Market;
use envora_domain::cells::{CellKey, CellValue};
use envora_domain::figures::{Figure, Measure};
use envora_domain::id::{FacilityId, SourceId};

use crate::footprint::AskError;
use crate::footprint::figures::{Sieve, month_word, months};
use crate::registry::Registry;

/// Parts of a figure: they add up to it exactly, whatever the division.
pub(crate) fn parts(
    figure: &Figure,
    cells: &[(CellKey, CellValue)],
    registry: &Registry,
) -> Result<Vec<(String, Figure)>, AskError> {
    let sieve = Sieve::of(figure)?;
    let held: Vec<&CellKey> =
        cells.iter().map(|(key, _)| key).filter(|key| sieve.holds(key)).collect();
    let ways = [by_scope, by_month, by_facility, by_source, by_slot, by_gas];
    for way in ways {
        let parts = way(figure, &held, registry);
        if parts.len() > 1 {
            return Ok(parts);
        }
    }
    Ok(Vec::new())
}

/// Every part of a figure that one of these cells is in, whichever way it is divided.
pub(crate) fn all(
    figure: &Figure,
    cells: &[(CellKey, CellValue)],
    registry: &Registry,
) -> Result<Vec<(String, Figure)>, AskError> {
    let sieve = Sieve::of(figure)?;
    let held: Vec<&CellKey> =
        cells.iter().map(|(key, _)| key).filter(|key| sieve.holds(key)).collect();
    let ways = [by_scope, by_month, by_facility, by_source, by_slot, by_gas];
    Ok(ways.into_iter().flat_map(|way| way(figure, &held, registry)).collect())
}

fn by_scope(figure: &Figure, held: &[&CellKey], _: &Registry) -> Vec<(String, Figure)> {
    if figure.scope.is_some() {
        return Vec::new();
    }
    let scopes: BTreeSet<u8> = held.iter().map(|key| key.scope).collect();
    let part = |scope: u8| {
        let side = match (scope, figure.market) {
            (2, Market::Location) => " (location-based)",
            (2, Market::Market) => " (market-based)",
            _ => "",
        };
        let market = if scope == 2 { figure.market } else { Market::None };
        let part = Figure { scope: Some(scope), market, ..figure.clone() };
        (format!("Scope {scope}{side}"), part)
    };
    scopes.into_iter().map(part).collect()
}

fn by_month(figure: &Figure, held: &[&CellKey], _: &Registry) -> Vec<(String, Figure)> {
    let months = months(figure.from, figure.to).into_iter();
    months
        .filter(|(from, to)| held.iter().any(|key| key.day >= *from && key.day < *to))
        .map(|(from, to)| (month_word(from), Figure { from, to, ..figure.clone() }))
        .collect()
}

fn by_facility(figure: &Figure, held: &[&CellKey], registry: &Registry) -> Vec<(String, Figure)> {
    let ids: BTreeSet<&[u8]> = held.iter().map(|key| key.facility.as_slice()).collect();
    let part = |bytes: &[u8]| {
        let id = FacilityId::from_slice(bytes);
        let known = id.and_then(|id| registry.facility_of(id, u64::MAX));
        let label = known.map_or("no facility", |facility| &facility.fields.code).to_owned();
        (label, narrowed(figure, "facility", id.map(|id| id.to_string())))
    };
    ids.into_iter().map(part).collect()
}

fn by_source(figure: &Figure, held: &[&CellKey], registry: &Registry) -> Vec<(String, Figure)> {
    let ids: BTreeSet<&[u8]> = held.iter().map(|key| key.source.as_slice()).collect();
    let part = |bytes: &[u8]| {
        let id = SourceId::from_slice(bytes);
        let known = id.and_then(|id| registry.source_of(id, u64::MAX));
        let label = known.map_or("no source", |source| &source.fields.code).to_owned();
        (label, narrowed(figure, "source", id.map(|id| id.to_string())))
    };
    ids.into_iter().map(part).collect()
}

fn by_slot(figure: &Figure, held: &[&CellKey], _: &Registry) -> Vec<(String, Figure)> {
    let slots: BTreeSet<&str> = held.iter().map(|key| key.slot.as_str()).collect();
    let part = |slot: &str| (slot.to_owned(), narrowed(figure, "slot", Some(slot.to_owned())));
    slots.into_iter().map(part).collect()
}

fn by_gas(figure: &Figure, held: &[&CellKey], _: &Registry) -> Vec<(String, Figure)> {
    if figure.gas.is_some() || figure.measure == Measure::Count {
        return Vec::new();
    }
    let gases: BTreeSet<_> = held.iter().map(|key| key.gas).collect();
    let part = |gas: envora_domain::gwp::Gas| {
        (gas.as_str().to_owned(), Figure { gas: Some(gas), ..figure.clone() })
    };
    gases.into_iter().map(part).collect()
}

fn narrowed(figure: &Figure, field: &str, word: Option<String>) -> Figure {
    let mut filters = figure.filters.clone();
    filters.insert(field.to_owned(), vec![word.unwrap_or_default()]);
    Figure { filters, ..figure.clone() }
}
