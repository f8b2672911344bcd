//! The Greenhouse Gas Emission Factors Hub of the US Environmental Protection Agency.
//!
//! Its gases are masses, except in the tables of waste and of potentials, which print CO2
//! equivalents. Carbon dioxide of plants is a factor of its own, for the memo; what is printed per
//! heat and per amount stays two factors, since they differ by the publisher's rounding.

mod tables;

use std::collections::BTreeMap;

use super::meanings::{Meaning, Unplaced};
use super::{ImportError, Imported, csv};
use crate::catalogue::Bucket;
use crate::factors::pack::{FamilyRule, PeriodRule, Recipe, RegionRule, Rules};
use crate::factors::record::{Body, Boundary, Factor, GasValue, Provenance, Repr, Rights, Total};
use crate::factors::rows;
use crate::gwp::{Carbon, Gas, GwpSet, gwp};
use crate::hash::Digest;
use crate::rational::Rational;
use crate::time::Day;

const HEADER: &str =
    "edition,table,table_title,group,item,item_detail,model_year,factor,value,unit";

/// A row of the hub: edition, table, title, group, item, detail, model year, factor, value, unit.
type Row = [String; 10];

/// A number of the hub.
struct Printed {
    line: u32,
    value: String,
    /// The unit's code.
    unit: &'static str,
    /// The gas whose mass it is; of CO2 equivalents, heat and shares, none.
    gas: Option<Gas>,
}

/// The rows that say the same of the same thing: one factor, or two where a memo is split off.
struct Group {
    words: Vec<String>,
    table: String,
    /// Per what, as printed.
    per: String,
    meaning: Meaning,
    printed: Vec<Printed>,
}

/// Imports an edition.
///
/// # Errors
/// [`ImportError`] for a line that is not of this file's shape.
pub fn import(csv: &str, file: &str, edition: i16) -> Result<Imported, ImportError> {
    let mut recipe = recipe(csv, file, edition)?;
    let rows: Vec<(u32, Row)> = csv::rows(csv, HEADER)?;
    recipe.renames = tables::renames(rows.iter().map(|(_, cells)| cells));
    let renames: BTreeMap<String, String> = recipe.renames.iter().cloned().collect();
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut left_out = BTreeMap::new();
    for (number, cells) in &rows {
        if cells[0] != edition.to_string() {
            return ImportError::at(*number, &format!("not of the edition {edition}"));
        }
        let (printed, per) = printed(*number, cells)?;
        match tables::meaning(cells, per) {
            Err(Unplaced::Strange(what)) => {
                let printed = [&cells[4], &cells[5], &cells[7], &cells[9]].map(String::as_str);
                return ImportError::at(*number, &format!("{what}: {}", printed.join(", ")));
            }
            Err(Unplaced::LeftOut(reason)) => {
                let table = format!("Table {}: {}", cells[1], cells[2]);
                *left_out.entry((table, reason)).or_insert(0) += 1;
            }
            Ok(meaning) => {
                let meaning = of_plants(meaning, printed.gas);
                let words = words(cells, &meaning);
                let shown: Vec<&str> = words.iter().map(String::as_str).collect();
                let key = rows::key(&recipe.prefix, &renames, &shown, per);
                let group = groups.entry(key).or_insert_with(|| Group {
                    words: words.clone(),
                    table: cells[1].clone(),
                    per: per.to_owned(),
                    meaning,
                    printed: Vec::new(),
                });
                group.take(&words, printed)?;
            }
        }
    }
    let mut factors = Vec::new();
    for (key, group) in groups {
        let line = group.printed.first().map_or(0, |printed| printed.line);
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
        id: format!("epa-hub-{edition}"),
        version: "1".to_owned(),
        prefix: "epa/ghg-emission-factors-hub".to_owned(),
        publisher: "US EPA".to_owned(),
        dataset: "GHG Emission Factors Hub".to_owned(),
        edition: edition.to_string(),
        valid_from,
        valid_to,
        basis: if edition < 2024 { GwpSet::Ar4 } else { GwpSet::Ar5 },
        rules: Rules {
            period: PeriodRule::Majority,
            region: RegionRule::SubregionThenCountry,
            family: FamilyRule::SameEdition,
        },
        rights: Rights {
            licence: "US-PD".to_owned(),
            redistribute: "yes".to_owned(),
            attribution: format!("U.S. EPA, GHG Emission Factors Hub, {edition}"),
        },
        file: file.to_owned(),
        sha256: Digest::of(csv.as_bytes()).hex(),
        precision: 12,
        renames: Vec::new(),
    })
}

/// What a row prints, and per what.
fn printed(line: u32, cells: &Row) -> Result<(Printed, &str), ImportError> {
    let (value, unit) = (&cells[8], cells[9].as_str());
    if Rational::parse(value).is_none() {
        return ImportError::at(line, "not a number");
    }
    let printed = |unit, gas| Printed { line, value: value.clone(), unit, gas };
    if unit == "fraction" {
        return Ok((printed("1", None), unit));
    }
    let Some((what, per)) = unit.split_once(" per ") else {
        return ImportError::at(line, &format!("{unit:?} is no unit of a factor"));
    };
    let read = match what {
        "kg CO2" => printed("kg", Some(Gas::CO2)),
        "g CH4" => printed("g", Some(Gas::CH4)),
        "g N2O" => printed("g", Some(Gas::N2O)),
        "lb CO2" => printed("[lb_av]", Some(Gas::CO2)),
        "lb CH4" => printed("[lb_av]", Some(Gas::CH4)),
        "lb N2O" => printed("[lb_av]", Some(Gas::N2O)),
        "metric ton CO2e" => printed("t", None),
        "kg CO2e" => printed("kg", None),
        "mmBtu" => printed("10*6.[Btu_IT].x:gross", None),
        _ => return ImportError::at(line, &format!("{unit:?} is no unit of a factor")),
    };
    Ok((read, per))
}

/// The publisher's words of a row; those of a part that is a factor of its own say which.
fn words(cells: &Row, meaning: &Meaning) -> Vec<String> {
    let part = match (meaning.memo, cells[7].as_str()) {
        (Some(Bucket::BiogenicCo2), factor) => factor,
        (_, factor @ ("Heat Content (HHV)" | "Grid gross loss")) => factor,
        (_, factor) if factor.starts_with("Non-baseload") => "Non-baseload",
        (_, factor) if factor.starts_with("Total output") => "Total output",
        _ => "",
    };
    let words = [&cells[2], &cells[3], &cells[4], &cells[5], &cells[6]].map(String::as_str);
    let words = words.into_iter().chain([part]).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The carbon dioxide of plants goes to the memo, the rest of the row's gases into the scopes.
fn of_plants(meaning: Meaning, gas: Option<Gas>) -> Meaning {
    let memo = meaning.carbon == Carbon::Biogenic && gas == Some(Gas::CO2);
    if memo { meaning.memo(Bucket::BiogenicCo2) } else { meaning }
}

impl Group {
    fn take(&mut self, words: &[String], printed: Printed) -> Result<(), ImportError> {
        let line = printed.line;
        if self.words != words {
            return ImportError::at(line, "another factor has this key");
        }
        if self.printed.iter().any(|other| other.gas == printed.gas) {
            return ImportError::at(line, "a second value for the same factor");
        }
        self.printed.push(printed);
        Ok(())
    }

    fn body(self, recipe: &Recipe, key: &str) -> Body {
        // What goes on with AR4 in every edition.
        let basis = if self.table == "9" { GwpSet::Ar4 } else { recipe.basis };
        let blank = self.meaning.body(recipe, key, &self.per);
        let carbon = self.meaning.carbon;
        let lines = self.printed.iter().map(|printed| printed.line).collect();
        let mut total = None;
        let mut gases = Vec::new();
        for Printed { line, value, unit, gas } in self.printed {
            let (unit, line) = (unit.to_owned(), Some(line));
            match gas {
                None => total = Some(Total { value, basis, unit, line }),
                Some(gas) => {
                    let repr = Repr::Mass;
                    gases.push(GasValue { gas, carbon, repr, gwp_basis: None, value, unit, line });
                }
            }
        }
        let mut flags = blank.provenance.flags;
        if self.table == "12" {
            match Self::composition(&self.words, basis, total.as_ref()) {
                Ok(parts) => gases = parts,
                Err(flag) => flags.push(flag.to_owned()),
            }
        }
        Body {
            data_year: tables::data_year(&self.table, &recipe.edition),
            basis,
            gases,
            total,
            provenance: Provenance {
                sheet: Some(format!("Table {}", self.table)),
                lines,
                words: self.words,
                flags,
                ..blank.provenance
            },
            ..blank
        }
    }

    /// The gases of a blend, where their shares are printed whole and give the printed number.
    fn composition(
        words: &[String],
        basis: GwpSet,
        total: Option<&Total>,
    ) -> Result<Vec<GasValue>, &'static str> {
        let total = total.ok_or("composition_incomplete")?;
        let printed = words.last().map_or("", String::as_str);
        let parts = tables::composition(printed).ok_or("composition_incomplete")?;
        let weigh = |(gas, share): &(Gas, String)| {
            let potential = gwp(basis, *gas, Carbon::Unknown, Boundary::Fugitive)?;
            Some(Rational::parse(share)?.times(&Rational::from(potential)))
        };
        let weights = parts.iter().map(weigh).collect::<Option<Vec<_>>>();
        let sum = weights.into_iter().flatten().fold(Rational::ZERO, |sum, part| sum.plus(&part));
        let rest = Rational::parse(&total.value)
            .zip(Rational::new(100, 1))
            .map(|(total, hundred)| total.times(&hundred).minus(&sum));
        // In hundredths: within one kilogram, which is the publisher's rounding.
        let off = rest.map(|rest| if rest.is_negative() { rest.negated() } else { rest });
        if off.is_none_or(|off| Rational::new(100, 1).is_none_or(|most| off > most)) {
            return Err("composition_differs");
        }
        let part = |(gas, value): (Gas, String)| GasValue {
            gas,
            carbon: Carbon::Unknown,
            repr: Repr::Mass,
            gwp_basis: None,
            value,
            unit: "%.kg".to_owned(),
            line: total.line,
        };
        Ok(parts.into_iter().map(part).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factors::FactorKind;

    const FILE: &str = "edition,table,table_title,group,item,item_detail,model_year,factor,value,unit
2025,1,Stationary Combustion,Biomass Fuels - Solid,Wood and Wood Residuals,,,Heat Content (HHV),17.48,mmBtu per short ton
2025,1,Stationary Combustion,Biomass Fuels - Solid,Wood and Wood Residuals,,,CO2 Factor,1640,kg CO2 per short ton
2025,1,Stationary Combustion,Biomass Fuels - Solid,Wood and Wood Residuals,,,CH4 Factor,126,g CH4 per short ton
2025,1,Stationary Combustion,Biomass Fuels - Solid,Wood and Wood Residuals,,,N2O Factor,63,g N2O per short ton
2025,6,Electricity,,CAMX,WECC California,,Total output CO2,436.655,lb CO2 per MWh
2025,6,Electricity,,CAMX,WECC California,,Non-baseload CO2,984.567,lb CO2 per MWh
2025,6,Electricity,,CAMX,WECC California,,Grid gross loss,0.042,fraction
2025,12,Blends,,R-410A,\"50% HFC-32 , 50% HFC-125\",,GWP100,1924,kg CO2e per kg
2025,12,Blends,,R-424A,\"50.5% HFC-125 , 47% HFC-134a , 2.5% butane\",,GWP100,3104,kg CO2e per kg
2025,3,On-Road,,Gasoline Passenger Cars,,1976-1977,CH4 Factor,0.1406,g CH4 per vehicle-mile
";

    #[test]
    fn rows_become_factors_with_their_lines() {
        let imported = import(FILE, "hub.csv", 2025).expect("a hub");
        let of = |end: &str| {
            let found = imported.factors.iter().find(|factor| factor.key.ends_with(end));
            found.unwrap_or_else(|| panic!("{end}")).body().clone()
        };
        let memo = of("wood-and-wood-residuals/co2-factor/short-ton");
        assert_eq!(memo.memo_bucket, Some(Bucket::BiogenicCo2));
        let burnt = of("wood-and-wood-residuals/short-ton");
        assert_eq!((burnt.gases.len(), burnt.memo_bucket), (2, None));
        assert_eq!(burnt.provenance.lines, [4, 5]);
        let heat = of("wood-and-wood-residuals/heat-content-hhv/short-ton");
        assert_eq!(
            (heat.kind, heat.total.map(|total| total.value)),
            (FactorKind::Property, Some("17.48".to_owned()))
        );
        let grid = of("camx/total-output/mwh");
        assert_eq!((grid.region.code.as_str(), grid.data_year), ("CAMX", Some(2023)));
        assert_eq!(of("camx/non-baseload/mwh").permitted_use, "not_for_inventory");
        assert_eq!(of("camx/grid-gross-loss/fraction").kind, FactorKind::LossRate);
        assert_eq!(of("r-410a/kg").gases.len(), 2);
        let odd = of("r-424a/kg");
        assert!(odd.gases.is_empty() && odd.provenance.flags == ["composition_differs"]);
        let car = of("gasoline-passenger-cars/1976-1977/vehicle-mile");
        assert_eq!(car.qualifiers.get("model_year").map(String::as_str), Some("1976|1977"));
    }

    #[test]
    fn other_files_are_refused_with_the_line() {
        let line = |csv: &str| import(csv, "x", 2025).err().map(|problem| problem.line);
        assert_eq!(line("a,b\n"), Some(1));
        assert_eq!(line(&FILE.replace("1640", "n/a")), Some(3));
        assert_eq!(line(&FILE.replace("g CH4 per short ton", "ounces")), Some(4));
        assert_eq!(line(&FILE.replace("Wood and", "Mud and")), Some(2));
        assert_eq!(line(&FILE.replace("2025,6,", "2025,66,")), Some(6));
        assert_eq!(line(&FILE.replace("N2O Factor,63,g N2O", "CH4 Factor,63,g CH4")), Some(5));
        assert_eq!(line(&FILE.replace("1976-1977", "long ago")), Some(11));
        assert_eq!(import(FILE, "x", 2024).err().map(|problem| problem.line), Some(2));
    }
}
