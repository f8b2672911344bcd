//! Touched: the figures that one activity is part of, and what it adds to each.

use std::collections::HashSet;

use anyhow::Context as _;
use envora_api::footprints::Period;
use envora_api::traces::{ActivityFigures, FactorFigures, TouchedFigure};
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::catalogue::{Bucket, Market, Slot};
use envora_domain::cells::{CellKey, CellValue};
use envora_domain::decimal::Mass;
use envora_domain::factors::FactorId;
use envora_domain::figures::{Figure, Measure};
use envora_domain::gwp::GwpSet;
use envora_domain::id::ActivityId;
use envora_domain::time::Day;
use envora_store::rollups::rollup_years;
use envora_store::runs::run_current;

use super::{one_row, parts, replay};
use crate::footprint::asked::Asked;
use crate::footprint::figures::{Columns, Sieve, add_up, column};
use crate::footprint::piles::Piles;
use crate::footprint::rollups::Detail;
use crate::footprint::totals::amount;
use crate::footprint::{AskError, FootprintQuery, PERIOD_YEARS_MAX};
use crate::process::decide::State;
use crate::process::sums::{Sign, Sums};
use crate::tenant::TenantParts;

/// Of which period and in which set figures are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Within {
    /// The first day; 1 January of the activity's first year when absent.
    pub from: Option<Day>,
    /// The day after the last; the end of the activity's last year when absent.
    pub to: Option<Day>,
    /// The set; the organization's default when absent.
    pub gwp_set: Option<String>,
}

/// All years in which something counts, as a period; nothing before something does. Blocks.
///
/// # Errors
/// The database's.
pub fn years_with_rows(
    tenant: &TenantParts,
    grant: Grant<ReadResults>,
) -> anyhow::Result<Option<Period>> {
    let years = tenant.read(move |rd| {
        let Some(run) = run_current(rd, &grant)? else { return Ok(Vec::new()) };
        rollup_years(rd, &grant, run.id)
    });
    let years = years.context("look up the years with rows")?;
    let ends = years.first().zip(years.last());
    Ok(ends.and_then(|(first, last)| {
        let first = (*first).max(last.saturating_sub(PERIOD_YEARS_MAX - 1));
        let from = Day::from_ymd(first, 1, 1)?;
        Some(Period { from, to: Day::from_ymd(last.checked_add(1)?, 1, 1)? })
    }))
}

/// What some lines come to, with the sets of the columns.
type Own = (Columns, Vec<(CellKey, CellValue)>);

/// The figures of a period that an activity is part of, each with what it adds: both totals, and of
/// them its scopes, months, facility, source, slots and gases. Blocks.
///
/// # Errors
/// [`AskError`]; [`AskError::NoActivity`] when nothing is stored under the id.
pub fn touched(
    tenant: &TenantParts,
    grant: &Grant<ReadResults>,
    (id, within): (ActivityId, &Within),
) -> Result<ActivityFigures, AskError> {
    let row = one_row(tenant, id, |_, _, row| Ok((word(&row.decision.state), row.decision.span())));
    let (state, days) = match row {
        Ok(Some((state, days))) => (state, Some(days)),
        Ok(None) | Err(AskError::NoRun) => ("pending", None),
        Err(error) => return Err(error),
    };
    let (from, to) = match (within.from, within.to, days) {
        (Some(from), Some(to), _) => (from, to),
        (from, to, Some((first, last))) => {
            let year = |year: i16| Day::from_ymd(year, 1, 1);
            let (first, last) = (first.ymd().0, last.ymd().0.saturating_add(1));
            let ends = year(first).zip(year(last)).ok_or(AskError::PeriodReversed)?;
            (from.unwrap_or(ends.0), to.unwrap_or(ends.1))
        }
        _ => return Err(AskError::Pending),
    };
    let query = FootprintQuery {
        from,
        to,
        group_by: None,
        filters: std::collections::BTreeMap::new(),
        gwp_set: within.gwp_set.clone(),
        run: None,
        as_of: None,
    };
    let asked = Asked::settle(tenant, *grant, (&query, Detail::MONTHS))?;
    let named = match cells(tenant, id, asked.set)? {
        Some(own) => named(tenant, &asked, &own)?,
        None => Vec::new(),
    };
    Ok(ActivityFigures {
        activity: id,
        state: state.to_owned(),
        period: Period { from, to },
        gwp_set: asked.set.as_str().to_owned(),
        run: asked.run.id,
        figures: named,
    })
}

/// The figures of a period that a factor is part of, with what it adds to each, and the number of
/// activities that are calculated with it there. All rows of the period are worked out again. Blocks.
///
/// # Errors
/// [`AskError`].
pub fn touched_by_factor(
    tenant: &TenantParts,
    grant: &Grant<ReadResults>,
    (factor, query): (FactorId, &FootprintQuery),
) -> Result<FactorFigures, AskError> {
    let asked = Asked::settle(tenant, *grant, (query, Detail::MONTHS))?;
    let (mut sums, mut activities) = (Sums::exact(), 0_u64);
    let mut using = HashSet::new();
    let replayed =
        replay::walk(tenant, (&asked.base(), replay::Rows::OfDays), |decider, found| {
            let chosen = decider.choices().get(found.why);
            let slots = chosen.map(|chosen| chosen.why.slots.iter());
            let slots = slots.into_iter().flatten().filter(|slot| slot.uses(factor));
            let slots: Vec<(u32, Slot)> = slots.map(|slot| (found.why, slot.slot)).collect();
            if slots.is_empty() {
                return Ok(());
            }
            using.extend(slots);
            activities += 1;
            let row = (found.activity, found.decision);
            let added = sums.add(decider.choices(), row, Sign::In);
            added.map(|_| ()).map_err(|_| AskError::TooLarge)
        })?;
    let cells = sums.into_cells_of(|why, line| using.contains(&(why, line.slot)));
    let cells = cells.map_err(|_| AskError::TooLarge)?.into_iter().collect();
    Ok(FactorFigures {
        factor: factor.to_string(),
        activities,
        period: Period { from: query.from, to: query.to },
        gwp_set: asked.set.as_str().to_owned(),
        run: asked.run.id,
        figures: named(tenant, &asked, &(replayed.columns, cells))?,
    })
}

/// The figures that hold one of these cells, with what the cells add to each.
fn named(tenant: &TenantParts, asked: &Asked, own: &Own) -> Result<Vec<TouchedFigure>, AskError> {
    let (columns, cells) = own;
    let figures = figures(asked, cells)?;
    let only: Vec<Figure> = figures.iter().map(|(_, figure)| figure.clone()).collect();
    let added = add_up(&only, columns, cells)?;
    let piles = Piles::of(asked)?;
    let values = asked.values(tenant, &vec![(only, piles.months.iter().collect())])?.concat();
    let named: Vec<_> = figures.into_iter().zip(added).zip(values).collect();
    // Where one slot is all of scope 2, its figure is the scope's.
    let of_scope: Vec<(Mass, Mass)> = named
        .iter()
        .filter(|(((_, figure), _), _)| figure.scope == Some(2))
        .map(|((_, added), value)| (*added, *value))
        .collect();
    let is_told = |figure: &Figure, sums| {
        let slot = figure.filters.get("slot").and_then(|slots| slots.first());
        slot.is_some_and(|slot| slot.starts_with("s2_")) && of_scope.contains(&sums)
    };
    let named = named.into_iter();
    let named = named.filter(|(((_, figure), added), value)| !is_told(figure, (*added, *value)));
    let named = named.map(|(((label, figure), added), value)| TouchedFigure {
        label,
        period: Period { from: figure.from, to: figure.to },
        part: added.kg(),
        figure: amount(&figure, value),
    });
    Ok(named.collect())
}

const fn word(state: &State) -> &'static str {
    match state {
        State::Counted(_) => "counted",
        State::Unresolved(_) => "unresolved",
        State::Superseded => "superseded",
        State::Voided => "voided",
    }
}

/// What the activity alone comes to in a set, with the sets of the columns.
fn cells(tenant: &TenantParts, id: ActivityId, set: GwpSet) -> Result<Option<Own>, AskError> {
    one_row(tenant, id, |decider, mut columns, row| {
        if column(&columns, set).is_none() {
            decider.choices().carry(set);
            columns = [Some(set), None, None, None];
        }
        let mut sums = Sums::exact();
        let added = sums.add(decider.choices(), (row.activity, row.decision), Sign::In);
        let _group = added.map_err(|_| AskError::TooLarge)?;
        let cells = sums.into_cells().map_err(|_| AskError::TooLarge)?;
        Ok((columns, cells.into_iter().collect()))
    })
}

/// The figures that hold one of these cells, with their labels.
fn figures(
    asked: &Asked,
    cells: &[(CellKey, CellValue)],
) -> Result<Vec<(String, Figure)>, AskError> {
    let location = asked.base();
    let market = Figure { market: Market::Market, ..location.clone() };
    let biogenic = Figure {
        measure: Measure::Mass,
        bucket: Bucket::BiogenicCo2,
        gwp_set: None,
        ..location.clone()
    };
    let mut found = Vec::new();
    for (label, whole) in [
        ("Total (location-based)", location),
        ("Total (market-based)", market),
        ("Biogenic CO2", biogenic),
    ] {
        let sieve = Sieve::of(&whole)?;
        if !cells.iter().any(|(key, _)| sieve.holds(key)) {
            continue;
        }
        found.push((label.to_owned(), whole.clone()));
        let divided = parts::all(&whole, cells, &asked.registry)?;
        // By market there is only one thing that is not there by location: its own scope 2.
        let again = |part: &Figure| whole.market == Market::Market && part.scope != Some(2);
        found.extend(divided.into_iter().filter(|(_, part)| !again(part)));
    }
    Ok(found)
}
