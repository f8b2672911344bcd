//! The flat file of the UK government's conversion factors.
//!
//! `ghg_unit` decides what a value is: `kg CO2e` is the total, `kg CO2e of CH4` the CO2 equivalent of
//! one gas already; energy rows never become emissions. Rows without a calorific-value basis where
//! one is needed are left out, not guessed.

use std::collections::BTreeMap;

use crate::catalogue::{Bucket, find_fuel};
use crate::factors::pack::Recipe;
use crate::factors::record::{
    Body, Boundary, Denominator, Factor, GasValue, Provenance, Region, Repr, Rights, Total,
};
use crate::factors::rows;
use crate::gwp::{Carbon, Gas, GwpSet};
use crate::hash::Digest;
use crate::rational::Rational;
use crate::time::Day;

/// Why the file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the publisher's file: {detail}")]
pub struct ImportError {
    /// The line, the first being 1.
    pub line: u32,
    /// What is wrong.
    pub detail: String,
}

fn refuse<T>(line: u32, detail: &str) -> Result<T, ImportError> {
    Err(ImportError { line, detail: detail.to_owned() })
}

const HEADER: &str = "id,scope,level_1,level_2,level_3,level_4,column_text,uom,ghg_unit,value,year";

/// Imports an edition: electricity, fuels and biomass, with their losses and well-to-tank parts.
///
/// # Errors
/// [`ImportError`] for a line that is not of this file's shape.
pub fn import(csv: &str, file: &str, edition: i16) -> Result<(Recipe, Vec<Factor>), ImportError> {
    let recipe = recipe(csv, file, edition)?;
    let mut lines = (1_u32..).zip(csv.lines());
    if lines.next().map(|(_, line)| line) != Some(HEADER) {
        return refuse(1, "not the header of the flat file");
    }
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (number, line) in lines {
        let cells = cells(line).filter(|cells| cells.len() == 11);
        let Some(cells) = cells else { return refuse(number, "not eleven cells") };
        let Some(meaning) = meaning(&cells) else { continue };
        let group = groups.entry(key(&cells)).or_insert_with(|| Group::new(meaning, &cells));
        group.take(number, &cells[8], &cells[9])?;
    }
    let mut factors = Vec::new();
    for (key, group) in groups {
        let line = group.lines.first().copied().unwrap_or(0);
        let factor = Factor::new(group.body(&recipe, &key), &recipe.id);
        factors.push(factor.or_else(|_| refuse(line, "the record is not exact"))?);
    }
    Ok((recipe, factors))
}

fn recipe(csv: &str, file: &str, edition: i16) -> Result<Recipe, ImportError> {
    let new_year = |year: i16| Day::from_ymd(year, 1, 1);
    let Some((valid_from, valid_to)) = new_year(edition).zip(new_year(edition + 1)) else {
        return refuse(1, "not a year");
    };
    Ok(Recipe {
        id: format!("desnz-{edition}"),
        version: "1".to_owned(),
        publisher: if edition < 2023 { "UK BEIS (now DESNZ)" } else { "UK DESNZ" }.to_owned(),
        dataset: "Greenhouse gas reporting: conversion factors".to_owned(),
        edition: edition.to_string(),
        valid_from,
        valid_to,
        basis: if edition < 2023 { GwpSet::Ar4 } else { GwpSet::Ar5 },
        period_rule: "majority".to_owned(),
        rights: Rights {
            licence: "OGL-UK-3.0".to_owned(),
            redistribute: "attribution".to_owned(),
            attribution: "Contains public sector information licensed under the Open Government \
                          Licence v3.0"
                .to_owned(),
        },
        file: file.to_owned(),
        sha256: Digest::of(csv.as_bytes()).hex(),
    })
}

/// The cells of a CSV line; `None` when a quote does not close on it.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.trim_end_matches('\r').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cells.last_mut()?.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut()?.push(letter),
        }
    }
    (!quoted).then_some(cells)
}

/// What rows of one publisher's table mean here.
struct Meaning {
    activity_type: &'static str,
    boundary: Boundary,
    memo: Option<Bucket>,
    fuel: Option<&'static str>,
    carbon: Carbon,
    unit: &'static str,
    cv_basis: Option<&'static str>,
    conditions: Option<&'static str>,
}

const ELECTRICITY: &str = "electricity.purchased";
const FUEL: &str = "fuel.combusted.stationary";
/// Transport fuels that no boiler burns; `fuel.combusted.mobile` will take them.
const TRANSPORT_ONLY: &[&str] =
    &["Aviation spirit", "Aviation turbine fuel", "Marine fuel oil", "Marine gas oil"];

/// Where the flat file puts what belongs to stationary energy; anything else is left to other packs.
fn meaning(cells: &[String]) -> Option<Meaning> {
    let [_, scope, table, group, item, ..] = cells else { return None };
    let (activity_type, boundary, memo) =
        match (scope.as_str(), table.as_str(), group.as_str(), item.as_str()) {
            ("Scope 2", "UK electricity", "Electricity generated", "Electricity: UK") => {
                (ELECTRICITY, Boundary::Generation, None)
            }
            (_, "Transmission and distribution", "T&D- UK electricity", "Electricity: UK") => {
                (ELECTRICITY, Boundary::TAndD, None)
            }
            (_, "WTT- UK & overseas elec", "WTT- UK electricity (generation)", _) => {
                (ELECTRICITY, Boundary::Upstream, None)
            }
            (_, "WTT- UK & overseas elec", "WTT- UK electricity (T&D)", _) => {
                (ELECTRICITY, Boundary::UpstreamTAndD, None)
            }
            ("Scope 1", "Fuels" | "Bioenergy", ..) => (FUEL, Boundary::Combustion, None),
            ("Scope 3", "WTT- fuels" | "WTT- bioenergy", ..) => (FUEL, Boundary::Upstream, None),
            (
                "Outside of Scopes",
                "Outside of scopes",
                "Forecourt fuels containing biofuel" | "Biomass" | "Biogas",
                _,
            ) => (FUEL, Boundary::Combustion, Some(Bucket::BiogenicCo2)),
            _ => return None,
        };
    with_unit(activity_type, boundary, memo, cells)
}

fn with_unit(
    activity_type: &'static str,
    boundary: Boundary,
    memo: Option<Bucket>,
    cells: &[String],
) -> Option<Meaning> {
    let (group, item, uom) = (cells.get(3)?, cells.get(4)?, cells.get(7)?);
    let fuel = crate::catalogue::fuel_by_alias(item).filter(|_| activity_type == FUEL);
    let biofuel = matches!(group.as_str(), "Biofuel" | "WTT- biofuel");
    let left_out = TRANSPORT_ONLY.contains(&item.as_str()) || fuel.is_none() || biofuel;
    if activity_type == FUEL && left_out {
        return None;
    }
    let (unit, cv_basis, conditions) = match (uom.as_str(), activity_type) {
        ("kWh", ELECTRICITY) => ("kW.h", None, None),
        ("kWh (Gross CV)", FUEL) => ("kW.h.x:gross", Some("gross"), None),
        ("kWh (Net CV)", FUEL) => ("kW.h.x:net", Some("net"), None),
        ("litres", FUEL) => ("L", None, None),
        ("tonnes", FUEL) => ("t", None, None),
        // Not printed beside the table; the printed ratio to gross kWh is the calorific value at 15 °C.
        ("cubic metres", FUEL) => ("x:Sm3_15C", None, Some("15 °C, 101.325 kPa (inferred)")),
        _ => return None,
    };
    let carbon = fuel.map_or(Carbon::Unknown, |fuel| fuel.carbon);
    let carbon = if memo.is_some() { Carbon::Biogenic } else { carbon };
    let fuel = fuel.map(|fuel| fuel.word);
    Some(Meaning { activity_type, boundary, memo, fuel, carbon, unit, cv_basis, conditions })
}

/// Publisher, data set and path: stable through editions, so the data year is no part of it.
fn key(cells: &[String]) -> String {
    let words = cells.get(1..8).unwrap_or_default();
    let words = words.iter().filter(|word| !word.is_empty() && data_year(word).is_none());
    let path: Vec<String> = words.map(|word| slug(word)).collect();
    format!("desnz/conversion-factors/{}", path.join("/"))
}

fn data_year(word: &str) -> Option<u16> {
    let four = word.len() == 4 && word.starts_with("20");
    four.then(|| word.parse().ok()).flatten()
}

fn slug(word: &str) -> String {
    let letters = word.to_lowercase().replace('&', " and ").replace('%', " percent ");
    let words = letters.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// The rows of one factor: a total and its gases.
struct Group {
    meaning: Meaning,
    words: Vec<String>,
    uom: String,
    data_year: Option<u16>,
    lines: Vec<u32>,
    total: Option<(String, u32)>,
    gases: Vec<(Gas, String, u32)>,
}

impl Group {
    fn new(meaning: Meaning, cells: &[String]) -> Self {
        let words = cells.get(1..7).unwrap_or_default();
        Self {
            meaning,
            words: words.iter().filter(|word| !word.is_empty()).cloned().collect(),
            uom: cells.get(7).cloned().unwrap_or_default(),
            data_year: words.iter().find_map(|word| data_year(word)),
            lines: Vec::new(),
            total: None,
            gases: Vec::new(),
        }
    }

    fn take(&mut self, line: u32, ghg_unit: &str, value: &str) -> Result<(), ImportError> {
        if Rational::parse(value).is_none() {
            return refuse(line, "not a number");
        }
        let gas = match ghg_unit.strip_suffix(" per unit").unwrap_or(ghg_unit) {
            "kg CO2e" => None,
            "kg CO2e of CO2" | "kg CO2" => Some(Gas::CO2),
            "kg CO2e of CH4" | "kg CH4" => Some(Gas::CH4),
            "kg CO2e of N2O" | "kg N2O" => Some(Gas::N2O),
            _ => return Ok(()),
        };
        let doubled = match gas {
            None => self.total.replace((value.to_owned(), line)).is_some(),
            Some(gas) => {
                let doubled = self.gases.iter().any(|(other, _, _)| *other == gas);
                self.gases.push((gas, value.to_owned(), line));
                doubled
            }
        };
        self.lines.push(line);
        if doubled { refuse(line, "a second value for the same factor") } else { Ok(()) }
    }

    /// |sum − total| ≤ max(0.0002 × total, 0.00002): what the publisher's rounding explains.
    fn gas_sum_holds(&self) -> Option<bool> {
        let total = Rational::parse(&self.total.as_ref()?.0)?;
        if self.gases.is_empty() {
            return None;
        }
        let values = self.gases.iter().filter_map(|(_, value, _)| Rational::parse(value));
        let rest = values.fold(total.clone(), |rest, value| rest.minus(&value));
        let size = if rest.is_negative() { rest.negated() } else { rest };
        let slack = total.times(&Rational::new(2, 10_000)?).max(Rational::new(2, 100_000)?);
        Some(size <= slack)
    }

    fn body(self, recipe: &Recipe, key: &str) -> Body {
        let check = |holds: bool| if holds { "gas_sum" } else { "gas_sum_failed" }.to_owned();
        let checks = self.gas_sum_holds().map(check).into_iter().collect();
        let meaning = &self.meaning;
        let bioenergy = self.words.iter().any(|word| word == "WTT- bioenergy");
        // The publisher moved to AR5 with the edition of 2023, but for this one table.
        let basis = if bioenergy { GwpSet::Ar4 } else { recipe.basis };
        let kg = || "kg".to_owned();
        let gas = |(gas, value, line): (Gas, String, u32)| GasValue {
            gas,
            carbon: meaning.carbon,
            repr: Repr::Co2e,
            gwp_basis: Some(basis),
            value,
            unit: kg(),
            line: Some(line),
        };
        let total =
            self.total.map(|(value, line)| Total { value, basis, unit: kg(), line: Some(line) });
        let fuel = meaning.fuel.and_then(find_fuel);
        Body {
            data_year: self.data_year,
            basis,
            region: Region { scheme: "iso".to_owned(), code: "GB".to_owned() },
            activity_type: meaning.activity_type.to_owned(),
            qualifiers: fuel
                .map(|fuel| ("fuel".to_owned(), fuel.word.to_owned()))
                .into_iter()
                .collect(),
            memo_bucket: meaning.memo,
            boundary: meaning.boundary,
            gases: self.gases.into_iter().map(gas).collect(),
            total,
            denominator: Denominator {
                unit: meaning.unit.to_owned(),
                as_printed: self.uom,
                cv_basis: meaning.cv_basis.map(str::to_owned),
                reference_conditions: meaning.conditions.map(str::to_owned),
                ..Denominator::default()
            },
            provenance: Provenance {
                file: recipe.file.clone(),
                sha256: recipe.sha256.clone(),
                lines: self.lines,
                precision: Some(15),
                words: self.words,
                checks,
                ..Provenance::default()
            },
            ..rows::blank(recipe, key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factors::pack;

    const FILE: &str =
        "id,scope,level_1,level_2,level_3,level_4,column_text,uom,ghg_unit,value,year
,Scope 2,UK electricity,Electricity generated,Electricity: UK,2020,,kWh,kg CO2e,0.19338,2022
,Scope 2,UK electricity,Electricity generated,Electricity: UK,2020,,kWh,kg CO2e of CO2,0.19121,2022
,Scope 2,UK electricity,Electricity generated,Electricity: UK,2020,,kWh,kg CO2e of CH4,0.0008,2022
,Scope 2,UK electricity,Electricity generated,Electricity: UK,2020,,kWh,kg CO2e of N2O,0.00137,2022
,Scope 2,SECR kWh UK electricity for EVs,Cars,Mini,,,km,kWh,0.2,2022
,Scope 1,Bioenergy,Biomass,Wood logs,,,kWh,kg CO2e,0.01053,2022
,Scope 1,Fuels,Liquid fuels,Marine gas oil,,,tonnes,kg CO2e,3249.9,2022
,Scope 3,WTT- fuels,Gaseous fuels,Natural gas,,,kWh (Gross CV),kg CO2e,0.0311,2022
";

    #[test]
    fn rows_become_factors_with_their_lines() {
        let (recipe, factors) = import(FILE, "flat.csv", 2022).expect("a flat file");
        let keys: Vec<&str> = factors.iter().map(|factor| factor.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "desnz/conversion-factors/scope-2/uk-electricity/electricity-generated/electricity-uk/kwh",
                "desnz/conversion-factors/scope-3/wtt-fuels/gaseous-fuels/natural-gas/kwh-gross-cv",
            ]
        );
        let grid = factors.first().expect("two");
        assert_eq!(grid.provenance.lines, [2, 3, 4, 5]);
        assert_eq!((grid.data_year, grid.headline()), (Some(2020), "0.19338".to_owned()));
        assert_eq!(grid.provenance.checks, ["gas_sum"]);
        assert!(grid.rebasable() && !factors.last().expect("two").rebasable());
        let text = pack::write(&recipe, &factors);
        let read = pack::read(&text, &Digest::of(text.as_bytes()).hex()).expect("a pack");
        assert_eq!((read.recipe, read.factors), (recipe, factors));
    }

    #[test]
    fn an_id_is_the_digest_of_the_canonical_record() {
        let (_, factors) = import(FILE, "flat.csv", 2022).expect("a flat file");
        for factor in factors {
            let json = factor.canonical_json().expect("exact");
            assert!(!json.contains("\"id\"") && !json.contains("null"), "{json}");
            assert_eq!(factor.id.0, Digest::of(json.as_bytes()));
        }
    }

    #[test]
    fn other_files_are_refused_with_the_line() {
        let line = |csv: &str| import(csv, "x", 2022).err().map(|problem| problem.line);
        assert_eq!(line("a,b\n"), Some(1));
        assert_eq!(line(&format!("{HEADER}\n1,2,3\n")), Some(2));
        assert_eq!(line(&FILE.replace("0.0008", "N/A")), Some(4));
        let doubled = FILE.replace("kg CO2e of CH4", "kg CO2e of CO2");
        assert_eq!(line(&doubled), Some(4));
        assert_eq!(line(&FILE.replace("Mini", "\"Mini")), Some(6));
    }
}
