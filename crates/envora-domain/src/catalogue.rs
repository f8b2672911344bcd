//! The catalogue of activity types: dimension, sign, inputs, qualifiers, and the slots each books.

mod fuels;
mod grids;
mod inputs;
mod kinds;
mod quantities;
mod slots;
mod vocabulary;

use std::collections::BTreeMap;

use crate::factors::Boundary;
use crate::units::{Unit, UnitError};
use crate::words::{did_you_mean as nearest, words};
pub use fuels::{Fuel, State, by_alias as fuel_by_alias, find as find_fuel};
pub use grids::{grid_elsewhere, grid_remedy};
pub use inputs::{Due, InputSpec};
pub use kinds::ALL;
pub use quantities::Quantity;
pub use vocabulary::{Vocabulary, gas_of, grew, instead, may_have_grown, word, words_of};

words! {
    /// Where a line counts: in the scopes, or in which memo. Memos are shown, never netted.
    pub enum Bucket {
        /// In the scopes.
        InScope = "in_scope",
        /// CO2 of plants.
        BiogenicCo2 = "biogenic_co2",
        /// Gases outside the Kyoto group.
        NonKyoto = "non_kyoto",
        /// Emissions of years to come.
        Projected = "projected",
        /// Taken out of the air.
        Removal = "removal",
        /// Bought credits.
        Credit = "credit",
        /// Avoided elsewhere.
        Avoided = "avoided",
    }
}

words! {
    /// Which of the two totals of scope 2 a line is part of.
    pub enum Market {
        /// Neither: not scope 2.
        None = "none",
        /// Location-based.
        Location = "location",
        /// Market-based.
        Market = "market",
    }
}

impl Market {
    /// 0 neither, 1 location-based, 2 market-based.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Location => 1,
            Self::Market => 2,
        }
    }

    /// From 0, 1, 2.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            1 => Some(Self::Location),
            2 => Some(Self::Market),
            _ => None,
        }
    }
}

words! {
    /// A place in the books that an activity type fills.
    pub enum Slot {
        /// Scope 1.
        S1 = "s1",
        /// Scope 2, location-based.
        S2Lb = "s2_lb",
        /// Scope 2, market-based.
        S2Mb = "s2_mb",
        /// Category 3: losses of transmission and distribution.
        C3Tnd = "c3_tnd",
        /// Category 3: from well to tank.
        C3Wtt = "c3_wtt",
        /// Category 3: from well to tank, of the losses.
        C3WttTnd = "c3_wtt_tnd",
        /// The memo of biogenic CO2.
        Biogenic = "biogenic",
        /// Scope 1: the gases that a factor of CO2 alone leaves out.
        S1Gases = "s1_gases",
        /// The memo of gases outside the Kyoto group.
        NonKyoto = "non_kyoto",
        /// Another memo: removals, credits, what is avoided elsewhere.
        Memo = "memo",
        /// A category of scope 3.
        S3 = "s3",
        /// A category of scope 3: electricity that vehicles are charged with.
        S3Power = "s3_power",
        /// A category of scope 3: losses of transmission and distribution.
        S3Tnd = "s3_tnd",
        /// A category of scope 3: from well to tank.
        S3Wtt = "s3_wtt",
        /// A category of scope 3: from well to tank, of the losses.
        S3WttTnd = "s3_wtt_tnd",
    }
}

/// Whether an activity without this slot is unresolved, or only flagged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it the activity is unresolved.
    Required,
    /// Without it the other slots count and the flag `derived_factor_missing` is raised.
    Derived,
    /// Required together with others that say so: one of them must be there.
    Either,
}

/// When a slot is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The fuel's carbon is not all fossil.
    BiogenicCarbon,
    /// The row books to this scope.
    Scope(u8),
    /// The vehicle burns fuel.
    Burns,
    /// The vehicle is charged from a grid.
    Plugs,
    /// The gas may be of the Kyoto group.
    Kyoto,
    /// The gas may be outside the Kyoto group.
    NotKyoto,
    /// The factor of slot `s1` is of CO2 alone.
    Co2Alone,
    /// A qualifier has this word.
    Is(&'static str, &'static str),
    /// A qualifier has another word, or none.
    IsNot(&'static str, &'static str),
}

/// What a slot books and how it is calculated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotSpec {
    /// Its name.
    pub slot: Slot,
    /// The scope it books to; outside of scopes, 0.
    pub scope: u8,
    /// The category of scope 3; of none, 0; in scope 3, 0 is the category that the row books to.
    pub category: u8,
    /// In the scopes, or which memo.
    pub bucket: Bucket,
    /// Location-based, market-based, or neither.
    pub market: Market,
    /// Required or derived.
    pub need: Need,
    /// The part of the supply chain that its factor covers.
    pub boundary: Boundary,
    /// Method ids; the first whose inputs are complete wins.
    pub methods: &'static [&'static str],
    /// The activity types whose factors fill it, the nearest first; empty: its own type.
    pub types: &'static [&'static str],
    /// When it is asked for; all of them must hold.
    pub when: &'static [When],
}

/// Which quantities a type takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Zero or more.
    NotNegative,
    /// Credits may be negative.
    Any,
}

/// A qualifier that a type knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qualifier {
    /// Its name.
    pub name: &'static str,
    /// Whether the type is meaningless without it.
    pub need: Need,
    /// What it may say.
    pub vocabulary: Vocabulary,
    /// The word that stands in where it is not said, for factors that tell its words apart.
    pub otherwise: Option<&'static str>,
}

/// A scope and category that a type may book to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Book {
    /// The scope; outside of scopes, 0.
    pub scope: u8,
    /// The category of scope 3; of none, 0.
    pub category: u8,
}

/// One activity type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivityKind {
    /// Its code: `electricity.purchased`.
    pub code: &'static str,
    /// What its quantity may be.
    pub quantities: &'static [Quantity],
    /// Whether it may be negative.
    pub sign: Sign,
    /// Named inputs beside the quantity.
    pub inputs: &'static [InputSpec],
    /// Its qualifiers.
    pub qualifiers: &'static [Qualifier],
    /// What a row may claim; the first is meant when it claims nothing.
    pub books: &'static [Book],
    /// Its slots; empty while no method is there.
    pub slots: &'static [SlotSpec],
}

/// The type of this code.
#[must_use]
pub fn find(code: &str) -> Option<&'static ActivityKind> {
    ALL.iter().find(|kind| kind.code == code)
}

/// The code nearest to a mistyped one.
#[must_use]
pub fn did_you_mean(text: &str) -> Option<&'static str> {
    nearest(text, ALL.iter().map(|kind| kind.code))
}

/// Why a qualifier does not fit its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QualifierError {
    /// The type does not know it.
    #[error("{kind} has no qualifier {name}")]
    Unknown {
        /// The type.
        kind: &'static str,
        /// The qualifier.
        name: String,
        /// The nearest that it knows.
        did_you_mean: Option<&'static str>,
    },
    /// The type needs it.
    #[error("{kind} needs the qualifier {name}")]
    Missing {
        /// The type.
        kind: &'static str,
        /// The qualifier.
        name: &'static str,
    },
    /// Its value is none of the words.
    #[error("{value:?} is no word of the qualifier {name}")]
    Word {
        /// The qualifier.
        name: &'static str,
        /// What was sent.
        value: String,
        /// The nearest word.
        did_you_mean: Option<&'static str>,
    },
}

impl ActivityKind {
    /// Whether a row may claim this scope (and category); what its slots derive is not claimed.
    #[must_use]
    pub fn may_book(&self, scope: Option<u8>, category: Option<u8>) -> bool {
        let fits = |claimed: Option<u8>, own: u8| claimed.is_none_or(|claimed| claimed == own);
        let nothing = scope.is_none() && category.is_none();
        let fits = |book: &Book| fits(scope, book.scope) && fits(category, book.category);
        nothing || self.books.iter().filter(|book| book.scope > 0).any(fits)
    }

    /// Whether a quantity in this unit is one of this type.
    ///
    /// # Errors
    /// [`UnitError::Ambiguous`] where gross or net, or the conditions of a gas, are unsaid;
    /// [`UnitError::Mismatch`] for another dimension, such as a rate where an amount is due.
    pub fn check_unit(
        &self,
        unit: &Unit,
        qualifiers: &BTreeMap<String, String>,
    ) -> Result<(), UnitError> {
        quantities::check(self, unit, qualifiers)
    }

    /// Whether a volume of the fuel that a row names is one of a known thing: see
    /// [`ActivityKind::check_unit`], which asks the same of the quantity.
    ///
    /// # Errors
    /// [`UnitError::Ambiguous`] where it may be one of gas.
    pub fn check_fuel_volume(
        unit: &Unit,
        qualifiers: &BTreeMap<String, String>,
    ) -> Result<(), UnitError> {
        quantities::check_volume(unit, qualifiers)
    }

    /// What is wrong with these qualifiers.
    #[must_use]
    pub fn check_qualifiers(&self, given: &BTreeMap<String, String>) -> Vec<QualifierError> {
        let mut wrong = Vec::new();
        for (name, value) in given {
            let Some(known) = self.qualifiers.iter().find(|known| known.name == name) else {
                let near = nearest(name, self.qualifiers.iter().map(|known| known.name));
                wrong.push(QualifierError::Unknown {
                    kind: self.code,
                    name: name.clone(),
                    did_you_mean: near,
                });
                continue;
            };
            if known.vocabulary.word(value).is_none() {
                wrong.push(QualifierError::Word {
                    name: known.name,
                    value: value.clone(),
                    did_you_mean: known.vocabulary.near(value),
                });
            }
        }
        let air = given.get("mode").is_some_and(|mode| {
            word("travel_mode", mode) == Some("air") || word("freight_mode", mode) == Some("air")
        });
        let needed = |known: &&Qualifier| {
            // With and without radiative forcing differ by far, and no table has a default.
            known.need == Need::Required || (known.name == "rf" && air)
        };
        for known in self.qualifiers.iter().filter(needed) {
            if !given.contains_key(known.name) {
                wrong.push(QualifierError::Missing { kind: self.code, name: known.name });
            }
        }
        wrong
    }

    /// Where a row with this claim books: the claim if it is one, else what `paid_by` means, else
    /// the first of the type.
    #[must_use]
    pub fn booked(
        &self,
        (scope, category): (Option<u8>, Option<u8>),
        qualifiers: &BTreeMap<String, String>,
    ) -> Book {
        let fits = |claimed: Option<u8>, own: u8| claimed.is_none_or(|claimed| claimed == own);
        let claims = |book: &&Book| fits(scope, book.scope) && fits(category, book.category);
        let customer = qualifiers.get("paid_by").is_some_and(|word| word == "customer");
        let place = usize::from(customer && scope.is_none() && category.is_none());
        let first = self.books.iter().filter(claims).nth(place.min(self.books.len() - 1));
        first.or(self.books.first()).copied().unwrap_or(Book { scope: 0, category: 0 })
    }

    /// The qualifiers in our own words, publishers' words resolved; unknown ones stay as they are.
    #[must_use]
    pub fn own_words(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let own = |name: &String, value: &String| {
            let known = self.qualifiers.iter().find(|known| known.name == name);
            known.and_then(|known| known.vocabulary.word(value))
        };
        given
            .iter()
            .map(|(name, value)| (name.clone(), own(name, value).unwrap_or_else(|| value.clone())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods;

    #[test]
    fn every_slot_names_methods_that_exist() {
        for kind in ALL {
            assert!(ALL.iter().filter(|other| other.code == kind.code).count() == 1);
            assert!(!kind.quantities.is_empty() && !kind.books.is_empty(), "{}", kind.code);
            for method in kind.slots.iter().flat_map(|slot| slot.methods) {
                assert!(methods::find(method).is_some(), "{method}");
            }
        }
        assert!(find("electricity.purchased").is_some());
        assert_eq!(did_you_mean("electricity.purchase"), Some("electricity.purchased"));
    }

    #[test]
    fn a_row_may_claim_what_its_type_books() {
        let kind = find("electricity.purchased").expect("a type");
        assert!(kind.may_book(None, None) && kind.may_book(Some(2), None));
        assert!(!kind.may_book(Some(1), None) && !kind.may_book(Some(3), Some(3)));
        let freight = find("freight.moved").expect("a type");
        assert!(freight.may_book(Some(3), Some(9)) && freight.may_book(None, Some(4)));
        assert!(!freight.may_book(Some(3), Some(6)) && !freight.may_book(Some(0), None));
    }

    #[test]
    fn qualifiers_are_words_of_ours_or_a_publishers() {
        let kind = find("fuel.combusted.stationary").expect("a type");
        let with = |value: &str| BTreeMap::from([("fuel".to_owned(), value.to_owned())]);
        assert_eq!(kind.check_qualifiers(&with("natural_gas")), []);
        assert_eq!(kind.check_qualifiers(&with("Natural gas")), []);
        assert_eq!(kind.own_words(&with("Natural gas")), with("natural_gas"));
        let missing = QualifierError::Missing { kind: kind.code, name: "fuel" };
        assert_eq!(kind.check_qualifiers(&BTreeMap::new()), [missing]);
        let wrong = kind.check_qualifiers(&with("naturl_gas"));
        let near = [QualifierError::Word {
            name: "fuel",
            value: "naturl_gas".to_owned(),
            did_you_mean: Some("natural_gas"),
        }];
        assert_eq!(wrong, near);
    }
}
