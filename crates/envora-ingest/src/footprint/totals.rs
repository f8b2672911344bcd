//! Totals: the same few figures, for the whole question and for each of its groups.

use std::collections::BTreeSet;

use envora_api::amounts::Amount;
use envora_api::footprints::{BasisTotal, GasTotal, Totals};
use envora_domain::catalogue::{Bucket, Market};
use envora_domain::cells::CellKey;
use envora_domain::decimal::Mass;
use envora_domain::figures::{Figure, Measure};
use envora_domain::gwp::{Carbon, Gas, GwpSet};

use super::AskError;
use super::figures::{Cell, Sieve};

/// A number as it travels.
pub(crate) fn amount(figure: &Figure, value: Mass) -> Amount {
    Amount { value: value.kg(), unit: "kg".to_owned(), figure_id: figure.encode() }
}

/// The figures of one set of totals, in a fixed order.
pub(crate) struct Plan {
    figures: Vec<Figure>,
    gases: Vec<(Gas, Carbon)>,
}

/// How many figures every set of totals has before its gases.
const FIXED: usize = 7;

impl Plan {
    /// The totals of everything that `base` holds.
    pub(crate) fn of(base: &Figure, cells: &[&Cell]) -> Result<Self, AskError> {
        let scope =
            |scope: u8, market: Market| Figure { scope: Some(scope), market, ..base.clone() };
        let mut figures = vec![
            scope(1, Market::None),
            scope(2, Market::Location),
            scope(2, Market::Market),
            scope(3, Market::None),
            base.clone(),
            Figure { market: Market::Market, ..base.clone() },
            Figure {
                measure: Measure::Mass,
                bucket: Bucket::BiogenicCo2,
                gwp_set: None,
                ..base.clone()
            },
        ];
        let sieve = Sieve::of(base)?;
        let held = cells.iter().filter(|(key, _)| sieve.holds(key));
        let gases: BTreeSet<(Gas, Carbon)> = held.map(|(key, _)| (key.gas, key.carbon)).collect();
        let gases: Vec<(Gas, Carbon)> = gases.into_iter().collect();
        for (gas, carbon) in &gases {
            let mut filters = base.filters.clone();
            filters.insert("carbon".to_owned(), vec![carbon.as_str().to_owned()]);
            let co2e = Figure { gas: Some(*gas), filters, ..base.clone() };
            figures.push(Figure { measure: Measure::Mass, gwp_set: None, ..co2e.clone() });
            figures.push(co2e);
        }
        Ok(Self { figures, gases })
    }

    pub(crate) fn figures(&self) -> &[Figure] {
        &self.figures
    }

    /// The totals, given the figures' values in their order.
    pub(crate) fn totals(&self, values: &[Mass]) -> Option<Totals> {
        let amounts: Vec<Amount> =
            self.figures.iter().zip(values).map(|(figure, value)| amount(figure, *value)).collect();
        let (fixed, rest) = amounts.split_at_checked(FIXED)?;
        let [scope1, scope2_location, scope2_market, scope3, location, market, biogenic] = fixed
        else {
            return None;
        };
        let (pairs, _) = rest.as_chunks::<2>();
        let by_gas = self.gases.iter().zip(pairs).map(|((gas, carbon), [mass, co2e])| GasTotal {
            gas: gas.as_str().to_owned(),
            carbon: carbon.as_str().to_owned(),
            mass: mass.clone(),
            co2e: co2e.clone(),
        });
        Some(Totals {
            scope1: scope1.clone(),
            scope2_location: scope2_location.clone(),
            scope2_market: scope2_market.clone(),
            scope3: scope3.clone(),
            total_location_based: location.clone(),
            total_market_based: market.clone(),
            biogenic_co2: biogenic.clone(),
            by_gas: by_gas.collect(),
        })
    }
}

/// The figures that tell on which basis the total stands: in `published` every basis, in any other
/// set what could not be rebased.
pub(crate) fn bases(base: &Figure, cells: &[&Cell]) -> Result<Vec<(GwpSet, Figure)>, AskError> {
    let sieve = Sieve::of(base)?;
    let published = base.gwp_set == Some(GwpSet::Published);
    let native = |key: &CellKey| matches!(key.gas.as_str(), "co2e" | "co2e_residue");
    let found: BTreeSet<(GwpSet, Option<Gas>)> = cells
        .iter()
        .filter(|(key, _)| sieve.holds(key) && (published || native(key)))
        .map(|(key, _)| (key.basis, (!published).then_some(key.gas)))
        .collect();
    let figure = |(basis, gas): (GwpSet, Option<Gas>)| {
        let mut filters = base.filters.clone();
        filters.insert("basis".to_owned(), vec![basis.as_str().to_owned()]);
        (basis, Figure { filters, gas, ..base.clone() })
    };
    Ok(found.into_iter().map(figure).collect())
}

/// One total per basis figure.
pub(crate) fn basis_totals(bases: &[(GwpSet, Figure)], values: &[Mass]) -> Vec<BasisTotal> {
    let total = |((basis, figure), value): (&(GwpSet, Figure), &Mass)| BasisTotal {
        basis: basis.as_str().to_owned(),
        co2e: amount(figure, *value),
    };
    bases.iter().zip(values).map(total).collect()
}
