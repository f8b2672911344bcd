//! The same arithmetic as [`lines`](super::lines), with every step's exact digits.

use super::{Calculator, Line, LinesError, Part, parts};
use crate::choice::{SlotChoice, Why};
use crate::decimal::{Decimal, Mass};
use crate::factors::{Factor, Library, Repr};
use crate::gwp::{Gas, GwpSet, gwp};
use crate::rational::{Rate, Rational};

/// A line and the steps that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineTrace {
    /// The line.
    pub line: Line,
    /// The method.
    pub method: String,
    /// Each step with its exact digits.
    pub exact: Vec<String>,
    /// Mass of the gas.
    pub kg: Mass,
    /// CO2e in the set that was asked for; `None` where the set does not list the gas.
    pub co2e: Option<Mass>,
    /// The potential that the mass was multiplied by, where one was.
    pub gwp: Option<Decimal>,
}

/// The lines of an activity with every step, CO2e in one GWP set.
///
/// # Errors
/// [`LinesError`].
pub fn explain(
    quantity: Decimal,
    why: &Why,
    library: &Library,
    set: GwpSet,
) -> Result<Vec<LineTrace>, LinesError> {
    let mut lines = Calculator::new(why, library)?.lines(quantity)?.into_iter();
    let mut traces = Vec::new();
    for choice in &why.slots {
        let factor = library
            .get_for(&why.kind, &choice.factor)
            .ok_or(LinesError::FactorMissing(choice.factor))?;
        for part in parts(choice, factor)? {
            let Some(line) = lines.next() else { continue };
            let teller = Teller { quantity, choice, factor, part: &part, set };
            traces.push(teller.trace(line)?);
        }
    }
    Ok(traces)
}

struct Teller<'a> {
    quantity: Decimal,
    choice: &'a SlotChoice,
    factor: &'a Factor,
    part: &'a Part,
    set: GwpSet,
}

impl Teller<'_> {
    fn trace(&self, line: Line) -> Result<LineTrace, LinesError> {
        let rate = self.part.co2e_per_unit(self.factor, self.set).map(Rate::new);
        let co2e = rate.map(|rate| rate.mass(self.quantity).ok_or(LinesError::TooLarge));
        let co2e = co2e.transpose()?;
        let rebased = self.part.kg.is_some() && self.set != GwpSet::Published;
        let potential = self.potential(self.set).filter(|_| rebased);
        Ok(LineTrace {
            line,
            method: self.choice.method.clone(),
            exact: self.steps(line.kg, co2e),
            kg: line.kg,
            co2e,
            gwp: potential,
        })
    }

    fn potential(&self, set: GwpSet) -> Option<Decimal> {
        gwp(set, self.part.gas, self.part.carbon, self.factor.boundary)
    }

    fn steps(&self, kg: Mass, co2e: Option<Mass>) -> Vec<String> {
        let path = &self.choice.unit_path;
        let (sent, per) = (Rational::from(self.quantity), path.rational().unwrap_or(Rational::ONE));
        let converted = sent.times(&per);
        let mut steps = Vec::new();
        if per == Rational::ONE && path.from == path.to {
            steps.push(format!("{} {} as sent", self.quantity, path.from));
        } else {
            let (from, to) = (&path.from, &path.to);
            let (per, converted) = (per.digits(), converted.digits());
            steps.push(format!("{} {from} × {per} {to}/{from} = {converted} {to}", self.quantity));
        }
        match self.part.gas {
            Gas::CO2E | Gas::CO2E_RESIDUE => self.total_steps(&converted, &mut steps),
            _ => self.gas_steps(&converted, &mut steps),
        }
        if self.part.kg.is_some() {
            let gas = self.part.gas;
            steps.push(format!("rounded half-even to 10⁻¹² kg: {} kg {gas}", kg.kg()));
        }
        let set = self.set;
        steps.push(match co2e {
            Some(co2e) => {
                format!("rounded half-even to 10⁻¹² kg: {} kg CO2e ({set})", co2e.kg())
            }
            None => format!("{} has no value in {set}: no CO2e is counted there", self.part.gas),
        });
        steps
    }

    fn total_steps(&self, quantity: &Rational, steps: &mut Vec<String>) {
        let Some(total) = &self.factor.total else { return };
        let (unit, basis) = (&self.choice.unit_path.to, self.part.basis);
        let value = if self.part.gas == Gas::CO2E {
            total.value.clone()
        } else {
            let printed: Vec<&str> =
                self.factor.gases.iter().map(|gas| gas.value.as_str()).collect();
            format!("({} − {})", total.value, printed.join(" − "))
        };
        let per = self.choice.unit_path.rational().unwrap_or(Rational::ONE);
        let rate = self.part.published.as_ref().and_then(|published| published.over(&per));
        let product = rate.unwrap_or(Rational::ZERO).times(quantity).digits();
        let quantity = quantity.digits();
        steps.push(format!(
            "{quantity} {unit} × {value} kg CO2e/{unit} = {product} kg CO2e (printed in {basis}; no gas split to rebase)"
        ));
    }

    fn gas_steps(&self, quantity: &Rational, steps: &mut Vec<String>) {
        let (unit, basis, gas) = (&self.choice.unit_path.to, self.part.basis, self.part.gas);
        let printed = self.factor.gases.iter().find(|value| value.gas == gas);
        let Some(printed) = printed else { return };
        let Some(value) = Rational::parse(&printed.value) else { return };
        let first = quantity.times(&value);
        let (quantity, value, mass_unit) = (quantity.digits(), &printed.value, &printed.unit);
        let mass = match printed.repr {
            Repr::Mass => {
                let product = first.digits();
                steps.push(format!(
                    "{quantity} {unit} × {value} {mass_unit} {gas}/{unit} = {product} {mass_unit} {gas}"
                ));
                Some(first)
            }
            Repr::Co2e => {
                steps.push(format!(
                    "{quantity} {unit} × {value} {mass_unit} CO2e of {gas}/{unit} = {} {mass_unit} CO2e ({basis})",
                    first.digits()
                ));
                self.unweigh(&first, mass_unit, steps)
            }
        };
        let asked = self.potential(self.set).filter(|_| self.set != GwpSet::Published);
        if let (Some(mass), Some(potential)) = (mass, asked) {
            let product = mass.times(&Rational::from(potential)).digits();
            let (mass, set) = (mass.digits(), self.set);
            steps.push(format!(
                "{mass} {mass_unit} {gas} × {potential} ({set}) = {product} {mass_unit} CO2e"
            ));
        }
    }

    /// From CO2e in the printed basis back to the mass of the gas.
    fn unweigh(&self, co2e: &Rational, unit: &str, steps: &mut Vec<String>) -> Option<Rational> {
        let (basis, gas) = (self.part.basis, self.part.gas);
        let potential = self.potential(basis)?;
        let mass = co2e.over(&Rational::from(potential))?;
        if gas != Gas::CO2 {
            let (co2e, exact) = (co2e.digits(), mass.digits());
            steps
                .push(format!("{co2e} {unit} CO2e ÷ {potential} ({basis}) = {exact} {unit} {gas}"));
        }
        Some(mass)
    }
}
