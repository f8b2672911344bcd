//! What a quantity may be: kinds of dimension, and what is ambiguous among them.

use std::collections::BTreeMap;

use super::{ActivityKind, State, fuels, word};
use crate::units::{Base, Dimension, Unit, UnitError};

/// A kind of quantity that an activity type takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Energy of electricity or heat.
    Energy,
    /// Energy of a fuel, gross or net said.
    FuelEnergy,
    /// Mass.
    Mass,
    /// Volume of a liquid or of goods.
    Volume,
    /// Volume of a gas at stated conditions.
    GasVolume,
    /// Area.
    Area,
    /// Distance of vehicles.
    VehicleDistance,
    /// Distance of passengers.
    PassengerDistance,
    /// Mass times distance.
    MassDistance,
    /// Nights in a room.
    RoomNights,
    /// Hours of full-time staff.
    StaffHours,
    /// Items.
    Items,
    /// Years of an asset.
    Years,
    /// Money.
    Money,
    /// Persons.
    Heads,
    /// Length of a way.
    Distance,
    /// Days, hours.
    Duration,
    /// A share: per cent, or a number up to one.
    Share,
    /// A plain number.
    Number,
    /// Distance per volume of fuel, or volume per distance.
    Economy,
}

impl Quantity {
    /// A unit of it, for people.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Energy => "kW.h",
            Self::FuelEnergy => "kW.h.x:gross",
            Self::Mass => "kg",
            Self::Volume => "L",
            Self::GasVolume => "x:Sm3_15C",
            Self::Area => "m2",
            Self::VehicleDistance => "x:veh.km",
            Self::PassengerDistance => "x:pax.km",
            Self::MassDistance => "t.km",
            Self::RoomNights => "x:room_night",
            Self::StaffHours => "x:fte.h",
            Self::Items => "x:pce",
            Self::Years => "x:yr",
            Self::Money => "GBP",
            Self::Heads => "x:pax",
            Self::Distance => "km",
            Self::Duration => "d",
            Self::Share => "%",
            Self::Number => "1",
            Self::Economy => "km/L",
        }
    }

    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::FuelEnergy => "energy of a fuel",
            Self::Mass => "a mass",
            Self::Volume => "a volume",
            Self::GasVolume => "a volume of gas at stated conditions",
            Self::Area => "an area",
            Self::VehicleDistance => "a distance of vehicles",
            Self::PassengerDistance => "a distance of passengers",
            Self::MassDistance => "mass times distance",
            Self::RoomNights => "room nights",
            Self::StaffHours => "hours of staff",
            Self::Items => "items",
            Self::Years => "years",
            Self::Money => "money",
            Self::Heads => "persons",
            Self::Distance => "a distance",
            Self::Duration => "days",
            Self::Share => "a share",
            Self::Number => "a number",
            Self::Economy => "distance per volume of fuel",
        }
    }

    /// Whether a unit is one of it.
    #[must_use]
    pub fn is_of(self, unit: &Unit) -> bool {
        self.takes(unit.dimension())
    }

    fn takes(self, dimension: &Dimension) -> bool {
        let is = |powers: &[(Base, i8)]| *dimension == Dimension::of(powers);
        let energy = [(Base::Mass, 1), (Base::Length, 2), (Base::Time, -2)];
        let with = |more: Base| {
            let mut powers = energy.to_vec();
            powers.push((more, 1));
            powers
        };
        match self {
            Self::Energy => is(&energy),
            Self::FuelEnergy => is(&with(Base::Gross)) || is(&with(Base::Net)),
            Self::Mass => is(&[(Base::Mass, 1)]),
            Self::Volume => is(&[(Base::Length, 3)]),
            Self::GasVolume => {
                is(&[(Base::Gas0C, 1)]) || is(&[(Base::Gas15C, 1)]) || is(&[(Base::Gas60F, 1)])
            }
            Self::Area => is(&[(Base::Length, 2)]),
            Self::VehicleDistance => is(&[(Base::Vehicle, 1), (Base::Length, 1)]),
            Self::PassengerDistance => is(&[(Base::Passenger, 1), (Base::Length, 1)]),
            Self::MassDistance => is(&[(Base::Mass, 1), (Base::Length, 1)]),
            Self::RoomNights => is(&[(Base::RoomNight, 1)]),
            Self::StaffHours => is(&[(Base::Staff, 1), (Base::Time, 1)]),
            Self::Items => is(&[(Base::Item, 1)]),
            Self::Years => is(&[(Base::Year, 1)]),
            Self::Money => dimension.is_money(),
            Self::Heads => is(&[(Base::Passenger, 1)]),
            Self::Distance => is(&[(Base::Length, 1)]),
            Self::Duration => is(&[(Base::Time, 1)]),
            Self::Share | Self::Number => is(&[]),
            Self::Economy => {
                let per_volume = is(&[(Base::Length, -2)]);
                let per_distance = is(&[(Base::Length, 2)]);
                per_volume
                    || per_distance
                    || is(&[(Base::Vehicle, 1), (Base::Length, -2)])
                    || is(&[(Base::Vehicle, -1), (Base::Length, 2)])
            }
        }
    }
}

/// Whether a quantity in this unit is one of this type.
pub(super) fn check(
    kind: &ActivityKind,
    unit: &Unit,
    qualifiers: &BTreeMap<String, String>,
) -> Result<(), UnitError> {
    let takes = |quantity: Quantity| {
        kind.quantities.contains(&quantity) && quantity.takes(unit.dimension())
    };
    check_volume(unit, qualifiers)?;
    if kind.quantities.iter().any(|quantity| takes(*quantity)) {
        return Ok(());
    }
    let bare_energy = Quantity::Energy.takes(unit.dimension());
    if bare_energy && kind.quantities.contains(&Quantity::FuelEnergy) {
        let code = unit.code();
        return Err(UnitError::Ambiguous {
            text: code.to_owned(),
            why: "gross or net calorific value?",
            meanings: vec![format!("{code}.x:gross"), format!("{code}.x:net")],
        });
    }
    Err(UnitError::Mismatch {
        from: unit.code().to_owned(),
        to: kind
            .quantities
            .iter()
            .map(|quantity| quantity.example())
            .collect::<Vec<_>>()
            .join(", "),
        hint: rate_hint(unit),
    })
}

/// Whether a volume is one of a known thing: of the fuel that a row names, be it the row's own
/// quantity or what a carrier burned.
pub(super) fn check_volume(
    unit: &Unit,
    qualifiers: &BTreeMap<String, String>,
) -> Result<(), UnitError> {
    let word = qualifiers.get("fuel").and_then(|text| word("fuel", text));
    let Some(fuel) = word.and_then(fuels::find).filter(|_| Quantity::Volume.is_of(unit)) else {
        return Ok(());
    };
    let (why, liquid) = match fuel.state {
        State::Gas => ("a volume of gas means nothing without temperature and pressure", None),
        State::Pressed if !is_of_tanks(unit.code()) => (
            "a volume of the liquid, or of gas, and at which temperature and pressure?",
            Some(if unit.code() == "m3" { "kL" } else { "L" }),
        ),
        State::Pressed | State::Liquid | State::Solid => return Ok(()),
    };
    let meanings = liquid.into_iter().chain(["x:Sm3_15C", "x:Nm3_0C", "x:scf_60F"]);
    let meanings = meanings.map(str::to_owned).collect();
    Err(UnitError::Ambiguous { text: unit.code().to_owned(), why, meanings })
}

/// Whether a volume is measured as liquids are: in litres, gallons or barrels.
fn is_of_tanks(code: &str) -> bool {
    code.split(['.', '/']).any(|atom| {
        let litre = atom.ends_with(['l', 'L']);
        litre || matches!(atom, "[gal_us]" | "[gal_br]" | "[bbl_us]")
    })
}

/// What to send instead of a rate.
fn rate_hint(unit: &Unit) -> Option<&'static str> {
    let power = Dimension::of(&[(Base::Mass, 1), (Base::Length, 2), (Base::Time, -3)]);
    if *unit.dimension() == power {
        return Some("this is power, a rate; send the energy of the period, such as kW.h");
    }
    let rate = matches!(unit.dimension().power(Base::Time), -1 | -3);
    rate.then_some("this is a rate; send the amount of the period")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{ALL, find};
    use crate::units::parse_code;

    #[track_caller]
    fn check_kind(kind: &str, fuel: &str, unit: &str, want: &str) {
        let qualifiers = BTreeMap::from([("fuel".to_owned(), fuel.to_owned())]);
        let unit = parse_code(unit).expect("a unit");
        let got = match find(kind).expect("a type").check_unit(&unit, &qualifiers) {
            Ok(()) => "ok",
            Err(UnitError::Ambiguous { .. }) => "ambiguous",
            Err(UnitError::Mismatch { hint, .. }) => hint.map_or("mismatch", |_| "rate"),
            Err(UnitError::Unknown { .. }) => "unknown",
        };
        assert_eq!(got, want, "{kind} {fuel} {unit:?}");
    }

    #[test]
    fn units_fit_their_types_or_say_why_not() {
        let (power, fuel) = ("electricity.purchased", "fuel.combusted.stationary");
        check_kind(power, "", "kW.h", "ok");
        check_kind(power, "", "GJ", "ok");
        check_kind(power, "", "kW", "rate");
        check_kind(power, "", "kg", "mismatch");
        check_kind(power, "", "kW.h.x:gross", "mismatch");
        check_kind(fuel, "natural_gas", "kW.h.x:gross", "ok");
        check_kind(fuel, "natural_gas", "MJ.x:net", "ok");
        check_kind(fuel, "natural_gas", "kW.h", "ambiguous");
        check_kind(fuel, "natural_gas", "m3", "ambiguous");
        check_kind(fuel, "Natural gas", "m3", "ambiguous");
        check_kind(fuel, "natural_gas", "x:Sm3_15C", "ok");
        check_kind(fuel, "natural_gas", "m3/h", "rate");
        check_kind(fuel, "diesel", "L", "ok");
        check_kind(fuel, "diesel", "t", "ok");
        check_kind(fuel, "diesel", "km", "mismatch");
    }

    /// What each fuel is, by the units of volume that it takes: every fuel of the catalogue is told
    /// here once more, so that a new one is decided and not left to a default.
    #[test]
    fn volumes_of_what_may_be_a_gas_are_asked_back() {
        const GASES: &str = "natural_gas natural_gas_mineral biogas landfill_gas blast_furnace_gas \
            coke_oven_gas fuel_gas propane_gas other_biomass_gas biomethane";
        const PRESSED: &str = "butane cng lng lpg other_petroleum_gas propane ethane ethylene \
            propylene butylene isobutane isobutylene biopropane biomethane_compressed \
            biomethane_liquefied";
        const LIQUIDS: &str = "burning_oil diesel diesel_mineral fuel_oil gas_oil lubricants naphtha \
            petrol petrol_mineral distillate_oil residual_oil refinery_miscellaneous waste_oils \
            aviation_spirit aviation_turbine_fuel marine_gas_oil marine_fuel_oil kerosene \
            distillate_oil_1 distillate_oil_2 distillate_oil_4 residual_oil_5 residual_oil_6 \
            heavy_gas_oil crude_oil natural_gasoline special_naphtha unfinished_oils other_oil \
            pentanes_plus petrochemical_feedstocks asphalt_road_oil bioethanol biodiesel \
            biodiesel_cooking_oil biodiesel_tallow biodiesel_hvo biodiesel_off_road \
            development_diesel development_petrol bio_petrol renewable_petrol methanol biomethanol \
            avtur_renewable rendered_animal_fat vegetable_oil black_liquor_softwood \
            black_liquor_hardwood black_liquor_bagasse black_liquor_bamboo black_liquor_straw";
        let is = |list: &str, word: &str| list.split_ascii_whitespace().any(|one| one == word);
        for fuel in fuels::ALL {
            let asked = match fuel.word {
                word if is(GASES, word) => ["ambiguous", "ambiguous"],
                word if is(PRESSED, word) => ["ambiguous", "ok"],
                word if is(LIQUIDS, word) => ["ok", "ok"],
                _ => {
                    assert_eq!(fuel.state, State::Solid, "{} is in no list", fuel.word);
                    continue;
                }
            };
            for kind in ["fuel.combusted.stationary", "fuel.combusted.mobile"] {
                for unit in ["m3", "[cft_i]", "10*3.[cft_i]", "dm3", "[yd_i]3"] {
                    check_kind(kind, fuel.word, unit, asked[0]);
                }
                for unit in ["L", "l", "kL", "ML", "10*3.L", "[gal_us]", "[gal_br]", "[bbl_us]"] {
                    check_kind(kind, fuel.word, unit, asked[1]);
                }
                for unit in ["kg", "kW.h.x:net", "x:Sm3_15C", "x:scf_60F"] {
                    check_kind(kind, fuel.word, unit, "ok");
                }
            }
        }
    }

    #[test]
    fn the_question_names_what_a_cubic_metre_may_be() {
        let remedy = |fuel: &str, unit: &str| {
            let qualifiers = BTreeMap::from([("fuel".to_owned(), fuel.to_owned())]);
            let unit = parse_code(unit).expect("a unit");
            check_volume(&unit, &qualifiers).expect_err("a question").remedy()
        };
        assert!(remedy("Propane", "m3").starts_with("write one of kL, x:Sm3_15C, x:Nm3_0C,"));
        assert!(remedy("lpg", "[cft_i]").starts_with("write one of L, x:Sm3_15C,"));
        assert!(remedy("natural_gas", "m3").starts_with("write one of x:Sm3_15C,"));
    }

    #[test]
    fn examples_are_quantities_of_their_kind() {
        for quantity in ALL.iter().flat_map(|kind| kind.quantities) {
            let unit = parse_code(quantity.example()).expect("a unit");
            assert!(quantity.takes(unit.dimension()), "{quantity:?}");
        }
    }
}
