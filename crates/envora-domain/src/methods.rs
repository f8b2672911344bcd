//! Methods: versioned formulas that turn a quantity into emissions.
//!
//! A method's id is `family.variant@version` and says nothing of scopes: those are the slot's, as is
//! the part of the supply chain that its factor must cover. Once shipped, a method stays.
//!
//! Most methods multiply the quantity as sent by a factor. The others say in an [`Amount`] what is
//! multiplied: a sum of products of the quantity, named inputs and constants.

mod amounts;
mod list;

use crate::catalogue::Quantity;
use crate::factors::{Boundary, Factor, FactorKind, Library};
pub use amounts::{Amount, Of, Product, Screening, screening};
pub use list::ALL;

/// Which factors a method works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Published emission factors.
    Emission,
    /// Mixes of what nobody claimed.
    ResidualMix,
    /// Factors that the row's supplier states.
    Supplier,
    /// None: nothing is emitted, and the reason is told.
    Nothing,
}

/// One version of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// `family.variant@version`.
    pub id: &'static str,
    /// The formula, for people.
    pub formula: &'static str,
    /// What it needs that no activity of today can bring; such a method is passed over.
    pub lacks: Option<&'static str>,
    /// What is multiplied by the factor, where it is not the quantity alone.
    pub amount: Option<Amount>,
    /// Which factors it works with.
    pub source: Source,
    /// The activity types whose factors it takes; empty: those of its slot.
    pub types: &'static [&'static str],
    /// The part of the supply chain its factor covers, where it is not the slot's.
    pub boundary: Option<Boundary>,
    /// The only kind of quantity it is for.
    pub takes: Option<Quantity>,
    /// What to say when no factor is there and another method may do.
    pub absent: Option<&'static str>,
    /// Whether it is a method of last resort.
    pub low_tier: bool,
}

impl Method {
    const fn new(id: &'static str, formula: &'static str) -> Self {
        Self {
            id,
            formula,
            lacks: None,
            amount: None,
            source: Source::Emission,
            types: &[],
            boundary: None,
            takes: None,
            absent: None,
            low_tier: false,
        }
    }

    const fn lacking(self, lacks: &'static str) -> Self {
        Self { lacks: Some(lacks), ..self }
    }

    const fn of(self, unit: &'static str, sum: &'static [Product]) -> Self {
        Self { amount: Some(Amount { unit, sum }), ..self }
    }

    const fn from(self, source: Source, absent: &'static str) -> Self {
        Self { source, absent: Some(absent), ..self }
    }

    const fn or_else(self, absent: &'static str) -> Self {
        Self { absent: Some(absent), ..self }
    }

    const fn by(self, types: &'static [&'static str]) -> Self {
        Self { types, ..self }
    }

    const fn covering(self, boundary: Boundary) -> Self {
        Self { boundary: Some(boundary), ..self }
    }

    const fn taking(self, quantity: Quantity) -> Self {
        Self { takes: Some(quantity), ..self }
    }

    const fn last_resort(self) -> Self {
        Self { low_tier: true, ..self }
    }
}

impl Method {
    /// What it lacks for activities of these types, where these are all the factors there are; nothing
    /// when it can be used.
    #[must_use]
    pub fn lacks_among(&self, kinds: &[&str], library: &Library) -> Option<&'static str> {
        let has = |is_one: fn(&Factor) -> bool| {
            kinds.iter().any(|kind| library.of_kind(kind).any(is_one))
        };
        let waits = match self.source {
            Source::Supplier => (!has(|factor| factor.qualifiers.contains_key("supplier")))
                .then_some(NO_SUPPLIER_FACTORS),
            Source::ResidualMix => {
                (!has(|factor| factor.kind == FactorKind::ResidualMix)).then_some(NO_RESIDUAL_MIX)
            }
            Source::Emission | Source::Nothing => None,
        };
        self.lacks.or(waits)
    }
}

/// Why a method that needs what a supplier states waits.
pub const NO_SUPPLIER_FACTORS: &str =
    "no active pack has a supplier's own factor: bring yours in with `envora factors import`";

/// Why a method that needs a residual mix waits.
pub const NO_RESIDUAL_MIX: &str =
    "no active pack has a residual mix: bring yours in with `envora factors import`";

/// The method of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Method> {
    ALL.iter().find(|method| method.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rational::Rational;
    use crate::units::parse_code;

    #[test]
    fn ids_are_family_variant_and_version() {
        for method in ALL {
            let (name, version) = method.id.split_once('@').expect("a version");
            assert!(name.split('.').count() == 2 && version == "1", "{}", method.id);
            assert_eq!(ALL.iter().filter(|other| other.id == method.id).count(), 1);
        }
    }

    #[test]
    fn amounts_are_of_units_and_numbers_that_can_be_read() {
        for method in ALL {
            let Some(amount) = method.amount else { continue };
            assert!(amount.unit.is_empty() || parse_code(amount.unit).is_ok(), "{}", method.id);
            for of in amount.sum.iter().flat_map(|product| product.times.iter().chain(product.over))
            {
                let (unit, number) = match of {
                    Of::Quantity(unit) | Of::Input(_, unit) => (*unit, "1"),
                    Of::InputOr(_, unit, number) => (*unit, *number),
                    Of::Number(number) => ("1", *number),
                    Of::AsSent
                    | Of::InputAsSent(_)
                    | Of::Economy
                    | Of::HeatContent
                    | Of::LossRate
                    | Of::Screening(_) => ("1", "1"),
                };
                assert!(parse_code(unit).is_ok(), "{unit}");
                assert!(Rational::parse(number).is_some(), "{number}");
            }
        }
    }
}
