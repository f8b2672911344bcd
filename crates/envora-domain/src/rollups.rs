//! Rollups: what rows that resemble each other come to on a day or in a month.
//!
//! All lines of a row are made of a few distinct masses, always the same way for one choice. So sums
//! of these masses are kept, once for all lines, with the [`Form`] that makes lines of them; the
//! [cells](crate::cells) that footprints add up are made when they are read. A sum of integers loses
//! nothing: cells that are made of sums are the sums of the cells.

use serde::{Deserialize, Serialize};

use crate::catalogue::{Bucket, Market, Slot};
use crate::cells::{CO2E_COLUMNS, CellKey, CellValue, RowPlace, TooLarge};
use crate::decimal::Mass;
use crate::gwp::{Carbon, Gas, GwpSet};
use crate::time::Day;

/// What rows are put together by: everything of their cells' keys but day and line, and their choice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The facility's sixteen bytes.
    pub facility: Option<[u8; 16]>,
    /// The source's sixteen bytes.
    pub source: Option<[u8; 16]>,
    /// The activity type.
    pub kind: String,
    /// The kind of data, as sent; unsaid, empty.
    pub data_kind: String,
    /// Whether it says that it is primary.
    pub primary: Option<bool>,
    /// The number of the choice in its run.
    pub why: u32,
}

impl Group {
    /// The same wherever the rows are.
    #[must_use]
    pub fn anywhere(&self) -> Self {
        Self { facility: None, source: None, ..self.clone() }
    }

    /// Everything of the keys of its cells but day and line.
    #[must_use]
    pub fn place(&self) -> RowPlace {
        RowPlace {
            facility: bytes(self.facility),
            source: bytes(self.source),
            kind: self.kind.clone(),
            data_kind: self.data_kind.clone(),
            primary: self.primary,
        }
    }
}

fn bytes(id: Option<[u8; 16]>) -> Vec<u8> {
    id.map(|id| id.to_vec()).unwrap_or_default()
}

/// What activities are counted by, within one run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChosenKey {
    /// The first day of each, in its own zone.
    pub day: Day,
    /// The facility's sixteen bytes; of none, empty.
    pub facility: Vec<u8>,
    /// The source's sixteen bytes; of none, empty.
    pub source: Vec<u8>,
    /// The number of their choice.
    pub why: u32,
}

/// What rows of one group come to in some time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pile {
    /// Activities that begin in it.
    pub count: i64,
    /// The sums of their distinct masses, in the order that their choice has them.
    pub masses: Vec<Mass>,
}

impl Pile {
    /// Adds another pile of the same group.
    ///
    /// # Errors
    /// [`TooLarge`]; what it holds is of no use then.
    pub fn add(&mut self, other: &Self) -> Result<(), TooLarge> {
        self.count = self.count.checked_add(other.count).ok_or(TooLarge)?;
        if self.masses.len() < other.masses.len() {
            self.masses.resize(other.masses.len(), Mass::ZERO);
        }
        for (sum, mass) in self.masses.iter_mut().zip(&other.masses) {
            *sum = sum.checked_add(*mass).ok_or(TooLarge)?;
        }
        Ok(())
    }

    /// Whether it holds nothing: no activity, no mass.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.count == 0 && self.masses.iter().all(|mass| *mass == Mass::ZERO)
    }
}

/// Which of a row's masses a line is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The mass of the gas; of CO2 equivalents without a gas, nothing.
    pub kg: Option<usize>,
    /// CO2e: published, ar5, ar6, the organization's own set.
    pub co2e: [Option<usize>; CO2E_COLUMNS],
}

impl Made {
    /// What a line adds to its cell, from the masses of so many activities; `None` when they are those
    /// of another choice.
    #[must_use]
    pub fn value(&self, masses: &[Mass], count: i64) -> Option<CellValue> {
        let mass = |place: usize| masses.get(place).copied();
        let mut co2e = [None; CO2E_COLUMNS];
        for (column, place) in co2e.iter_mut().zip(self.co2e) {
            *column = match place {
                Some(place) => Some(mass(place)?),
                None => None,
            };
        }
        Some(CellValue { kg: self.kg.map_or(Some(Mass::ZERO), mass)?, count, co2e })
    }
}

/// A line of a choice: what its cells are told apart by, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormLine {
    /// The slot of the type.
    pub slot: Slot,
    /// The scope; outside of scopes, 0.
    pub scope: u8,
    /// The category of scope 3; of none, 0.
    pub category: u8,
    /// Location-based, market-based, or neither.
    pub market: Market,
    /// In the scopes, or which memo.
    pub bucket: Bucket,
    /// The gas.
    pub gas: Gas,
    /// Where its carbon comes from.
    pub carbon: Carbon,
    /// The GWP basis in which the publisher printed it.
    pub basis: GwpSet,
    /// The tier of the method.
    pub tier: u8,
    /// Which masses.
    pub made: Made,
}

impl FormLine {
    /// The cell that it adds to, of a group's rows on a day.
    #[must_use]
    pub fn key(&self, group: &Group, day: Day) -> CellKey {
        CellKey {
            day,
            facility: bytes(group.facility),
            source: bytes(group.source),
            kind: group.kind.clone(),
            slot: self.slot,
            scope: self.scope,
            category: self.category,
            market: self.market,
            bucket: self.bucket,
            gas: self.gas,
            carbon: self.carbon,
            basis: self.basis,
            tier: self.tier,
            data_kind: group.data_kind.clone(),
            primary: group.primary.into(),
        }
    }
}

/// How the lines of a choice are made of masses. It is kept with the sums: whoever reads them needs
/// neither the factors nor the program that made them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Form {
    /// The lines, in their order.
    pub lines: Vec<FormLine>,
}

/// A form that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this does not say how lines are made of masses")]
pub struct FormError;

impl Form {
    /// Its JSON: what is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The form that this JSON is.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn from_json(text: &str) -> Result<Self, FormError> {
        serde_json::from_str(text).map_err(|_| FormError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masses(units: &[i128]) -> Vec<Mass> {
        units.iter().copied().map(Mass::from_units).collect()
    }

    #[test]
    fn piles_add_up_and_cancel() {
        let mut pile = Pile::default();
        let one = Pile { count: 1, masses: masses(&[5, -7]) };
        pile.add(&one).expect("it fits");
        pile.add(&one).expect("it fits");
        assert_eq!(pile, Pile { count: 2, masses: masses(&[10, -14]) });
        pile.add(&Pile { count: -2, masses: masses(&[-10, 14]) }).expect("it fits");
        assert!(pile.is_nothing());
        let most = Pile { count: 0, masses: masses(&[i128::MAX]) };
        pile.add(&most).expect("it fits");
        assert_eq!(pile.add(&most), Err(TooLarge));
    }

    #[test]
    fn a_form_is_read_as_it_was_written() {
        let made = Made { kg: None, co2e: [Some(1), None, Some(0), None] };
        let line = FormLine {
            slot: Slot::ALL[0],
            scope: 3,
            category: 4,
            market: Market::None,
            bucket: Bucket::InScope,
            gas: Gas::CO2E,
            carbon: Carbon::Unknown,
            basis: GwpSet::Published,
            tier: 2,
            made,
        };
        let form = Form { lines: vec![line] };
        assert_eq!(Form::from_json(&form.to_json()), Ok(form));
        assert_eq!(Form::from_json("[{}]"), Err(FormError));
        let value = made.value(&masses(&[3, 4]), 2).expect("both masses");
        assert_eq!(value.co2e.map(|mass| mass.map(Mass::units)), [Some(4), None, Some(3), None]);
        assert_eq!((value.count, value.kg), (2, Mass::ZERO));
        assert_eq!(made.value(&masses(&[3]), 2), None, "masses of another choice");
    }
}
