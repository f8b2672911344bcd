//! The flat file of the UK government's conversion factors.
//!
//! `ghg_unit` decides what a value is: `kg CO2e` is the total, `kg CO2e of CH4` the CO2 equivalent of
//! one gas already, as is the `kg CH4` of 2021; energy rows never become emissions. Rows that the
//! catalogue has no place for are left out with the reason, not guessed.

mod tables;
mod words;

use std::collections::BTreeMap;

use super::meanings::{Meaning, Unplaced};
use super::{ImportError, Imported, csv};
use crate::factors::pack::{FamilyRule, PeriodRule, Recipe, RegionRule, Rules};
use crate::factors::record::{Body, Factor, GasValue, Provenance, Repr, Rights, Total};
use crate::factors::rows;
use crate::gwp::{Gas, GwpSet, gwp};
use crate::hash::Digest;
use crate::rational::Rational;
use crate::time::Day;

const HEADER: &str = "id,scope,level_1,level_2,level_3,level_4,column_text,uom,ghg_unit,value,year";

/// A row of the flat file: id, scope, four levels, column, unit, unit of gas, value, year.
type Row = [String; 11];

/// Imports an edition.
///
/// # Errors
/// [`ImportError`] for a line that is not of this file's shape.
pub fn import(csv: &str, file: &str, edition: i16) -> Result<Imported, ImportError> {
    let mut recipe = recipe(csv, file, edition)?;
    let rows: Vec<(u32, Row)> = csv::rows(csv, HEADER)?;
    recipe.renames = words::renames(rows.iter().map(|(_, cells)| cells));
    let renames: BTreeMap<String, String> = recipe.renames.iter().cloned().collect();
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut left_out = BTreeMap::new();
    for (number, cells) in &rows {
        if cells[10] != edition.to_string() {
            return ImportError::at(*number, &format!("not of the edition {edition}"));
        }
        let key = key(&recipe.prefix, &renames, cells);
        if let Some(group) = groups.get_mut(&key).filter(|group| group.is_of(cells)) {
            group.take(*number, cells)?;
            continue;
        }
        match tables::meaning(cells) {
            Err(Unplaced::Strange(what)) => {
                let printed = printed_words(cells).join(" / ");
                return ImportError::at(*number, &format!("{what}: {printed}, {}", cells[7]));
            }
            Err(Unplaced::LeftOut(reason)) => {
                *left_out.entry((cells[2].clone(), reason)).or_insert(0) += 1;
            }
            Ok(meaning) => {
                let mut group = Group::new(meaning, cells);
                group.take(*number, cells)?;
                if groups.insert(key, group).is_some() {
                    return ImportError::at(*number, "another factor has this key");
                }
            }
        }
    }
    let mut factors = Vec::new();
    for (key, group) in groups {
        let line = group.lines.first().copied().unwrap_or(0);
        let factor = Factor::new(group.body(&recipe, &key), &recipe.id);
        factors.push(factor.or_else(|_| ImportError::at(line, "the record is not exact"))?);
    }
    Ok(Imported { recipe, factors, left_out })
}

fn recipe(csv: &str, file: &str, edition: i16) -> Result<Recipe, ImportError> {
    let new_year = |year: i16| Day::from_ymd(year, 1, 1);
    let Some((valid_from, valid_to)) = new_year(edition).zip(new_year(edition + 1)) else {
        return ImportError::at(1, "not a year");
    };
    Ok(Recipe {
        id: format!("desnz-{edition}"),
        version: if edition == 2022 { "2" } else { "1" }.to_owned(),
        prefix: "desnz/conversion-factors".to_owned(),
        publisher: if edition < 2023 { "UK BEIS (now DESNZ)" } else { "UK DESNZ" }.to_owned(),
        dataset: "Greenhouse gas reporting: conversion factors".to_owned(),
        edition: edition.to_string(),
        valid_from,
        valid_to,
        basis: if edition < 2023 { GwpSet::Ar4 } else { GwpSet::Ar5 },
        rules: Rules {
            period: PeriodRule::Majority,
            region: RegionRule::Own,
            family: FamilyRule::SameEdition,
        },
        rights: Rights {
            licence: "OGL-UK-3.0".to_owned(),
            redistribute: "attribution".to_owned(),
            attribution: "Contains public sector information licensed under the Open Government \
                          Licence v3.0"
                .to_owned(),
        },
        file: file.to_owned(),
        sha256: Digest::of(csv.as_bytes()).hex(),
        precision: 15,
        renames: Vec::new(),
    })
}

/// The publisher's words of a row, in order: its scope, its levels and its column.
fn printed_words(cells: &Row) -> Vec<&str> {
    let words = cells.iter().skip(1).take(6).map(String::as_str);
    words.filter(|word| !word.is_empty()).collect()
}

fn key(prefix: &str, renames: &BTreeMap<String, String>, cells: &Row) -> String {
    rows::key(prefix, renames, &printed_words(cells), &cells[7])
}

fn data_year(word: &str) -> Option<u16> {
    let four = word.len() == 4 && word.starts_with("20");
    four.then(|| word.parse().ok()).flatten()
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
    fn new(meaning: Meaning, cells: &Row) -> Self {
        let words: Vec<String> = printed_words(cells).into_iter().map(str::to_owned).collect();
        Self {
            meaning,
            data_year: words.iter().find_map(|word| data_year(word)),
            words,
            uom: cells[7].clone(),
            lines: Vec::new(),
            total: None,
            gases: Vec::new(),
        }
    }

    /// Whether a row has the words of this factor: two that differ may not share a key.
    fn is_of(&self, cells: &Row) -> bool {
        self.uom == cells[7] && self.words == printed_words(cells)
    }

    fn take(&mut self, line: u32, cells: &Row) -> Result<(), ImportError> {
        let value = &cells[9];
        if Rational::parse(value).is_none() {
            return ImportError::at(line, "not a number");
        }
        let ghg_unit = cells[8].as_str();
        let gas = match ghg_unit.strip_suffix(" per unit").unwrap_or(ghg_unit) {
            "kg CO2e" => None,
            "kg CO2e of CO2" | "kg CO2" => Some(Gas::CO2),
            "kg CO2e of CH4" | "kg CH4" => Some(Gas::CH4),
            "kg CO2e of N2O" | "kg N2O" => Some(Gas::N2O),
            other => return ImportError::at(line, &format!("{other:?} is no unit of emissions")),
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
        if doubled {
            return ImportError::at(line, "a second value for the same factor");
        }
        Ok(())
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
        // The publisher moved to AR5 with the edition of 2023, but for this one table.
        let bioenergy = self.words.iter().any(|word| word == "WTT- bioenergy");
        let basis = if bioenergy { GwpSet::Ar4 } else { recipe.basis };
        let blank = self.meaning.body(recipe, key, &self.uom);
        let carbon = self.meaning.carbon;
        let kg = || "kg".to_owned();
        let gas = |(gas, value, line): (Gas, String, u32)| GasValue {
            gas,
            carbon,
            repr: Repr::Co2e,
            gwp_basis: Some(basis),
            value,
            unit: kg(),
            line: Some(line),
        };
        let mut gases: Vec<GasValue> = self.gases.into_iter().map(gas).collect();
        let mut total =
            self.total.map(|(value, line)| Total { value, basis, unit: kg(), line: Some(line) });
        // The CO2 equivalent of one gas by itself is as good as its mass.
        if let Some((alone, printed)) = self.meaning.gas.zip(total.as_ref()) {
            let potential = gwp(basis, alone, carbon, self.meaning.boundary).map(Rational::from);
            if potential.is_some() && potential == Rational::parse(&printed.value) {
                gases.push(gas((alone, printed.value.clone(), printed.line.unwrap_or(0))));
                total = None;
            }
        }
        Body {
            data_year: self.data_year,
            basis,
            gases,
            total,
            provenance: Provenance {
                lines: self.lines,
                words: self.words,
                checks,
                ..blank.provenance
            },
            ..blank
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
,Scope 1,Refrigerant & other,Kyoto protocol products,HFC-32,,Emissions including only Kyoto products,kg,kg CO2e,675,2022
,Scope 3,WTT- fuels,Gaseous fuels,Natural gas,,,kWh (Gross CV),kg CO2e,0.0311,2022
,Scope 1,Passenger vehicles,Cars (by size),Small car,,Petrol,miles,kg CO2e,0.2,2022
";

    #[test]
    fn rows_become_factors_with_their_lines() {
        let Imported { recipe, factors, left_out } =
            import(FILE, "flat.csv", 2022).expect("a flat file");
        let keys: Vec<&str> = factors.iter().map(|factor| factor.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "desnz/conversion-factors/scope-1/refrigerant-and-other/kyoto-protocol-products/\
                 hfc-32/emissions-including-only-kyoto-products/kg",
                "desnz/conversion-factors/scope-2/uk-electricity/electricity-generated/electricity-uk/kwh",
                "desnz/conversion-factors/scope-3/wtt-fuels/gaseous-fuels/natural-gas/kwh-gross-cv",
            ]
        );
        let [gas, grid, upstream] = factors.as_slice() else { panic!("three factors") };
        assert_eq!(grid.provenance.lines, [2, 3, 4, 5]);
        assert_eq!((grid.data_year, grid.headline()), (Some(2020), "0.19338".to_owned()));
        assert_eq!(grid.provenance.checks, ["gas_sum"]);
        assert!(grid.rebasable() && !upstream.rebasable());
        assert!(gas.rebasable() && gas.total.is_none(), "one gas alone is as good as its mass");
        assert_eq!(left_out.values().sum::<u32>(), 3, "{left_out:?}");
        let text = pack::write(&recipe, &factors);
        let read = pack::read(&text, &Digest::of(text.as_bytes()).hex()).expect("a pack");
        assert_eq!(read.recipe, recipe);
        let mut of_pack: Vec<&Factor> = read.factors().collect();
        of_pack.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!(of_pack, factors.iter().collect::<Vec<_>>());
    }

    #[test]
    fn an_id_is_the_digest_of_the_canonical_record() {
        for factor in import(FILE, "flat.csv", 2022).expect("a flat file").factors {
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
        assert_eq!(line(&FILE.replace("Natural gas", "Unnatural gas")), Some(9), "a strange word");
        assert_eq!(line(&FILE.replace("kWh (Gross CV)", "therms")), Some(9), "a strange unit");
        assert_eq!(line(&FILE.replace("WTT- fuels", "WTT- ghosts")), Some(9), "a strange table");
        assert_eq!(line(&FILE.replace("0.0311,2022", "0.0311,2023")), Some(9), "another edition");
    }
}
