//! In what unit: what the names and the cells say, and what has to be asked.

use envora_domain::units::{AliasSet, UnitError, lookup};

use super::super::columns::Column;
use super::super::roles::{Carrier, Role, named, unit_of};
use super::{AMBIGUOUS, Choice, MISSING, Question, Writer, quoted};

impl Writer<'_> {
    /// Kilowatt-hours of gas in a column of units: bills of it say neither gross nor net.
    fn heat_of_rows(&mut self, name: &str, text: &str) {
        let mapped = |code: &str| {
            format!("unit = {{ column = {name}, map = {{ {} = \"{code}\" }} }}", quoted(text))
        };
        let choice = |says: String, means: &str| Choice { says, means: means.to_owned() };
        let mut choices = vec![
            choice(
                mapped("kW.h.x:gross"),
                "gas by gross calorific value: what British and most bills say",
            ),
            choice(mapped("kW.h.x:net"), "gas by net calorific value"),
        ];
        if self.carrier() != Some(Carrier::Gas) {
            choices.push(choice(format!("unit = {{ column = {name} }}"), "what is no gas"));
        }
        self.ask(Question {
            code: AMBIGUOUS.to_owned(),
            column: String::new(),
            asks: format!("{text} of gas: by gross or by net calorific value?"),
            line: 0,
            choices,
        });
    }

    pub(super) fn unit(&mut self) {
        if self.asked_unit {
            return;
        }
        if let Some(column) = named(&self.look.columns, Role::Unit) {
            let name = quoted(&column.name);
            if let Some(text) = column.texts.keys().find(|text| is_heat(text))
                && self.burns_gas()
                && !column.texts.keys().any(|text| is_gross_or_net(text))
            {
                return self.heat_of_rows(&name, text);
            }
            self.line(format!("unit = {{ column = {name} }}"));
            return self.certain(format!("{name} is the unit"), "every cell is one");
        }
        let said = match &self.wide {
            Some(wide) if super::super::frame::is_unit(&wide.prefix) => Some(wide.prefix.clone()),
            Some(_) => None,
            None => match self.amounts().as_slice() {
                [column] => unit_of(column),
                _ => None,
            },
        };
        let Some(unit) = said else {
            if self.wide.is_none() && self.amounts().iter().any(|column| unit_of(column).is_some())
            {
                // Each of the columns that are asked about brings its own.
                return;
            }
            return self.ask(Question {
                code: MISSING.to_owned(),
                column: String::new(),
                asks: "no name says the unit".to_owned(),
                line: 0,
                choices: self.units(),
            });
        };
        let heat = code_of_unit(&unit);
        if let Err(UnitError::Ambiguous { meanings, .. }) = &heat {
            let choice = |code: &String| Choice {
                says: format!("unit = {}", quoted(code)),
                means: format!("if {unit} are these"),
            };
            return self.ask(Question {
                code: AMBIGUOUS.to_owned(),
                column: String::new(),
                asks: format!("{unit} has several meanings: which?"),
                line: 0,
                choices: meanings.iter().map(choice).collect(),
            });
        }
        if self.carrier() == Some(Carrier::Gas) && heat.as_deref() == Ok("kW.h") {
            let choice = |says: &str, means: &str| Choice {
                says: format!("unit = \"{says}\""),
                means: means.to_owned(),
            };
            return self.ask(Question {
                code: AMBIGUOUS.to_owned(),
                column: String::new(),
                asks: format!("{unit} of gas: by gross or by net calorific value?"),
                line: 0,
                choices: vec![
                    choice("kW.h.x:gross", "gross: what British and most bills say"),
                    choice("kW.h.x:net", "net"),
                ],
            });
        }
        self.reason(format!("the unit is {unit}"), "a name says so");
        self.line(format!("unit = {}", quoted(&unit)));
    }

    /// Units in which an amount of this comes.
    fn units(&self) -> Vec<Choice> {
        let units: &[(&str, &str)] = match self.carrier() {
            Some(Carrier::Electricity) => &[("kW.h", "kilowatt-hours"), ("MW.h", "megawatt-hours")],
            Some(Carrier::Gas) => &[
                (
                    "kW.h.x:gross",
                    "kilowatt-hours by gross calorific value: what British and most bills say",
                ),
                ("kW.h.x:net", "kilowatt-hours by net calorific value"),
                ("m3", "cubic metres"),
            ],
            Some(Carrier::Water) => &[("m3", "cubic metres"), ("L", "litres")],
            None if self.is_waste() => {
                &[("kg", "kilograms"), ("t", "tonnes"), ("m3", "cubic metres")]
            }
            None => &[
                ("kW.h", "kilowatt-hours"),
                ("L", "litres"),
                ("kg", "kilograms"),
                ("t", "tonnes"),
                ("m3", "cubic metres"),
            ],
        };
        let choice = |(code, means): &(&str, &str)| Choice {
            says: format!("unit = {}", quoted(code)),
            means: (*means).to_owned(),
        };
        units.iter().map(choice).collect()
    }
}

/// The code of a unit, by no publisher's custom.
fn code_of_unit(text: &str) -> Result<String, UnitError> {
    lookup(text, AliasSet::None)
}

/// Whether kilowatt-hours are meant, of which those of a fuel are gross or net.
fn is_heat(text: &str) -> bool {
    let code = code_of_unit(text);
    code.as_deref() == Ok("kW.h")
}

/// Whether a unit of heat says by which calorific value: then the others are of something else.
fn is_gross_or_net(text: &str) -> bool {
    let code = code_of_unit(text);
    code.is_ok_and(|code| code.ends_with(":gross") || code.ends_with(":net"))
}

/// Of a unit of power, its code and that of as much for an hour.
pub(super) fn energy_of(unit: &str) -> Option<(String, String)> {
    let code = code_of_unit(unit).ok()?;
    ["W", "kW", "MW", "GW"].contains(&code.as_str()).then(|| (code.clone(), format!("{code}.h")))
}

/// The unit that a column's name says; of `mWh` both that it may be.
pub(super) fn units_said(column: &Column) -> Vec<String> {
    let Some(unit) = unit_of(column) else { return Vec::new() };
    match code_of_unit(&unit) {
        Err(UnitError::Ambiguous { meanings, .. }) => meanings,
        _ => vec![unit],
    }
}
