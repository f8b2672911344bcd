//! Named inputs beside the quantity: what they are amounts of, and when they are due.

use super::Quantity::{
    self, Distance, Duration, Economy, FuelEnergy, GasVolume, Heads, Mass, Number, Share,
    VehicleDistance, Volume,
};

/// When an input is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Always.
    Always,
    /// Never; the method says what stands in for it.
    Never,
    /// When the quantity is of this kind, and only then.
    With(Quantity),
    /// Never; and where the quantity is of another kind it would say nothing.
    Only(Quantity),
    /// When this other input is there.
    Beside(&'static str),
}

/// A named input of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// Its name.
    pub name: &'static str,
    /// What it is an amount of.
    pub quantities: &'static [Quantity],
    /// When it is due.
    pub due: Due,
    /// Whether zero makes no sense: it is divided by.
    pub above_zero: bool,
    /// Whether it is a part of the days of the row's period.
    pub of_period: bool,
}

const fn input(name: &'static str, quantities: &'static [Quantity], due: Due) -> InputSpec {
    InputSpec { name, quantities, due, above_zero: false, of_period: false }
}

const fn divisor(name: &'static str, quantities: &'static [Quantity], due: Due) -> InputSpec {
    InputSpec { above_zero: true, ..input(name, quantities, due) }
}

const CARBON_CONTENT: InputSpec = input("carbon_content", &[Share], Due::Never);
const ONE_WAY_DISTANCE: &[Quantity] = &[Distance];

pub(super) const STATIONARY: &[InputSpec] =
    &[CARBON_CONTENT, input("oxidation", &[Share], Due::Never)];
pub(super) const MOBILE: &[InputSpec] =
    &[input("distance", &[Distance, VehicleDistance], Due::Never)];
pub(super) const ECONOMY: &[InputSpec] = &[divisor("economy", &[Economy], Due::Never)];
pub(super) const SERVICE: &[InputSpec] = &[
    input("new_charge", &[Mass], Due::Never),
    input("new_capacity", &[Mass], Due::Never),
    input("retired_capacity", &[Mass], Due::Never),
    input("recovered", &[Mass], Due::Never),
];
pub(super) const MASS_BALANCE: &[InputSpec] = &[
    input("stock_begin", &[Mass], Due::Always),
    input("stock_end", &[Mass], Due::Always),
    input("sold", &[Mass], Due::Never),
    input("capacity_begin", &[Mass], Due::Never),
    input("capacity_end", &[Mass], Due::Never),
];
pub(super) const SCREENING: &[InputSpec] = &[
    input("charge", &[Mass], Due::Always),
    input("years", &[Quantity::Years], Due::Always),
    input("retired", &[Mass], Due::Never),
];
pub(super) const CARBONATE: &[InputSpec] =
    &[input("purity", &[Share], Due::Never), input("conversion", &[Share], Due::Never)];
pub(super) const CLINKER: &[InputSpec] = &[
    input("cao_share", &[Share], Due::Never),
    input("carbonate_part", &[Share], Due::Never),
    input("ckd", &[Number], Due::Never),
];
pub(super) const BALANCE: &[InputSpec] = &[
    input("carbon_content", &[Share], Due::Always),
    input("output", &[Mass], Due::Never),
    input("output_carbon", &[Share], Due::Beside("output")),
];
/// What the carrier burned, and the reporter's share of it.
const CARRIER_FUEL: InputSpec =
    input("fuel", &[Volume, Mass, FuelEnergy, GasVolume], Due::Beside("own_share"));
const OWN_SHARE: InputSpec = input("own_share", &[Share], Due::Never);
pub(super) const FREIGHT_LEG: &[InputSpec] =
    &[input("distance", ONE_WAY_DISTANCE, Due::With(Mass)), CARRIER_FUEL, OWN_SHARE];
pub(super) const STORAGE: &[InputSpec] = &[input("days", &[Duration], Due::Never)];
pub(super) const TRAVEL: &[InputSpec] =
    &[divisor("occupancy", &[Number], Due::Never), CARRIER_FUEL, OWN_SHARE];
pub(super) const COMMUTE: &[InputSpec] = &[
    input("one_way", ONE_WAY_DISTANCE, Due::With(Heads)),
    InputSpec { of_period: true, ..input("days", &[Duration], Due::With(Heads)) },
    input("share", &[Share], Due::Only(Heads)),
    divisor("occupancy", &[Number], Due::Never),
];
