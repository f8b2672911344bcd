//! What a method multiplies by its factor.

/// A sum of products, in a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// The unit of the sum; empty where a property of the fuel decides it.
    pub unit: &'static str,
    /// What is added up.
    pub sum: &'static [Product],
}

/// A product, added or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// Whether it is taken away.
    pub minus: bool,
    /// What is multiplied.
    pub times: &'static [Of],
    /// What it is divided by.
    pub over: &'static [Of],
}

/// One factor of a product; units are those it is converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The quantity, in a unit.
    Quantity(&'static str),
    /// The quantity in the unit it was sent in.
    AsSent,
    /// A named input, in a unit; without it the method is passed over.
    Input(&'static str, &'static str),
    /// A named input in the unit it was sent in, which is the amount's too.
    InputAsSent(&'static str),
    /// A named input, in a unit, or a number that stands in for it.
    InputOr(&'static str, &'static str, &'static str),
    /// A number.
    Number(&'static str),
    /// The input `economy`: distance per litre divides, litres per distance multiply.
    Economy,
    /// The heat content of the fuel: a property record.
    HeatContent,
    /// The loss rate of the grid.
    LossRate,
    /// A screening default of the equipment.
    Screening(Screening),
}

/// The columns of the screening defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screening {
    /// Lost while it is installed.
    Installing,
    /// Leaked per year.
    Leak,
    /// What is left in it when it is retired.
    Remaining,
    /// What of that is recovered.
    Recovered,
}

/// Shares per kind of equipment, in the order of [`Screening`]: assumptions of the screening method of
/// refrigerant guidance (installing, leak per year, remaining, recovered), cited and not read in
/// print. They are no measurement of anybody's equipment: the method is one of last resort, flagged
/// `low_tier`.
const DEFAULTS: &[(&str, [&str; 4])] = &[
    ("domestic_refrigeration", ["0.01", "0.005", "0.8", "0.7"]),
    ("standalone_refrigeration", ["0.03", "0.15", "0.8", "0.7"]),
    ("large_refrigeration", ["0.03", "0.35", "1", "0.7"]),
    ("transport_refrigeration", ["0.01", "0.5", "0.5", "0.7"]),
    ("industrial_refrigeration", ["0.03", "0.25", "1", "0.9"]),
    ("chiller", ["0.01", "0.15", "1", "0.95"]),
    ("building_air_conditioning", ["0.01", "0.1", "0.8", "0.8"]),
    ("vehicle_air_conditioning", ["0.005", "0.2", "0.5", "0.5"]),
];

/// The screening default of a kind of equipment.
#[must_use]
pub fn screening(equipment: &str, column: Screening) -> Option<&'static str> {
    let (_, shares) = DEFAULTS.iter().find(|(word, _)| *word == equipment)?;
    let place = match column {
        Screening::Installing => 0,
        Screening::Leak => 1,
        Screening::Remaining => 2,
        Screening::Recovered => 3,
    };
    shares.get(place).copied()
}

pub(super) const fn plus(times: &'static [Of]) -> Product {
    Product { minus: false, times, over: &[] }
}

pub(super) const fn minus(times: &'static [Of]) -> Product {
    Product { minus: true, times, over: &[] }
}

pub(super) const fn ratio(times: &'static [Of], over: &'static [Of]) -> Product {
    Product { minus: false, times, over }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::words_of;

    #[test]
    fn every_kind_of_equipment_has_its_defaults() {
        for word in words_of("equipment") {
            assert!(screening(word, Screening::Leak).is_some(), "{word}");
        }
        assert_eq!(DEFAULTS.len(), words_of("equipment").count());
    }
}
