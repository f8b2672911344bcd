//! Where the hub's tables belong in the catalogue, or why they do not.

use super::super::meanings::{Meaning, NO_PLACE, NO_UNIT, NO_WORD, Placed, Unplaced};
use super::Row;
use crate::catalogue::{find_fuel, gas_of, word};
use crate::factors::record::{Boundary, FactorKind};
use crate::gwp::{Carbon, Gas, GasGroup};
use crate::rational::Rational;

const ELECTRICITY: &str = "electricity.purchased";
const FUEL: &str = "fuel.combusted.stationary";
const MOBILE: &str = "fuel.combusted.mobile";
const VEHICLE: &str = "vehicle.driven";

const TRAVEL: Unplaced = Unplaced::LeftOut("the numbers of the same vehicle in table 10");
const IPCC: Unplaced =
    Unplaced::LeftOut("the potentials of the IPCC, which the program has from their own table");

/// Names that an edition has in another spelling than the latest: what stands for them in keys.
const MOVED: &[(&str, &str)] = &[
    ("Anthracite Coal", "Anthracite"),
    ("Bituminous Coal", "Bituminous"),
    ("Global Warming Potential (GWP) for Blended Refrigerants", "Blended Refrigerants"),
    ("Global Warming Potentials (GWPs) for Blended Refrigerants", "Blended Refrigerants"),
    ("Lignite Coal", "Lignite"),
    ("R-507", "R-507A"),
    ("Sub-bituminous Coal", "Sub-bituminous"),
];

/// Those of the names of an edition that moved; compositions and long names of subregions are no
/// part of a key.
pub(super) fn renames<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<(String, String)> {
    let mut renames = std::collections::BTreeMap::new();
    for cells in rows {
        for printed in [&cells[2], &cells[3], &cells[4]] {
            if let Some((from, to)) = MOVED.iter().find(|(from, _)| from == printed) {
                renames.insert((*from).to_owned(), (*to).to_owned());
            }
        }
        if matches!(cells[1].as_str(), "6" | "12") && cells[4] != cells[5] && !cells[5].is_empty() {
            renames.insert(cells[5].clone(), String::new());
        }
    }
    renames.into_iter().collect()
}

/// The year that a table's data are of, where the publisher says so: eGRID is two years behind.
pub(super) fn data_year(table: &str, edition: &str) -> Option<u16> {
    let edition: u16 = edition.parse().ok()?;
    (table == "6").then(|| edition - 2)
}

fn us(activity_type: &'static str, boundary: Boundary) -> Meaning {
    Meaning::new(activity_type, boundary, "US")
}

/// What a row means, whose number is per this.
pub(super) fn meaning(cells: &Row, per: &str) -> Placed {
    let [_, table, _, group, item, detail, years, factor, ..] = cells;
    let meaning = match table.as_str() {
        "1" => stationary(group, item, factor),
        "2" => fuel(us(MOBILE, Boundary::Combustion), item),
        "3" => on_road(item, "Motor Gasoline", years),
        "4" => on_road(item, detail, years),
        "5" => non_road(item, detail),
        "6" => electricity(item, factor),
        "7" => Ok(us("heat.purchased", Boundary::Generation).with("medium", "heat|steam")),
        "8" => freight(item, per),
        "9" => waste(item, detail),
        "10" => travel(item, per),
        "11" => return Err(IPCC),
        "12" => gas(item),
        _ => Err(NO_PLACE),
    }?;
    let (unit, cv_basis, conditions) = unit(per, meaning.activity_type).ok_or(NO_UNIT)?;
    Ok(Meaning { unit, cv_basis, conditions, ..meaning })
}

type UnitOf = (&'static str, Option<&'static str>, Option<&'static str>);

fn unit(per: &str, activity_type: &str) -> Option<UnitOf> {
    let plain = |unit| Some((unit, None, None));
    match per {
        "mmBtu" if activity_type == FUEL => Some(("10*6.[Btu_IT].x:gross", Some("gross"), None)),
        "mmBtu" => plain("10*6.[Btu_IT]"),
        "MWh" => plain("MW.h"),
        "fraction" => plain("1"),
        "gallon" => plain("[gal_us]"),
        "kg" => plain("kg"),
        "passenger-mile" => plain("x:pax.[mi_i]"),
        "scf" => Some(("x:scf_60F", None, Some("60 °F, 14.696 psia (inferred)"))),
        "short ton" => plain("[ston_av]"),
        // A ton of the publisher is the short ton, which the editions from 2025 on say.
        "short ton-mile" | "ton-mile" => plain("[ston_av].[mi_i]"),
        "vehicle-mile" => plain("x:veh.[mi_i]"),
        _ => None,
    }
}

fn fuel(meaning: Meaning, item: &str) -> Placed {
    let known = word("fuel", item).and_then(find_fuel).ok_or(NO_WORD)?;
    let meaning = meaning.with("fuel", known.word);
    Ok(Meaning { carbon: known.carbon, ..meaning })
}

fn stationary(group: &str, item: &str, factor: &str) -> Placed {
    let mut meaning = fuel(us(FUEL, Boundary::Combustion), item)?;
    if factor == "Heat Content (HHV)" {
        meaning.kind = FactorKind::Property;
        meaning.carbon = Carbon::Unknown;
        return Ok(meaning.with("property", "heat_content"));
    }
    if group.starts_with("Biomass") && meaning.carbon != Carbon::Biogenic {
        meaning.flags.push("listed_as_biomass");
    }
    if item == "Municipal Solid Waste" {
        meaning.flags.push("needs_fossil_share");
        meaning.permitted_use = "not_for_inventory";
    }
    Ok(meaning)
}

/// The fuel of an engine: methane and nitrous oxide do not ask where its carbon comes from, but
/// their GWP may.
fn engine_fuel(meaning: Meaning, printed: &str) -> Placed {
    let item = match printed {
        "Biodiesel" => "Biodiesel (100%)",
        "CNG" => "Compressed Natural Gas (CNG)",
        "Diesel" => "Diesel Fuel",
        "Ethanol" => "Ethanol (100%)",
        _ if printed.starts_with("Gasoline") => "Motor Gasoline",
        _ if printed.starts_with("Diesel ") => "Diesel Fuel",
        other => other,
    };
    fuel(meaning, item)
}

fn on_road(item: &str, printed: &str, years: &str) -> Placed {
    let class = word("vehicle_class", item).ok_or(NO_WORD)?;
    let meaning = us(MOBILE, Boundary::Combustion).with("vehicle_class", class);
    let meaning = engine_fuel(meaning, printed)?;
    Ok(match model_years(years)? {
        years if years.is_empty() => meaning,
        years => meaning.with("model_year", years),
    })
}

/// `1973-1974` as `1973|1974`: each year of a range is a word. Before the first is from 1960 on,
/// where the publisher's other tables begin.
fn model_years(printed: &str) -> Result<String, Unplaced> {
    if printed.is_empty() {
        return Ok(String::new());
    }
    let (first, last) = match printed.strip_prefix('≤') {
        Some(last) => ("1960", last),
        None => printed.split_once('-').unwrap_or((printed, printed)),
    };
    let year = |text: &str| text.parse::<u16>().ok().filter(|year| (1900..2100).contains(year));
    let (first, last) = year(first).zip(year(last)).ok_or(NO_WORD)?;
    let years: Vec<String> = (first..=last).map(|year| year.to_string()).collect();
    Ok(years.join("|"))
}

fn non_road(item: &str, detail: &str) -> Placed {
    let class = word("vehicle_class", item).ok_or(NO_WORD)?;
    let meaning = us(MOBILE, Boundary::Combustion).with("vehicle_class", class);
    let meaning = engine_fuel(meaning, detail)?;
    Ok(match word("engine", detail) {
        Some(engine) => meaning.with("engine", engine),
        None => meaning,
    })
}

/// A subregion of the grid, or the average of the country.
fn electricity(item: &str, factor: &str) -> Placed {
    let loss = factor == "Grid gross loss";
    let boundary = if loss { Boundary::TAndD } else { Boundary::Generation };
    let mut meaning = us(ELECTRICITY, boundary);
    if loss {
        meaning.kind = FactorKind::LossRate;
    }
    if item != "US Average" {
        meaning.region = ("egrid", item.to_owned());
    }
    if factor.starts_with("Non-baseload") {
        meaning.permitted_use = "not_for_inventory";
    }
    Ok(meaning)
}

fn freight(item: &str, per: &str) -> Placed {
    let truck = "Medium- and Heavy-Duty Truck";
    let moved = |mode: &str| us("freight.moved", Boundary::Combustion).with("mode", mode);
    match (per, item) {
        ("vehicle-mile", "Passenger Car" | "Light-Duty Truck") => Err(TRAVEL),
        ("vehicle-mile", _) => driven(item),
        (_, "Aircraft") => Ok(moved("air").with("rf", "without")),
        (_, item) if item == truck => {
            Ok(moved("road").with("vehicle_class", word("vehicle_class", item).ok_or(NO_WORD)?))
        }
        _ => Ok(moved(word("freight_mode", item).ok_or(NO_WORD)?)),
    }
}

fn driven(item: &str) -> Placed {
    let class = word("vehicle_class", item).ok_or(NO_WORD)?;
    Ok(us(VEHICLE, Boundary::Combustion).with("vehicle_class", class))
}

/// What is thrown away; the publisher's totals are of the whole way to the end.
fn waste(item: &str, treatment: &str) -> Placed {
    let meaning = us("waste.treated", Boundary::EndOfLife);
    let meaning = meaning.with("material", word("material", item).ok_or(NO_WORD)?);
    Ok(meaning.with("treatment", word("treatment", treatment).ok_or(NO_WORD)?))
}

fn travel(item: &str, per: &str) -> Placed {
    if per == "vehicle-mile" {
        return driven(item);
    }
    let moved = us("travel.moved", Boundary::Combustion);
    if let Some(haul) = word("haul", item) {
        return Ok(moved.with("mode", "air").with("haul", haul).with("rf", "without"));
    }
    Ok(moved.with("mode", word("travel_mode", item).ok_or(NO_WORD)?))
}

/// A blend; in the publisher's numbers only gases of the Kyoto group count.
fn gas(item: &str) -> Placed {
    let meaning = us("refrigerant.recharged", Boundary::Fugitive);
    Ok(meaning.with("gas", word("gas", item).ok_or(NO_WORD)?))
}

/// What is in a blend, of the gases that count: each with its share in percent as printed. `None`
/// where the printed shares are not all of it.
pub(super) fn composition(printed: &str) -> Option<Vec<(Gas, String)>> {
    let mut gases = Vec::new();
    let mut sum = Rational::ZERO;
    for part in printed.split(" , ") {
        let (share, name) = part.trim().split_once("% ")?;
        sum = sum.plus(&Rational::parse(share)?);
        let gas = gas_of(word("gas", name)?);
        if let Some(gas) = gas.filter(|gas| gas.group() == GasGroup::Kyoto) {
            gases.push((gas, share.to_owned()));
        }
    }
    (sum == Rational::new(100, 1)?).then_some(gases)
}
