//! Lines: what an activity emits, per slot and gas, each rounded once from its exact rational.
//!
//! A factor with a gas split gives a line per gas, and one of `co2e_residue` where the printed total
//! differs from their sum; a total-only factor gives one line `co2e`. Kilograms are rounded once per
//! line and CO2e once per line and GWP set, neither from the other.

mod amounts;
mod calculator;
mod explain;

use crate::catalogue::{Bucket, Market, Slot};
use crate::cells::{CO2E_COLUMNS, CellValue};
use crate::choice::{SlotChoice, Why};
use crate::decimal::Mass;
use crate::factors::{Factor, FactorId, GasValue, Library, Repr};
use crate::gwp::{Carbon, Gas, GasGroup, GwpSet, gwp};
use crate::rational::{Rate, Rational};
use crate::units;
pub use amounts::Amounts;
use amounts::Formula;
pub use calculator::Calculator;
pub use explain::{LineTrace, explain};

/// One line of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The slot.
    pub slot: Slot,
    /// The factor.
    pub factor: FactorId,
    /// The gas.
    pub gas: Gas,
    /// Where its carbon comes from.
    pub carbon: Carbon,
    /// In the scopes, or which memo.
    pub bucket: Bucket,
    /// The scope; outside of scopes, 0.
    pub scope: u8,
    /// The category of scope 3; of none, 0.
    pub category: u8,
    /// Location-based, market-based, or neither.
    pub market: Market,
    /// The GWP basis in which the publisher printed it.
    pub basis: GwpSet,
    /// The tier of the method.
    pub tier: u8,
    /// Mass of the gas; of CO2 equivalents without a gas, zero.
    pub kg: Mass,
    /// CO2e: published, ar5, ar6, the organization's own set.
    pub co2e: [Option<Mass>; CO2E_COLUMNS],
}

impl Line {
    /// What it adds to its cell.
    #[must_use]
    pub const fn value(&self) -> CellValue {
        CellValue { kg: self.kg, count: 1, co2e: self.co2e }
    }

    /// Whether its CO2e stays in the publisher's basis in every set.
    #[must_use]
    pub const fn is_native(&self) -> bool {
        self.gas.is_equivalent()
    }
}

/// Why lines cannot be calculated from a stored choice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinesError {
    /// The library lacks the factor.
    #[error("factor {0} is in no active pack")]
    FactorMissing(FactorId),
    /// The factor or the choice cannot be read.
    #[error("factor {0} cannot be calculated with")]
    Unreadable(FactorId),
    /// The activity lacks an input that the choice was made with, or divides by zero.
    #[error("the input {0} is missing, or zero where it divides")]
    Input(String),
    /// A mass above what is kept exactly.
    #[error("a mass is above 10^26 kg")]
    TooLarge,
    /// The factor cannot be stated in the set that is asked for.
    #[error("factor {0} has no complete gas split: its total cannot be stated in another GWP set")]
    RebaseWithoutGasSplit(FactorId),
}

/// The mass that a rate gives for a worked amount, or for the quantity where none is.
fn mass(rate: &Rate, amounts: &Amounts<'_>, amount: Option<&Rational>) -> Result<Mass, LinesError> {
    let mass = match amount {
        None => rate.mass(amounts.quantity),
        Some(amount) => rate.exact().times(amount).to_mass(),
    };
    mass.ok_or(LinesError::TooLarge)
}

/// The lines of an activity: of a quantity alone, or of one with its inputs.
///
/// # Errors
/// [`LinesError`].
pub fn lines<'a>(
    amounts: impl Into<Amounts<'a>>,
    why: &Why,
    library: &Library,
) -> Result<Vec<Line>, LinesError> {
    Calculator::new(why, library)?.lines(amounts)
}

/// CO2e of a choice's lines in any one set, in the order of [`lines`]; `None` where a gas has no
/// value there. What cannot be rebased keeps its publisher's basis.
///
/// # Errors
/// [`LinesError`].
pub fn co2e_in_set<'a>(
    amounts: impl Into<Amounts<'a>>,
    why: &Why,
    library: &Library,
    set: GwpSet,
) -> Result<Vec<Option<Mass>>, LinesError> {
    let amounts = amounts.into();
    let mut column = Vec::new();
    for choice in &why.slots {
        let factor = library
            .get_for(&why.kind, &choice.factor)
            .ok_or(LinesError::FactorMissing(choice.factor))?;
        let amount = formula(choice)?.map(|formula| formula.amount(&amounts)).transpose()?;
        for part in parts(choice, factor)? {
            let rate = part.co2e_per_unit(factor, set).map(Rate::new);
            column.push(rate.map(|rate| mass(&rate, &amounts, amount.as_ref())).transpose()?);
        }
    }
    Ok(column)
}

/// The formula of a choice's amount, where it is not the quantity alone.
fn formula(choice: &SlotChoice) -> Result<Option<Formula>, LinesError> {
    if choice.amount.is_empty() {
        return Ok(None);
    }
    let unreadable = || LinesError::Unreadable(choice.factor);
    Formula::new(&choice.amount).ok_or_else(unreadable).map(Some)
}

/// One line's share of a factor, per unit as sent.
struct Part {
    gas: Gas,
    carbon: Carbon,
    basis: GwpSet,
    /// Kilograms of the gas per unit; of equivalents, none.
    kg: Option<Rational>,
    /// Kilograms of CO2e per unit in the publisher's basis.
    published: Option<Rational>,
}

impl Part {
    /// Kilograms of CO2e per unit as sent, in a set.
    fn co2e_per_unit(&self, factor: &Factor, set: GwpSet) -> Option<Rational> {
        match (&self.kg, set) {
            (_, GwpSet::Published) | (None, _) => self.published.clone(),
            (Some(kg), set) => {
                let potential = gwp(set, self.gas, self.carbon, factor.boundary)?;
                Some(kg.times(&Rational::from(potential)))
            }
        }
    }
}

/// A printed value in kilograms, per unit as sent.
fn kilograms(value: &str, unit: &str, path: &Rational) -> Option<Rational> {
    let value = Rational::parse(value)?;
    let kilogram = units::parse_code("kg").ok()?;
    let unit = units::parse_code(unit).ok()?;
    let size = units::convert(&unit, &kilogram).ok()?;
    Some(value.times(&size).times(path))
}

fn gas_part(factor: &Factor, printed: &GasValue, path: &Rational) -> Option<Part> {
    let value = kilograms(&printed.value, &printed.unit, path)?;
    let basis = printed.gwp_basis.unwrap_or(factor.basis);
    let potential = gwp(basis, printed.gas, printed.carbon, factor.boundary).map(Rational::from);
    let (kg, published) = match (printed.repr, printed.gas.is_equivalent()) {
        (_, true) => (None, Some(value)),
        (Repr::Mass, false) => {
            let published = potential.map(|potential| value.times(&potential));
            (Some(value), published)
        }
        (Repr::Co2e, false) => (Some(value.over(&potential?)?), Some(value)),
    };
    Some(Part { gas: printed.gas, carbon: printed.carbon, basis, kg, published })
}

/// What a factor's total has above the sum of its gases; nothing when it has no total.
fn residue(factor: &Factor, gases: &[Part], path: &Rational) -> Option<Option<Part>> {
    let Some(total) = &factor.total else { return Some(None) };
    let printed = kilograms(&total.value, &total.unit, path)?;
    let published = gases.iter().filter_map(|part| part.published.as_ref());
    let rest = published.fold(printed, |rest, gas| rest.minus(gas));
    let gas = if gases.is_empty() { Gas::CO2E } else { Gas::CO2E_RESIDUE };
    let carbon = gases.first().map_or(Carbon::Unknown, |part| part.carbon);
    let some = gases.is_empty() || !rest.is_zero();
    let part = Part { gas, carbon, basis: total.basis, kg: None, published: Some(rest) };
    Some(some.then_some(part))
}

fn parts(choice: &SlotChoice, factor: &Factor) -> Result<Vec<Part>, LinesError> {
    let unreadable = || LinesError::Unreadable(choice.factor);
    let path = choice.unit_path.rational().ok_or_else(unreadable)?;
    let gases = factor.gases.iter().map(|printed| gas_part(factor, printed, &path));
    let mut parts = gases.collect::<Option<Vec<_>>>().ok_or_else(unreadable)?;
    parts.extend(residue(factor, &parts, &path).ok_or_else(unreadable)?);
    Ok(parts)
}

/// Whether some part of a factor keeps its publisher's basis in every set.
pub(crate) fn has_native_part(factor: &Factor) -> bool {
    let gases = factor.gases.iter().map(|printed| gas_part(factor, printed, &Rational::ONE));
    let Some(gases) = gases.collect::<Option<Vec<_>>>() else { return true };
    gases.iter().any(|part| part.kg.is_none())
        || !matches!(residue(factor, &gases, &Rational::ONE), Some(None))
}

/// What a line says besides its masses.
fn prepared(choice: &SlotChoice, part: &Part) -> Line {
    // What a blend holds of gases outside the Kyoto group is told in the memo, never in a scope.
    let outside = matches!(part.gas.group(), GasGroup::Montreal | GasGroup::Other)
        && choice.bucket == Bucket::InScope;
    let (bucket, scope, category) = if outside {
        (Bucket::NonKyoto, 0, 0)
    } else {
        (choice.bucket, choice.scope, choice.category)
    };
    Line {
        slot: choice.slot,
        factor: choice.factor,
        gas: part.gas,
        carbon: part.carbon,
        bucket,
        scope,
        category,
        market: choice.market,
        basis: part.basis,
        tier: choice.tier,
        kg: Mass::ZERO,
        co2e: [None; CO2E_COLUMNS],
    }
}

/// The CO2e per unit of the factor itself in another set: only with a complete gas split.
///
/// # Errors
/// [`LinesError::RebaseWithoutGasSplit`] where the split is missing or the set lacks a gas.
pub fn rebase(factor: &Factor, set: GwpSet) -> Result<Rational, LinesError> {
    let refuse = || LinesError::RebaseWithoutGasSplit(factor.id);
    if set == GwpSet::Published {
        return Rational::parse(&factor.headline()).ok_or_else(refuse);
    }
    if !factor.rebasable() {
        return Err(refuse());
    }
    let gases = factor.gases.iter().map(|printed| gas_part(factor, printed, &Rational::ONE));
    let gases = gases.collect::<Option<Vec<_>>>().ok_or_else(refuse)?;
    let rest = residue(factor, &gases, &Rational::ONE).ok_or_else(refuse)?;
    let all = gases.iter().chain(rest.as_ref());
    all.map(|part| part.co2e_per_unit(factor, set))
        .try_fold(Rational::ZERO, |sum, part| Some(sum.plus(&part?)))
        .ok_or_else(refuse)
}

#[cfg(test)]
mod tests;
