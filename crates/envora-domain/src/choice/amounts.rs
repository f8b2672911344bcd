//! What a method multiplies, for one question: its terms with their unit paths.

use serde::{Deserialize, Serialize};

use super::candidates::{self, Search};
use super::period::Edition;
use super::{Asked, catalogue};
use crate::activities::validate::unit_of;
use crate::catalogue::{ActivityKind, Quantity, SlotSpec};
use crate::factors::{Boundary, Factor, FactorId, FactorKind};
use crate::methods::{Method, Of, Product, screening};
use crate::units::{self, Unit, UnitPath};

/// A product that is added to an amount, or taken away from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Whether it is taken away.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub minus: bool,
    /// What is multiplied.
    pub of: Vec<Operand>,
}

/// One factor of a term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operand {
    /// `quantity`, the name of an input, or what a number is.
    pub name: String,
    /// Whether it divides.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub over: bool,
    /// The number, where it is one and not the row's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// From its unit to the one that is calculated in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<UnitPath>,
    /// The record that the number is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<FactorId>,
}

impl Operand {
    fn row(name: &str, path: Option<UnitPath>) -> Self {
        Self { name: name.to_owned(), over: false, number: None, path, factor: None }
    }

    fn number(name: &str, number: &str) -> Self {
        let number = Some(number.to_owned());
        Self { name: name.to_owned(), over: false, number, path: None, factor: None }
    }
}

/// An amount with its unit; no terms where it is the quantity alone.
pub(super) struct Measured {
    pub(super) unit: Unit,
    pub(super) terms: Vec<Term>,
    /// The series and edition of each property in it.
    pub(super) beside: Vec<(String, Edition)>,
}

impl Measured {
    /// The quantity alone.
    fn quantity(asked: &Asked<'_>) -> Self {
        Self { unit: asked.unit.clone(), terms: Vec::new(), beside: Vec::new() }
    }
}

/// What a method multiplies here, or what it lacks.
pub(super) fn measure(
    method: &Method,
    spec: &SlotSpec,
    asked: &Asked<'_>,
) -> Result<Measured, String> {
    if let Some(quantity) = method.takes
        && !quantity.is_of(&asked.unit)
    {
        return Err(format!("it takes {}, such as {}", quantity.name(), quantity.example()));
    }
    let Some(amount) = method.amount else {
        return Ok(Measured::quantity(asked));
    };
    if method.id.starts_with("stationary.carbon@") && !is_fossil(asked) {
        return Err("the carbon of this fuel is not all fossil".to_owned());
    }
    let mut measuring = Measuring { method, spec, asked, unit: None, beside: Vec::new() };
    let terms = amount.sum.iter().map(|product| measuring.term(product));
    let terms = terms.collect::<Result<Vec<Term>, String>>()?;
    let unit = match (measuring.unit, amount.unit) {
        (Some(unit), _) => unit,
        (None, "") => asked.unit.clone(),
        (None, code) => units::parse_code(code).map_err(|error| error.to_string())?,
    };
    Ok(Measured { unit, terms, beside: measuring.beside })
}

fn is_fossil(asked: &Asked<'_>) -> bool {
    let fuel = asked.told.get("fuel").and_then(|word| catalogue::find_fuel(word));
    fuel.is_some_and(|fuel| fuel.carbon == crate::gwp::Carbon::Fossil)
}

struct Measuring<'a> {
    method: &'a Method,
    spec: &'a SlotSpec,
    asked: &'a Asked<'a>,
    /// The unit that a property gave the amount.
    unit: Option<Unit>,
    beside: Vec<(String, Edition)>,
}

impl<'a> Measuring<'a> {
    fn term(&mut self, product: &Product) -> Result<Term, String> {
        let mut of = Vec::new();
        for times in product.times {
            of.extend(self.operand(*times)?);
        }
        for over in product.over {
            let operands = self.operand(*over)?;
            of.extend(operands.into_iter().map(|operand| Operand { over: true, ..operand }));
        }
        Ok(Term { minus: product.minus, of })
    }

    fn operand(&mut self, of: Of) -> Result<Vec<Operand>, String> {
        Ok(match of {
            Of::AsSent => vec![Operand::row("quantity", None)],
            Of::Quantity(code) => {
                vec![Operand::row("quantity", self.path(&self.asked.unit, code)?)]
            }
            Of::Input(name, code) => vec![self.input(name, code)?.ok_or_else(|| self.lacks(name))?],
            Of::InputAsSent(name) => vec![self.input_as_sent(name)?],
            Of::InputOr(name, code, number) => {
                let input = self.input(name, code)?;
                vec![input.unwrap_or_else(|| Operand::number(name, number))]
            }
            Of::Number(number) => vec![Operand::number("", number)],
            Of::Economy => vec![self.economy()?],
            Of::HeatContent => {
                let found = self.property(FactorKind::Property, Boundary::Combustion)?;
                let (factor, path) = found;
                let total = factor.total.as_ref().ok_or_else(|| self.lacks("heat content"))?;
                self.unit = units::parse_code(&total.unit).ok();
                let mut operand = Operand::number("heat content", &total.value);
                (operand.factor, operand.path) = (Some(factor.id), Some(path));
                vec![operand]
            }
            Of::LossRate => {
                let (factor, _) = self.property(FactorKind::LossRate, Boundary::TAndD)?;
                let total = factor.total.as_ref().ok_or_else(|| self.lacks("loss rate"))?;
                let mut operand = Operand::number("loss rate", &total.value);
                operand.factor = Some(factor.id);
                vec![operand]
            }
            Of::Screening(column) => {
                let equipment = self.asked.told.get("equipment").map_or("", String::as_str);
                let share = screening(equipment, column).ok_or_else(|| self.lacks("equipment"))?;
                vec![Operand::number(&format!("{column:?}").to_lowercase(), share)]
            }
        })
    }

    fn lacks(&self, name: &str) -> String {
        let unsaid = format!("the activity brings no {name}");
        self.method.absent.map_or(unsaid, str::to_owned)
    }

    /// A path to a unit of calculation; none is needed between equal units. A way is as long for
    /// the vehicle that drives it.
    fn path(&self, from: &Unit, code: &str) -> Result<Option<UnitPath>, String> {
        let to = units::parse_code(code).map_err(|error| error.to_string())?;
        let path = UnitPath::between(from, &to).or_else(|mismatch| {
            let driven = units::parse_code(&format!("{}.x:veh", from.code()));
            driven.and_then(|driven| UnitPath::between(&driven, &to)).map_err(|_| mismatch)
        });
        let path = path.map_err(|error| error.to_string())?;
        Ok((path.from != path.to).then_some(path))
    }

    fn input(&self, name: &str, code: &str) -> Result<Option<Operand>, String> {
        let Some(text) = self.asked.question.brings.inputs.get(name) else { return Ok(None) };
        let unit = unit_of(text).map_err(|error| error.to_string())?;
        Ok(Some(Operand::row(name, self.path(&unit, code)?)))
    }

    fn input_as_sent(&mut self, name: &str) -> Result<Operand, String> {
        let text = self.asked.question.brings.inputs.get(name).ok_or_else(|| self.lacks(name))?;
        let unit = unit_of(text).map_err(|error| error.to_string())?;
        ActivityKind::check_fuel_volume(&unit, &self.asked.qualifiers)
            .map_err(|error| error.to_string())?;
        self.unit = Some(unit);
        Ok(Operand::row(name, None))
    }

    /// Distance per volume divides the distance, volume per distance multiplies it.
    fn economy(&self) -> Result<Operand, String> {
        let Some(text) = self.asked.question.brings.inputs.get("economy") else {
            return Err(self.lacks("economy"));
        };
        let unit = unit_of(text).map_err(|error| error.to_string())?;
        for (code, over) in
            [("km/L", true), ("x:veh.km/L", true), ("L/km", false), ("L/km/x:veh", false)]
        {
            let to = units::parse_code(code).map_err(|error| error.to_string())?;
            if unit.dimension() == to.dimension() {
                let path = UnitPath::between(&unit, &to).map_err(|error| error.to_string())?;
                let path = (path.from != path.to).then_some(path);
                return Ok(Operand { over, ..Operand::row("economy", path) });
            }
        }
        Err(format!("the economy is sent in {unit}; {} is due", Quantity::Economy.example()))
    }

    /// The record of a property, and the path from the row's unit to its denominator.
    fn property(
        &mut self,
        kind: FactorKind,
        boundary: Boundary,
    ) -> Result<(&'a Factor, UnitPath), String> {
        let types =
            if self.spec.types.is_empty() { &[self.asked.kind.code] } else { self.spec.types };
        let heat = kind == FactorKind::Property;
        let loss_unit = units::parse_code("1").map_err(|error| error.to_string())?;
        let search = Search {
            slot: self.spec.slot,
            kinds: &[kind],
            boundary,
            memo: None,
            types,
            unit: if heat { &self.asked.unit } else { &loss_unit },
            without_co2: false,
            of_supplier: false,
            property: heat.then_some("heat_content"),
            beside: &[],
        };
        let found = candidates::best(&search, self.asked, &mut Vec::new());
        let found = found.map_err(|_| self.lacks(kind.as_str()))?;
        self.beside.extend(found.family);
        let factor = self.asked.library.get(&found.factor);
        Ok((factor.ok_or_else(|| self.lacks(kind.as_str()))?, found.unit_path))
    }
}
