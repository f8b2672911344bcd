//! Where the flat file's tables belong in the catalogue, or why they do not.

use super::super::meanings::{Meaning, NO_PLACE, NO_UNIT, NO_WORD, Placed, Unplaced};
use super::{Row, words};
use crate::catalogue::{Bucket, find_fuel, gas_of, word};
use crate::factors::record::Boundary;
use crate::gwp::{Carbon, GasGroup};

const ELECTRICITY: &str = "electricity.purchased";
const FUEL: &str = "fuel.combusted.stationary";
const FREIGHT: &str = "freight.moved";
const GASES: &str = "refrigerant.recharged";
const GOODS: &str = "goods.purchased";
const HEAT: &str = "heat.purchased";
const HOME: &str = "commute.worked_home";
const STAYS: &str = "travel.stayed";
const TRAVEL: &str = "travel.moved";
const VEHICLE: &str = "vehicle.driven";
const WASTE: &str = "waste.treated";

const SAME_GRID: Unplaced = Unplaced::LeftOut("the numbers of UK electricity");
const ENERGY: Unplaced = Unplaced::LeftOut("energy per distance, not emissions");
const ELSEWHERE: Unplaced = Unplaced::LeftOut(
    "the numbers of passenger and delivery vehicles; for electric ones with generation and losses",
);
/// What 2021 lists as blends of the Kyoto protocol.
const KYOTO_BLENDS: &[&str] =
    &["r403a", "r404a", "r407a", "r407c", "r407f", "r408a", "r410a", "r507a", "r508b"];
const EV_FREIGHT: Unplaced =
    Unplaced::LeftOut("part of the number that freighting goods has for the same van");
const OTHER_UNIT: Unplaced =
    Unplaced::LeftOut("the number of the row beside it, per another unit of the same dimension");
const TOTAL: Unplaced = Unplaced::LeftOut("the sum of the two rows beside it, Kyoto and non-Kyoto");
const NO_CV: Unplaced = Unplaced::LeftOut("energy of a fuel without saying gross or net");

fn uk(activity_type: &'static str, boundary: Boundary) -> Meaning {
    Meaning::new(activity_type, boundary, "GB")
}

/// What a row means.
pub(super) fn meaning(cells: &Row) -> Placed {
    let [_, _, table, group, item, level, column, uom, ghg_unit, ..] = cells;
    let secr = ["SECR", "Passenger and delivery vehicles- kWh"];
    if ghg_unit.starts_with("kWh") || secr.iter().any(|begin| table.starts_with(begin)) {
        return Err(ENERGY);
    }
    if matches!(uom.as_str(), "miles" | "million litres") {
        return Err(OTHER_UNIT);
    }
    let (group, item) = (group.as_str(), item.as_str());
    let meaning = match table.as_str() {
        "UK electricity" => Ok(uk(ELECTRICITY, Boundary::Generation)),
        "Managed assets- electricity" => return Err(SAME_GRID),
        "Transmission and distribution" => network(group, Boundary::TAndD),
        "WTT- UK & overseas elec" | "WTT- UK electricity" => electricity_upstream(group, item),
        "Heat and steam" => heat(item, Boundary::Generation),
        "WTT- heat and steam" => heat_upstream(group, item),
        "Fuels" | "Bioenergy" => fuel(item, uom, Boundary::Combustion),
        "WTT- fuels" | "WTT- bioenergy" => fuel(item, uom, Boundary::Upstream),
        "Outside of scopes" => outside(group, item, uom),
        "Refrigerant & other" => gas(item, column),
        "Passenger vehicles" | "Delivery vehicles" => {
            vehicle(group, item, column, Boundary::Combustion)
        }
        "UK electricity for EVs" | "UK electricity for Evs" | "UK electricity T&D for EVs"
            if uom == "tonne.km" =>
        {
            return Err(EV_FREIGHT);
        }
        "UK electricity for EVs" | "UK electricity for Evs" => {
            vehicle(group, item, column, Boundary::Generation)
        }
        "UK electricity T&D for EVs" => vehicle(group, item, column, Boundary::TAndD),
        "Managed assets- vehicles" => return Err(ELSEWHERE),
        "Business travel- air" => flight(item, level, column, Boundary::Combustion),
        "WTT- business travel- air" | "WTT- business travel (air)" => {
            flight(item, level, column, Boundary::Upstream)
        }
        "Business travel- sea" => ferry(item, Boundary::Combustion),
        "WTT- business travel- sea" | "WTT- business travel (sea)" => {
            ferry(item, Boundary::Upstream)
        }
        "Business travel- land" => travel(cells, Boundary::Combustion),
        "WTT- pass vehs & travel- land" | "WTT- pass vehs & travel (land)" => {
            travel(cells, Boundary::Upstream)
        }
        "Freighting goods" => freight(cells, Boundary::Combustion),
        "WTT- delivery vehs & freight" => freight(cells, Boundary::Upstream),
        "Hotel stay" => stay(item),
        "Homeworking" => home(group),
        "Water supply" => Ok(uk("water.supplied", Boundary::CradleToGate)),
        "Water treatment" => Ok(uk("water.treated", Boundary::EndOfLife)),
        "Material use" => material(item, column),
        "Waste disposal" => waste(item, column),
        _ => Err(NO_PLACE),
    }?;
    with_unit(meaning, uom)
}

fn with_unit(meaning: Meaning, uom: &str) -> Placed {
    if !meaning.unit.is_empty() {
        return Ok(meaning);
    }
    let unit = match (uom, meaning.activity_type == VEHICLE) {
        ("kWh", _) => "kW.h",
        ("kg", _) => "kg",
        ("tonnes", _) => "t",
        ("cubic metres", _) => "m3",
        ("passenger.km", _) => "x:pax.km",
        ("tonne.km", _) => "t.km",
        ("Room per night", _) => "x:room_night",
        ("per FTE Working Hour", _) => "x:fte.h",
        ("km", true) => "x:veh.km",
        _ => return Err(NO_UNIT),
    };
    Ok(Meaning { unit, ..meaning })
}

fn fuel(item: &str, uom: &str, boundary: Boundary) -> Placed {
    let known = word("fuel", item).and_then(find_fuel).ok_or(NO_WORD)?;
    let (unit, cv_basis, conditions) = match uom {
        "kWh (Gross CV)" => ("kW.h.x:gross", Some("gross"), None),
        "kWh (Net CV)" => ("kW.h.x:net", Some("net"), None),
        "litres" | "Litres" => ("L", None, None),
        "tonnes" => ("t", None, None),
        "kg" => ("kg", None, None),
        // Not printed beside the table; the printed ratio to gross kWh is the calorific value at 15 °C.
        "cubic metres" => ("x:Sm3_15C", None, Some("15 °C, 101.325 kPa (inferred)")),
        "kWh" | "GJ" => return Err(NO_CV),
        _ => return Err(NO_UNIT),
    };
    let meaning = uk(FUEL, boundary).with("fuel", known.word);
    Ok(Meaning { carbon: known.carbon, unit, cv_basis, conditions, ..meaning })
}

fn outside(group: &str, item: &str, uom: &str) -> Placed {
    if group == "Electricity generated" {
        return Ok(plants(uk(ELECTRICITY, Boundary::Generation).memo(Bucket::BiogenicCo2)));
    }
    fuel(item, uom, Boundary::Combustion)
        .map(|meaning| meaning.memo(Bucket::BiogenicCo2))
        .map(plants)
}

fn plants(meaning: Meaning) -> Meaning {
    Meaning { carbon: Carbon::Biogenic, ..meaning }
}

/// Losses on the way: of electricity, or of district heat.
fn network(group: &str, boundary: Boundary) -> Placed {
    if group.starts_with("T&D- UK electricity") {
        return Ok(uk(ELECTRICITY, boundary));
    }
    Ok(heat_by("district", boundary))
}

/// Heat and steam are one table; cold is in none.
fn heat_by(network: &'static str, boundary: Boundary) -> Meaning {
    uk(HEAT, boundary).with("medium", "heat|steam").with("network", network)
}

fn electricity_upstream(group: &str, item: &str) -> Placed {
    let lost = group.ends_with("(T&D)");
    let boundary = if lost { Boundary::UpstreamTAndD } else { Boundary::Upstream };
    if group.contains("overseas") {
        let region = words::overseas(item).ok_or(NO_WORD)?;
        return Ok(Meaning { region, ..uk(ELECTRICITY, boundary) });
    }
    Ok(uk(ELECTRICITY, boundary))
}

fn heat(item: &str, boundary: Boundary) -> Placed {
    Ok(heat_by(word("network", item).ok_or(NO_WORD)?, boundary))
}

fn heat_upstream(group: &str, item: &str) -> Placed {
    if group.contains("distribution") {
        return network(group, Boundary::UpstreamTAndD);
    }
    heat(item, Boundary::Upstream)
}

/// A gas or a blend: Kyoto gases into the scopes, the rest beside them. Blends hold everywhere; of
/// single gases everyone may take the potentials themselves.
fn gas(item: &str, column: &str) -> Placed {
    let gas = word("gas", item).ok_or(NO_WORD)?;
    let meaning = uk(GASES, Boundary::Fugitive).with("gas", gas);
    let meaning = Meaning { gas: gas_of(gas), ..meaning };
    let meaning = if meaning.gas.is_none() { meaning.anywhere() } else { meaning };
    let in_scope = match column {
        "Emissions including only Kyoto products" => true,
        "Emissions including only non-Kyoto products" => false,
        "Total emissions including non-Kyoto products" => return Err(TOTAL),
        // 2021 has no such columns, and of blends the sum alone.
        "" => meaning.gas.map_or(KYOTO_BLENDS.contains(&gas), |gas| gas.group() == GasGroup::Kyoto),
        _ => return Err(NO_PLACE),
    };
    Ok(if in_scope { meaning } else { meaning.memo(Bucket::NonKyoto) })
}

fn vehicle(group: &str, item: &str, column: &str, boundary: Boundary) -> Placed {
    let class = words::vehicle_class(group, item).ok_or(NO_WORD)?;
    let meaning = uk(VEHICLE, boundary).with("vehicle_class", class);
    driven(meaning, column)
}

/// What a column of a table of vehicles adds: the fuel or the load.
fn driven(meaning: Meaning, column: &str) -> Placed {
    Ok(match (column, words::vehicle_fuel(column), word("laden", column)) {
        ("", _, _) => meaning,
        (_, Some(fuel), _) => meaning.with("fuel", fuel),
        (_, _, Some(laden)) => meaning.with("laden", laden),
        _ => return Err(NO_WORD),
    })
}

fn radiative(meaning: Meaning, column: &str) -> Placed {
    Ok(meaning.with("rf", word("rf", column).ok_or(NO_WORD)?))
}

/// A flight; one that neither starts nor ends in the country is for anywhere.
fn haul(meaning: Meaning, item: &str) -> Placed {
    let haul = word("haul", item).ok_or(NO_WORD)?;
    let meaning = meaning.with("haul", haul);
    Ok(if haul == "international" { meaning.anywhere() } else { meaning })
}

fn flight(item: &str, class: &str, column: &str, boundary: Boundary) -> Placed {
    let class = word("travel_class", class).ok_or(NO_WORD)?;
    let meaning = uk(TRAVEL, boundary).with("mode", "air").with("class", class);
    radiative(haul(meaning, item)?, column)
}

fn ferry(item: &str, boundary: Boundary) -> Placed {
    let class = word("travel_class", item).ok_or(NO_WORD)?;
    Ok(uk(TRAVEL, boundary).with("mode", "ferry").with("class", class))
}

/// Travel by land: passengers by mode, or whole vehicles by class.
fn travel(cells: &Row, boundary: Boundary) -> Placed {
    let [_, _, _, group, item, _, column, uom, ..] = cells;
    if uom != "passenger.km" {
        // Those of taxis are nowhere else.
        let own = boundary == Boundary::Upstream || group.ends_with("Taxis");
        return if own { vehicle(group, item, column, boundary) } else { Err(ELSEWHERE) };
    }
    let mode = word("travel_mode", item).ok_or(NO_WORD)?;
    let meaning = uk(TRAVEL, boundary).with("mode", mode);
    Ok(if mode == "rail_international" { meaning.anywhere() } else { meaning })
}

/// Freight: tonnes by mode and vehicle, or whole vehicles by class.
fn freight(cells: &Row, boundary: Boundary) -> Placed {
    let [_, _, _, group, item, level, column, uom, ..] = cells;
    if uom != "tonne.km" {
        let own = boundary == Boundary::Upstream;
        return if own { vehicle(group, item, column, boundary) } else { Err(ELSEWHERE) };
    }
    let goods = |mode: &str| uk(FREIGHT, boundary).with("mode", mode);
    match group.strip_prefix("WTT- ").unwrap_or(group).to_lowercase().as_str() {
        "freight flights" => radiative(haul(goods("air"), item)?, column),
        "rail" => Ok(goods("rail")),
        "cargo ship" | "sea tanker" => {
            let class = word("vehicle_class", item).ok_or(NO_WORD)?;
            let size = word("size", level).ok_or(NO_WORD)?;
            // Of the world's fleet: the publisher takes them from the maritime organization.
            Ok(goods("sea").with("vehicle_class", class).with("size", size).anywhere())
        }
        _ => {
            let class = words::vehicle_class(group, item).ok_or(NO_WORD)?;
            driven(goods("road").with("vehicle_class", class), column)
        }
    }
}

/// A night in a hotel, in the country of the hotel. Its sources are of several sets of potentials.
fn stay(item: &str) -> Placed {
    let mut meaning = if item == "UK (London)" {
        uk(STAYS, Boundary::Use).with("city", "london")
    } else {
        Meaning::new(STAYS, Boundary::Use, word("country", item).ok_or(NO_WORD)?)
    };
    meaning.flags.push("mixed_basis");
    Ok(meaning)
}

/// Work at home; the row of both together is what is meant when neither is said.
fn home(group: &str) -> Placed {
    let meaning = uk(HOME, Boundary::Use);
    if group == "Homeworking (office equipment + heating)" {
        return Ok(meaning);
    }
    Ok(meaning.with("home_energy", word("home_energy", group).ok_or(NO_WORD)?))
}

fn material(item: &str, column: &str) -> Placed {
    let meaning = uk(GOODS, Boundary::CradleToGate);
    let meaning = meaning.with("item", word("material", item).ok_or(NO_WORD)?);
    Ok(meaning.with("origin", word("origin", column).ok_or(NO_WORD)?))
}

fn waste(item: &str, column: &str) -> Placed {
    let meaning = uk(WASTE, Boundary::EndOfLife);
    let meaning = meaning.with("material", word("material", item).ok_or(NO_WORD)?);
    Ok(meaning.with("treatment", word("treatment", column).ok_or(NO_WORD)?))
}
